import assert from "node:assert/strict";
import { newIdBeside } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  assertSuperseded,
  change,
  changeUser,
  create,
  createChange,
  createChanges,
  createDraft,
  createForUser,
  createRotation,
  createSession,
  findLive,
  HOUR_MS,
  of,
  PAST_SOON_MS,
  SOON_MS,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

const USER = of("user_id", "1");

export const expiring: readonly StoreTest[] = [
  storeTest("a session that is idle too long is gone", async ({ store, elapse }) => {
    const id = await createForUser(store, "1", { idleTimeout: SOON_MS });
    await elapse(PAST_SOON_MS);
    await assertGone(store, id);
    assert.deepEqual(await store.find(id, { names: ["user_id"] }), { state: "gone" });
    assert.equal(await store.end(id), null);
  }),

  storeTest("a session past its absolute deadline is gone", async ({ store, elapse }) => {
    const id = await createForUser(store, "1", { absoluteTimeout: SOON_MS });
    await elapse(PAST_SOON_MS);
    await assertGone(store, id);
    const only = await create(store, { idleTimeout: null, absoluteTimeout: SOON_MS });
    await elapse(PAST_SOON_MS);
    await assertGone(store, only);
  }),

  storeTest("no change postpones the absolute deadline", async ({ store, elapse }) => {
    const id = await createForUser(store, "1", { absoluteTimeout: SOON_MS });
    const to = newIdBeside(id);
    // On a slow machine it may be gone already. It must be gone in the end.
    await change(store, id, { set: { a: "1" }, idleTimeout: 2 * HOUR_MS });
    await change(store, id, { rotation: createRotation(to) });
    await store.changeAll(USER, createChanges({ set: { b: "1" } }));
    await elapse(PAST_SOON_MS);
    await assertGone(store, id, to);
    await assertMembers(store, USER, []);
  }),

  storeTest("an expired session cannot be changed, rotated or signed in", async (under) => {
    const { store, elapse } = under;
    const id = await createForUser(store, "1", { idleTimeout: SOON_MS });
    await elapse(PAST_SOON_MS);
    const to = newIdBeside(id);
    assert.deepEqual(await change(store, id, { set: { a: "1" }, idleTimeout: HOUR_MS }), {
      state: "gone",
    });
    assert.deepEqual(await change(store, id, { rotation: createRotation(to) }), { state: "gone" });
    assert.deepEqual(await store.change(id, changeUser(to, "2")), { state: "gone" });
    await assertGone(store, id, to);
    await assertMembers(store, of("user_id", "2"), []);
  }),

  storeTest("a change may shorten the idle timeout", async ({ store, elapse }) => {
    const id = await createForUser(store, "1");
    assert.equal((await change(store, id, { idleTimeout: SOON_MS })).state, "changed");
    await elapse(PAST_SOON_MS);
    await assertGone(store, id);
    await assertMembers(store, USER, []);
  }),

  storeTest("an expired session is in no set", async ({ store, elapse }) => {
    const dead = await createForUser(store, "1", {
      idleTimeout: SOON_MS,
      references: { t: ["7"] },
    });
    const alive = await createForUser(store, "1");
    await elapse(PAST_SOON_MS);
    await assertMembers(store, USER, [alive]);
    await assertMembers(store, of("t", "7"), []);
    assert.equal(await store.has(USER, dead), false);
    assert.equal(await store.end(dead, { reference: USER }), null);
  }),

  storeTest("changeAll and endAll count no expired session", async ({ store, elapse }) => {
    await Promise.all([1, 2, 3].map(() => createForUser(store, "1", { idleTimeout: SOON_MS })));
    const alive = await createForUser(store, "1");
    await elapse(PAST_SOON_MS);
    assert.equal(await store.changeAll(USER, createChanges({ set: { a: "1" } })), 1);
    assert.equal((await findLive(store, alive)).fields.get("a"), "1");
    assert.equal(await store.endAll(USER), 1);
    await assertGone(store, alive);
  }),

  storeTest("many expired sessions hide no live one", async ({ store, elapse }) => {
    const brief = Array.from({ length: 300 }, () =>
      createForUser(store, "1", { idleTimeout: SOON_MS }),
    );
    await Promise.all(brief);
    const alive = await Promise.all([1, 2, 3].map(() => createForUser(store, "1")));
    await elapse(PAST_SOON_MS);
    await assertMembers(store, USER, alive);
    assert.equal(await store.endAll(USER, { except: alive[0] }), 2);
    await assertMembers(store, USER, alive.slice(0, 1));
  }),

  storeTest("endAll keeps nothing for an expired session", async ({ store, elapse }) => {
    const dead = await createForUser(store, "1", { idleTimeout: SOON_MS });
    const alive = await createForUser(store, "1");
    await elapse(PAST_SOON_MS);
    assert.equal(await store.endAll(USER, { except: dead }), 1);
    await assertGone(store, alive);
  }),

  storeTest("a set outlives its shortest session", async ({ store, elapse }) => {
    // In both orders: the deadline of a set is the latest one of its sessions.
    const first = await createForUser(store, "1");
    await createForUser(store, "1", { idleTimeout: SOON_MS });
    await createForUser(store, "2", { idleTimeout: SOON_MS });
    const second = await createForUser(store, "2");
    await elapse(PAST_SOON_MS);
    await assertMembers(store, of("user_id", "1"), [first]);
    await assertMembers(store, of("user_id", "2"), [second]);
  }),

  storeTest("a set outlives a session whose deadline was brought forward", async (under) => {
    const { store, elapse } = under;
    const id = await createForUser(store, "1");
    const alive = await createForUser(store, "1", { idleTimeout: HOUR_MS / 2 });
    await change(store, id, { idleTimeout: SOON_MS });
    await elapse(PAST_SOON_MS);
    await assertMembers(store, USER, [alive]);
  }),

  storeTest("an alias lasts for its grace time", async ({ store, elapse }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    const sent = createChange({ rotation: createRotation(to, { grace: SOON_MS }) });
    assert.equal((await store.change(id, sent)).state, "changed");
    await elapse(PAST_SOON_MS);
    await assertGone(store, id);
    assert.deepEqual(await change(store, id, { set: { a: "1" } }), { state: "gone" });
    assert.equal(await store.end(id), null);
    await assertMembers(store, USER, [to]);
    assert.equal((await findLive(store, to)).fields.get("a"), undefined);
    // A resend this late finds its work done, and changes nothing.
    assert.equal((await store.change(id, sent)).state, "changed");
    await assertMembers(store, USER, [to]);
  }),

  storeTest("an alias whose session is expired leads nowhere", async ({ store, elapse }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    await change(store, id, { idleTimeout: SOON_MS, rotation: createRotation(to) });
    await elapse(PAST_SOON_MS);
    await assertGone(store, id, to);
    await assertMembers(store, USER, []);
  }),

  storeTest("a tombstone lasts for its grace time", async ({ store, elapse }) => {
    const brief = await createForUser(store, "1");
    await store.change(brief, changeUser(newIdBeside(brief), "2", { grace: SOON_MS }));
    const long = await createForUser(store, "1");
    await store.change(long, changeUser(newIdBeside(long), "2"));
    await elapse(PAST_SOON_MS);
    await assertGone(store, brief);
    await assertSuperseded(store, { hadIdentity: true }, long);
  }),

  storeTest("a tombstone in an alias's place has a grace time of its own", async (under) => {
    const { store, elapse } = under;
    // On a slow machine the alias may expire before it is used. Then try again, with more time.
    for (let grace = 50; grace < 10_000; grace *= 2) {
      const first = await create(store);
      const [second, third] = [newIdBeside(first), newIdBeside(first)];
      await change(store, first, { rotation: createRotation(second, { grace }) });
      if ((await store.change(first, changeUser(third, "1"))).state !== "changed") continue;
      await elapse(grace + 25);
      await assertSuperseded(store, { hadIdentity: false }, first, second);
      return;
    }
    assert.fail("no sign-in through an alias was done");
  }),

  storeTest(
    "a session lives up to and including the moment at which it expires",
    async ({ store, elapse }) => {
      // Whenever the store says live, it also says a time that is not past the deadline.
      const made = createDraft(store, { idleTimeout: 12, absoluteTimeout: null });
      const { expiresAt } = await createSession(store, made);
      for (let lookup = await store.find(made.id); lookup.state !== "gone"; ) {
        assert.equal(lookup.state, "live");
        assert.ok(lookup.now <= expiresAt, `live at ${lookup.now}, after ${expiresAt}`);
        await elapse(1);
        lookup = await store.find(made.id);
      }
    },
  ),
];
