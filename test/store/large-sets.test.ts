/* Operations on session sets that are large, or whose sessions are. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create, createChanges, of } from "../../src/testing/steps.ts";
import { redisUrl } from "../support/redis/shared.ts";
import { omitMarks } from "../support/stores/clearing-marks.ts";
import {
  createMember,
  MARK,
  openPagedSet,
  type PagedSet,
  range,
  readAll,
  readNumbers,
  rotate,
  tie,
  USER,
  unchanged,
} from "../support/stores/paged-sets.ts";
import { type Client, clients } from "../support/stores/stores.ts";
import { editTimes } from "../support/stores/times.ts";

const HOUR = 3_600_000;

let client: Client;
beforeAll(() => {
  client = clients["ioredis 5"](redisUrl());
});
afterAll(() => client.quit());

describe("when hundreds of sessions share one deadline", () => {
  const TIED = 450;
  async function open(): Promise<PagedSet> {
    const set = await openPagedSet(client, TIED);
    await tie(client, set);
    return set;
  }

  test("reading, changing and clearing meet each of them", async () => {
    const set = await open();
    expect(readNumbers(await readAll(set, { withFields: true }))).toEqual(range(TIED));
    expect((await readAll(set)).map(({ id }) => id).sort()).toEqual([...set.ids].sort());
    expect(await set.store.changeAll(USER, MARK)).toBe(TIED);
    expect(await unchanged(set)).toEqual([]);
    expect(await set.store.endAll(USER)).toBe(TIED);
  });

  test("changing meets each of them also when it takes them out of the set", async () => {
    const set = await open();
    const move = createChanges({ set: { user_id: "2" }, references: { user_id: ["2"] } });
    expect(await set.store.changeAll(USER, move)).toBe(TIED);
    expect(await set.other.count(USER)).toBe(0);
    expect(await set.other.count({ ...USER, text: "2" })).toBe(TIED);
  });

  test("others that end or are made between the pages hide none", async () => {
    const set = await open();
    const ended = new Set<number>();
    set.between = async (page) => {
      const order = await client.zrange(set.other.setKey(USER), "0", "-1");
      for (const id of order.slice(page * 60, page * 60 + 50)) {
        await set.other.end(id);
        ended.add(set.ids.indexOf(id));
      }
      await createMember(set.other, 10_000 + page, HOUR);
    };
    const read = new Set(readNumbers(await readAll(set, { withFields: true })));
    expect(range(TIED).filter((n) => !read.has(n) && !ended.has(n))).toEqual([]);
  });
});

describe("sessions with a thousand references each, the user among them", () => {
  const TEAMS = Array.from({ length: 999 }, (_, i) => String(i));
  const COUNT = 5;
  async function open(teams: readonly string[]): Promise<PagedSet> {
    const set = await openPagedSet(client, 0);
    for (let n = 0; n < COUNT; n++) {
      const references = { user_id: ["1"], team_ids: teams };
      set.ids.push(await create(set.other, { fields: { n: String(n) }, references }));
    }
    return set;
  }
  const TEAM = of("team_ids", "998");

  test("are ended one a page, each from all its sets", async () => {
    const set = await open(TEAMS);
    expect(await set.store.endAll(TEAM)).toBe(COUNT);
    expect(set.pages).toEqual([1, 1, 1, 1, 1]);
    expect(omitMarks(await client.keys(`{${set.prefix}:*`))).toEqual([]);
  });

  test("get and lose all their references one a page", async () => {
    const set = await open([]);
    const join = createChanges({ references: { team_ids: TEAMS } });
    expect(await set.store.changeAll(USER, join)).toBe(COUNT);
    expect(Math.max(...set.pages)).toBe(1);
    expect(await set.other.count(TEAM)).toBe(COUNT);
    const leave = createChanges({ unset: ["team_ids"], references: { team_ids: [] } });
    expect(await set.store.changeAll(USER, leave)).toBe(COUNT);
    expect(Math.max(...set.pages)).toBe(1);
    expect(await client.keys(`{${set.prefix}:0}:r:team_ids:*`)).toEqual([]);
    expect(await set.other.count(USER)).toBe(COUNT);
  });

  test("are read by pages of the usual size, and rotate in one step", async () => {
    const set = await open(TEAMS);
    await rotate(set, 0, 0);
    expect((await readAll(set, { withFields: true })).map(({ id }) => id).sort()).toEqual(
      [...set.ids].sort(),
    );
    expect(set.pages).toEqual([COUNT]);
    expect(await set.other.has(TEAM, set.ids[0] ?? "")).toBe(true);
    expect(await set.other.count(TEAM)).toBe(COUNT);
  });
});

test("list gives the most recently seen of the 500 that expire last", async () => {
  const set = await openPagedSet(client, 0);
  const ids = await Promise.all(
    Array.from({ length: 560 }, (_, n) => createMember(set.other, n, HOUR + n * 1000)),
  );
  // When each was seen is set by hand, and has nothing to do with the order of the deadlines.
  const seen = (n: number) => 1_700_000_000_000 + ((n * 37) % 560) * 1000;
  await Promise.all(
    ids.map((id, n) => editTimes(client, set.other.sessionKey(id), { seen: seen(n) })),
  );
  const lastToExpire = range(560).slice(60);
  const expected = lastToExpire.sort((a, b) => seen(b) - seen(a));
  const listed = await set.other.list(USER, { limit: 500, order: "last-seen" });
  expect(listed.map(({ fields }) => Number(fields.get("n")))).toEqual(expected);
  const few = await set.other.list(USER, { limit: 20, order: "last-seen" });
  expect(few.map(({ id }) => id)).toEqual(listed.slice(0, 20).map(({ id }) => id));
});
