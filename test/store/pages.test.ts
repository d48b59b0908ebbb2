/*
 * Operations on large session sets, with something else happening between their pages at moments
 * that the test decides.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newIdBeside } from "../../src/testing/ids.ts";
import {
  change,
  create,
  createChanges,
  createRotation,
  expectDone,
  findLive,
  of,
} from "../../src/testing/steps.ts";
import { redisUrl } from "../support/redis/shared.ts";
import {
  createMember,
  disturb,
  MARK,
  openPagedSet,
  type PagedSet,
  range,
  readAll,
  readNumbers,
  rotate,
  touch,
  USER,
  unchanged,
} from "../support/stores/paged-sets.ts";
import { type Client, clients } from "../support/stores/stores.ts";

const MANY = 720;
const HOUR = 3_600_000;

let client: Client;
beforeAll(() => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());

describe("a session that is ended after the first page, and made again by the same command", () => {
  async function openWithOneMadeAgain(): Promise<PagedSet> {
    const set = await openPagedSet(client, 320);
    const [id = ""] = set.ids;
    set.between = async (page) => {
      if (page > 1) return;
      await set.other.end(id);
      const fields = { user_id: "1", n: "0" };
      await create(set.other, {
        id,
        fields,
        references: { user_id: ["1"] },
        idleTimeout: 2 * HOUR,
      });
    };
    return set;
  }

  test.each([true, false])(
    "is given once by iterating, with its fields: %s",
    async (withFields) => {
      const set = await openWithOneMadeAgain();
      const given = (await readAll(set, { withFields })).map(({ id }) => id);
      expect(given.toSorted()).toEqual(set.ids.toSorted());
      expect(set.pages.reduce((sum, count) => sum + count)).toBe(321);
    },
  );

  test("is as young as it is by then where the set is trimmed", async () => {
    const set = await openWithOneMadeAgain();
    const { store, other, ids } = set;
    expect(await store.trim(USER, 319)).toBe(1);
    expect(await other.count(USER)).toBe(319);
    const [first = "", second = ""] = ids;
    expect([await other.has(USER, first), await other.has(USER, second)]).toEqual([true, false]);
  });
});

describe("while sessions are used, rotated and made between the pages", () => {
  let set: PagedSet;
  async function open(count = MANY): Promise<PagedSet> {
    set = await openPagedSet(client, count);
    set.between = (page) => disturb(set, page);
    return set;
  }

  test("iterating gives each session once and misses none", async () => {
    await open();
    expect(readNumbers(await readAll(set, { withFields: true }))).toEqual(range(MANY));
    expect(set.pages.length).toBeGreaterThan(5);
    expect(Math.max(...set.pages)).toBeLessThanOrEqual(100);
  });

  test("ids gives each session once and misses none", async () => {
    await open();
    const births = new Set<number>();
    const made = new Map<string, number>();
    const note = async () => {
      for (const [n, id] of set.ids.entries()) made.set(id, n);
    };
    await note();
    set.between = async (page) => {
      await disturb(set, page);
      await note();
    };
    for (const { id } of await readAll(set)) {
      const n = made.get(id);
      if (n === undefined) continue; // made between the pages
      expect(births).not.toContain(n);
      births.add(n);
    }
    expect(births.size).toBe(MANY);
    expect(Math.max(...set.pages)).toBeLessThanOrEqual(150);
  });

  test("changing the set leaves no session unchanged", async () => {
    await open();
    const count = await set.store.changeAll(USER, MARK);
    expect(await unchanged(set)).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(MANY);
    expect(Math.max(...set.pages)).toBeLessThanOrEqual(50);
  });

  test("what a session writes after it was changed stands (I7)", async () => {
    await open();
    const written = new Set<number>();
    set.between = async () => {
      for (const n of await unwritten(10)) {
        // A longer timeout moves it ahead of the pages to come.
        const fields = { set: { role: "guest" }, idleTimeout: 2 * HOUR };
        expectDone(await change(set.other, set.ids[n] ?? "", fields));
        written.add(n);
      }
      await disturb(set, set.pages.length);
    };
    /** Sessions that have had their change and wrote nothing since. */
    async function unwritten(most: number): Promise<number[]> {
      const waiting = new Set(await unchanged(set));
      return range(MANY)
        .filter((n) => !waiting.has(n) && !written.has(n))
        .slice(0, most);
    }
    await set.store.changeAll(USER, MARK);
    expect(written.size).toBeGreaterThan(20);
    expect(new Set(await unchanged(set))).toEqual(written);
  });

  test.each([1, 6])(
    "what a session writes stands where other changes of sets overlap: %i of them (I7)",
    async (others) => {
      await open();
      const TEAM = of("team", "7");
      await set.other.changeAll(
        USER,
        createChanges({ set: { team: "7" }, references: { team: ["7"] } }),
      );
      const writers = range(20);
      set.between = async (page) => {
        if (page > 1) return disturb(set, page);
        expect(await unchanged(set)).not.toContain(writers.at(-1));
        for (let i = 0; i < others; i++) {
          await set.other.changeAll(TEAM, createChanges({ set: { theme: `${i}` } }));
        }
        for (const n of writers) {
          // A longer timeout moves it ahead of the pages to come.
          const fields = { set: { role: "guest" }, idleTimeout: 2 * HOUR };
          expectDone(await change(set.other, set.ids[n] ?? "", fields));
        }
      };
      await set.store.changeAll(USER, MARK);
      expect(set.pages.length).toBeGreaterThan(5);
      expect(await unchanged(set)).toEqual(writers);
      expect((await findLive(set.other, set.ids[0] ?? "")).fields.get("role")).toBe("guest");
    },
  );

  test("clearing the set leaves no session, under whatever id", async () => {
    await open();
    set.between = async (page) => {
      const alive = new Set(await client.zrange(set.other.setKey(USER), "0", "-1"));
      const left = set.ids.flatMap((id, n) => (alive.has(id) ? [n] : []));
      for (const n of left.slice(0, 20)) await rotate(set, n, 0);
      for (const n of left.slice(20, 40)) await rotate(set, n, HOUR);
      for (const n of left.slice(40, 60)) await touch(set, n);
      if (page < 4) await createMember(set.other, 10_000 + page, HOUR);
    };
    expect(await set.store.endAll(USER)).toBeGreaterThanOrEqual(MANY);
    for (const id of set.ids) expect(await set.other.find(id)).toEqual({ state: "gone" });
    expect(await client.exists(set.other.setKey(USER))).toBe(0);
    expect(Math.max(...set.pages)).toBeLessThanOrEqual(100);
  });
});

describe("clear but one", () => {
  const KEPT = 350;

  test.each([
    ["an hour", HOUR],
    ["no time", 0],
  ])("follows its rotations between the pages, with %s of grace", async (_, grace) => {
    const set = await openPagedSet(client, MANY);
    set.between = async (page) => {
      if (page <= 2) await rotate(set, KEPT, grace);
    };
    expect(await set.store.endAll(USER, { except: set.ids[KEPT] })).toBe(MANY - 1);
    expect((await findLive(set.other, set.ids[KEPT] ?? "")).fields.get("n")).toBe(String(KEPT));
    expect(await set.other.count(USER)).toBe(1);
  });

  test("takes a lineage, and follows the rotations of its session, with nothing left of old ids", async () => {
    const set = await openPagedSet(client, MANY);
    const lineage = set.ids[KEPT] ?? "";
    for (let n = 0; n < 2; n++) await rotate(set, KEPT, 0);
    set.between = async (page) => {
      if (page <= 3) await rotate(set, KEPT, 0);
    };
    expect(await set.store.endAll(USER, { except: lineage })).toBe(MANY - 1);
    expect((await findLive(set.other, set.ids[KEPT] ?? "")).lineage).toBe(lineage);
    expect(await set.other.count(USER)).toBe(1);
    expect(await client.keys(`{${set.prefix}:0}:l:*`)).toHaveLength(1);
  });

  test("follows two rotations between the same two pages", async () => {
    const set = await openPagedSet(client, MANY);
    set.between = async (page) => {
      if (page > 2) return;
      await rotate(set, KEPT, HOUR);
      await rotate(set, KEPT, HOUR);
    };
    expect(await set.store.endAll(USER, { except: set.ids[KEPT] })).toBe(MANY - 1);
    expect((await findLive(set.other, set.ids[KEPT] ?? "")).fields.get("n")).toBe(String(KEPT));
  });

  test("ends the others also when that one is ended meanwhile", async () => {
    const set = await openPagedSet(client, MANY);
    const kept = set.ids[KEPT] ?? "";
    set.between = async (page) => {
      if (page === 1) await set.other.end(kept);
    };
    expect(await set.store.endAll(USER, { except: kept })).toBe(MANY - 1);
    expect(await set.other.count(USER)).toBe(0);
  });

  test("keeps one that signs in as another user meanwhile", async () => {
    const set = await openPagedSet(client, MANY);
    const kept = set.ids[KEPT] ?? "";
    const to = newIdBeside(kept);
    set.between = async (page) => {
      if (page !== 1) return;
      const fields = { set: { user_id: "2" }, references: { user_id: ["2"] } };
      expectDone(await change(set.other, kept, { ...fields, rotation: createRotation(to) }));
    };
    expect(await set.store.endAll(USER, { except: kept })).toBe(MANY - 1);
    expect((await findLive(set.other, to)).fields.get("user_id")).toBe("2");
    expect(await set.other.count(USER)).toBe(0);
  });
});
