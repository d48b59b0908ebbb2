/*
 * A store whose feed breaks a rule fails the contract's test of it, and the store as it is passes: on
 * Redis with a script that was changed, and in memory with a copy of a source. Some wait for ten seconds
 * for what is never told, so they wait side by side.
 */
import { redisStore } from "session-sets/redis";
import { feedContract, type StoreUnderTest } from "session-sets/testing";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { memoryFeedMutations } from "../../support/proofs/ending-mutations.ts";
import { type FeedMutation, feedMutations } from "../../support/proofs/feed-mutations.ts";
import { importMutated } from "../../support/proofs/mutated-sources.ts";
import { type Mutation, mutatedClient } from "../../support/proofs/mutations.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { openFeedStore } from "../../support/stores/feeds.ts";
import {
  type Client,
  clients,
  elapseOn,
  freshPrefix,
  openMemory,
} from "../../support/stores/stores.ts";

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

/** Why the tests with this in their names fail; there are some. */
async function findFailures(part: string, open: () => Promise<StoreUnderTest>) {
  const tests = feedContract.filter(({ name }) => name.includes(part));
  expect(tests, part).not.toEqual([]);
  const failures: string[] = [];
  for (const { name, run } of tests) {
    await run(open).catch((error) => failures.push(`${name}: ${error}`));
  }
  return failures;
}

/** Whether each failure is that of a rule that is broken, not of a store that cannot work. */
function expectBroken(failures: readonly string[]): void {
  expect(failures).not.toEqual([]);
  for (const failure of failures) expect(failure).toMatch(/AssertionError/);
}

describe.concurrent("on Redis", () => {
  /** A store that writes through a client and, as a mutated one can't be duplicated, listens on its own. */
  const openOn =
    (used: Parameters<typeof redisStore>[0], { onTestFinished }: TestContext) =>
    async () => {
      const prefix = freshPrefix();
      const listening = openFeedStore(client, { prefix });
      const store = new Proxy(redisStore(used, { prefix, timeout: "20 seconds" }), {
        get(writing, name) {
          const from = name === "subscribe" ? listening : writing;
          const value: unknown = Reflect.get(from, name, from);
          return typeof value === "function" ? value.bind(from) : value;
        },
      });
      onTestFinished(() => listening.close());
      return { store, elapse: (ms: number) => elapseOn(client, ms) };
    };

  test("without a mutation, all is well", async (context) => {
    expect(await findFailures("", openOn(client, context))).toEqual([]);
  });

  test.for(Object.entries<FeedMutation>(feedMutations))(
    "%s is caught",
    async ([, mutation], context) => {
      const used = mutatedClient(client, mutation as Mutation);
      expectBroken(await findFailures(mutation.foundBy, openOn(used, context)));
    },
  );
});

describe.concurrent("in memory", () => {
  const openWith = (module: unknown) => async () =>
    openMemory((module as typeof import("session-sets/memory")).memoryStore);

  test.for(memoryFeedMutations)("$about ($file)", async (mutation, { onTestFinished }) => {
    const module = await importMutated("src/memory.ts", mutation, onTestFinished);
    expectBroken(await findFailures(mutation.foundBy, openWith(module)));
  });

  test("without a fault a copy passes", async ({ onTestFinished }) => {
    const copy = { file: "src/store/memory/feed.ts", edits: [] };
    const module = await importMutated("src/memory.ts", copy, onTestFinished);
    expect(await findFailures("", openWith(module))).toEqual([]);
  });
});
