/* A store that can iterate over all its sessions gives each live session once, whatever else is kept. */
import { Redis } from "ioredis";
import { createSessions, type SessionStore } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { afterAll, describe, expect, test } from "vitest";
import { isIterable } from "../../src/store/iterating.ts";
import type { PageOptions } from "../../src/store/listing.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { freshPrefix } from "../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const stores: Readonly<Record<string, () => SessionStore>> = {
  "in memory": () => memoryStore(),
  "on Redis": () => redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }),
  "on Redis with 4 shards": () =>
    redisStore(client, { prefix: freshPrefix(), shards: 4, timeout: "20 seconds" }),
};

async function iterate(store: SessionStore, options?: PageOptions) {
  if (!isIterable(store)) throw new Error("This store cannot iterate over its sessions.");
  const steps: number[] = [];
  const sessions = [];
  for await (const step of store.iterate(options)) {
    steps.push(step.length);
    sessions.push(...step);
  }
  return { steps, sessions };
}

describe.each(Object.entries(stores))("a store %s", (_name, openStore) => {
  function open() {
    const store = openStore();
    const references = { user_id: {} };
    return { store, sessions: createSessions({ store, references, idleTimeout: "1 hour" }) };
  }

  test("gives sessions that were rotated under their new ids, and none that has ended", async () => {
    const { store, sessions } = open();
    const rotated = await sessions.create({ user_id: 1 });
    const kept = await sessions.create({ user_id: 1 });
    const ended = await sessions.create({ user_id: 2 });
    const renewed = await sessions.rotate(rotated.token); // leaves an alias
    const signedIn = await sessions.rotate(kept.token, { user_id: 3 }); // leaves a tombstone
    await sessions.delete(ended.token);
    const ids = [renewed?.session?.id, signedIn?.session?.id].sort();
    const all = (await iterate(store)).sessions;
    expect(all.map(({ id }) => id).sort()).toEqual(ids);
    for (const { fields } of all) expect(fields.size).toBe(0);
  });

  test("gives their fields where they are asked for", async () => {
    const { store, sessions } = open();
    const { session } = await sessions.create({ user_id: 1, theme: "dark" });
    const [found] = (await iterate(store, { withFields: true })).sessions;
    expect(found?.fields).toEqual(new Map(Object.entries({ user_id: "1", theme: "dark" })));
    expect(found?.expiresAt).toBe(Number(session.expiresAt));
  });

  test("gives many in steps, and each that is there all the time while others come and go", async () => {
    const { store, sessions } = open();
    const make = (count: number) =>
      Promise.all(Array.from({ length: count }, () => sessions.create({ user_id: 1 })));
    const lasting = (await make(300)).map(({ session }) => session.id);
    const passing = await make(100);
    const traffic = Promise.all([make(200), ...passing.map(({ token }) => sessions.delete(token))]);
    const { steps, sessions: all } = await iterate(store);
    await traffic;
    const ids = all.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(lasting));
    expect(Math.max(...steps)).toBeLessThanOrEqual(100);
  });

  test("gives no empty step where all that is left are markers of sessions that have ended", async () => {
    const { store, sessions } = open();
    const { token } = await sessions.create({ user_id: 1 });
    const signedIn = await sessions.signIn(token, { user_id: 2 });
    await sessions.delete(signedIn.token);
    expect(await iterate(store)).toEqual({ steps: [], sessions: [] });
  });

  test("gives nothing where there is nothing", async () => {
    expect((await iterate(open().store, { withFields: true })).sessions).toEqual([]);
  });
});
