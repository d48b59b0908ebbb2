/* The session of a request under Koa, over real sockets, on the memory store and on Redis. */
import { afterAll, beforeAll, describe, inject } from "vitest";
import { httpContract } from "./support/http-contract.ts";
import { httpFailures } from "./support/http-contract-failures.ts";
import { koa2Adapter, koaAdapter } from "./support/koa-app.ts";
import { type Client, clients, openMemory, openRedis } from "./support/stores.ts";

describe("Koa, on the memory store", () => {
  httpContract(koaAdapter, "", async () => openMemory(), { clock: "moved", orders: "all" });
});

describe("Koa 2, on the memory store", () => {
  httpContract(koa2Adapter, "", async () => openMemory(), { clock: "moved", orders: "pairs" });
});

describe("Koa under /shop, on Redis with 4 shards", () => {
  let client: Client;
  beforeAll(() => {
    client = clients["ioredis 6"](inject("redisUrl"));
  });
  afterAll(() => client.quit());
  httpContract(koaAdapter, "/shop", async () => openRedis(client, 4), {
    clock: "real",
    orders: "all",
  });
});

describe("Koa, on a Redis that fails", () => {
  httpFailures(koaAdapter);
});
