import assert from "node:assert/strict";
import type { SessionStore, StoredSession } from "../store/contract.ts";
import { newIdBeside } from "./ids.ts";
import {
  assertGone,
  assertMembers,
  change,
  create,
  createChange,
  createChanges,
  createDraft,
  createForUser,
  createMany,
  createRotation,
  createSession,
  expectDone,
  findLive,
  of,
  readAllPages,
  toLimited,
} from "./steps.ts";
import { type StoreTest, storeTest } from "./store-test.ts";

/** More sessions than any store reads, changes or ends in one page. */
const MANY = 700;
const USER = of("user_id", "1");

export const largeSets: readonly StoreTest[] = [
  storeTest("a large set is counted and paged whole", async ({ store }) => {
    const ids = await createMany(store, "1", MANY);
    await assertMembers(store, USER, ids);
    const sessions = await readAllPages(store, USER, { withFields: true });
    assert.deepEqual(readNumbers(sessions), createRange(MANY));
  }),

  storeTest("list of a large set gives those most recently seen", async ({ store }) => {
    await createMany(store, "1", MANY);
    const all = (await readAllPages(store, USER)).sort((a, b) => b.lastSeenAt - a.lastSeenAt);
    for (const limit of [20, 500]) {
      const listed = await store.list(USER, { limit, order: "last-seen" });
      // Some were seen in the same millisecond, so the times are compared and not the ids.
      assert.deepEqual(
        listed.map(({ lastSeenAt }) => lastSeenAt),
        all.slice(0, limit).map(({ lastSeenAt }) => lastSeenAt),
      );
      assert.equal(new Set(listed.map(({ id }) => id)).size, limit);
      for (const { fields } of listed) assert.equal(fields.get("user_id"), "1");
    }
  }),

  storeTest("changeAll changes every session of a large set", async ({ store }) => {
    await createMany(store, "1", MANY);
    assert.equal(await store.changeAll(USER, createChanges({ set: { role: "admin" } })), MANY);
    const sessions = await readAllPages(store, USER, { withFields: true });
    assert.deepEqual(readNumbers(sessions), createRange(MANY));
    const roles = new Set(sessions.map(({ fields }) => fields.get("role")));
    assert.deepEqual([...roles], ["admin"]);
  }),

  storeTest("changeAll moves every session of a large set to another one", async ({ store }) => {
    const ids = await createMany(store, "1", MANY);
    const move = createChanges({ set: { user_id: "2" }, references: { user_id: ["2"] } });
    assert.equal(await store.changeAll(USER, move), MANY);
    await assertMembers(store, USER, []);
    await assertMembers(store, of("user_id", "2"), ids);
  }),

  storeTest("endAll ends a large set but the session it keeps", async ({ store }) => {
    const ids = await createMany(store, "1", MANY);
    const first = ids[MANY / 2] ?? "";
    const kept = newIdBeside(first);
    expectDone(await change(store, first, { rotation: createRotation(kept) }));
    assert.equal(await store.endAll(USER, { except: first }), MANY - 1);
    await assertMembers(store, USER, [kept]);
    assert.equal((await findLive(store, kept)).fields.get("n"), String(MANY / 2));
    assert.equal(await store.endAll(USER), 1);
    await assertMembers(store, USER, []);
    await assertGone(store, first, kept, ...ids.slice(0, 10));
  }),

  storeTest("pages give each session once though all rotate after each page", async ({ store }) => {
    await createMany(store, "1", MANY);
    const seen: StoredSession[] = [];
    let rotations = 0;
    for await (const page of store.pages(USER, { withFields: true })) {
      seen.push(...page);
      if (rotations++ < 3) await rotateAll(store);
    }
    assert.deepEqual(readNumbers(seen), createRange(MANY));
  }),

  storeTest("pages give no session that has left the set", async ({ store }) => {
    const ids = await createMany(store, "1", MANY);
    const gone = new Set<string>();
    let pages = 0;
    for await (const page of store.pages(USER)) {
      for (const { id } of page) assert.ok(!gone.has(id), "an ended session is given");
      if (pages++ > 0) continue;
      const given = new Set(page.map(({ id }) => id));
      const rest = ids.filter((id) => !given.has(id));
      for (const id of rest.slice(0, 50)) {
        await store.end(id);
        gone.add(id);
      }
      for (const id of rest.slice(50, 100)) {
        expectDone(await change(store, id, { references: { user_id: ["2"] } }));
        gone.add(id);
      }
    }
    assert.equal(await store.count(USER), MANY - gone.size);
  }),

  storeTest("pages may be left early", async ({ store }) => {
    await createMany(store, "1", MANY);
    for await (const page of store.pages(USER)) {
      assert.ok(page.length >= 0, "a page is an array");
      break;
    }
    assert.equal((await readAllPages(store, USER)).length, MANY);
  }),

  storeTest("sets of sessions with many references are changed and ended whole", async (under) => {
    const { store } = under;
    const teams = createRange(400);
    const ids = await Promise.all(
      createRange(8).map(() => createForUser(store, "1", { references: { team: teams } })),
    );
    const plain = await create(store, { references: { team: teams } });
    const made = createChanges({ set: { a: "1" }, references: { team: teams.slice(200) } });
    assert.equal(await store.changeAll(USER, made), 8);
    await assertMembers(store, of("team", "0"), [plain]);
    await assertMembers(store, of("team", "399"), [...ids, plain]);
    assert.equal(await store.endAll(USER), 8);
    for (const team of ["0", "199", "200", "399"]) {
      await assertMembers(store, of("team", team), [plain]);
    }
    assert.equal(await store.endAll(of("team", "5")), 1);
    const counts = await Promise.all(teams.map((team) => store.count(of("team", team))));
    assert.deepEqual(counts, Array(400).fill(0));
  }),

  storeTest(
    "a set far beyond a limit is brought to it, and ends only the oldest",
    async (under) => {
      const { store, elapse } = under;
      await createMany(store, "1", MANY);
      await elapse(2);
      const newest = await createForUser(store, "1");
      const made = createDraft(store);
      const limit = { most: 2, whenFull: "end-oldest" } as const;
      await createSession(store, { ...made, references: toLimited({ user_id: ["1"] }, limit) });
      await assertMembers(store, USER, [newest, made.id]);
    },
  ),

  storeTest(
    "a session enters a large set by a change in the same way",
    async ({ store, elapse }) => {
      const old = await createForUser(store, "2");
      await elapse(2);
      const ids = await createMany(store, "1", MANY);
      await elapse(2);
      const [young, other] = [await createForUser(store, "2"), await createForUser(store, "2")];
      const limit = { most: 2, whenFull: "end-oldest" } as const;
      const enter = {
        ...createChange({ set: { user_id: "1" } }),
        references: toLimited({ user_id: ["1"] }, limit),
      };
      const full = { state: "full", field: "user_id", limit: 2 };
      assert.deepEqual(await store.change(old, enter), full);
      assert.equal(await store.count(USER), MANY);
      expectDone(await store.change(young, enter));
      assert.equal(await store.count(USER), 2);
      const to = newIdBeside(other);
      expectDone(await store.change(other, { ...enter, rotation: createRotation(to) }));
      await assertMembers(store, USER, [young, to]);
      await assertGone(store, ...ids.slice(0, 5));
    },
  ),

  storeTest("a large set that rejects refuses, and stays as it is", async ({ store }) => {
    await createMany(store, "1", MANY);
    const limit = { most: MANY, whenFull: "reject" } as const;
    const references = toLimited({ user_id: ["1"] }, limit);
    const full = { state: "full", field: "user_id", limit: MANY };
    assert.deepEqual(await store.create({ ...createDraft(store), references }), full);
    assert.equal(await store.count(USER), MANY);
  }),
];

async function rotateAll(store: SessionStore): Promise<void> {
  const sessions = await readAllPages(store, USER);
  for (let from = 0; from < sessions.length; from += 100) {
    await Promise.all(
      sessions
        .slice(from, from + 100)
        .map(({ id }) => change(store, id, { rotation: createRotation(newIdBeside(id)) })),
    );
  }
}

function readNumbers(sessions: readonly StoredSession[]): string[] {
  return sessions
    .map(({ fields }) => fields.get("n") ?? "none")
    .sort((a, b) => Number(a) - Number(b));
}

function createRange(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}
