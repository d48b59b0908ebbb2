import assert from "node:assert/strict";
import { newId, newIdBeside } from "../ids.ts";
import {
  assertDeleted,
  assertGone,
  assertMembers,
  change,
  create,
  createForUser,
  createRotation,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  PAST_SOON_MS,
  readTexts,
  renew,
  SOON_MS,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

export const ending: readonly StoreTest[] = [
  storeTest("end ends one session and takes it out of its sets", async ({ store }) => {
    const id = await createForUser(store, "1", { references: { t: ["7", "8"] } });
    const other = await createForUser(store, "1");
    assert.equal(await store.end(id), id);
    await assertGone(store, id);
    assert.equal(await store.has(of("user_id", "1"), id), false);
    await assertMembers(store, of("user_id", "1"), [other]);
    await assertMembers(store, of("t", "7"), []);
    await assertMembers(store, of("t", "8"), []);
  }),

  storeTest("ending an absent session isn't an error", async ({ store }) => {
    const id = await createForUser(store, "1");
    assert.equal(await store.end(newId(store.shards)), null);
    assert.equal(await store.end(id), id);
    assert.equal(await store.end(id), null);
    assert.equal(await store.end(id, { reference: of("user_id", "1") }), null);
  }),

  storeTest("end through an alias ends the session and its aliases", async ({ store }) => {
    const first = await createForUser(store, "1");
    const [second, third] = [newIdBeside(first), newIdBeside(first)];
    expectDone(await change(store, first, { rotation: createRotation(second) }));
    expectDone(await change(store, second, { rotation: createRotation(third) }));
    assert.equal(await store.end(first), first);
    await assertGone(store, first, second, third);
    await assertMembers(store, of("user_id", "1"), []);
    assert.equal(await store.end(second), null);
  }),

  storeTest("end of a rotated session ends its aliases", async ({ store }) => {
    const first = await createForUser(store, "1");
    const second = newIdBeside(first);
    expectDone(await change(store, first, { rotation: createRotation(second) }));
    assert.equal(await store.end(second), first);
    await assertGone(store, first, second);
    assert.deepEqual(await change(store, first, { set: { a: "1" } }), { state: "gone" });
    await assertGone(store, first, second);
  }),

  storeTest("end can leave a tombstone at each id that it came through", async ({ store }) => {
    const tombstone = { stays: HOUR_MS };
    for (const user of ["1", null]) {
      const first = await (user ? createForUser(store, user) : create(store));
      const second = newIdBeside(first);
      expectDone(await change(store, first, { rotation: createRotation(second) }));
      assert.equal(await store.end(first, { tombstone }), first);
      await assertDeleted(store, first, second);
      const answer = await change(store, first, { set: { a: "1" } });
      assert.deepEqual(answer, { state: "superseded", by: "delete", hadIdentity: false });
      assert.equal(await store.end(first, { tombstone }), null);
      await assertMembers(store, of("user_id", "1"), []);
    }
  }),

  storeTest("end leaves no tombstone of what it does not end", async ({ store }) => {
    const id = await createForUser(store, "1");
    const tombstone = { stays: HOUR_MS };
    assert.equal(await store.end(id, { reference: of("user_id", "2"), tombstone }), null);
    assert.equal((await findLive(store, id)).id, id);
    assert.equal(await store.end(id, { tombstone: { stays: 0 } }), id);
    assert.equal(await store.end(id, { tombstone }), null);
    await assertGone(store, id);
  }),

  storeTest("end leaves a tombstone of the session of one lineage alone", async ({ store }) => {
    for (const aliases of [0, 2, 5]) {
      const mine = await renew(store, await createForUser(store, "1"), aliases);
      const [first = ""] = mine;
      const tombstone = { stays: HOUR_MS, lineage: first };
      const theirs = await renew(store, await createForUser(store, "1"), aliases);
      assert.equal(await store.end(theirs[0] ?? "", { tombstone }), theirs[0]);
      await assertGone(store, ...theirs);
      assert.equal(await store.end(first, { tombstone }), first);
      await assertDeleted(store, ...mine);
    }
  }),

  storeTest(
    "end leaves no tombstone where the lineage it is given is the session's id",
    async (under) => {
      const { store } = under;
      const ids = await renew(store, await createForUser(store, "1"), 1);
      const [first = "", second = ""] = ids;
      assert.equal(
        await store.end(second, { tombstone: { stays: HOUR_MS, lineage: second } }),
        first,
      );
      await assertGone(store, ...ids);
    },
  ),

  storeTest("a tombstone of an end lasts for its time", async ({ store, elapse }) => {
    const ids = await renew(store, await createForUser(store, "1"), 1);
    await store.end(ids[0] ?? "", { tombstone: { stays: SOON_MS } });
    await elapse(PAST_SOON_MS);
    await assertGone(store, ...ids);
  }),

  storeTest("end with a reference ends only a session of that set", async ({ store }) => {
    const id = await createForUser(store, "1");
    assert.equal(await store.end(id, { reference: of("user_id", "2") }), null);
    assert.equal(await store.end(id, { reference: of("team", "1") }), null);
    assert.deepEqual(await readTexts(store, id), { user_id: "1" });
    assert.equal(await store.end(id, { reference: of("user_id", "1") }), id);
    await assertGone(store, id);
    await assertMembers(store, of("user_id", "1"), []);
  }),

  storeTest("end with a reference goes by the value the session has now", async ({ store }) => {
    const id = await createForUser(store, "1");
    expectDone(await change(store, id, { set: { user_id: "2" }, references: { user_id: ["2"] } }));
    assert.equal(await store.end(id, { reference: of("user_id", "1") }), null);
    assert.equal((await findLive(store, id)).id, id);
    assert.equal(await store.end(id, { reference: of("user_id", "2") }), id);
    await assertGone(store, id);
  }),

  storeTest("end with a reference follows an alias", async ({ store }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    expectDone(await change(store, id, { rotation: createRotation(to) }));
    assert.equal(await store.end(id, { reference: of("user_id", "2") }), null);
    assert.equal((await findLive(store, to)).id, to);
    assert.equal(await store.end(id, { reference: of("user_id", "1") }), id);
    await assertGone(store, id, to);
  }),

  storeTest("endAll ends every session of the set and no other", async ({ store }) => {
    const ids = await Promise.all([1, 2, 3, 4, 5].map(() => createForUser(store, "1")));
    const other = await createForUser(store, "2");
    const none = await create(store);
    assert.equal(await store.endAll(of("user_id", "1")), 5);
    await assertGone(store, ...ids);
    await assertMembers(store, of("user_id", "1"), []);
    await assertMembers(store, of("user_id", "2"), [other]);
    assert.deepEqual(await readTexts(store, none), {});
    assert.equal(await store.endAll(of("user_id", "1")), 0);
  }),

  storeTest("endAll of an empty set ends nothing", async ({ store }) => {
    const id = await createForUser(store, "1");
    assert.equal(await store.endAll(of("user_id", "2")), 0);
    assert.equal(await store.endAll(of("team", "1")), 0);
    await assertMembers(store, of("user_id", "1"), [id]);
  }),

  storeTest("endAll takes the sessions out of their other sets", async ({ store }) => {
    await createForUser(store, "1", { references: { t: ["7", "8"] } });
    const other = await createForUser(store, "2", { references: { t: ["7"] } });
    assert.equal(await store.endAll(of("user_id", "1")), 1);
    await assertMembers(store, of("t", "7"), [other]);
    await assertMembers(store, of("t", "8"), []);
  }),

  storeTest("endAll ends sessions under the id they have now, and their aliases", async (under) => {
    const { store } = under;
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    expectDone(await change(store, id, { rotation: createRotation(to) }));
    assert.equal(await store.endAll(of("user_id", "1")), 1);
    await assertGone(store, id, to);
  }),

  storeTest("endAll spares the one session that it is told to", async ({ store }) => {
    const ids = await Promise.all([1, 2, 3, 4].map(() => createForUser(store, "1")));
    const kept = await createForUser(store, "1", { fields: { a: "1" } });
    const before = await findLive(store, kept);
    assert.equal(await store.endAll(of("user_id", "1"), { except: kept }), 4);
    await assertGone(store, ...ids);
    assert.deepEqual(await findLive(store, kept), before);
    await assertMembers(store, of("user_id", "1"), [kept]);
    assert.equal(await store.endAll(of("user_id", "1"), { except: kept }), 0);
  }),

  storeTest("endAll keeps the session that an alias leads to", async ({ store }) => {
    const ids = await Promise.all([1, 2, 3].map(() => createForUser(store, "1")));
    const first = await createForUser(store, "1");
    const [second, third] = [newIdBeside(first), newIdBeside(first)];
    expectDone(await change(store, first, { rotation: createRotation(second) }));
    expectDone(await change(store, second, { rotation: createRotation(third) }));
    assert.equal(await store.endAll(of("user_id", "1"), { except: first }), 3);
    await assertGone(store, ...ids);
    assert.equal((await findLive(store, first)).id, third);
    await assertMembers(store, of("user_id", "1"), [third]);
  }),

  storeTest("endAll keeps no session for an id that leads nowhere", async ({ store }) => {
    const ids = await Promise.all([1, 2, 3].map(() => createForUser(store, "1")));
    const elsewhere = await createForUser(store, "2");
    assert.equal(await store.endAll(of("user_id", "1"), { except: newId(store.shards) }), 3);
    await assertGone(store, ...ids);
    const id = await createForUser(store, "1");
    assert.equal(await store.endAll(of("user_id", "1"), { except: elsewhere }), 1);
    await assertGone(store, id);
    await assertMembers(store, of("user_id", "2"), [elsewhere]);
  }),
];
