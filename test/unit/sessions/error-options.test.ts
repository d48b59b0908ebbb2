/* The option that an ERR_SESSION_CONFIG is about: every option of everything that takes options. */

import { Redis } from "ioredis";
import { createSessions, type Sessions } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import koaRedisSessionSets from "session-sets/compat/koa-redis-session-sets";
import { SpotsSessions } from "session-sets/compat/spots-sessions";
import { expressSessions } from "session-sets/express";
import { fastifySessions } from "session-sets/fastify";
import { fetchSessions } from "session-sets/fetch";
import { csrfGuard, honoSessions } from "session-sets/hono";
import { koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { nodeSessions } from "session-sets/node";
import { redisStore } from "session-sets/redis";
import { afterAll, describe, expect, test } from "vitest";
import { readDetails, thrownBy } from "../../support/error-details.ts";

interface Data {
  user_id?: number;
  team_id?: number;
  cart?: string;
}

const client = new Redis({ lazyConnect: true });
afterAll(() => client.disconnect());

const sessions = createSessions<Data>({
  references: ["user_id", { team_id: { identity: false } }],
}) as Sessions<Data, "user_id">;

/** A wrong value of each option, for all that take options. */
const WRONG: Record<string, [take: (options: never) => unknown, options: object]> = {
  createSessions: [
    createSessions,
    {
      store: {},
      references: 5,
      idleTimeout: "soon",
      absoluteTimeout: -1,
      rotationGrace: -1,
      maxBytes: 0,
      key: 1,
    },
  ],
  redisStore: [
    (options) => redisStore(client, options),
    { prefix: "", timeout: "30 days", shards: 0, db: 1 },
  ],
  memoryStore: [memoryStore, { maxSessions: 0, maxTotalBytes: 1.5, now: 5, size: 1 }],
  "a cookie": [
    (cookie) => koaSessions(sessions, { cookie }),
    {
      name: "a b",
      prefix: null,
      formerNames: "sid",
      cacheable: 1,
      persistent: "yes",
      secure: "yes",
      sameSite: "none",
      domain: "",
      path: "shop",
      partitioned: true,
      maxAge: 1,
    },
  ],
  "a cookie of another kind": [
    (cookie) => nodeSessions(sessions, { cookie }),
    {
      partitioned: "yes",
      cacheable: null,
      prefix: "a",
      secure: 1,
      name: "__Host-a",
      path: "/\n",
      sameSite: "no",
      domain: "\n",
    },
  ],
  koaSessions: [
    (options) => koaSessions(sessions, options),
    { signed: 1, carriers: [], keys: [""] },
  ],
  expressSessions: [
    (options) => expressSessions(sessions, options),
    { keys: [""], carriers: ["a"], a: 1 },
  ],
  fastifySessions: [
    (options) => fastifySessions(sessions, options),
    { keys: "", carriers: [5], a: 1 },
  ],
  honoSessions: [
    (options) => honoSessions(sessions, options),
    { trustProxy: 1, keys: [], carriers: "" },
  ],
  fetchSessions: [
    (options) => fetchSessions(sessions, options),
    { trustProxy: "no", keys: 5, a: 1 },
  ],
  nodeSessions: [
    (options) => nodeSessions(sessions, options),
    { trustProxy: null, keys: [1], a: 1 },
  ],
  "two carriers of one name": [
    (options) => nodeSessions(sessions, options),
    { carriers: ["cookie", "cookie"] },
  ],
  csrfGuard: [csrfGuard, { origins: "x", exempt: true, trustProxy: 1, origin: 1 }],
  "an origin": [csrfGuard, { origins: ["https://a.example/"] }],
  requireSession: [
    (options) => nodeSessions(sessions).requireSession("user_id", options),
    { redirect: "", answer: "html", touch: "no", a: 1 },
  ],
  get: [(options) => sessions.get(undefined, options), { touch: 1, a: 1 }],
  create: [
    (options) => sessions.create({}, options),
    { idleTimeout: -1, absoluteTimeout: "", a: 1 },
  ],
  signIn: [
    (options) => sessions.signIn(null, { user_id: 1 }, options),
    { keep: "cart", idleTimeout: {}, absoluteTimeout: Number.NaN, a: 1 },
  ],
  rotate: [(options) => sessions.rotate("", {}, options), { grace: -1, a: 1 }],
  touch: [(options) => sessions.touch("", options), { idleTimeout: 0, a: 1 }],
  delete: [(options) => sessions.delete("", options), { replicas: 0, a: 1 }],
  "delete on the memory store": [
    (options) => sessions.delete("A".repeat(34), options),
    { replicas: 1 },
  ],
  list: [(options) => sessions.by("user_id", 1).list(options), { limit: 501, a: 1 }],
  clear: [
    (options) => sessions.by("user_id", 1).clear(options),
    { except: "a", replicas: 1.5, a: 1 },
  ],
  reindex: [(options) => sessions.reindex(options).next(), { dryRun: 1, cursor: 5, a: 1 }],
  "reindex on Redis": [
    (options) =>
      createSessions({ store: redisStore(client) })
        .reindex(options)
        .next(),
    { cursor: "x" },
  ],
  SessionSetsStore: [
    (options) => new SessionSetsStore({ client, ...(options as object) }),
    { store: memoryStore(), idleTimeout: 0, maxBytes: 0, prefix: "", shards: 0, timeout: 0, a: 1 },
  ],
  "SessionSetsStore without a client": [
    (options) => new SessionSetsStore(options),
    { prefix: "a", shards: 1, timeout: 1, migrate: true },
  ],
  "SessionSetsStore's migrate": [
    (migrate) => new SessionSetsStore({ client, migrate }),
    { prefix: 5, a: 1 },
  ],
  moveSessions: [
    (options) => new SessionSetsStore({ client, migrate: true }).moveSessions(options).next(),
    { cursor: 5, a: 1 },
  ],
  koaRedisSessionSets: [
    (options) => koaRedisSessionSets({}, { client, ...(options as object) }),
    { byteLength: 0, maxAge: -1 },
  ],
  SpotsSessions: [
    (options) => new SpotsSessions(options),
    { tokenEncoding: "utf8", tokenSize: 1, a: 1 },
  ],
};

/** Of two that do not go together, it is the first. */
const OTHERWISE: Record<string, string> = { "SessionSetsStore store": "client" };

for (const [what, [take, options]] of Object.entries(WRONG)) {
  test.each(Object.entries(options))(`${what} names its option %s`, async (option, value) => {
    const error = await thrownBy(() => take({ [option]: value } as never));
    const details = { option: OTHERWISE[`${what} ${option}`] ?? option };
    expect([error.code, readDetails(error)]).toEqual(["ERR_SESSION_CONFIG", details]);
  });
}

describe("a declared reference", () => {
  const asked: Record<string, (references: never) => unknown> = {
    createSessions: (references) => createSessions({ references }),
    SessionSetsStore: (references) => new SessionSetsStore({ references }),
  };
  test.each(Object.entries(asked))("of %s is named by its error", async (what, declare) => {
    const about = { option: "references", field: "user_id" };
    expect(readDetails(await thrownBy(() => declare({ user_id: 5 } as never)))).toEqual(about);
    expect(readDetails(await thrownBy(() => declare({ user_id: { as: 1 } } as never)))).toEqual(
      about,
    );
    const name = readDetails(await thrownBy(() => declare({ "@a": {} } as never)));
    expect(name, what).toEqual({ option: "references", field: "@a" });
    expect(readDetails(await thrownBy(() => declare({ user_id: { is: 1 } } as never)))).toEqual({
      option: "is",
    });
  });
});

test.each<readonly [what: string, () => unknown, object]>([
  [
    "both timeouts are off",
    () => createSessions({ idleTimeout: null, absoluteTimeout: null }),
    { option: "idleTimeout" },
  ],
  ["one is longer", () => createSessions({ idleTimeout: "60 days" }), { option: "idleTimeout" }],
  [
    "moveSessions has nothing to move",
    () => new SessionSetsStore({ client }).moveSessions().next(),
    { option: "migrate" },
  ],
  ["a client is none", () => redisStore({} as never), { option: "client" }],
  ["options are none", () => memoryStore(5 as never), {}],
  [
    "a requirement is of no identity",
    () => nodeSessions(sessions).requireSession("team_id" as never),
    { field: "team_id" },
  ],
])("ERR_SESSION_CONFIG tells what it is about where %s", async (_what, call, details) => {
  const error = await thrownBy(call);
  expect([error.code, readDetails(error)]).toEqual(["ERR_SESSION_CONFIG", details]);
});
