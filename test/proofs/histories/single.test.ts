/* Histories of several processes against one server. */
import { afterAll, beforeAll, test } from "vitest";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { expectExplained, TIME_LIMIT } from "./expecting.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

test(
  "every history on one server can be explained, and leaves whole sets and nothing else",
  () => expectExplained("one server", { addresses: [server.socket], cluster: false }, 2000),
  TIME_LIMIT,
);
