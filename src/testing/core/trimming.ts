import assert from "node:assert/strict";
import { newIdBeside } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  change,
  createDraft,
  createForUser,
  createRotation,
  createSession,
  expectDone,
  of,
  readAllPages,
} from "../steps.ts";
import { type StoreTest, type StoreUnderTest, storeTest } from "../store-test.ts";

const user = of("user_id", "1");

async function createInOrder({ store, elapse }: StoreUnderTest, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    ids.push(await createForUser(store, "1"));
    await elapse(2);
  }
  return ids;
}

/** Ending the oldest sessions of a set. */
export const trimming: readonly StoreTest[] = [
  storeTest("trim ends all but the newest", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 6);
    const other = await createForUser(store, "2");
    assert.equal(await store.trim(user, 2), 4);
    await assertMembers(store, user, ids.slice(4));
    await assertGone(store, ...ids.slice(0, 4));
    await assertMembers(store, of("user_id", "2"), [other]);
  }),

  storeTest("trim ends nothing where there are not more", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 3);
    assert.equal(await store.trim(user, 3), 0);
    assert.equal(await store.trim(user, 100), 0);
    assert.equal(await store.trim(of("user_id", "2"), 1), 0);
    await assertMembers(store, user, ids);
  }),

  storeTest("trim goes by when sessions were created, not by their use", async (under) => {
    const { store } = under;
    const [first = "", second = "", third = ""] = await createInOrder(under, 3);
    const to = newIdBeside(first);
    expectDone(await change(store, first, { rotation: createRotation(to) }));
    expectDone(await change(store, second, { set: { a: "1" } }));
    assert.equal(await store.trim(user, 1), 2);
    await assertMembers(store, user, [third]);
    await assertGone(store, to, first, second);
  }),

  storeTest("trim ends sessions that are rotated meanwhile", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 30);
    const old = ids.slice(0, -1);
    const renewed = old.map((id) => newIdBeside(id));
    const [ended] = await Promise.all([
      store.trim(user, 1),
      ...old.map((id, i) => change(store, id, { rotation: createRotation(renewed[i] as string) })),
    ]);
    assert.equal(ended, 29);
    await assertMembers(store, user, ids.slice(-1));
  }),

  storeTest(
    "trim ends those made meanwhile only if there are enough younger ones",
    async (under) => {
      const { store } = under;
      const keep = 5;
      const older = await createInOrder(under, 20);
      const draft = { fields: { user_id: "1" }, references: { user_id: ["1"] } };
      const drafts = Array.from({ length: 10 }, () => createDraft(store, draft));
      // A pool of connections may send the trim after some of the others, and shards are read one by one.
      const [ended, ...made] = await Promise.all([
        store.trim(user, keep),
        ...drafts.map((one) => createSession(store, one)),
      ]);
      const left = new Set((await readAllPages(store, user)).map(({ id }) => id));
      assert.equal(ended, older.length + made.length - left.size);
      const olderLeft = older.filter((id) => left.has(id));
      const madeLeft = made.filter(({ id }) => left.has(id));
      assert.ok(olderLeft.length <= keep, `${olderLeft.length} older ones are left`);
      assert.deepEqual(olderLeft, older.slice(older.length - olderLeft.length));
      if (madeLeft.length < made.length) assert.deepEqual(olderLeft, []);
      for (const { id, createdAt } of made) {
        const younger = madeLeft.filter((one) => one.createdAt >= createdAt).length;
        assert.ok(
          left.has(id) || younger >= keep,
          `one was ended that has ${younger} younger ones`,
        );
      }
    },
  ),

  storeTest("trim ends sessions of every shard", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 40);
    assert.equal(await store.trim(user, 10), 30);
    await assertMembers(store, user, ids.slice(30));
  }),
];
