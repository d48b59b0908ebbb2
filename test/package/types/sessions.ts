/* The types of `createSessions`: code that compiles, and code that must not. Compiled, never run. */
import {
  createSessions,
  type Rotated,
  type Session,
  type SessionSet,
  type SessionWithToken,
  type StandardSchema,
} from "session-sets";
import { type Equal, same } from "./equal.ts";

interface Data {
  user_id: number;
  team_ids?: number[];
  role?: "admin" | "guest";
  cart?: { sku: string }[];
}

const idleTimeout = "30 minutes";
declare const token: string | null | undefined;

// With the explicit parameter ---------------------------------------------------------------------

const explicit = createSessions<Data>({ references: { user_id: {}, team_ids: {} }, idleTimeout });

export async function reading() {
  const whole = await explicit.get(token);
  same<Equal<typeof whole, Session<Data> | null>>();
  const looked = await explicit.get(token, { touch: false });
  same<Equal<typeof looked, Session<Data> | null>>();
  const part = await explicit.get(token, ["role", "cart"]);
  same<Equal<typeof part, Session<Pick<Data, "role" | "cart">> | null>>();
  const byId = await explicit.byId("id").get(["user_id"]);
  same<Equal<typeof byId, Session<Pick<Data, "user_id">> | null>>();
  // @ts-expect-error: a field that was not asked for
  part?.data.user_id;
  // @ts-expect-error: no field of the data
  await explicit.get(token, ["nothing"]);
  // @ts-expect-error: no option
  await explicit.get(token, { tuoch: false });
  // @ts-expect-error: neither yes nor no
  await explicit.get(token, { touch: "no" });
  // @ts-expect-error: a token is a string
  await explicit.get(5);
  // @ts-expect-error: it may be null
  (await explicit.get(token)).id;
  if (!whole) return;
  same<Equal<typeof whole.createdAt, Date>>();
  same<Equal<typeof whole.absoluteDeadline, Date | null>>();
  // @ts-expect-error: what was read is read-only
  whole.id = "other";
  // @ts-expect-error: a session tells no token
  whole.token;
}

export async function writing() {
  const made = await explicit.create({ user_id: 1, role: "admin" });
  same<Equal<typeof made, SessionWithToken<Data>>>();
  await explicit.create({ user_id: 1 }, { idleTimeout: "1 day", absoluteTimeout: 5000 });
  // @ts-expect-error: user_id is required
  await explicit.create({});
  // @ts-expect-error: user_id is required
  await explicit.create();
  // @ts-expect-error: a wrong type
  await explicit.create({ user_id: "1" });
  // @ts-expect-error: no field of the data
  await explicit.create({ user_id: 1, nothing: 1 });
  // @ts-expect-error: no duration
  await explicit.create({ user_id: 1 }, { idleTimeout: "a while" });
  // @ts-expect-error: no deadline
  await explicit.create({ user_id: 1 }, { timeout: "1 day" });

  same<Equal<boolean, Awaited<ReturnType<typeof explicit.set>>>>();
  await explicit.set(token, { role: "guest" });
  await explicit.set(token, { role: undefined });
  // @ts-expect-error: a wrong type
  await explicit.set(token, { role: "king" });
  // @ts-expect-error: no field of the data
  await explicit.set(token, { nothing: 1 });
  // @ts-expect-error: no values
  await explicit.set(token);

  await explicit.unset(token, ["role", "team_ids", "cart"]);
  // @ts-expect-error: a required field is never absent
  await explicit.unset(token, ["user_id"]);
  // @ts-expect-error: no field of the data
  await explicit.unset(token, ["nothing"]);

  const rotated = await explicit.rotate(token, { user_id: 2 }, { grace: 0 });
  same<Equal<typeof rotated, Rotated<Data> | null>>();
  // @ts-expect-error: no field of the data
  await explicit.rotate(token, { nothing: 1 });
  // @ts-expect-error: no duration
  await explicit.rotate(token, {}, { grace: "soon" });
  // @ts-expect-error: no duration
  await explicit.touch(token, { idleTimeout: "10 lightyears" });
}

export async function sets() {
  const user = explicit.by("user_id", 1);
  same<Equal<typeof user, SessionSet<Data>>>();
  explicit.by("team_ids", 7); // an element
  explicit.by("role", "admin"); // undeclared: refused when it runs
  // @ts-expect-error: a value of another type
  explicit.by("user_id", "1");
  // @ts-expect-error: not the whole array
  explicit.by("team_ids", [7]);
  // @ts-expect-error: an element of another type
  explicit.by("team_ids", "7");
  // @ts-expect-error: not one of its values
  explicit.by("role", "king");
  // @ts-expect-error: objects are no references
  explicit.by("cart", { sku: "a" });
  // @ts-expect-error: null is no reference
  explicit.by("user_id", null);
  // @ts-expect-error: no field of the data
  explicit.by("nothing", 1);

  for await (const session of user) same<Equal<typeof session, Session<Data>>>();
  same<Equal<Session<Data>[], Awaited<ReturnType<typeof user.list>>>>();
  same<Equal<string[], Awaited<ReturnType<typeof user.ids>>>>();
  same<Equal<number, Awaited<ReturnType<typeof user.clear>>>>();
  await user.set({ role: "guest" });
  await user.unset(["role"]);
  await user.clear({ except: null, replicas: 1 });
  await user.delete("id", { replicas: 1 });
  await explicit.delete("token", { replicas: 1 });
  await explicit.byId("id").delete({ replicas: 1 });
  // @ts-expect-error: a number
  await user.clear({ replicas: "1" });
  // @ts-expect-error: no option
  await explicit.delete("token", { replica: 1 });
  // @ts-expect-error: a wrong type
  await user.set({ role: "king" });
  // @ts-expect-error: no field of the data
  await user.set({ nothing: 1 });
  // @ts-expect-error: a required field is never absent
  await user.unset(["user_id"]);
  // @ts-expect-error: a number
  await user.list({ limit: "20" });
  const page = await user.list({ limit: 20, after: null });
  await user.list({ limit: 20, after: page.at(-1) });
  await user.list({ after: { id: "", expiresAt: new Date() } });
  // @ts-expect-error: an id does not say where a page begins
  await user.list({ after: page[0]?.id });
  // @ts-expect-error: no option
  await user.clear({ but: "id" });
  // @ts-expect-error: the iteration is asynchronous
  for (const _ of user);
}

// @ts-expect-error: no field of the data
createSessions<Data>({ references: { nothing: {} }, idleTimeout });
// @ts-expect-error: neither yes nor no
createSessions<Data>({ references: { user_id: { identity: "no" } }, idleTimeout });
// @ts-expect-error: no kind of set
createSessions<Data>({ references: { user_id: { as: "list" } }, idleTimeout });
// @ts-expect-error: no option
createSessions<Data>({ idleTimeout, ttl: 5 });
// @ts-expect-error: no duration
createSessions<Data>({ idleTimeout: "3 fortnights" });
// @ts-expect-error: no store
createSessions<Data>({ idleTimeout, store: {} });

// With the data as a value of the type, only declared references compile ---------------------------

const inferred = createSessions({
  data: {} as Data,
  references: { user_id: {}, team_ids: { identity: false } },
  idleTimeout,
});

export async function inferring() {
  const session = await inferred.get(token);
  same<Equal<typeof session, Session<Data> | null>>();
  inferred.by("user_id", 1);
  inferred.by("team_ids", 7);
  // @ts-expect-error: no declared reference
  inferred.by("role", "admin");
  // @ts-expect-error: a value of another type
  inferred.by("user_id", "1");
  // @ts-expect-error: user_id is required
  await inferred.create({});
  // @ts-expect-error: a required field is never absent
  await inferred.unset(token, ["user_id"]);
}

createSessions({
  data: {} as Data,
  // @ts-expect-error: no field of the data
  references: { nothing: {} },
  idleTimeout,
});

// With a schema, too -------------------------------------------------------------------------------

declare const schema: StandardSchema<Data>;
const checked = createSessions({ data: schema, references: { user_id: {} }, idleTimeout });

export async function checking() {
  const session = await checked.get(token);
  same<Equal<typeof session, Session<Data> | null>>();
  checked.by("user_id", 1);
  // @ts-expect-error: no declared reference
  checked.by("team_ids", 7);
  // @ts-expect-error: a wrong type
  await checked.set(token, { role: "king" });
  // @ts-expect-error: user_id is required
  await checked.create({ role: "admin" });
}

// Without types -------------------------------------------------------------------------------------

const untyped = createSessions({ references: { user_id: {} }, idleTimeout });

export async function anything() {
  await untyped.create();
  await untyped.create({ user_id: 1, whatever: [1, { a: null }] });
  await untyped.set(token, { more: "x" });
  await untyped.unset(token, ["more"]);
  const session = await untyped.get(token);
  same<Equal<typeof session, Session<Record<string, unknown>> | null>>();
  untyped.by("user_id", 1);
  untyped.by("user_id", "1");
  // @ts-expect-error: no declared reference
  untyped.by("more", "x");
  // @ts-expect-error: objects are no references
  untyped.by("user_id", { id: 1 });
  // @ts-expect-error: what a field holds is unknown
  session?.data.more.length;
}
