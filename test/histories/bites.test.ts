/* Histories fail on a store that breaks a rule: without that they would show nothing. */
import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { runHistories } from "./campaign.ts";
import { TIME_LIMIT } from "./expecting.ts";

/** As a rule one of the first few hundred fails. */
const MOST = 5000;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

test.each([
  "upsert in set",
  "forgotten index removal",
  "rotation in two commands",
  "clear that does not follow a rotation",
  "login that leaves an alias",
  "no not-after moment",
  "except that does not follow an alias",
  "rotation that extends the absolute deadline",
] as const)(
  "histories of a store with this are refused: %s",
  async (mutation) => {
    const seed = randomInt(1_000_000_000);
    const servers = { ports: [server.port], cluster: false };
    const campaign = { seed, count: MOST, mutation, shrink: false };
    const { failure, ...numbers } = await runHistories(servers, campaign);
    console.log(`${mutation}, SEED=${seed}: ${JSON.stringify(numbers)}`);
    expect(failure).toMatch(/repeats/);
  },
  TIME_LIMIT,
);
