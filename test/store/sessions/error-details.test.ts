/*
 * The details of errors besides their message, from each place that throws one: on both stores. Those of
 * requests are in the HTTP contract (test/support/http/contract/errors.ts), those of options in
 * test/unit/sessions/error-options.test.ts, and ERR_REPLICAS is in
 * test/store/redis/wire/replicas/promises.test.ts.
 */
import { Redis } from "ioredis";
import { createClient } from "redis";
import { createSessions, type SessionErrorCode, type SessionStore } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import koaRedisSessionSets from "session-sets/compat/koa-redis-session-sets";
import { createSession, updateSession } from "session-sets/compat/redis-user-sessions";
import { SpotsSessions } from "session-sets/compat/spots-sessions";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readDetails, thrownBy } from "../../support/error-details.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

interface Data {
  user_id?: number;
  team_ids?: number[];
  role?: string;
  theme?: unknown;
}

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const MAX_BYTES = 20_000;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

function open(store: SessionStore) {
  return createSessions({
    data: {} as Data,
    store,
    maxBytes: MAX_BYTES,
    references: {
      user_id: true,
      team_ids: { identity: false },
      role: { identity: false, type: "string" },
    },
  });
}
type Opened = ReturnType<typeof open>;

/** A call that is refused, with what, and what the error has besides. */
type Refused = readonly [
  what: string,
  call: (sessions: Opened, token: string) => unknown,
  code: SessionErrorCode,
  details: object,
];

/** With its name it has 5 bytes more, and 13 with `user_id: 1`. */
const LARGE = "x".repeat(MAX_BYTES);
const tooLarge = (bytes: number) =>
  ["ERR_SESSION_TOO_LARGE", { bytes, maxBytes: MAX_BYTES }] as const;
const wrong = (field: string) => ["ERR_SESSION_VALUE", { field }] as const;
const tooMany = (references: number, of: object = {}) =>
  ["ERR_SESSION_VALUE", { ...of, references, maxReferences: 1000 }] as const;

const team_ids = numbers(1000);
const REFUSED: readonly Refused[] = [
  ["create of much", (s) => s.create({ theme: LARGE }), ...tooLarge(MAX_BYTES + 5)],
  ["create of many parts", (s) => s.create({ theme: numbers(20_000) }), ...tooLarge(40_000)],
  ["set of much", (s, token) => s.set(token, { theme: LARGE }), ...tooLarge(MAX_BYTES + 13)],
  ["rotate to much", (s, token) => s.rotate(token, { theme: LARGE }), ...tooLarge(MAX_BYTES + 13)],
  [
    "a set's set of much",
    (s) => s.by("user_id", 1).set({ theme: LARGE }),
    ...tooLarge(MAX_BYTES + 13),
  ],
  [
    "signIn with much",
    (s) => s.signIn(null, { user_id: 1, theme: LARGE }),
    ...tooLarge(MAX_BYTES + 13),
  ],
  ["create with many references", (s) => s.create({ user_id: 1, team_ids }), ...tooMany(1001)],
  [
    "create with many of one",
    (s) => s.create({ team_ids: numbers(1002) }),
    ...tooMany(1002, { field: "team_ids" }),
  ],
  ["set of many references", (s, token) => s.set(token, { team_ids }), ...tooMany(1001)],
  ["rotate to many references", (s, token) => s.rotate(token, { team_ids }), ...tooMany(1001)],
  ["a set's set of many", (s) => s.by("user_id", 1).set({ team_ids }), ...tooMany(1001)],
  ["signIn with many", (s, token) => s.signIn(token, { user_id: 1, team_ids }), ...tooMany(1001)],
  [
    "a value that JSON would change",
    (s) => s.create({ theme: { at: new Date() } }),
    ...wrong("theme"),
  ],
  ["a name that is kept", (s) => s.create({ "@c": 1 } as object), ...wrong("@c")],
  ["an empty name", (s, token) => s.unset(token, ["" as "theme"]), ...wrong("")],
  ["a name that is none", (s, token) => s.unset(token, [5 as never]), "ERR_SESSION_VALUE", {}],
  [
    "a reference that is an object",
    (s) => s.create({ team_ids: {} as never }),
    ...wrong("team_ids"),
  ],
  ["a reference of another type", (s) => s.create({ role: 1 } as object), ...wrong("role")],
  ["a value that finds nothing", (s) => s.by("user_id", null as never), ...wrong("user_id")],
  ["a value of another type", (s) => s.by("role", 1 as never), ...wrong("role")],
  ["no values", (s) => s.create("x" as never), "ERR_SESSION_VALUE", {}],
  ["no list", (s, token) => s.unset(token, "theme" as never), "ERR_SESSION_VALUE", {}],
  [
    "an undeclared field",
    (s) => s.by("theme" as never, 1 as never),
    "ERR_SESSION_CONFIG",
    { field: "theme" },
  ],
  ["no field", (s) => s.by(5 as never, 1 as never), "ERR_SESSION_CONFIG", {}],
  [
    "set of a user",
    (s, token) => s.set(token, { user_id: 2 }),
    "ERR_SESSION_CONFIG",
    { field: "user_id" },
  ],
  [
    "unset of a user",
    (s, token) => s.unset(token, ["user_id"]),
    "ERR_SESSION_CONFIG",
    { field: "user_id" },
  ],
  [
    "a set's set of a user",
    (s) => s.by("user_id", 1).set({ user_id: 2 }),
    "ERR_SESSION_CONFIG",
    { field: "user_id" },
  ],
  [
    "signIn of nobody",
    (s) => s.signIn(null, { theme: 1 }),
    "ERR_SESSION_CONFIG",
    { field: "user_id" },
  ],
  [
    "keeping the user",
    (s) => s.signIn(null, { user_id: 1 }, { keep: ["user_id"] as never }),
    "ERR_SESSION_CONFIG",
    { option: "keep", field: "user_id" },
  ],
];

describe.each([
  ["memory", () => memoryStore()],
  ["Redis", () => redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" })],
] as const)("on %s", (_, store) => {
  let sessions: Opened;
  let token: string;
  beforeEach(async () => {
    sessions = open(store());
    ({ token } = await sessions.create({ user_id: 1 }));
  });

  test.each(REFUSED)("%s", async (_what, call, code, details) => {
    const error = await thrownBy(() => call(sessions, token));
    expect([error.code, readDetails(error)]).toEqual([code, details]);
  });
});

test("a memory store that is full tells its bounds", async () => {
  const bounds = { maxSessions: 2, maxTotalBytes: 100_000 };
  const sessions = createSessions<Data>({ store: memoryStore(bounds), references: ["user_id"] });
  await sessions.create({ user_id: 1 });
  await sessions.create({ user_id: 1 });
  const fewer = { maxSessions: 9, maxTotalBytes: 50_000 };
  const small = createSessions<Data>({ store: memoryStore(fewer), references: ["user_id"] });
  for (const [store, theme, details] of [
    [sessions, "dark", bounds],
    [small, "x".repeat(60_000), fewer],
  ] as const) {
    const error = await thrownBy(() => store.create({ user_id: 1, theme }));
    expect([error.code, readDetails(error)]).toEqual(["ERR_STORE_FULL", details]);
  }
});

describe("the entries for programs that come from other packages", () => {
  const cookie = { originalMaxAge: 3_600_000, path: "/" };
  const from = () => {
    throw new Error("no such property");
  };
  const ofExpress = (options: object = {}) => {
    const references = { user_id: {}, plan: { from: (s: { plan?: string }) => s.plan } };
    return new SessionSetsStore({
      client,
      prefix: freshPrefix(),
      timeout: "20 seconds",
      references,
      ...options,
    });
  };
  const user = { userId: "1", expires: new Date(Date.now() + 60_000).toISOString() };
  const nodeRedis = createClient({ url: redisUrl() });
  beforeAll(async () => void (await nodeRedis.connect()));
  afterAll(() => nodeRedis.close());
  const spots = new SpotsSessions({ connectionString: redisUrl() });
  afterAll(() => spots.client.quit());
  const koa = koaRedisSessionSets(
    {},
    { client, prefix: freshPrefix(), references: { user_id: {} } },
  );

  test.each<readonly [what: string, () => unknown, SessionErrorCode, object]>([
    [
      "express-session: a value of many parts",
      () => ofExpress({ maxBytes: 100 }).set("a", { cookie, n: numbers(60) }),
      "ERR_SESSION_TOO_LARGE",
      { bytes: 120, maxBytes: 100 },
    ],
    ["express-session: a name", () => ofExpress().set("a", { cookie, "@a": 1 }), ...wrong("@a")],
    [
      "express-session: a name that is kept",
      () => ofExpress().set("a", { cookie, "~plan": 1 }),
      ...wrong("~plan"),
    ],
    [
      "express-session: a reference",
      () => ofExpress().set("a", { cookie, user_id: {} }),
      ...wrong("user_id"),
    ],
    [
      "express-session: one that a function finds",
      () => ofExpress().set("a", { cookie, plan: {} }),
      ...wrong("plan"),
    ],
    [
      "express-session: a function that fails",
      () => ofExpress({ references: { who: { from } } }).set("a", { cookie }),
      ...wrong("who"),
    ],
    [
      "express-session: no session",
      () => ofExpress().set("a", 5 as never),
      "ERR_SESSION_VALUE",
      {},
    ],
    ["express-session: no value", () => ofExpress().by("plan", {} as never), ...wrong("plan")],
    [
      "express-session: an undeclared field",
      () => ofExpress().by("role" as never, 1),
      "ERR_SESSION_CONFIG",
      { field: "role" },
    ],
    [
      "express-session: the cookie",
      () =>
        ofExpress()
          .by("user_id", 1)
          .set({ cookie } as never),
      "ERR_SESSION_CONFIG",
      { field: "cookie" },
    ],
    [
      "express-session: what a function reads",
      () =>
        ofExpress()
          .by("user_id", 1)
          .set({ plan: 1 } as never),
      "ERR_SESSION_CONFIG",
      { field: "plan" },
    ],
    [
      "redis-user-sessions: no user",
      () => createSession({ client: nodeRedis, data: {} as never }),
      ...wrong("userId"),
    ],
    [
      "redis-user-sessions: no time",
      () => createSession({ client: nodeRedis, data: { ...user, expires: "soon" } }),
      ...wrong("expires"),
    ],
    [
      "redis-user-sessions: no id",
      () => createSession({ client: nodeRedis, sessionId: 5 as never, data: user }),
      ...wrong("sessionId"),
    ],
    [
      "redis-user-sessions: nothing there",
      () => updateSession({ client: nodeRedis, sessionId: freshPrefix(), data: { a: 1 } }),
      "ERR_SESSION_GONE",
      {},
    ],
    [
      "spots-sessions: no app",
      () => spots.create({ app: {} as never, ownerId: "1", duration: 9 }),
      ...wrong("app"),
    ],
    [
      "spots-sessions: no owner",
      () => spots.create({ app: "a", ownerId: {} as never, duration: 9 }),
      ...wrong("ownerId"),
    ],
    [
      "spots-sessions: no duration",
      () => spots.create({ app: "a", ownerId: "1", duration: 0 }),
      ...wrong("duration"),
    ],
    [
      "koa-redis-session-sets: a reference",
      () => koa.store.set("a", { user_id: {} }),
      ...wrong("user_id"),
    ],
    [
      "koa-redis-session-sets: an undeclared field",
      () => koa.store.clear("role", 1),
      "ERR_SESSION_CONFIG",
      { field: "role" },
    ],
  ])("%s", async (_what, call, code, details) => {
    const error = await thrownBy(call);
    expect([error.code, readDetails(error)]).toEqual([code, details]);
  });

  test("redis-user-sessions: another user", async () => {
    const sessionId = await createSession({ client: nodeRedis, data: user });
    const data = { ...user, userId: "2" };
    for (const call of [createSession, updateSession] as (typeof updateSession)[]) {
      const error = await thrownBy(() =>
        call({ client: nodeRedis, sessionId: sessionId ?? "", data }),
      );
      expect([error.code, readDetails(error)]).toEqual(wrong("userId"));
    }
  });
});
