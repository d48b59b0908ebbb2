/* Options that do not exist are refused by every verb, with those that do. */
import { createSessions, type Sessions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { afterEach, expect, test, vi } from "vitest";

type Call = (sessions: Sessions<Record<string, unknown>>, token: string, options: never) => unknown;

const CALLS: Record<string, Call> = {
  create: (sessions, _, options) => sessions.create({}, options),
  get: (sessions, token, options) => sessions.get(token, options),
  "get of all fields": (sessions, token, options) => sessions.get(token, undefined, options),
  "get of fields": (sessions, token, options) => sessions.get(token, ["theme"], options),
  signIn: (sessions, token, options) => sessions.signIn(token, { user_id: 1 }, options),
  touch: (sessions, token, options) => sessions.touch(token, options),
  rotate: (sessions, token, options) => sessions.rotate(token, {}, options),
  delete: (sessions, token, options) => sessions.delete(token, options),
  "byId().delete": (sessions, token, options) => sessions.byId(token).delete(options),
  list: (sessions, _, options) => sessions.by("user_id", 1).list(options),
  clear: (sessions, _, options) => sessions.by("user_id", 1).clear(options),
  "delete of a set": (sessions, token, options) => sessions.by("user_id", 1).delete(token, options),
  reindex: (sessions, _, options) => sessions.reindex(options),
  memoryStore: (_, __, options) => memoryStore(options),
  createSessions: (_, __, options) => createSessions(options),
};

afterEach(() => {
  vi.restoreAllMocks();
});

function open() {
  const store = memoryStore();
  const asked = (["create", "find", "change", "end", "endAll", "list"] as const).map((name) =>
    vi.spyOn(store, name),
  );
  return { sessions: createSessions({ store, references: ["user_id"] }), asked };
}

test.each(Object.entries(CALLS))("%s refuses an option that does not exist", async (_, call) => {
  const { sessions, asked } = open();
  const { token } = await sessions.create({});
  for (const spy of asked) spy.mockClear();
  for (const options of [{ tuoch: false }, { constructor: 1 }, { "": 1 }]) {
    const error = await Promise.resolve()
      .then(() => call(sessions, token, options as never))
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringMatching(/has no option ".*"; its options are \w+/),
    });
  }
  for (const spy of asked) expect(spy).not.toHaveBeenCalled();
});

test.each(["user_id", 5, true, Symbol("x"), () => 1])(
  "get takes no %s for its fields",
  async (fields) => {
    const { sessions } = open();
    const { token, session } = await sessions.create({ user_id: 1 });
    const wanted = { code: "ERR_SESSION_CONFIG", message: expect.stringMatching(/as a list/) };
    await expect(sessions.get(token, fields as never)).rejects.toMatchObject(wanted);
    await expect(sessions.byId(session.id).get(fields as never)).rejects.toMatchObject(wanted);
  },
);

test.each([
  undefined,
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  {},
  [],
  [1],
  Symbol("x"),
  1n,
  () => 1,
])("by throws at once for %s, and speaks of looking up", (value) => {
  const { sessions } = open();
  expect(() => sessions.by("user_id", value as never)).toThrowError(
    expect.objectContaining({
      code: "ERR_SESSION_VALUE",
      message: expect.stringMatching(/^Sessions are looked up by one value of "user_id"/),
    }),
  );
});

test("get of all fields, with options behind them, slides no deadline that it is told not to", async () => {
  const clock = { now: 1_700_000_000_000 };
  const sessions = createSessions({ store: memoryStore({ now: () => clock.now }) });
  const { token, session } = await sessions.create({});
  clock.now += 3_600_000;
  const read = await sessions.get(token, undefined, { touch: false });
  expect(read?.expiresAt).toEqual(session.expiresAt);
  expect((await sessions.get(token))?.expiresAt).not.toEqual(session.expiresAt);
});

test("get takes options once, and byId's get takes none", async () => {
  const { sessions } = open();
  const { token, session } = await sessions.create({});
  const refused = { code: "ERR_SESSION_CONFIG" };
  await expect(sessions.get(token, {} as never, { touch: false })).rejects.toMatchObject(refused);
  for (const given of [{ touch: false }, null, "theme"]) {
    await expect(sessions.byId(session.id).get(given as never)).rejects.toMatchObject(refused);
  }
});
