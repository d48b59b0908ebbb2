/* The mutations are up to date: the texts that they replace exist, and the mutated scripts run. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { allMutations } from "../../support/proofs/all-mutations.ts";
import { type Mutation, mutatedSources, mutations } from "../../support/proofs/mutations.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { type Client, clients } from "../../support/stores/stores.ts";

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

test.each(Object.entries<Mutation>(allMutations))(
  "%s is of scripts that there are",
  async (_, one) => {
    for (const text of Object.values(mutatedSources(one))) {
      expect(await client.call("SCRIPT", ["LOAD", text])).toMatch(/^[0-9a-f]{40}$/);
    }
  },
);

test("a mutation that replaces a missing text is refused", () => {
  const [[, stale] = []] = Object.entries<Mutation>(mutations);
  expect(() => stale?.apply("update", "return 1")).toThrow("a script to be mutated has no");
});
