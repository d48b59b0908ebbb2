/*
 * A store that breaks a rule about who may enter a set fails the contract's tests of it, and the store
 * as it is passes them.
 */
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asOf } from "../../../src/testing/core/as-of.ts";
import { enteringFullSets } from "../../../src/testing/core/entering-full-sets.ts";
import { limiting } from "../../../src/testing/core/limiting.ts";
import { largeSets } from "../../../src/testing/large-sets.ts";
import type { StoreTest } from "../../../src/testing/store-test.ts";
import { enteringMutations } from "../../support/proofs/entering-mutations.ts";
import { type Mutation, mutatedClient } from "../../support/proofs/mutations.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { type Client, clients, elapseOn, freshPrefix } from "../../support/stores/stores.ts";

let server: RedisServer;
let client: Client;
beforeAll(async () => {
  server = await startRedis();
  client = clients["ioredis 6"](server.socket);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

const limits = [
  ...limiting,
  ...enteringFullSets,
  ...largeSets.filter(({ name }) => name.includes("limit")),
];

/** The names of the tests that fail, with why. */
async function findFailures(tests: readonly StoreTest[], mutation: Mutation | null) {
  const used = mutation ? mutatedClient(client, mutation) : client;
  const failures: string[] = [];
  for (const one of tests) {
    const open = async () => ({
      store: redisStore(used, { prefix: freshPrefix(), timeout: "20 seconds" }),
      elapse: (ms: number) => elapseOn(client, ms),
    });
    await one.run(open).catch((error) => failures.push(`${one.name}: ${error}`));
  }
  return failures;
}

test("without a mutation, all is well", async () => {
  expect(await findFailures([...asOf, ...limits], null)).toEqual([]);
});

// They wait for deadlines, so they wait side by side.
describe.concurrent.each(Object.entries<Mutation>(enteringMutations))("%s", (name, mutation) => {
  test("is caught", async ({ expect }) => {
    const tests = name.startsWith("limit") ? limits : asOf;
    const failures = await findFailures(tests, mutation);
    expect(failures).not.toEqual([]);
    // They fail as a rule that is broken does, not as a script that cannot run.
    for (const failure of failures) expect(failure).not.toContain("ERR_STORE_UNAVAILABLE");
  });
});
