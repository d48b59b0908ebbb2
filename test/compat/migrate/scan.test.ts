/* `moveSessions` migrates all sessions of a foreign layout, on one server and on a cluster. */
import { Cluster, Redis } from "ioredis";
import { type MoveProgress, SessionSetsStore } from "session-sets/compat/express-session";
import koaRedisSessionSets from "session-sets/compat/koa-redis-session-sets";
import { migrateSessions, moveSessions } from "session-sets/compat/redis-user-sessions";
import type { RedisClient } from "session-sets/redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { intercepted } from "../../support/intercept.ts";
import { type RedisCluster, startCluster } from "../../support/redis/cluster.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { clusterClients, singleClients } from "../../support/stores/clients.ts";

const HOUR = 3_600_000;

/** The part of ioredis's clients that is needed to write sessions as connect-redis did. */
type Writer = Pick<Redis, "set">;
const session = (user_id: number) =>
  JSON.stringify({ cookie: { originalMaxAge: HOUR, path: "/" }, user_id });
async function lay(client: Writer, count: number, from = 0): Promise<string[]> {
  const sids = Array.from({ length: count }, (_, i) => `sid-${from + i}`);
  await Promise.all(sids.map((sid, i) => client.set(`sess:${sid}`, session(i % 2), "PX", HOUR)));
  return sids;
}
function storeOn(client: RedisClient, options: object = {}) {
  return new SessionSetsStore({
    client,
    timeout: "20 seconds",
    references: { user_id: {} },
    migrate: true,
    ...options,
  });
}
async function all(migration: AsyncIterable<MoveProgress>): Promise<MoveProgress[]> {
  const seen: MoveProgress[] = [];
  for await (const progress of migration) seen.push(progress);
  return seen;
}

describe("on one server", () => {
  let server: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.url);
  });
  beforeEach(() => client.flushall());
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  test("it migrates all of them in bounded steps, and tells after each how far it is", async () => {
    await lay(client, 1000);
    let together = 0;
    let most = 0;
    const watched = intercepted(client, async (_, pass) => {
      most = Math.max(most, ++together);
      return pass().finally(() => together--);
    });
    const store = storeOn(watched);
    const seen = await all(store.moveSessions());
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)).toEqual({ cursor: null, scanned: 1000, moved: 1000, damaged: 0 });
    for (const [i, { cursor, moved }] of seen.slice(0, -1).entries()) {
      expect(cursor).toEqual(expect.any(String));
      expect(moved).toBeGreaterThanOrEqual(seen[i - 1]?.moved ?? 0);
      expect(moved).toBeLessThanOrEqual((seen[i - 1]?.moved ?? 0) + 300);
    }
    expect(most).toBeLessThanOrEqual(100);
    expect(await store.by("user_id", 1).size()).toBe(500);
    expect(await client.keys("sess:*")).toEqual([]);
    expect((await all(store.moveSessions())).at(-1)).toMatchObject({ scanned: 0, moved: 0 });
  });

  test("it goes on from any cursor, in another process, too", async () => {
    await lay(client, 700);
    let cursor: string | null = null;
    let moved = 0;
    let stops = 0;
    do {
      const migration = storeOn(client).moveSessions({ cursor });
      const { value } = await migration.next();
      await migration.return();
      if (!value) throw new Error("no progress");
      ({ cursor } = value);
      moved += value.moved;
      stops++;
    } while (cursor !== null);
    expect(stops).toBeGreaterThan(2);
    expect(moved).toBe(700);
    expect(await client.keys("sess:*")).toEqual([]);
  });

  test("it refuses what is no cursor", () => {
    const store = storeOn(client);
    expect(() => store.moveSessions({ cursor: "7" })).toThrow("cursor must be the cursor of");
    expect(() => store.moveSessions({ cursor: 7 as never })).toThrow(
      "cursor must be the cursor of",
    );
    expect(() => store.moveSessions({ from: null } as object)).toThrow("has no option");
    const koa = koaRedisSessionSets(null, { client, migrate: true });
    expect(() => koa.moveSessions({ cursor: "7" })).toThrow("cursor must be the cursor of");
    expect(() => moveSessions({ client: client as never, cursor: "7" })).toThrow("cursor must be");
  });

  test("it loses none while they are used and ended, and brings back none", async () => {
    const sids = await lay(client, 600);
    const store = storeOn(client);
    const ended = sids.filter((_, i) => i % 3 === 0);
    const used = sids.filter((_, i) => i % 3 === 1);
    await Promise.all([
      all(store.moveSessions()),
      all(storeOn(client).moveSessions()),
      ...ended.map((sid) => store.destroy(sid)),
      ...used.map(async (sid) => {
        const read = await store.get(sid);
        await store.set(sid, Object.assign(read ?? {}, { theme: "dark" }));
      }),
    ]);
    expect(await client.keys("sess:*")).toEqual([]);
    expect(await store.length()).toBe(400);
    for (const sid of ended) expect(await store.get(sid)).toBeNull();
    for (const sid of used) expect(await store.get(sid)).toMatchObject({ theme: "dark" });
    const sizes = [0, 1].map((user_id) => store.by("user_id", user_id).size());
    expect(await Promise.all(sizes)).toEqual([200, 200]);
  });

  test("what it leaves behind expires with the sessions", async () => {
    await client.set("sess:a", session(1), "PX", HOUR);
    await all(storeOn(client).moveSessions());
    for (const key of await client.keys("*")) expect(await client.pttl(key)).toBeGreaterThan(0);
    expect(await client.keys("*:o:*")).toHaveLength(1);
  });

  test("it goes by the client's keyPrefix", async () => {
    const prefixed = new Redis(server.url, { keyPrefix: "app[1]:" });
    await lay(prefixed, 5);
    await client.set("sess:another", session(1), "PX", HOUR);
    const store = storeOn(prefixed);
    expect((await all(store.moveSessions())).at(-1)).toMatchObject({ scanned: 5, moved: 5 });
    expect(await client.keys("app*sess:sid*")).toEqual([]);
    expect(await client.exists("sess:another")).toBe(1);
    prefixed.disconnect();
  });

  test("it takes characters of a prefix as they are", async () => {
    await client.set("s*[a]:1", session(1), "PX", HOUR);
    await client.set("s123[a]:1", session(1), "PX", HOUR);
    const store = storeOn(client, { migrate: { prefix: "s*[a]:" } });
    expect((await all(store.moveSessions())).at(-1)).toMatchObject({ scanned: 1, moved: 1 });
  });

  test.each(Object.entries(singleClients))("it works with %s", async (_name, connect) => {
    const connected = await connect(server.port);
    try {
      const expiresAt = Date.now() + HOUR;
      const expires = new Date(expiresAt).toISOString();
      const data = { userId: "eva", expires };
      await lay(client, 5);
      await client.set("session:1", JSON.stringify(data), "PXAT", expiresAt);
      await client.zadd("user:eva:sessions", expiresAt, "1");
      await client.hmset("koa:{1}", { id: "1", user_id: "1" });
      await client.pexpire("koa:{1}", HOUR);
      await client.sadd("koa:user_id:{1}", "1");
      await client.hset("sess:hash", "a", "b");
      const store = storeOn(connected.client);
      expect((await all(store.moveSessions())).at(-1)).toMatchObject({ moved: 5, damaged: 1 });
      const user = { client: connected.client as never };
      migrateSessions(user);
      expect((await all(moveSessions(user))).at(-1)).toMatchObject({ moved: 1, damaged: 0 });
      const koa = koaRedisSessionSets(null, {
        client: connected.client,
        prefix: "koa",
        references: { user_id: {} },
        migrate: true,
      });
      expect(await koa.store.clear("user_id", 1)).toBe(1);
      expect(await client.keys("koa:*")).toEqual([]);
      expect(await client.keys("user:*")).toEqual([]);
    } finally {
      await connected.close();
    }
  });
});

describe("on a cluster", () => {
  let cluster: RedisCluster;
  let client: Cluster;
  const port = () => cluster.masters[0]?.port ?? 0;
  beforeAll(async () => {
    cluster = await startCluster();
    client = new Cluster([{ host: "127.0.0.1", port: port() }]);
  });
  afterAll(async () => {
    client.disconnect();
    await cluster.stop();
  });
  afterEach(() => Promise.all(client.nodes("master").map((node) => node.flushall())));
  const oldKeys = async () =>
    (await Promise.all(client.nodes("master").map((node) => node.keys("sess:*")))).flat();

  test.each(Object.entries(clusterClients))(
    "it scans the keys of all masters, with %s",
    async (_, connect) => {
      await lay(client, 300);
      const connected = await connect(port());
      try {
        const store = storeOn(connected.client);
        const seen = await all(store.moveSessions());
        expect(seen.at(-1)).toEqual({ cursor: null, scanned: 300, moved: 300, damaged: 0 });
        expect(await oldKeys()).toEqual([]);
        expect(await store.by("user_id", 0).size()).toBe(150);
      } finally {
        await connected.close();
      }
    },
  );

  test("it goes on from any cursor, and reads migrate sessions across slots", async () => {
    const sids = await lay(client, 900);
    const store = storeOn(client);
    for (const sid of sids.slice(0, 50)) expect(await store.get(sid)).not.toBeNull();
    let cursor: string | null = null;
    let moved = 0;
    do {
      const migration = storeOn(client).moveSessions({ cursor });
      const { value } = await migration.next();
      await migration.return();
      if (!value) throw new Error("no progress");
      ({ cursor } = value);
      moved += value.moved;
    } while (cursor !== null);
    expect(moved).toBe(850);
    expect(await oldKeys()).toEqual([]);
    expect(await store.length()).toBe(900);
  });

  test("clear of koa-redis-session-sets and deleteUserSessions reach across slots", async () => {
    const app = koaRedisSessionSets(null, {
      client,
      prefix: "koa",
      references: { user_id: {} },
      migrate: true,
    });
    const ids = Array.from({ length: 40 }, (_, i) => `chosen ${i}`);
    for (const id of ids) {
      await client.hmset(`koa:{${id}}`, { id, user_id: "1" });
      await client.pexpire(`koa:{${id}}`, HOUR);
      await client.sadd("koa:user_id:{1}", id);
    }
    expect(await app.store.get("chosen 0")).toEqual({ user_id: "1" });
    expect(await app.store.clear("user_id", 1)).toBe(40);
    expect(await app.store.get("chosen 1")).toEqual({});
  });
});
