/* Histories of several processes against a cluster. */
import { afterAll, beforeAll, test } from "vitest";
import { type RedisCluster, startCluster } from "../../support/redis/cluster.ts";
import { expectExplained, TIME_LIMIT } from "./expecting.ts";

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());

test(
  "every history on a cluster can be explained, and leaves whole sets and nothing else",
  () => {
    const addresses = cluster.masters.map(({ url }) => url);
    return expectExplained("a cluster", { addresses, cluster: true }, 1000);
  },
  TIME_LIMIT,
);
