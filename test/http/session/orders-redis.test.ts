/* Requests side by side, in every order of what they ask the store for, on Redis with 4 shards. */
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { starter } from "../../support/http/contract/contract.ts";
import { orders } from "../../support/http/contract/orders.ts";
import { plainHost } from "../../support/http/plain-exchange.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { type Client, clients, openRedis } from "../../support/stores/stores.ts";

let client: Client;
beforeAll(() => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());

orders(
  starter(plainHost, "", async () => openRedis(client, 4), onTestFinished),
  "real",
  "pairs",
);
