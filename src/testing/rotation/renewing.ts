import assert from "node:assert/strict";
import type { SessionStore } from "../../store/contract.ts";
import { MAX_RENEWALS } from "../../store/contract.ts";
import { newIdBeside } from "../ids.ts";
import {
  assertDeleted,
  assertGone,
  assertMembers,
  assertSuperseded,
  change,
  create,
  createForUser,
  createRotation,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  PAST_SOON_MS,
  renew,
  SOON_MS,
  signIn,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

const USER = of("user_id", "1");

/** Creates a session with as many aliases as it may have, and returns all its ids, the first one first. */
async function createRenewedAtMost(store: SessionStore): Promise<{ ids: string[]; last: string }> {
  const ids = await renew(store, await createForUser(store, "1"), MAX_RENEWALS);
  return { ids, last: ids.at(-1) ?? "" };
}

/** Asserts that a session is not renewed, and that nothing else of the change is done. */
async function assertNotRenewed(store: SessionStore, id: string): Promise<void> {
  const before = await findLive(store, id);
  const rotation = createRotation(newIdBeside(id));
  const set = { a: "not set" };
  assert.deepEqual(await change(store, id, { set, rotation }), { state: "alias" });
  assert.deepEqual(await findLive(store, id), before);
  await assertGone(store, rotation.to);
}

/** Sessions with many old ids. All of them end with the session, also those that lead to it no more. */
export const renewing: readonly StoreTest[] = [
  storeTest("a session is renewed 32 times within one grace time, and not once more", async (u) => {
    const { store, elapse } = u;
    assert.equal(MAX_RENEWALS, 32);
    const { ids, last } = await createRenewedAtMost(store);
    assert.equal(new Set(ids).size, 33);
    await elapse(5);
    await assertNotRenewed(store, last);
    assert.equal(
      expectDone(await change(store, last, { set: { a: "1" } })).id,
      last,
      "otherwise it is unchanged",
    );
    await assertMembers(store, USER, [last]);
  }),

  storeTest("renewals spread over more than a grace time go on for ever", async (under) => {
    const { store, elapse } = under;
    let id = await createForUser(store, "1");
    for (let round = 0; round < 5; round++) {
      id = (await renew(store, id, 12, { grace: SOON_MS })).at(-1) ?? "";
      await elapse(PAST_SOON_MS);
    }
    await assertMembers(store, USER, [id]);
  }),

  storeTest("a session may be renewed as often as aliases of it have expired", async (under) => {
    const { store, elapse } = under;
    const early = await renew(store, await createForUser(store, "1"), 10, { grace: SOON_MS });
    const later = await renew(store, early.at(-1) ?? "", 22);
    await elapse(PAST_SOON_MS);
    const [first = "", ...rest] = await renew(store, later.at(-1) ?? "", 10);
    const last = rest.at(-1) ?? "";
    await assertNotRenewed(store, last);
    await assertGone(store, ...early.slice(0, -1));
    assert.equal(await store.has(USER, first), true);
    assert.equal(await store.end(later[0] ?? "", { tombstone: { stays: HOUR_MS } }), early[0]);
    await assertDeleted(store, ...later, ...rest);
  }),

  storeTest("what leaves no alias is done however many there are", async ({ store }) => {
    const credentials = await createRenewedAtMost(store);
    const fresh = createRotation(newIdBeside(credentials.last), { when: "credentials" });
    expectDone(await change(store, credentials.last, { rotation: fresh }));
    await assertSuperseded(store, { hadIdentity: true }, ...credentials.ids.slice(-4));
    await renew(store, fresh.to, MAX_RENEWALS); // and they are counted anew

    const same = await createRenewedAtMost(store);
    const rotation = createRotation(newIdBeside(same.last));
    expectDone(await change(store, same.last, { references: { user_id: ["1"] }, rotation }));
    assert.equal((await findLive(store, rotation.to)).lineage, same.ids[0]);

    const another = await createRenewedAtMost(store);
    const other = createRotation(newIdBeside(another.last));
    expectDone(
      await change(store, another.last, { references: { user_id: ["2"] }, rotation: other }),
    );
    await assertMembers(store, of("user_id", "2"), [other.to]);
  }),

  storeTest("a sign-in by the last of many ids ends what they lead to", async ({ store }) => {
    const { ids, last } = await createRenewedAtMost(store);
    const { to } = await signIn(store, last, "1");
    await assertSuperseded(store, { hadIdentity: true }, ...ids);
    await assertMembers(store, USER, [to]);
    for (const id of ids) assert.equal(await store.end(id), null);
  }),

  ...[0, 1, 16, 29].map((n) =>
    storeTest(`end by id ${n} of 33 leaves tombstones from there on`, async ({ store }) => {
      const { ids, last } = await createRenewedAtMost(store);
      const id = ids[n] ?? "";
      const tombstone = { stays: HOUR_MS };
      assert.equal(await store.end(id, { reference: of("user_id", "2"), tombstone }), null);
      assert.equal((await findLive(store, last)).id, last);
      assert.equal(await store.end(id, { reference: USER, tombstone }), ids[0]);
      await assertDeleted(store, ...ids.slice(n));
      await assertDeleted(store, ...ids.slice(Math.max(0, n - 3), n));
      await assertSuperseded(store, { hadIdentity: true }, ...ids.slice(0, Math.max(0, n - 3)));
      await assertMembers(store, USER, []);
      for (const old of ids) assert.equal(await store.end(old, { tombstone }), null);
    }),
  ),

  storeTest("end by the oldest id without a tombstone leaves nothing from there on", async (u) => {
    const { store } = u;
    const { ids } = await createRenewedAtMost(store);
    const [first = ""] = ids;
    assert.equal(await store.end(first), first);
    await assertGone(store, ...ids);
    await assertMembers(store, USER, []);
  }),

  storeTest("has and endAll's exception follow all aliases", async ({ store }) => {
    const { ids, last } = await createRenewedAtMost(store);
    const other = await createForUser(store, "1");
    for (const id of ids) {
      assert.equal(await store.has(USER, id), true);
      assert.equal(await store.has(of("user_id", "2"), id), false);
    }
    // The second id isn't a lineage: only the aliases lead from it.
    assert.equal(await store.endAll(USER, { except: ids[1] ?? "" }), 1);
    await assertGone(store, other);
    await assertMembers(store, USER, [last]);
  }),

  storeTest("endAll ends a session with many old ids", async ({ store }) => {
    const { ids } = await createRenewedAtMost(store);
    assert.equal(await store.endAll(USER), 1);
    await assertGone(store, ...ids.slice(-4));
    for (const id of ids) {
      assert.notEqual((await store.find(id)).state, "live");
      assert.equal(await store.has(USER, id), false);
      assert.equal(await store.end(id), null);
    }
    await assertMembers(store, USER, []);
  }),

  storeTest("the ways in follow three aliases, however many there are", async ({ store }) => {
    const { ids, last } = await createRenewedAtMost(store);
    const superseded = { state: "superseded", by: "sign-in", hadIdentity: true };
    for (const id of ids.slice(0, -4)) {
      assert.deepEqual(await store.find(id), superseded);
      assert.deepEqual(await change(store, id, { set: { a: "1" } }), superseded);
      const rotation = createRotation(newIdBeside(id), { grace: 0 });
      assert.deepEqual(await change(store, id, { rotation }), superseded);
    }
    for (const id of ids.slice(-4)) assert.equal((await findLive(store, id)).id, last);
    assert.equal((await findLive(store, last)).fields.has("a"), false);
  }),

  ...[1, 3].map((aliases) =>
    storeTest(
      `a rotation without grace over ${aliases} aliases ends the session`,
      async (under) => {
        const { store } = under;
        for (const user of ["1", null]) {
          const draft = { references: { t: ["7"] } };
          const first = await (user ? createForUser(store, user, draft) : create(store, draft));
          const ids = await renew(store, first, aliases);
          const rotation = createRotation(newIdBeside(first), { grace: 0, tombstone: HOUR_MS });
          const sent = { set: { a: "1" }, rotation };
          assert.deepEqual(await change(store, first, sent), { state: "ended" });
          await assertSuperseded(store, { hadIdentity: user !== null }, ...ids);
          await assertGone(store, rotation.to);
          await assertMembers(store, USER, []);
          await assertMembers(store, of("t", "7"), []);
          assert.equal((await store.find(first, { byName: true })).state, "superseded");
          assert.equal((await change(store, first, sent)).state, "superseded", "sent again");
        }
      },
    ),
  ),

  storeTest("a rotation without grace over an alias leaves nothing where it is to", async (u) => {
    const { store } = u;
    const ids = await renew(store, await createForUser(store, "1"), 2);
    const rotation = createRotation(newIdBeside(ids[0] ?? ""), { grace: 0, tombstone: 0 });
    assert.deepEqual(await change(store, ids[0] ?? "", { rotation }), { state: "ended" });
    await assertGone(store, ...ids, rotation.to);
    await assertMembers(store, USER, []);
  }),

  storeTest("a rotation without grace by the present id leaves tombstones, if any", async (u) => {
    const { store } = u;
    const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
    const rotation = createRotation(newIdBeside(first), { grace: 0, tombstone: HOUR_MS });
    expectDone(await change(store, second, { rotation }));
    await assertSuperseded(store, { hadIdentity: true }, first, second);
    await assertMembers(store, USER, [rotation.to]);
  }),
];
