/* The connections that listen: when there are any, how many, and what they keep. */
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { newIdBeside, newIdInShard } from "session-sets/testing";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../../support/eventually.ts";
import { type RedisCluster, startCluster } from "../../../support/redis/cluster.ts";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import {
  type Connect,
  canListen,
  clusterClients,
  singleClients,
} from "../../../support/stores/clients.ts";
import {
  createFor,
  expectHeard,
  hear,
  listEnded,
  openFeedStore,
} from "../../../support/stores/feeds.ts";

function listening(clients: Readonly<Record<string, Connect>>) {
  return Object.entries(clients).filter(([kind]) => canListen(kind));
}

async function open(connect: Connect, port: number) {
  const { client, close } = await connect(port);
  onTestFinished(() => close() as Promise<void>);
  return client;
}

/** The connections that listen, and the channels that each one listens to. */
async function readChannels(admin: Redis): Promise<number[]> {
  const list = String(await admin.call("CLIENT", "LIST"));
  return [...list.matchAll(/ ssub=([1-9]\d*)/g)].map(([, count]) => Number(count));
}

describe("on one server", () => {
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis(server.port);
  });
  afterAll(async () => {
    admin?.disconnect();
    await server?.stop();
  });

  const expectChannels = (...counts: number[]) =>
    eventually("the connections that listen", counts, () => readChannels(admin));

  test.each(listening(singleClients))(
    "%s listens while there are listeners",
    async (_, connect) => {
      const store = openFeedStore(await open(connect, server.port), { shards: 4 });
      const [first, second] = [newIdInShard(0), newIdInShard(1)];
      await createFor(store, first);
      await store.end(first);
      await expectChannels();
      const all = await Promise.all([hear(store, first), hear(store, first), hear(store, second)]);
      await expectChannels(2);
      await all[0]?.stop();
      await all[0]?.stop(); // again, for nothing
      await expectHeard(store, all[1] as (typeof all)[1], newIdBeside(first));
      expect(all[0]?.events).toEqual([]);
      await all[1]?.stop();
      await expectChannels(1);
      await all[2]?.stop();
      await expectChannels();
      await hear(store);
      await expectChannels(4);
      await store.close();
      await expectChannels();
      await expect(hear(store)).rejects.toMatchObject({
        code: "ERR_STORE_UNAVAILABLE",
        message: expect.stringMatching(/store was closed/),
      });
    },
  );

  test.each(listening(singleClients))("%s tells nothing after close", async (_, connect) => {
    const client = await open(connect, server.port);
    const [store, other] = ["a", "a"].map((prefix) => openFeedStore(client, { prefix }));
    if (!store || !other) throw new Error("no stores");
    const [heard, others] = [await hear(store), await hear(other)];
    await store.close();
    await expectHeard(other, others, newIdInShard(0));
    expect([heard.events, heard.gaps]).toEqual([[], 0]);
    await other.close();
  });

  test.each(listening(singleClients))(
    "%s keeps no process alive by listening",
    async (_, connect) => {
      const store = openFeedStore(await open(connect, server.port));
      await store.find(newIdInShard(0));
      const before = listResources();
      const heard = await hear(store);
      await eventually("what keeps the process alive", before, async () => listResources());
      await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
      await eventually("a gap", 1, async () => heard.gaps);
      await eventually("what keeps the process alive", before, async () => listResources());
      await store.close();
    },
  );

  test.each([
    ["ioredis 5", (port: number) => new Redis5({ port, keyPrefix: "app:" })],
    ["ioredis 6", (port: number) => new Redis({ port, keyPrefix: "app:" })],
  ] as const)("%s puts its key prefix before the channels", async (_, connect) => {
    const client = connect(server.port);
    onTestFinished(() => client.disconnect());
    const store = openFeedStore(client, { prefix: "shop" });
    const heard = await hear(store);
    expect(await admin.call("PUBSUB", "SHARDCHANNELS")).toEqual(["app:{shop:0}:e"]);
    await expectHeard(store, heard, newIdInShard(0));
    await store.close();
  });

  test("what isn't a message of a script is no event", async () => {
    const client = new Redis(server.port);
    onTestFinished(() => client.disconnect());
    const store = openFeedStore(client, { prefix: "odd" });
    const heard = await hear(store);
    const odd = ["", "ended", "ended 1 delete - -", "rotated 1 a", "hello", "\n \n", "{}"];
    const deadlines = [
      "",
      "x a a",
      "- a a",
      "1",
      "1 a",
      "1.5 a a",
      "9999999999999999 a a",
      "1 % a",
    ];
    for (const text of [...odd, ...deadlines.map((rest) => `shortened 1 ${rest}`)]) {
      await admin.spublish("{odd:0}:e", text);
    }
    await expectHeard(store, heard, newIdInShard(0));
    expect(heard.events).toHaveLength(1);
    await store.close();
  });

  test("an id may be any text", async () => {
    const client = new Redis(server.port);
    onTestFinished(() => client.disconnect());
    const store = openFeedStore(client);
    const heard = await hear(store);
    const ids = ["a b", "a:b", "-", "=", "%20", "a\nended 1 delete - - x", "é🔑", "\0", "*"];
    for (const id of ids) await expectHeard(store, heard, id);
    expect(listEnded(heard)).toEqual(ids);
    await store.close();
  });

  test("close ends the wait of those who would listen", async () => {
    const client = new Redis({ port: server.port, lazyConnect: true, retryStrategy: () => 10_000 });
    client.on("error", () => {});
    onTestFinished(() => client.disconnect());
    const proxied = openFeedStore(client, { timeout: "60 seconds" });
    server.pause();
    const waiting = hear(proxied);
    waiting.catch(() => {});
    await proxied.close();
    server.resume();
    await expect(waiting).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  });
});

describe("on a cluster", () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  test.each(listening(clusterClients))(
    "%s has one connection to each master",
    async (_, connect) => {
      const admins = cluster.masters.map(({ port }) => new Redis(port));
      const store = openFeedStore(await open(connect, cluster.masters[0]?.port ?? 0), {
        shards: 16,
      });
      const heard = await hear(store);
      const counts = (await Promise.all(admins.map(readChannels))).flat();
      expect(counts).toHaveLength(3);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(16);
      await heard.stop();
      await eventually("no connection", [[], [], []], () => Promise.all(admins.map(readChannels)));
      for (const admin of admins) admin.disconnect();
      await store.close();
    },
  );
});

/** What keeps this process alive by the network. */
function listResources(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|TLS/.test(kind));
}
