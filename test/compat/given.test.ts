/* The entries under compat/ read their arguments once, and their messages hold nothing of a token. */
import { inspect } from "node:util";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { createSessions, SessionError } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import koaRedisSessionSets from "session-sets/compat/koa-redis-session-sets";
import * as users from "session-sets/compat/redis-user-sessions";
import { SpotsSessions } from "session-sets/compat/spots-sessions";
import { memoryStore } from "session-sets/memory";
import { nodeSessions } from "session-sets/node";
import { createSessionCookie, newId, newIdBeside, newIdInShard } from "session-sets/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redisUrl } from "../support/redis/shared.ts";

const TOKEN = "s3cr3t_".repeat(5);

const connect = () => createClient({ url: redisUrl() }).connect();
let client: Awaited<ReturnType<typeof connect>>;
let spots: SpotsSessions;
const ioredis = new Redis(redisUrl());
const koa = koaRedisSessionSets(null, { client: ioredis, references: { user_id: {} } });
const forNode = nodeSessions(createSessions({ store: memoryStore() }));
beforeAll(async () => {
  client = await connect();
  spots = new SpotsSessions({ connectionString: redisUrl() });
});
afterAll(() => {
  client.destroy();
  spots.client.disconnect();
  ioredis.disconnect();
});

const store = new SessionSetsStore({ store: memoryStore(), references: { user_id: {} } });

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** What JSON cannot write, and says so by the names of what is in it. */
function cyclic(): object {
  const outer: Record<string, unknown> = {};
  outer[TOKEN] = { [TOKEN]: outer };
  return outer;
}

const expires = "2031-01-01T00:00:00Z";

/** Calls that are given what no call takes. */
const CALLS: Readonly<Record<string, (given: never) => unknown>> = {
  createSession: (given) => users.createSession(given),
  "createSession's client": (given) =>
    users.createSession({ client: given, data: { userId: "u", expires } }),
  "createSession's data": (given) => users.createSession({ client, data: given }),
  readSession: (given) => users.readSession(given),
  updateSession: (given) => users.updateSession(given),
  "updateSession's data": (given) => users.updateSession({ client, sessionId: TOKEN, data: given }),
  deleteSession: (given) => users.deleteSession(given),
  getUserSessions: (given) => users.getUserSessions(given),
  updateUserSessions: (given) => users.updateUserSessions(given),
  deleteUserSessions: (given) => users.deleteUserSessions(given),
  migrateSessions: (given) => users.migrateSessions(given),
  moveSessions: (given) => users.moveSessions(given),
  "new SpotsSessions": (given) => new SpotsSessions(given),
  create: (given) => spots.create(given),
  "create's data": (given) => spots.create({ app: "a", ownerId: "o", data: given, duration: 1 }),
  get: (given) => spots.get(given),
  refresh: (given) => spots.refresh(given),
  update: (given) => spots.update(given),
  "update's data": (given) => spots.update({ app: "a", token: TOKEN, data: given }),
  kill: (given) => spots.kill(given),
  killAll: (given) => spots.killAll(given),
  "moveSessions of SpotsSessions": (given) => spots.moveSessions(given),
  koaRedisSessionSets: (given) => koaRedisSessionSets(null, given),
  "references of koaRedisSessionSets": (given) =>
    koaRedisSessionSets(null, { client: ioredis, references: given }),
  "prefix of koaRedisSessionSets": (given) =>
    koaRedisSessionSets(null, { client: ioredis, prefix: given }),
  "migrate of koaRedisSessionSets": (given) =>
    koaRedisSessionSets(null, { client: ioredis, migrate: given }),
  "createSession of koaRedisSessionSets": (given) => koa.createSession(given),
  "the middleware of koaRedisSessionSets": (given) => koa(given, async () => {}),
  "get of its store": (given) => koa.store.get("id", given),
  "set of its store": (given) => koa.store.set("id", given),
  "unset of its store": (given) => koa.store.unset("id", given),
  "clear of its store": (given) => koa.store.clear("user_id", given),
  "getReferenceKey's field": (given) => koa.getReferenceKey(given, 1),
  "getReferenceKey's value": (given) => koa.getReferenceKey("user_id", given),
  "new SessionSetsStore": (given) => new SessionSetsStore(given),
  "references of SessionSetsStore": (given) => new SessionSetsStore({ references: given }),
  "a reference of SessionSetsStore": (given) =>
    new SessionSetsStore({ references: { user_id: given } }),
  "migrate of SessionSetsStore": (given) =>
    new SessionSetsStore({ client: ioredis, migrate: given }),
  createSessionCookie: (given) => createSessionCookie(given, {}),
  "createSessionCookie's values": (given) => createSessionCookie(forNode, given),
  "createSessionCookie's options": (given) => createSessionCookie(forNode, {}, given),
  newId: (given) => newId(given),
  newIdInShard: (given) => newIdInShard(given),
  newIdBeside: (given) => newIdBeside(given),
  "set of SessionSetsStore": (given) => store.set(TOKEN, given),
  // It looks at the cookie alone.
  "touch of SessionSetsStore": (given) => store.touch(TOKEN, { cookie: { [TOKEN]: given } }),
  "set of a set": (given) => store.by("user_id", 1).set(given),
  "unset of a set": (given) => store.by("user_id", 1).unset(given),
  "clear of a set": (given) => store.by("user_id", 1).clear(given),
};

describe.each(Object.entries(CALLS))("%s", (_, call) => {
  test.each<[string, unknown]>([
    ["a Proxy that was revoked", revoked()],
    ["what holds one", { [TOKEN]: revoked() }],
    ["what has itself in it", cyclic()],
    ["a Proxy that breaks the rules", new Proxy(Object.freeze({ [TOKEN]: 1 }), { get: () => 2 })],
  ])("refuses %s, without a word of what is in it", async (_name, given) => {
    const error = await Promise.resolve()
      .then(() => call(given as never))
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionError);
    expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain(TOKEN);
  });
});

test("touch refuses a session that cannot be read", async () => {
  await expect(store.touch(TOKEN, revoked())).rejects.toBeInstanceOf(SessionError);
});

describe("an id that koa-redis-session-sets made", () => {
  const OLD = "Old+Id/0aZ9Old+Id/0aZ9ab";

  test.each<[string, (given: never) => unknown]>([
    ["a field", (given) => koa.store.clear(given, 1)],
    ["a duration", (given) => koa.store.set("id", {}, given)],
    ["an option", (given) => koa.moveSessions({ [given]: 1 } as object)],
  ])("is in no message where it was taken for %s", async (_, call) => {
    for (const text of [OLD, `${OLD} after`]) {
      const error = await Promise.resolve()
        .then(() => call(text as never))
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SessionError);
      expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain(OLD);
    }
  });
});

test("a field whose name is no Unicode is a reference like any other", async () => {
  const references = { "\ud800": {}, "\ud801": {} };
  const odd = koaRedisSessionSets(null, { client: ioredis, prefix: TOKEN.slice(0, 9), references });
  await odd.store.set("id", { "\ud800": "a" });
  expect(odd.getReferenceKey("\ud800", "a")).not.toBe(odd.getReferenceKey("\ud801", "a"));
  expect(await odd.store.clear("\ud801", "a")).toBe(0);
  expect(await odd.store.clear("\ud800", "a")).toBe(1);
});

test.each([0, 1025, 2 ** 40, 1.5, "16"])("a salt of %s bytes is refused", (byteLength) => {
  const options = { client: ioredis, byteLength: byteLength as number };
  expect(() => koaRedisSessionSets(null, options)).toThrow(SessionError);
});

describe("a method of express-session's that takes a callback", () => {
  test.each<[string, () => unknown]>([
    ["regenerate", () => store.regenerate({ sessionID: "sid" }, undefined as never)],
    ["regenerate without a request", () => store.regenerate(undefined as never, () => {})],
    ["load", () => store.load("sid", undefined as never)],
  ])("%s says at once that it has none", (_, call) => {
    expect(call).toThrow(SessionError);
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 5],
    ["a list", []],
    ["a Proxy that was revoked", revoked()],
  ])("createSession takes %s for no request, and for no session", (_, given) => {
    const under = new SessionSetsStore({ store: memoryStore() });
    under.generate = () => {};
    expect(() => under.createSession(given as never, { cookie: {} })).toThrow(SessionError);
    expect(() => under.createSession({ sessionID: "sid" }, given as never)).toThrow(SessionError);
  });
});
