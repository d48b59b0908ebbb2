/* Each option and result of redis-user-sessions' functions is known here, or refused by name. */
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { createClient } from "redis";
import * as functions from "session-sets/compat/redis-user-sessions";
import {
  createSession,
  deleteSession,
  deleteUserSessions,
  getUserSessions,
  migrateSessions,
  moveSessions,
  readSession,
  updateSession,
  updateUserSessions,
} from "session-sets/compat/redis-user-sessions";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";

const connect = () => createClient({ url: redisUrl() }).connect();
let client: Awaited<ReturnType<typeof connect>>;
beforeAll(async () => {
  client = await connect();
});
afterAll(() => client.close());

let userId: string;
let sessionId: string;
beforeEach(() => {
  userId = `user-${randomBytes(8).toString("hex")}`;
  sessionId = `id-${randomBytes(8).toString("hex")}`;
});

const soon = (ms = 3_600_000) => new Date(Date.now() + ms).toISOString();
async function make(more: object = {}, id = sessionId) {
  const data = { userId, expires: soon(), ...more };
  await createSession({ client, sessionId: id, data });
  return data;
}
const read = (id = sessionId) => readSession({ client, sessionId: id });

/** A client that counts the commands that it sends. */
function counting() {
  const counted = {
    isOpen: true,
    sent: 0,
    sendCommand(args: string[], options: object): Promise<unknown> {
      counted.sent++;
      return client.sendCommand(args, options);
    },
  };
  return counted;
}

/** Every function, and what it takes besides a client. */
const FUNCTIONS = {
  createSession: () => ({ sessionId, data: { userId, expires: soon() } }),
  readSession: () => ({ sessionId }),
  updateSession: () => ({ sessionId, data: { a: 1 } }),
  deleteSession: () => ({ sessionId }),
  getUserSessions: () => ({ userId }),
  updateUserSessions: () => ({ userId, data: { a: 1 } }),
  deleteUserSessions: () => ({ userId }),
  migrateSessions: () => ({}),
  moveSessions: () => ({ cursor: null }),
};
type Name = keyof typeof FUNCTIONS;
const NAMES = Object.keys(FUNCTIONS) as Name[];

const CALLS: Readonly<Record<string, unknown>> = { ...functions };

/** The error that a call throws or rejects with. */
async function catchError(name: Name, ...args: unknown[]): Promise<unknown> {
  const call = CALLS[name] as (...args: unknown[]) => unknown;
  return Promise.resolve()
    .then(() => call(...args))
    .then(
      () => expect.unreachable(`${name} refused nothing`),
      (error) => error,
    );
}

test("every function that is exported is tried here", () => {
  expect(Object.keys(CALLS).sort()).toEqual([...NAMES].sort());
});

describe("each function resolves to what it did", () => {
  test("createSession: to the id, the given one or its own", async () => {
    const data = { userId, expires: soon() };
    for (const id of ["", " ", "@own", '"quoted"', "\ud800", "__proto__", "größe 🙂"]) {
      const given = id === "" ? id : id + userId;
      expect(await createSession({ client, sessionId: given, data })).toBe(given);
      expect(await createSession({ client, sessionId: given, data })).toBe(given); // replaced
      await deleteSession({ client, sessionId: given });
    }
    const own = await createSession({ client, data });
    expect(own).toMatch(/^[A-Za-z0-9_-]{32}$/);
    const again = await createSession({ client, sessionId: undefined, data });
    expect(again).not.toBe(own);
    expect((await getUserSessions({ client, userId })).map((one) => one.sessionId)).toEqual(
      [own, again].sort(),
    );
    await deleteUserSessions({ client, userId });
  });

  test("createSession: to the id also where the session has expired when it is made", async () => {
    const data = { userId, expires: "2001-02-03T04:05:06Z" };
    expect(await createSession({ client, sessionId, data })).toBe(sessionId);
    expect(await read()).toBeNull();
  });

  test("updates and deletions: to undefined, whether there is something to do or not", async () => {
    await make();
    const of = { client, userId };
    expect(await updateSession({ client, sessionId, data: { a: 1 } })).toBeUndefined();
    expect(await updateUserSessions({ ...of, data: { a: 1 } })).toBeUndefined();
    for (let n = 0; n < 2; n++) {
      expect(await deleteSession({ client, sessionId })).toBeUndefined();
      expect(await deleteUserSessions(of)).toBeUndefined();
      expect(await updateUserSessions({ ...of, data: { a: 1 } })).toBeUndefined();
    }
  });

  test("getUserSessions: to the sessions in the order in which they end, then by their ids", async () => {
    const moments = [4, 1, 3, 2, 3].map((hours) => soon(hours * 3_600_000));
    const [last, first, third, second] = moments;
    const made = { d: last, e: first, c: third, b: second, a: third };
    for (const [id, expires] of Object.entries(made)) await make({ expires }, id + sessionId);
    const order = async () =>
      (await getUserSessions({ client, userId })).map((one) => one.sessionId[0]);
    expect(await order()).toEqual(["e", "b", "a", "c", "d"]);
    await updateSession({
      client,
      sessionId: `e${sessionId}`,
      data: { expires: soon(5 * 3_600_000) },
    });
    expect(await order()).toEqual(["b", "a", "c", "d", "e"]);
  });

  test("getUserSessions: in that order over several pages, too", async () => {
    const moments = new Map<string, string>();
    for (let n = 0; n < 250; n++) {
      const id = `${sessionId}-${n}`;
      moments.set(id, soon(3_600_000 + ((n * 101) % 250) * 1000));
    }
    await Promise.all([...moments].map(([id, expires]) => make({ expires }, id)));
    const listed = await getUserSessions({ client, userId });
    const ordered = [...moments].sort(([, a], [, b]) => (a < b ? -1 : 1)).map(([id]) => id);
    expect(listed.map((one) => one.sessionId)).toEqual(ordered);
    await deleteUserSessions({ client, userId });
  });
});

describe.each(NAMES)("%s", (name) => {
  test.each([
    "sessionID",
    "sesionId",
    "session_id",
    "id",
    "userid",
    "user",
    "Data",
    "ttl",
    "references",
    "limit",
    "whenFull",
    "",
  ])("refuses the option %o, names those that there are, and does nothing", async (misspelt) => {
    const counted = counting();
    const error = await catchError(name, {
      client: counted,
      ...FUNCTIONS[name](),
      [misspelt]: sessionId,
    });
    const options = ["client", ...Object.keys(FUNCTIONS[name]())].join(", ");
    expect(error).toMatchObject({ name: "SessionError", code: "ERR_SESSION_CONFIG" });
    expect(error).toMatchObject({
      hint: expect.stringMatching(
        new RegExp(`^${name} has no (?:option "\\w+"|such option); its options are ${options}$`),
      ),
    });
    expect(inspect(error)).not.toContain(sessionId);
    expect(counted.sent).toBe(0);
  });

  test("refuses an option that only another function has", async () => {
    const all = { client, cursor: null, data: { userId, expires: soon() }, sessionId, userId };
    expect(await catchError(name, all)).toMatchObject({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringContaining(`${name} has no option`),
    });
  });

  test.each([undefined, null, "an id", 5, true, () => 1])(
    "refuses %o in place of its options, and quotes nothing",
    async (given) => {
      const error = await catchError(name, given);
      expect(error).toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringContaining(`${name}({ client`),
      });
      expect(inspect(error)).not.toContain("an id");
    },
  );

  test("refuses arguments one after the other, as version 1 took them", async () => {
    expect(await catchError(name, client, sessionId, { a: 1 })).toMatchObject({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringMatching(new RegExp(`takes one object.*${name}\\(\\{ client`)),
    });
  });

  test("refuses a client that is none, such as the promise of one", async () => {
    const pending = createClient({ url: redisUrl() }).connect();
    for (const none of [undefined, null, {}, "redis://localhost", pending]) {
      expect(await catchError(name, { ...FUNCTIONS[name](), client: none })).toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringContaining("await createClient"),
      });
    }
    await (await pending).close();
  });
});

test("a token in place of a name is in no message", async () => {
  const token = randomBytes(24).toString("base64");
  const error = await catchError("deleteSession", { client, [token]: 1 });
  expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
  expect(inspect(error)).not.toContain(token.slice(0, 12));
});

describe("a sessionId that is no string", () => {
  const others = [undefined, null, true, {}, ["a"], Symbol("x"), () => 1] as never[];

  test("is that of no session: it is read as null, and deleting it does nothing", async () => {
    for (const id of others) {
      expect(await readSession({ client, sessionId: id })).toBeNull();
      expect(await deleteSession({ client, sessionId: id })).toBeUndefined();
    }
  });

  test("stands for its text where it is a number, as in the keys of redis-user-sessions", async () => {
    const id = Number.parseInt(randomBytes(6).toString("hex"), 16);
    const data = await make({}, String(id));
    expect(await readSession({ client, sessionId: id as never })).toEqual(data);
    await deleteSession({ client, sessionId: id as never });
    expect(await read(String(id))).toBeNull();
  });

  test("is refused where a session is to be made or updated", async () => {
    const refused = { code: "ERR_SESSION_VALUE", message: "sessionId must be a string" };
    const data = { userId, expires: soon() };
    for (const id of [...others.slice(1), 5 as never]) {
      const made = createSession({ client, sessionId: id, data });
      await expect(made).rejects.toMatchObject(refused);
      const updated = updateSession({ client, sessionId: id, data: { a: 1 } });
      await expect(updated).rejects.toMatchObject(refused);
    }
    expect(await getUserSessions({ client, userId })).toEqual([]);
  });
});

test("an update of nothing says what to do, and not which id it was", async () => {
  const error = await catchError("updateSession", { client, sessionId, data: {} });
  expect(error).toMatchObject({
    code: "ERR_SESSION_GONE",
    hint: expect.stringContaining("createSession"),
  });
  expect(inspect(error)).not.toContain(sessionId);
});

test("migrateSessions and moveSessions take what they are documented to take", async () => {
  const own = await connect();
  expect(migrateSessions({ client: own })).toBeUndefined();
  const migration = moveSessions({ client: own, cursor: null });
  expect((await migration.next()).value).toMatchObject({ damaged: expect.any(Number) });
  await migration.return();
  await own.close();
});
