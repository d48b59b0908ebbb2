/* A user that lacks a right to hear of endings, and clients that can't be asked to: sessions end all the same. */
import { Redis } from "ioredis";
import { createClient } from "redis";
import { createSessions } from "session-sets";
import { newIdInShard } from "session-sets/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type RedisCluster, startCluster } from "../../../support/redis/cluster.ts";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import {
  canListen,
  clusterClients,
  type StoreClient,
  singleClients,
} from "../../../support/stores/clients.ts";
import { createFor, expectHeard, hear, openFeedStore } from "../../../support/stores/feeds.ts";

const LACKING = {
  "the channel": ["resetchannels"],
  "the channel, but for another prefix": ["resetchannels", "&{other:*}:*"],
  SPUBLISH: ["-spublish"],
  SSUBSCRIBE: ["-ssubscribe"],
};

let server: RedisServer;
let cluster: RedisCluster;
let admin: Redis;
beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startCluster()]);
  admin = new Redis(server.port);
});
afterAll(async () => {
  admin?.disconnect();
  await Promise.all([server?.stop(), cluster?.stop()]);
});
beforeEach(() => admin.call("ACL", "SETUSER", "shop", "reset", "on", ">pw", "~*", "&*", "+@all"));

const login = { username: "shop", password: "pw" };
const clients: Record<string, () => Promise<StoreClient>> = {
  async ioredis() {
    const client = new Redis({ port: server.port, ...login });
    return { client, close: async () => client.disconnect() };
  },
  async redis() {
    const client = createClient({ socket: { port: server.port }, ...login });
    await client.connect();
    return { client, close: async () => client.destroy() };
  },
};

describe.each(Object.entries(clients))("a user of %s", (_client, connect) => {
  async function open() {
    const { client, close } = await connect();
    onTestFinished(() => close() as Promise<void>);
    return client;
  }

  test.each(Object.entries(LACKING))(
    "without the right to %s is told the rights",
    async (_, rules) => {
      const store = openFeedStore(await open(), { prefix: "shop" });
      await admin.call("ACL", "SETUSER", "shop", ...rules);
      await expect(hear(store)).rejects.toMatchObject({
        code: "ERR_SESSION_CONFIG",
        option: "client",
        hint: expect.stringContaining("&{shop:*}:e +ssubscribe +sunsubscribe +spublish"),
      });
      // Given the right, it hears.
      await admin.call("ACL", "SETUSER", "shop", "&*", "+@all");
      await expectHeard(store, await hear(store), newIdInShard(0));
      await store.close();
    },
  );

  test.each(Object.entries(LACKING))(
    "without the right to %s ends, renews and replaces sessions",
    async (_, rules) => {
      const client = await open();
      const store = openFeedStore(client, { prefix: "shop" });
      await admin.call("ACL", "SETUSER", "shop", ...rules);
      const id = newIdInShard(0);
      await createFor(store, id);
      expect(await store.end(id)).toBe(id);
      const sessions = createSessions({
        data: {} as { user_id?: number },
        store,
        references: { user_id: {} },
      });
      const { token } = await sessions.create();
      const one = await sessions.signIn(token, { user_id: 1 });
      const two = await sessions.rotate(one.token);
      expect(await sessions.get(two?.token ?? "")).toMatchObject({ data: { user_id: 1 } });
      expect(await sessions.by("user_id", 1).clear()).toBe(1);
      expect(await sessions.get(two?.token ?? "")).toBeNull();
      await store.close();
    },
  );

  test("that loses a right while it listens hears again once it has it back", async () => {
    const store = openFeedStore(await open(), { prefix: "shop" });
    const heard = await hear(store);
    // The server ends connections that listen to channels they may no longer hear.
    await admin.call("ACL", "SETUSER", "shop", "resetchannels");
    await expect(hear(store)).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
    await admin.call("ACL", "SETUSER", "shop", "&*");
    await expectHeard(store, await hear(store), newIdInShard(0));
    expect(heard.gaps).toBe(1);
    await store.close();
  });
});

test.each(
  [
    ...Object.entries(singleClients).map((one) => [...one, () => server.port] as const),
    ...Object.entries(clusterClients).map(
      (one) => [...one, () => cluster.masters[0]?.port ?? 0] as const,
    ),
  ].filter(([kind]) => !canListen(kind)),
)("%s is refused, with the clients to use", async (_, connect, port) => {
  const { client, close } = await connect(port());
  const store = openFeedStore(client);
  await expect(hear(store)).rejects.toMatchObject({
    code: "ERR_SESSION_CONFIG",
    hint: expect.stringMatching(/ioredis or redis/),
  });
  await createFor(store, newIdInShard(0));
  expect(await store.end(newIdInShard(0))).toBeNull();
  await store.close();
  await close();
});

test("a client of one server of a cluster is told to use a cluster's client", async () => {
  const client = new Redis(cluster.masters[0]?.port ?? 0);
  onTestFinished(() => client.disconnect());
  // Each shard is another server's for one of these masters at least.
  const store = openFeedStore(client, { shards: 16 });
  await expect(hear(store)).rejects.toMatchObject({
    code: "ERR_SESSION_CONFIG",
    hint: expect.stringMatching(/new Cluster/),
  });
  await store.close();
});
