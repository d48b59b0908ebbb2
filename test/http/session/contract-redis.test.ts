/* The session of a request, whatever framework has shown it: on an exchange of its own, on Redis with 4 shards. */
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { sessionContract, starter } from "../../support/http/contract/contract.ts";
import { plainHost } from "../../support/http/plain-exchange.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { type Client, clients, openRedis } from "../../support/stores/stores.ts";

let client: Client;
beforeAll(() => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());

sessionContract(
  starter(plainHost, "", async () => openRedis(client, 4), onTestFinished),
  "real",
);
