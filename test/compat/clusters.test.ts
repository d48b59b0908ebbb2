/* The predecessors' APIs on a Redis Cluster, where their commands went across slots. */
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import {
  createSession,
  deleteUserSessions,
  getUserSessions,
} from "session-sets/compat/redis-user-sessions";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCompatApp } from "../support/http/apps/koa-compat.ts";
import { type RedisCluster, startCluster } from "../support/redis/cluster.ts";

let cluster: RedisCluster;
let client: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
  client = new Cluster([{ host: "127.0.0.1", port: cluster.masters[0]?.port ?? 0 }]);
});
afterAll(async () => {
  client.disconnect();
  await cluster.stop();
});

test("koa-redis-session-sets wrote a session and its sets in one MULTI, across slots", async () => {
  const multi = client.multi().hset("prefix:id", "user_id", 1).sadd("prefix:user_id:1", "id");
  await expect(multi.exec()).rejects.toThrow(/same slot|CROSSSLOT/i);
});

test("its sessions work now, in one slot", async () => {
  const app = await startCompatApp({ client, references: { user_id: {} } }, { keys: ["a"] });
  const browser = app.browser();
  await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
  await browser.visit((ctx) => ctx.session.set({ user_id: 2, theme: "dark" }));
  expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({
    user_id: 2,
    theme: "dark",
  });
  const { getReferenceKey, store } = app.middleware;
  const ids = await client.smembers(getReferenceKey("user_id", 2));
  expect(ids).toHaveLength(1);
  expect(await client.smembers(getReferenceKey("user_id", 1))).toEqual([]);
  for (let n = 0; n < 20; n++) await store.set(`chosen ${n}`, { user_id: 2 });
  const all = await client.smembers(getReferenceKey("user_id", 2));
  await Promise.all(all.map((id) => store.delete(id)));
  expect(all).toHaveLength(21);
  expect(await client.smembers(getReferenceKey("user_id", 2))).toEqual([]);
  await app.close();
});

test("and under a namespace, where those of before are moved to", async () => {
  const namespace = "shop of *[a] {b}:eu";
  const under = `koa-redis-session-sets:${namespace}`;
  const old = Array.from({ length: 30 }, (_, n) => `chosen ${n}`);
  for (const id of old) {
    await client.hset(`${under}:{${id}}`, { id, user_id: "1" });
    await client.pexpire(`${under}:{${id}}`, 60_000);
    await client.sadd(`${under}:user_id:{1}`, id);
  }
  const options = { client, namespace, migrate: true, references: { user_id: {} } };
  const app = await startCompatApp(options, { keys: ["a"] });
  const browser = app.browser();
  await browser.visit((ctx) => ctx.session.set({ cart: "tea" }));
  const attacker = browser.copy();
  await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
  const data = { cart: "tea", user_id: 1 };
  expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual(data);
  expect((await attacker.visit((ctx) => ctx.session.get())).value).toEqual({});
  let moved = 0;
  for await (const progress of app.middleware.moveSessions()) ({ moved } = progress);
  expect(moved).toBe(30);
  const { getReferenceKey, store } = app.middleware;
  expect(await client.smembers(getReferenceKey("user_id", 1))).toHaveLength(31);
  expect(await store.clear("user_id", 1)).toBe(31);
  await app.close();
});

test("and so do those of redis-user-sessions", async () => {
  const url = `redis://127.0.0.1:${cluster.masters[0]?.port}`;
  const client = createCluster({ rootNodes: [{ url }] });
  client.on("error", () => {});
  await client.connect();
  const data = { userId: "eva", expires: new Date(Date.now() + 60_000).toISOString() };
  const ids = Array.from({ length: 20 }, (_, n) => `session-${n}`);
  for (const sessionId of ids) await createSession({ client, sessionId, data });
  const sessions = await getUserSessions({ client, userId: "eva" });
  expect(sessions.map(({ sessionId }) => sessionId).sort()).toEqual(ids.sort());
  await deleteUserSessions({ client, userId: "eva" });
  expect(await getUserSessions({ client, userId: "eva" })).toEqual([]);
  await client.close();
});
