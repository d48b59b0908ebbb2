/* An operation on several shards, one of which fails: nothing of it goes on when it has rejected. */
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { SessionStore } from "../../../src/store/contract.ts";
import { createChanges, createMany, of, readAllPages } from "../../../src/testing/steps.ts";
import { intercepted } from "../../support/intercept.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { type Client, clients, freshPrefix } from "../../support/stores/stores.ts";

const SHARDS = 4;
const USER = of("user_id", "1");

let client: Client;
let store: SessionStore;
/** The shard whose commands fail at once, before the server can have answered the others. */
let broken: number | null;
/** How many commands the others have sent, and how many of these were answered. */
let sent: number;
let answered: number;
beforeAll(() => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());
beforeEach(async () => {
  const prefix = freshPrefix();
  const failing = intercepted(client, async ({ args }, pass) => {
    if (args[2]?.startsWith(`{${prefix}:${broken}}`)) throw new Error("ERR of one shard");
    sent++;
    return pass().finally(() => {
      answered++;
    });
  });
  store = redisStore(failing, { prefix, shards: SHARDS, timeout: "20 seconds" });
  broken = null;
  await createMany(store, "1", 40);
  await readAllPages(store, USER); // from here on the store knows the server's time
});

const operations: Record<string, () => Promise<unknown>> = {
  count: () => store.count(USER),
  list: () => store.list(USER, { limit: 10, order: "last-seen" }),
  "list by deadlines": () => store.list(USER, { limit: 10, order: "deadline" }),
  pages: () => readAllPages(store, USER),
  changeAll: () => store.changeAll(USER, createChanges({ set: { a: "1" } })),
  endAll: () => store.endAll(USER),
};

test.each(Object.keys(operations))(
  "%s waits for the other shards before it rejects",
  async (name) => {
    for (broken of [0, 1, SHARDS - 1]) {
      sent = answered = 0;
      const at = await operations[name]?.().then(
        () => "it did not reject",
        (error: Error) => ({ message: error.message, sent, answered }),
      );
      expect(at).toEqual({
        message: expect.stringContaining("ERR of one shard"),
        sent,
        answered: sent,
      });
      expect(sent).toBeGreaterThanOrEqual(SHARDS - 1);
    }
  },
);
