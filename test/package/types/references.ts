/* How references are declared: what compiles and what must not. Compiled, never run. */
import { createSessions } from "session-sets";

interface Data {
  user_id: number;
  team_ids?: number[];
  role?: "admin" | "guest";
}

const data = {} as Data;

// A list, with records among it, and a record; of each, only the declared references compile ---------

export function declared() {
  const list = createSessions({ data, references: ["user_id", "team_ids"] });
  list.by("user_id", 1);
  list.by("team_ids", 7);
  // @ts-expect-error: no declared reference
  list.by("role", "admin");

  const mixed = createSessions({
    data,
    references: ["user_id", { team_ids: { identity: false, type: "number" } }],
  });
  mixed.by("user_id", 1);
  mixed.by("team_ids", 7);
  // @ts-expect-error: no declared reference
  mixed.by("role", "admin");
  // @ts-expect-error: a value of another type
  mixed.by("team_ids", "7");

  const record = createSessions({
    data,
    references: { user_id: true, team_ids: { identity: false, as: "set" } },
  });
  record.by("user_id", 1);
  record.by("team_ids", 7);
  // @ts-expect-error: no declared reference
  record.by("role", "admin");

  const explicit = createSessions<Data>({
    references: ["user_id", { team_ids: { identity: false } }],
  });
  explicit.by("team_ids", 7);

  const none = createSessions({ data, references: [] });
  // @ts-expect-error: no declared reference
  none.by("user_id", 1);
}

// A name that is no field of the data -----------------------------------------------------------------

export function misspelt() {
  createSessions({
    data,
    // @ts-expect-error: no field of the data
    references: ["user_di"],
  });
  createSessions({
    data,
    // @ts-expect-error: no field of the data
    references: ["user_id", "team_id"],
  });
  createSessions({
    data,
    // @ts-expect-error: no field of the data
    references: ["user_id", { team_id: { identity: false } }],
  });
  createSessions({
    data,
    // @ts-expect-error: no field of the data
    references: { user_di: true },
  });
  createSessions({
    data,
    // @ts-expect-error: no field of the data
    references: { user_id: {}, team_id: { identity: false } },
  });
  // @ts-expect-error: no field of the data
  createSessions<Data>({ references: ["user_di"] });
  // @ts-expect-error: no field of the data
  createSessions<Data>({ references: { user_di: true } });
}

// What is no way to declare one -----------------------------------------------------------------------

export function wrong() {
  // @ts-expect-error: false is not to declare it
  createSessions({ data, references: { user_id: false } });
  // @ts-expect-error: neither yes nor no
  createSessions({ data, references: { user_id: { identity: "no" } } });
  // @ts-expect-error: the option of before
  createSessions({ data, references: { user_id: { rotate: false } } });
  // @ts-expect-error: no type of a reference
  createSessions({ data, references: { user_id: { type: "boolean" } } });
  // @ts-expect-error: a number is no name
  createSessions({ data, references: [1] });
  // @ts-expect-error: one name is no list
  createSessions({ data, references: "user_id" });
}

// Deadlines: both by default, null turns one off --------------------------------------------------------

export async function deadlines() {
  createSessions({ references: ["user_id"] });
  createSessions({ data, idleTimeout: null });
  createSessions({ data, idleTimeout: "90 days", absoluteTimeout: null });
  const sessions = createSessions({ data, references: ["user_id"] });
  await sessions.create({ user_id: 1 }, { absoluteTimeout: null });
  await sessions.signIn(null, { user_id: 1 }, { idleTimeout: null });
  // @ts-expect-error: no duration
  createSessions({ data, absoluteTimeout: "never" });
  // @ts-expect-error: no duration
  createSessions({ data, idleTimeout: false });
}
