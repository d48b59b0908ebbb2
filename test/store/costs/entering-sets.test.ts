/* What asOf, limits and trim cost (docs/design.md, "Costs"), counted by a proxy before a real server. */
import { createSessions, type Sessions, type SessionsOptions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeShard } from "../../../src/store/shards.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { type Data, type Meter, openMeter, warmUp } from "../../support/stores/costs.ts";
import { clients, freshPrefix } from "../../support/stores/stores.ts";

let meter: Meter;
beforeAll(async () => {
  meter = await openMeter(redisUrl(), clients["ioredis 6"]);
});
afterAll(() => meter.close());

type References = SessionsOptions<Data>["references"];

async function open(shards: number, references: References): Promise<Sessions<Data>> {
  const sessions = createSessions<Data>({
    store: redisStore(meter.client, { prefix: freshPrefix(), shards, timeout: "20 seconds" }),
    references,
  });
  await warmUp(sessions);
  for (let i = 0; i < 2; i++) await sessions.create({ user_id: 0 });
  await sessions.by("user_id", 0).trim({ keep: 1 });
  return sessions;
}

describe.each([1, 4])("on %i shard(s)", (shards) => {
  test("asOf costs nothing", async () => {
    const sessions = await open(shards, { user_id: {}, team_ids: { identity: false } });
    const { token } = await sessions.create();
    const asOf = Date.now();
    await meter.expectCost(() => sessions.create({ user_id: 1 }, { asOf }), 1);
    await meter.expectCost(() => sessions.rotate(token, { theme: "dark" }, { asOf }), 1);
    await meter.expectCost(() => sessions.signIn(token, { user_id: 1 }, { asOf }), 1);
  });

  test("a limit costs nothing on one shard; on several it counts the set after the call", async () => {
    const user_id = { limit: 2, whenFull: "end-oldest" } as const;
    const sessions = await open(shards, { user_id, team_ids: { identity: false } });
    const create = () => sessions.create({ user_id: 1 });
    const counted = shards === 1 ? 0 : shards;
    for (let i = 0; i < 2; i++) await meter.expectCost(create, 1 + counted, counted ? 2 : 1);
    // In a full set it also reads which the oldest is, and ends it.
    const read = shards === 1 ? 0 : 2 * shards + 1;
    await meter.expectCost(create, 1 + read, read ? 4 : 1);
  });

  test("one that rejects reserves a place, counts the set before the call, and gives the place back", async () => {
    const user_id = { limit: 2, whenFull: "reject" } as const;
    const sessions = await open(shards, { user_id, team_ids: { identity: false } });
    const create = () => sessions.create({ user_id: 1 });
    const rejected = () => create().catch(() => null);
    for (const call of [create, create, rejected]) {
      await meter.expectCost(call, shards === 1 ? 1 : shards + 3, shards === 1 ? 1 : 4);
    }
  });

  test("what names no limited field costs what it did", async () => {
    const user_id = { limit: 2, whenFull: "reject" } as const;
    const sessions = await open(shards, { user_id, team_ids: { identity: false } });
    const { token } = await sessions.create({ user_id: 1 });
    await meter.expectCost(() => sessions.set(token, { theme: "dark" }), 1);
    await meter.expectCost(() => sessions.rotate(token), 1);
    await meter.expectCost(() => sessions.create({ team_ids: [1] }), 1);
    await meter.expectCost(() => sessions.by("user_id", 1).set({ theme: "light" }), shards, 1);
  });

  test("trim reads a page a shard, and then ends a page in each that has some to end", async () => {
    const sessions = await open(shards, { user_id: {}, team_ids: { identity: false } });
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await sessions.create({ user_id: 1 })).session.id);
    const trim = () => sessions.by("user_id", 1).trim({ keep: 3 });
    const ending = shards === 1 ? [0] : ids.slice(0, 2).map(decodeShard);
    await meter.expectCost(trim, shards + new Set(ending).size, 2);
    await meter.expectCost(trim, shards, 1);
  });

  test("a set far beyond its limit is ended by pages", async () => {
    const COUNT = 350;
    const prefix = freshPrefix();
    const openOn = (references: References) =>
      createSessions<Data>({
        store: redisStore(meter.client, { prefix, shards, timeout: "20 seconds" }),
        references,
      });
    const unlimited = openOn({ user_id: {}, team_ids: { identity: false } });
    for (let i = 0; i < COUNT; i += 50) {
      await Promise.all(Array.from({ length: 50 }, () => unlimited.create({ user_id: 1 })));
    }
    const user_id = { limit: 1, whenFull: "end-oldest" } as const;
    const limited = openOn({ user_id, team_ids: { identity: false } });
    await limited.by("user_id", 1).size(); // asks the server what it is
    const parts = await Promise.all(
      Array.from({ length: shards }, (_, shard) =>
        meter.client.zcard(`{${prefix}:${shard}}:r:user_id:1`),
      ),
    );
    const pages = (bound: number) =>
      parts.reduce((total, part) => total + Math.ceil(part / bound), 0);
    const { commands } = await meter.measure(() => limited.create({ user_id: 1 }));
    // It is let in (on one shard its script first finds the set too large), counted, read and ended.
    const read = parts.reduce((total, part) => total + Math.max(1, Math.ceil((part + 1) / 300)), 0);
    const expected = (shards === 1 ? 2 : 1) + shards + read + pages(100);
    expect(commands).toBeGreaterThanOrEqual(expected - shards);
    expect(commands).toBeLessThanOrEqual(expected + shards);
    expect(await limited.by("user_id", 1).size()).toBe(1);
  });
});
