/* The store's contract with every kind of client that asks sentinels for the master. */
import { Redis } from "ioredis";
import * as redis6 from "redis";
import * as redis5 from "redis-5";
import { type RedisClient, redisStore } from "session-sets/redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSessionsOn, runAll } from "../../../support/proofs/operations.ts";
import { type RedisSentinel, startSentinel } from "../../../support/redis/sentinel.ts";
import { clientContract } from "../../../support/stores/client-contract.ts";
import { sentinelClients } from "../../../support/stores/clients.ts";

let sentinel: RedisSentinel;
let masterPort: number;
beforeAll(async () => {
  sentinel = await startSentinel();
  masterPort = (await sentinel.master()).port;
});
afterAll(() => sentinel?.stop());

const port = () => sentinel.port;
clientContract("behind Sentinel", sentinelClients, {
  port,
  clockPort: () => masterPort,
  shards: 1,
});

/** Connections to replicas, too, for commands that say they only read. */
const options = () => ({
  name: "main",
  sentinelRootNodes: [{ host: "127.0.0.1", port: port() }],
  replicaPoolSize: 1,
});

interface WithReplicas {
  connect(): Promise<unknown>;
  destroy(): unknown;
}

test.each<[string, () => RedisClient & WithReplicas]>([
  ["redis 5", () => redis5.createSentinel(options())],
  ["redis 6", () => redis6.createSentinel(options())],
])("a client of %s with connections to replicas reads from the master", async (_, open) => {
  const client = open();
  await client.connect();
  const replica = new Redis(sentinel.servers[1]?.port ?? 0);
  try {
    await replica.config("RESETSTAT");
    const sessions = createSessionsOn(redisStore(client, { timeout: "20 seconds" }));
    await runAll(sessions);
    const stats = await replica.info("commandstats");
    expect(stats).not.toMatch(/cmdstat_(hgetall|hmget|time|eval|evalsha):/);
  } finally {
    replica.disconnect();
    client.destroy();
  }
});
