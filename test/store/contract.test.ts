import { commandContract, storeContract } from "session-sets/testing";
import { afterAll, beforeAll, describe, inject, test } from "vitest";
import { type Client, clients, openMemory, openRedis } from "../support/stores/stores.ts";

describe("the memory store", () => {
  for (const { name, run } of [...storeContract, ...commandContract])
    test(name, () => run(async () => openMemory()));
});

for (const [kind, connect] of Object.entries(clients)) {
  for (const shards of [1, 4]) {
    describe(`the Redis store with ${shards} shard(s) and ${kind}`, () => {
      let client: Client;
      beforeAll(() => {
        client = connect(inject("redisUrl"));
      });
      afterAll(() => client.quit());

      for (const { name, run } of [...storeContract, ...commandContract]) {
        test(name, () => run(async () => openRedis(client, shards)));
      }
    });
  }
}
