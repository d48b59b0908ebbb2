/* What a layout says of a damaged session, and what is an error of its own. */
import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { type ForeignLayout, Migrator } from "../../../src/migrate/migrator.ts";
import { SessionError } from "../../../src/shared/errors.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

/** A session of a layout that fails to read it with this error. */
async function open(error: Error) {
  const prefix = freshPrefix();
  const key = `old-${prefix}:1`;
  const layout: ForeignLayout = {
    pattern: `old-${prefix}:*`,
    type: "string",
    index: null,
    toKey: (id) => `old-${prefix}:${id}`,
    parseSession() {
      throw error;
    },
  };
  await client.set(key, "dark", "EX", 60);
  const options = { prefix, shards: 1, timeout: "20 seconds" } as const;
  return { key, migrator: new Migrator(client, options, layout) };
}

async function moveAll(migrator: Migrator) {
  const all = [];
  for await (const progress of migrator.migrateAll(null)) all.push(progress);
  return all.at(-1);
}

test.each([
  ["is no JSON", new SyntaxError("Unexpected token")],
  ["has a value that cannot be stored", new SessionError("ERR_SESSION_VALUE", "a value")],
])("a session that %s is damaged: it stays, and goes where it is to be ended", async (_, error) => {
  const { key, migrator } = await open(error);
  expect(await moveAll(migrator)).toMatchObject({ scanned: 1, moved: 0, damaged: 1 });
  await migrator.migrate("1");
  expect(await client.exists(key)).toBe(1);
  await migrator.migrate("1", { thenEnd: true });
  expect(await client.exists(key)).toBe(0);
});

test("any other error is a mistake of the layout: it is told, and removes nothing", async () => {
  const mistake = new TypeError("a mistake");
  const { key, migrator } = await open(mistake);
  await expect(moveAll(migrator)).rejects.toBe(mistake);
  await expect(migrator.migrate("1")).rejects.toBe(mistake);
  await expect(migrator.migrate("1", { thenEnd: true })).rejects.toBe(mistake);
  expect(await client.exists(key)).toBe(1);
});
