/* `sessions.reindex()` scans keys in bounded steps, from where it stopped, and on every server. */

import { Redis } from "ioredis";
import { createSessions, type ReferenceOptions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { describe, expect, test } from "vitest";
import { openProxy } from "../../../support/redis/proxy.ts";
import { watchScripts } from "../../../support/redis/script-watch.ts";
import { startRedis } from "../../../support/redis/server.ts";
import { redisUrl } from "../../../support/redis/shared.ts";
import { clusterClients, singleClients } from "../../../support/stores/clients.ts";
import {
  closeServers,
  type Data,
  openPlace,
  openPlaces,
  openServer,
  type Place,
  reindexToEnd,
} from "../../../support/stores/reindexing.ts";
import { clients } from "../../../support/stores/stores.ts";

const FIRST = { user_id: {} } as const;
const LATER = { user_id: {}, team_ids: { identity: false } } as const;
const NONE = { added: 0, removed: 0, corrected: 0 };

const shared = openPlaces();

/** Sessions of a program that does not know `team_ids` yet: of 7 teams, and one that is none. */
async function fill(place: Place, count: number): Promise<void> {
  const sessions = place.open(FIRST);
  for (let from = 0; from < count; from += 500) {
    const part = Array.from({ length: Math.min(500, count - from) }, (_, i) =>
      sessions.create({ user_id: i % 20, team_ids: [i % 7, "x"], theme: { a: 1 } }),
    );
    await Promise.all(part);
  }
}

const places: [string, () => Place][] = [
  ["on one server, with 1 shard", () => openPlace(shared.single, 1)],
  ["on one server, with 4 shards", () => openPlace(shared.single, 4)],
  ["on a cluster", () => openPlace(shared.spread, 64)],
];

describe.each(places)("%s", (_where, open) => {
  test("a reference that is declared later finds the sessions that were there before", async () => {
    const place = open();
    await fill(place, 140);
    const sessions = place.open(LATER);
    expect(await sessions.by("team_ids", 3).size()).toBe(0);
    const dry = await reindexToEnd(sessions, { dryRun: true });
    expect(dry.added).toBe(280);
    expect(await sessions.by("team_ids", 3).size()).toBe(0);
    const wet = await reindexToEnd(sessions);
    expect(wet).toMatchObject({ added: 280, removed: 0, corrected: 140 });
    expect(await sessions.by("team_ids", 3).size()).toBe(20);
    expect(await sessions.by("team_ids", "x").size()).toBe(140);
    await place.check(LATER);
    expect(await sessions.by("team_ids", 3).clear()).toBe(20);
    expect(await reindexToEnd(sessions)).toMatchObject(NONE);
  });

  test("what was written before it was a reference, and is none, references nothing", async () => {
    const place = open();
    await fill(place, 5);
    expect(await reindexToEnd(place.open({ ...FIRST, theme: {} }))).toMatchObject(NONE);
  });

  test("a field that a program without the reference has changed finds its session again", async () => {
    const place = open();
    const knowing = place.open(LATER);
    const { token, session } = await knowing.create({ user_id: 1, team_ids: [1, 2] });
    const gone = await knowing.create({ user_id: 1, team_ids: [1] });
    await place.open(FIRST).set(token, { team_ids: [2, 3] });
    await place.open(FIRST).unset(gone.token, ["team_ids"]);
    expect(await reindexToEnd(knowing)).toMatchObject({ added: 1, removed: 2 });
    expect(await knowing.by("team_ids", 1).ids()).toEqual([]);
    expect(await knowing.by("team_ids", 3).ids()).toEqual([session.id]);
    await place.check(LATER);
  });

  test("a scan that was stopped at any of its steps goes on from its cursor", async () => {
    const place = open();
    await fill(place, 1000);
    const sessions = place.open(LATER);
    let cursor: string | null = null;
    let stops = 0;
    do {
      // Each time another program, which stops where the cursor has moved.
      const programs = place.open(LATER);
      for await (const progress of programs.reindex({ cursor })) {
        if (progress.cursor === cursor) continue;
        ({ cursor } = progress);
        break;
      }
      stops++;
    } while (cursor !== null);
    expect(stops).toBeGreaterThan(1);
    expect(await sessions.by("team_ids", "x").size()).toBe(1000);
    await place.check(LATER);
  });
});

describe("a step is bounded", () => {
  test("in commands, keys and entries, however many sessions and however large a set", async () => {
    const server = await startRedis();
    const watch = await watchScripts(server.url);
    const proxy = await openProxy(server.port);
    const client = clients["ioredis 6"](proxy.url);
    const servers = openServer(server.url);
    try {
      const place = openPlace(servers, 1);
      const filling = place.open({ all: {} });
      for (let i = 0; i < 8; i++) {
        await Promise.all(
          Array.from({ length: 500 }, () => filling.create({ all: 1, team_ids: [i] })),
        );
      }
      const sessions = place.open({ all: {}, ...LATER }, client);
      const steps: number[] = [];
      const runs = await watch.recordRuns(async () => {
        proxy.reset();
        for await (const _ of sessions.reindex()) {
          steps.push(proxy.commands.length);
          proxy.reset();
        }
      });
      expect(steps.length).toBeGreaterThan(4000 / 50);
      // 50 keys a step, each read and fixed; and the server's time, and the scripts' texts, once.
      expect(Math.max(...steps)).toBeLessThanOrEqual(50 * 3 + 5);
      const keys = runs.map(({ commands }) =>
        commands.flat().filter((word) => word.includes("}:")),
      );
      expect(Math.max(...keys.map((one) => one.length))).toBeLessThanOrEqual(2500);
      await place.check({ all: {}, ...LATER });
    } finally {
      closeServers(servers);
      client.disconnect();
      watch.stop();
      await proxy.close();
      await server.stop();
    }
  });

  test("and nothing but reindex scans", async () => {
    const server = await startRedis();
    const servers = openServer(server.url);
    try {
      const sessions = openPlace(servers, 1).open(FIRST);
      const { token } = await sessions.create({ user_id: 1 });
      await sessions.get(token);
      await sessions.by("user_id", 1).list();
      await sessions.by("user_id", 1).clear();
      expect(await servers.client.info("commandstats")).not.toMatch(/cmdstat_(\w?scan|keys):/);
    } finally {
      closeServers(servers);
      await server.stop();
    }
  });
});

test("a cursor of a server that was restarted meanwhile is accepted, and the scan begins anew", async () => {
  const server = await startRedis({ args: ["--appendonly", "yes"] });
  const servers = openServer(server.url);
  try {
    const place = openPlace(servers, 1);
    await fill(place, 1000);
    const seen: string[] = [];
    for await (const { cursor } of place.open(LATER).reindex()) {
      if (cursor !== null && seen.push(cursor) === 5) break;
    }
    await server.restart();
    await reindexToEnd(place.open(LATER), { cursor: seen.at(-1) ?? null });
    await place.check(LATER);
    expect(await place.open(LATER).by("team_ids", "x").size()).toBe(1000);
  } finally {
    closeServers(servers);
    await server.stop();
  }
});

describe("every kind of client scans", () => {
  test.each(Object.entries(singleClients))("on one server, %s", async (_kind, connect) => {
    const opened = await connect(Number(new URL(redisUrl()).port));
    const place = openPlace(shared.single, 2);
    await fill(place, 300);
    const reindexed = await reindexToEnd(place.open(LATER, opened.client));
    expect(reindexed).toMatchObject({ added: 600 });
    await place.check(LATER);
    await opened.close();
  });

  test.each(Object.entries(clusterClients))("on a cluster, %s", async (_kind, connect) => {
    const opened = await connect(shared.cluster.masters[0]?.port ?? 0);
    const place = openPlace(shared.spread, 64);
    await fill(place, 300);
    const reindexed = await reindexToEnd(place.open(LATER, opened.client));
    expect(reindexed).toMatchObject({ added: 600 });
    await place.check(LATER);
    await opened.close();
  });

  test("ioredis with a keyPrefix that SCAN would take for a pattern", async () => {
    const servers = openServer(redisUrl());
    const client = new Redis(redisUrl(), { keyPrefix: "a*[b]?\\^:" });
    const open = (references: Record<string, ReferenceOptions>) =>
      createSessions<Data>({
        store: redisStore(client, { prefix: "scan", timeout: "20 seconds" }),
        references,
        idleTimeout: "1 minute",
      });
    try {
      await open(FIRST).create({ user_id: 1, team_ids: [1] });
      expect(await reindexToEnd(open(LATER))).toMatchObject({ added: 1, removed: 0 });
      expect(await open(LATER).by("team_ids", 1).clear()).toBe(1);
    } finally {
      client.disconnect();
      closeServers(servers);
    }
  });
});

describe("the memory store", () => {
  test("passes over sessions without the reference, and what they have left at old ids", async () => {
    const store = memoryStore();
    const open = (references: Record<string, ReferenceOptions>) =>
      createSessions<Data>({ store, references, idleTimeout: "1 hour" });
    const { token } = await open(FIRST).create({ user_id: 1, team_ids: [1] });
    await open(FIRST).rotate(token); // leaves an alias
    await open(FIRST).create({ user_id: 1 });
    expect(await reindexToEnd(open(LATER))).toMatchObject({
      ...NONE,
      scanned: 3,
      added: 1,
      corrected: 1,
    });
    expect(await open(LATER).by("team_ids", 1).size()).toBe(1);
  });

  test("takes up a reference that is declared later, and can be stopped", async () => {
    const store = memoryStore();
    const open = (references: Record<string, ReferenceOptions>) =>
      createSessions<Data>({ store, references, idleTimeout: "1 hour" });
    for (let i = 0; i < 450; i++) await open(FIRST).create({ user_id: 1, team_ids: [i % 7, "x"] });
    expect(await reindexToEnd(open(LATER), { dryRun: true })).toMatchObject({ added: 900 });
    expect(await open(LATER).by("team_ids", "x").size()).toBe(0);
    const cursors: (string | null)[] = [];
    for await (const { cursor } of open(LATER).reindex()) {
      cursors.push(cursor);
      break;
    }
    expect(await open(LATER).by("team_ids", "x").size()).toBe(200);
    const rest = await reindexToEnd(open(LATER), { cursor: cursors[0] ?? null });
    expect(rest).toMatchObject({ scanned: 250, added: 500 });
    expect(await open(LATER).by("team_ids", "x").size()).toBe(450);
    expect(await reindexToEnd(open(LATER))).toMatchObject(NONE);
  });
});

test("options that cannot work are refused at once", () => {
  const onRedis = openPlace(shared.single, 1).open(FIRST);
  const inMemory = createSessions({ store: memoryStore(), idleTimeout: 1000 });
  for (const sessions of [onRedis, inMemory]) {
    const wrong = [{ dry: true }, { dryRun: 1 }, { cursor: "no cursor" }, { cursor: 0 }];
    for (const options of wrong) {
      expect(() => sessions.reindex(options as never)).toThrow(
        expect.objectContaining({ code: "ERR_SESSION_CONFIG" }),
      );
    }
  }
});

test("a store without the power says so", () => {
  const store = memoryStore();
  const plain = Object.assign(Object.create(store), { reindex: undefined });
  const sessions = createSessions({ store: plain, idleTimeout: 1000 });
  expect(() => sessions.reindex()).toThrow(/cannot reindex/);
});
