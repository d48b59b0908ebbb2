/* The store's contract with every kind of client that asks sentinels for the master. */
import { afterAll, beforeAll } from "vitest";
import { clientContract } from "./support/client-contract.ts";
import { type RedisSentinel, startSentinel } from "./support/redis-sentinel.ts";
import { sentinelClients } from "./support/store-clients.ts";

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
