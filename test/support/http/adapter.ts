import { afterAll, beforeAll, describe, onTestFinished, test } from "vitest";
import { redisUrl } from "../redis/shared.ts";
import { type Client, clients, openMemory, openRedis } from "../stores/stores.ts";
import type { Adapter } from "./app.ts";
import { starter } from "./contract/contract.ts";
import { frameworkContract } from "./framework/contract.ts";
import { smoke } from "./framework/requests.ts";

/**
 * Runs the contract of frameworks, mounted under a prefix on the memory store; and one session from
 * its beginning to its end at the root, on Redis.
 */
export function describeAdapter(adapter: Adapter): void {
  describe(`${adapter.name} under /shop, on the memory store`, () => {
    const start = starter(adapter, "/shop", async () => openMemory(), onTestFinished);
    frameworkContract({ describe, test, adapter, start });
  });

  describe(`${adapter.name}, on Redis with 4 shards`, () => {
    let client: Client;
    beforeAll(() => {
      client = clients["ioredis 6"](redisUrl());
    });
    afterAll(() => client.quit());
    const start = starter(adapter, "", async () => openRedis(client, 4), onTestFinished);
    smoke({ describe, test, adapter, start });
  });
}
