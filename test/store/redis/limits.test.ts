/* Limits and trims of sets in Redis, beside another program, and where sessions share a moment. */
import { Redis } from "ioredis";
import { redisStore } from "session-sets/redis";
import { afterAll, expect, test } from "vitest";
import type { Limit } from "../../../src/store/entering.ts";
import { newIdInShard } from "../../../src/testing/ids.ts";
import {
  create,
  createChanges,
  createDraft,
  createForUser,
  createSession,
  of,
  toLimited,
} from "../../../src/testing/steps.ts";
import { intercepted } from "../../support/intercept.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";
import { editTimes, parseTimes } from "../../support/stores/times.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const USER = of("user_id", "1");
const REJECT: Limit = { most: 2, whenFull: "reject" };

test("of sessions of one moment, in several shards, the first lineage is the oldest", async () => {
  const prefix = freshPrefix();
  const store = redisStore(client, { prefix, shards: 64, timeout: "20 seconds" });
  // Ids of the shards from 52 on sort before those of the others.
  const ids = [0, 20, 40, 52, 60].map(newIdInShard).sort();
  for (const id of ids) {
    await createSession(store, { ...createDraft(store, { references: { user_id: ["1"] } }), id });
  }
  const keys = await client.keys(`{${prefix}:*}:s:*`);
  expect(keys).toHaveLength(5);
  const times = parseTimes(await client.hget(keys[0] as string, "@"));
  for (const key of keys) await editTimes(client, key, { created: times?.created as string });
  expect(await store.trim(USER, 2)).toBe(3);
  const left = await Promise.all(ids.map((id) => store.has(USER, id)));
  expect(left).toEqual([false, false, false, true, true]);
  await store.close();
});

test("a set that another program fills meanwhile refuses a change of all sessions, and says what may be written", async () => {
  const prefix = freshPrefix();
  const options = { prefix, shards: 1, timeout: "20 seconds" } as const;
  const other = redisStore(client, options);
  let isFilled = false;
  const used = intercepted(client, async ({ script }, pass) => {
    if (script === "changeAll" && !isFilled) {
      isFilled = true;
      for (const _ of [1, 2]) await createForUser(other, "1");
    }
    return pass();
  });
  const store = redisStore(used, options);
  await create(store, { references: { team: ["7"] } });
  const move = {
    ...createChanges({ set: { user_id: "1" } }),
    references: toLimited({ user_id: ["1"] }, REJECT),
  };
  await expect(store.changeAll(of("team", "7"), move)).rejects.toMatchObject({
    code: "ERR_SESSION_LIMIT",
    field: "user_id",
    limit: 2,
  });
  expect(isFilled).toBe(true);
  expect(await store.count(USER)).toBe(2);
  const made = { ...createDraft(store), references: toLimited({ user_id: ["1"] }, REJECT) };
  expect(await store.create(made)).toMatchObject({ state: "full" });
});
