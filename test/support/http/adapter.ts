import { afterAll, beforeAll, describe, inject } from "vitest";
import { type Client, clients, openMemory, openRedis } from "../stores/stores.ts";
import type { Adapter } from "./app.ts";
import { httpContract, type Orders } from "./contract/contract.ts";

/** Runs the HTTP contract at the root on the memory store, and mounted under a prefix on Redis. */
export function describeAdapter(
  adapter: Adapter,
  orders: { readonly memory: Orders; readonly redis: Orders },
): void {
  describe(`${adapter.name}, on the memory store`, () => {
    httpContract(adapter, "", async () => openMemory(), { clock: "moved", orders: orders.memory });
  });

  describe(`${adapter.name} under /shop, on Redis with 4 shards`, () => {
    let client: Client;
    beforeAll(() => {
      client = clients["ioredis 6"](inject("redisUrl"));
    });
    afterAll(() => client.quit());
    const open = async () => openRedis(client, 4);
    httpContract(adapter, "/shop", open, { clock: "real", orders: orders.redis });
  });
}
