/* The store's contract with every kind of client, on one server and on a cluster. */
import { Redis } from "ioredis";
import { redisStore } from "session-sets/redis";
import { storeContract } from "session-sets/testing";
import { afterAll, beforeAll, describe, inject, test } from "vitest";
import { type RedisCluster, startCluster } from "./support/redis-cluster.ts";
import { clusterClients, type StoreClient, singleClients } from "./support/store-clients.ts";
import { elapseOn, freshPrefix } from "./support/stores.ts";

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster();
}, 60_000);
afterAll(() => cluster?.stop());

const places = [
  ["on one server", singleClients, () => Number(new URL(inject("redisUrl")).port)],
  ["on a cluster", clusterClients, () => cluster.masters[0]?.port ?? 0],
] as const;

for (const [place, kinds, portOf] of places) {
  for (const [kind, connect] of Object.entries(kinds)) {
    describe(`the Redis store ${place}, with ${kind}`, () => {
      let opened: StoreClient;
      let clock: Redis;
      beforeAll(async () => {
        opened = await connect(portOf());
        clock = new Redis(portOf());
      });
      afterAll(async () => {
        clock?.disconnect();
        await opened?.close();
      });

      for (const { name, run } of storeContract) {
        test(name, () =>
          run(async () => ({
            store: redisStore(opened.client, { prefix: freshPrefix(), timeout: "20 seconds" }),
            elapse: (ms) => elapseOn(clock, ms),
          })),
        );
      }
    });
  }
}
