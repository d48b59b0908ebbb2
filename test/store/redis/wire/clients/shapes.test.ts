/* Which clients the Redis store takes and which it refuses, by their shape, without any server. */
import { GlideClient, GlideClusterClient } from "@valkey/valkey-glide";
import { Cluster as Cluster6, Redis as Redis6 } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis-5";
import * as redis6 from "redis";
import * as redis5 from "redis-5";
import { createSessions } from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import { afterAll, describe, expect, test } from "vitest";
import { loopTime } from "../../../../support/loop-time.ts";
import { redisUrl } from "../../../../support/redis/shared.ts";
import { GLIDE_LIMITS } from "../../../../support/stores/clients.ts";

const NODES = [{ host: "127.0.0.1", port: 1 }];
const LAZY = { lazyConnect: true } as const;
const SENTINEL = { name: "main", sentinelRootNodes: NODES };
const CLUSTER = { rootNodes: [{ url: "redis://127.0.0.1:1" }] };

const opened: { close(): unknown }[] = [];
afterAll(async () => {
  await Promise.all(opened.map((client) => client.close()));
});

/** A client of GLIDE on the shared server, which is closed in the end. */
async function glide(options: Partial<Parameters<typeof GlideClient.createClient>[0]> = {}) {
  const addresses = [{ host: "127.0.0.1", port: Number(new URL(redisUrl()).port) }];
  const client = await GlideClient.createClient({ addresses, ...GLIDE_LIMITS, ...options });
  opened.push(client);
  return client;
}

/** Shows the shape of a cluster's client without a cluster. */
function glideClusterLike(config: object): RedisClient {
  return Object.assign(Object.create(GlideClusterClient.prototype), { config });
}

function refusal(client: unknown, message: RegExp): void {
  expect(() => redisStore(client as RedisClient)).toThrowError(
    expect.objectContaining({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringMatching(message),
    }),
  );
}

type Kind = [string, () => RedisClient];

const nodeRedisSingles: Kind[] = [
  ["a client of redis 5", () => redis5.createClient()],
  ["a client of redis 6", () => redis6.createClient()],
  ["a pool of redis 5", () => redis5.createClientPool()],
  ["a pool of redis 6", () => redis6.createClientPool()],
  ["a Sentinel client of redis 5", () => redis5.createSentinel(SENTINEL)],
  ["a Sentinel client of redis 6", () => redis6.createSentinel(SENTINEL)],
];
const nodeRedisClusters: Kind[] = [
  ["a cluster of redis 5", () => redis5.createCluster(CLUSTER)],
  ["a cluster of redis 6", () => redis6.createCluster(CLUSTER)],
];
const nodeRedisClients = [...nodeRedisSingles, ...nodeRedisClusters];

test.each<Kind>([
  ["a Redis of ioredis 5", () => new Redis5(LAZY)],
  ["a Redis of ioredis 6", () => new Redis6(LAZY)],
  ["a Redis of ioredis with Sentinel", () => new Redis6({ ...LAZY, sentinels: NODES, name: "m" })],
  ["a Cluster of ioredis 5", () => new Cluster5(NODES, LAZY)],
  ["a Cluster of ioredis 6", () => new Cluster6(NODES, LAZY)],
  ["a class derived from Redis", () => new (class extends Redis6 {})(LAZY)],
  ...nodeRedisClients,
  ["a client of redis with options of its own", () => redis6.createClient().withTypeMapping({})],
  ["a cluster client of GLIDE", () => glideClusterLike({ addresses: [] })],
])("%s is taken, and so is a Proxy of it", (_, client) => {
  const one = client();
  redisStore(one);
  redisStore(new Proxy(one, {}));
});

test("a client of GLIDE is taken, and so is a Proxy of it", async () => {
  const client = await glide();
  redisStore(client);
  redisStore(new Proxy(client, {}));
  redisStore(await glide({ readFrom: "primary" }));
});

test("shards are 1, and on a cluster 64, where nothing is said", async () => {
  const made = (kinds: readonly Kind[]) => kinds.map(([, client]) => client());
  const singles = [new Redis5(LAZY), new Redis6(LAZY), await glide(), ...made(nodeRedisSingles)];
  const clusters = [
    ...[new Cluster5(NODES, LAZY), new Cluster6(NODES, LAZY), glideClusterLike({})],
    ...made(nodeRedisClusters),
  ];
  for (const client of singles) expect(redisStore(client).shards).toBe(1);
  for (const client of clusters) expect(redisStore(client).shards).toBe(64);
});

const TAKEN =
  /ioredis 5 or 6 \(Redis or Cluster\).*redis 5 or 6 \(createClient, createClientPool, createSentinel or createCluster\).*@valkey\/valkey-glide 2 \(GlideClient or GlideClusterClient\).*new Redis\(url\)/;

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["null", null],
  ["a number", 6379],
  ["a URL", "redis://127.0.0.1:6379"],
  ["an options object", { host: "127.0.0.1", port: 6379 }],
  ["a function", () => {}],
  ["a class", Redis6],
  ["a package", redis6],
  ["a promise of a client", Promise.resolve(new Redis6(LAZY))],
  ["a client in an object", { client: new Redis6(LAZY) }],
  ["a pipeline of ioredis", new Redis6(LAZY).pipeline()],
  ["a transaction of ioredis", new Redis6(LAZY).multi()],
  ["a pipeline of a Cluster", new Cluster6(NODES, LAZY).pipeline()],
  ["a transaction of redis", redis6.createClient().multi()],
  ["a client of redis with callbacks", redis6.createClient().legacy()],
  ["what a Sentinel client of redis leases", { isOpen: true, sendCommand() {}, release() {} }],
  ["an object that only sends commands", { sendCommand() {} }],
])("%s is refused, with the list of what is taken", (_, client) => {
  refusal(client, TAKEN);
});

describe("a client that is not connected", () => {
  test.each(nodeRedisClients)("%s says so at first use", async (_, client) => {
    const sessions = createSessions<{ user_id: number }>({
      store: redisStore(client(), { timeout: "20 seconds" }),
      references: { user_id: {} },
      idleTimeout: "1 hour",
    });
    const token = `AA${"a".repeat(32)}`;
    const user = sessions.by("user_id", 1);
    const start = loopTime();
    for (const use of [
      () => sessions.create({ user_id: 1 }),
      () => sessions.get(token),
      () => sessions.signIn(token, { user_id: 2 }),
      () => sessions.touch(token),
      () => sessions.delete(token),
      () => user.size(),
      () => user.list(),
      () => user.clear(),
    ]) {
      await expect(use()).rejects.toMatchObject({
        code: "ERR_STORE_UNAVAILABLE",
        message: expect.stringMatching(/not connected; call `await client\.connect\(\)` first/),
      });
    }
    expect(loopTime() - start).toBeLessThan(10_000);
  });
});

describe("a client that reads from replicas is refused", () => {
  const REPLICA = /reads from a replica.*ended session can still be read.*give redisStore/;

  test.each<[string, () => unknown]>([
    ["role of ioredis 5", () => new Redis5({ ...LAZY, role: "slave" })],
    ["role of ioredis 6", () => new Redis6({ ...LAZY, role: "slave" })],
    [
      "role of ioredis with Sentinel",
      () => new Redis6({ ...LAZY, sentinels: NODES, name: "m", role: "slave" }),
    ],
    ["readOnly of ioredis 5", () => new Redis5({ ...LAZY, readOnly: true })],
    ["readOnly of ioredis 6", () => new Redis6({ ...LAZY, readOnly: true })],
    ["scaleReads of ioredis 5", () => new Cluster5(NODES, { ...LAZY, scaleReads: "slave" })],
    ["scaleReads of ioredis 6", () => new Cluster6(NODES, { ...LAZY, scaleReads: "slave" })],
    ["scaleReads to all", () => new Cluster6(NODES, { ...LAZY, scaleReads: "all" })],
    [
      "a function as scaleReads",
      () => new Cluster6(NODES, { ...LAZY, scaleReads: (nodes: Redis6[]) => nodes[0] as Redis6 }),
    ],
    ["readFrom of a GLIDE cluster", () => glideClusterLike({ readFrom: "preferReplica" })],
  ])("%s", (_, client) => {
    refusal(client(), REPLICA);
  });

  test.each(["preferReplica", "AZAffinity", "AZAffinityReplicasAndPrimary"] as const)(
    "readFrom %s of GLIDE",
    async (readFrom) => {
      refusal(await glide({ readFrom, clientAz: "a" }), REPLICA);
    },
  );
});

describe("a client with a key prefix that would be left out is refused", () => {
  test.each<[string, () => unknown]>([
    ["of redis", () => redis6.createClient({ keyPrefix: "app:" })],
    ["of a pool", () => redis6.createClientPool({ keyPrefix: "app:" })],
    ["of a Sentinel client", () => redis6.createSentinel({ ...SENTINEL, keyPrefix: "app:" })],
    ["of a cluster", () => redis6.createCluster({ ...CLUSTER, keyPrefix: "app:" })],
  ])("%s", (_, client) => {
    refusal(client(), /keyPrefix.*Leave it out/);
  });

  test.each(["{app}:", "app{", "}"])("a Cluster of ioredis with a brace: %s", (keyPrefix) => {
    for (const Cluster of [Cluster5, Cluster6]) {
      refusal(new Cluster(NODES, { ...LAZY, keyPrefix }), /keyPrefix has a brace.*Leave it out/);
    }
  });
});
