/*
 * What the scripts publish, and what that costs: one SPUBLISH in a script that ends or rotates sessions or
 * brings a deadline forward, and none in any other.
 */
import { Redis } from "ioredis";
import { createSessions, type Ending } from "session-sets";
import type { FeedStore } from "session-sets/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../../support/eventually.ts";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import { hear, listEnded, openFeedStore } from "../../../support/stores/feeds.ts";
import { freshPrefix } from "../../../support/stores/stores.ts";

interface Data {
  user_id?: number;
  team_ids?: number[];
  theme?: string;
}

let server: RedisServer;
let client: Redis;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.port);
});
afterAll(async () => {
  client?.disconnect();
  await server?.stop();
});

function open(store: FeedStore, limit = {}) {
  return createSessions<Data>({
    store,
    references: { user_id: limit, team_ids: { identity: false } },
    idleTimeout: "1 hour",
    absoluteTimeout: null,
  });
}

/** How many SPUBLISH the server runs meanwhile. */
async function countPublished(work: () => Promise<unknown>): Promise<number> {
  await client.config("RESETSTAT");
  await work();
  const stats = await client.info("commandstats");
  return Number(/cmdstat_spublish:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

test("a script publishes once if it has something to tell, and else not at all", async () => {
  const sessions = open(openFeedStore(client));
  const set = sessions.by("user_id", 1);
  let { token } = await sessions.create();
  const measured: [string, number, () => Promise<unknown>][] = [
    ["create", 0, () => sessions.create({ user_id: 1 })],
    ["get", 0, () => sessions.get(token)],
    ["set", 0, () => sessions.set(token, { theme: "dark" })],
    ["touch", 0, () => sessions.touch(token)],
    ["a longer touch", 0, () => sessions.touch(token, { idleTimeout: "2 hours" })],
    ["a nearer touch", 1, () => sessions.touch(token, { idleTimeout: "1 hour" })],
    ["the same again", 0, () => sessions.touch(token, { idleTimeout: "1 hour" })],
    ["a set's set", 0, () => set.set({ theme: "light" })],
    ["a sign-in", 1, async () => ({ token } = await sessions.signIn(token, { user_id: 1 }))],
    ["a sign-in from nothing", 0, () => sessions.signIn(null, { user_id: 2 })],
    ["rotate", 1, async () => ({ token } = (await sessions.rotate(token)) as { token: string })],
    ["delete", 1, () => sessions.delete(token)],
    ["delete of nothing", 0, () => sessions.delete(token)],
    ["clear", 1, () => set.clear()],
    ["clear of nothing", 0, () => set.clear()],
  ];
  for (const [what, count, work] of measured) {
    expect([what, await countPublished(work)]).toEqual([what, count]);
  }
});

test("a deadline that is brought forward ends a watch in another process", async () => {
  const prefix = freshPrefix();
  const [ours, theirs] = [openFeedStore(client, { prefix }), openFeedStore(client, { prefix })];
  const { token, session } = await open(theirs).create({ user_id: 1 });
  const told: Ending[] = [];
  await open(ours).onEnd(session.id, (ending) => told.push(ending));
  expect(await open(theirs).touch(token, { idleTimeout: 50 })).toBe(true);
  await eventually("it", ["expire"], async () => told.map(({ how }) => how));
  await Promise.all([ours.close(), theirs.close()]);
});

test("clear publishes once a page", async () => {
  const store = openFeedStore(client);
  const sessions = open(store);
  await Promise.all(Array.from({ length: 310 }, () => sessions.create({ user_id: 1 })));
  const heard = await hear(store);
  // 100 sessions are 200 keys.
  expect(await countPublished(() => sessions.by("user_id", 1).clear())).toBe(4);
  await eventually("all of them", 310, async () => listEnded(heard).length);
  expect(heard.events).toHaveLength(4);
  expect(new Set(listEnded(heard)).size).toBe(310);
  await store.close();
});

describe.each([1, 7])("with %i shard(s)", (shards) => {
  const cause = { initiator: null, reason: null };

  test("those that a limit ends are told as ended by it", async () => {
    const store = openFeedStore(client, { shards });
    const sessions = open(store, { limit: 2, whenFull: "end-oldest" });
    const made = [];
    for (let i = 0; i < 2; i++) made.push(await sessions.create({ user_id: 1 }));
    const guest = await sessions.create();
    const heard = await hear(store);
    const why = { initiator: "user", reason: "next" } as const;
    await sessions.signIn(guest.token, { user_id: 1 }, why);
    const [limited] = made.map(({ session }) => ({ id: session.id, lineage: session.lineage }));
    const replaced = { id: guest.session.id, lineage: guest.session.lineage };
    await eventually("both endings", 2, async () => heard.events.length);
    expect(heard.events).toMatchObject([
      { type: "ended", how: "sign-in", cause: why, sessions: [replaced] },
      { type: "ended", how: "limit", cause, sessions: [limited] },
    ]);
    await store.close();
  });

  test("those that trim ends are told as ended by it, with its cause", async () => {
    const store = openFeedStore(client, { shards });
    const sessions = open(store);
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.push((await sessions.create({ user_id: 1 })).session.id);
    const heard = await hear(store);
    const why = { initiator: "admin", reason: "too many" } as const;
    expect(await sessions.by("user_id", 1).trim({ keep: 1, ...why })).toBe(3);
    await eventually("three endings", 3, async () => listEnded(heard).length);
    expect(listEnded(heard).sort()).toEqual(ids.slice(0, 3).sort());
    for (const event of heard.events) expect(event).toMatchObject({ how: "trim", cause: why });
    await store.close();
  });
});
