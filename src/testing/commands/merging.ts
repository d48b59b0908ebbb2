import assert from "node:assert/strict";
import { newIdBeside } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  assertSuperseded,
  change,
  changeOf,
  create,
  createOf,
  done,
  HOUR,
  live,
  mergeUser,
  of,
  type ReferenceTexts,
  rotationTo,
  type Texts,
  texts,
  timesOf,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

/** Rotations by a change of the user that merges into the session, as some entries have it. */
export const merging: readonly StoreTest[] = [
  storeTest("a merged sign-in rotates and leaves a tombstone at the old id", async ({ store }) => {
    const id = await create(store, { fields: { cart: "[1]" } });
    const before = await live(store, id);
    const to = newIdBeside(id);
    const answer = done(await store.change(id, mergeUser(to, "1")));
    assert.deepEqual([answer.id, answer.rotated], [to, true]);
    assert.deepEqual(Object.fromEntries(answer.fields ?? []), { cart: "[1]", user_id: "1" });
    await assertSuperseded(store, false, id);
    const after = await live(store, to);
    assert.equal(after.createdAt, before.createdAt);
    assert.equal(after.absoluteDeadline, before.absoluteDeadline);
    await assertMembers(store, of("user_id", "1"), [to]);
  }),

  storeTest("a tombstone says whether the session had an identity before", async ({ store }) => {
    const user = await createOf(store, "1");
    done(await store.change(user, mergeUser(newIdBeside(user), "2")));
    await assertSuperseded(store, true, user);
    const other = await create(store, { fields: { t: "7" }, references: { t: ["7"] } });
    done(await store.change(other, mergeUser(newIdBeside(other), "2")));
    await assertSuperseded(store, false, other);
  }),

  storeTest("a merged sign-out by unset rotates, too", async ({ store }) => {
    const id = await createOf(store, "1");
    const to = newIdBeside(id);
    const answer = done(
      await change(store, id, {
        unset: ["user_id"],
        references: { user_id: [] },
        rotation: rotationTo(to, { when: "identity-changes" }),
      }),
    );
    assert.equal(answer.rotated, true);
    await assertSuperseded(store, true, id);
    assert.deepEqual(await texts(store, to), {});
    await assertMembers(store, of("user_id", "1"), []);
  }),

  storeTest("a merging change that alters no identity does not rotate", async ({ store }) => {
    const id = await createOf(store, "1");
    const to = newIdBeside(id);
    const rotation = rotationTo(to, { when: "identity-changes" });
    const drafts: { set: Texts; references?: ReferenceTexts }[] = [
      { set: { theme: "dark" } },
      { set: { user_id: "1" }, references: { user_id: ["1"] } },
      { set: { t: "7" }, references: { t: ["7"] } },
    ];
    for (const draft of drafts) {
      const answer = done(await change(store, id, { ...draft, rotation }));
      assert.deepEqual([answer.id, answer.rotated, answer.fields], [id, false, null]);
    }
    assert.equal((await live(store, id)).id, id);
    await assertGone(store, to);
    await assertMembers(store, of("user_id", "1"), [id]);
    await assertMembers(store, of("t", "7"), [id]);
  }),

  storeTest(
    "an identity that counts with its first value rotates then alone",
    async ({ store }) => {
      const id = await create(store, { references: { org: ["7"] } });
      const [second, third] = [newIdBeside(id), newIdBeside(id)];
      const become = (from: string, to: string, references: ReferenceTexts) => {
        const identity = ["user_id", "org"];
        const over = { when: "identity-changes", identity, firstOnly: ["user_id"] } as const;
        return change(store, from, { references, rotation: rotationTo(to, over) });
      };
      assert.equal(done(await become(id, second, { user_id: ["1"] })).id, second);
      await assertSuperseded(store, true, id);
      for (const user_id of [["1"], ["2"], ["2", "3"], [], []]) {
        const answer = done(await become(second, newIdBeside(id), { user_id }));
        assert.deepEqual([answer.id, answer.rotated], [second, false]);
      }
      assert.equal(
        done(await become(second, third, { user_id: ["4"] })).id,
        third,
        "its first again",
      );
      const fourth = newIdBeside(id);
      assert.equal(done(await become(third, fourth, { user_id: ["5"], org: ["8"] })).id, fourth);
      await assertMembers(store, of("user_id", "5"), [fourth]);
    },
  ),

  storeTest("null in place of no identity is no sign-in", async ({ store }) => {
    const id = await create(store);
    const answer = done(
      await change(store, id, {
        set: { user_id: "null" },
        references: { user_id: [] },
        rotation: rotationTo(newIdBeside(id), { when: "identity-changes" }),
      }),
    );
    assert.equal(answer.rotated, false);
    assert.deepEqual(await texts(store, id), { user_id: "null" });
  }),

  storeTest(
    "any of several identity fields rotates a session that is merged into",
    async ({ store }) => {
      const id = await createOf(store, "1", { references: { org: ["7", "8"] } });
      const to = newIdBeside(id);
      const rotation = rotationTo(to, { when: "identity-changes", identity: ["user_id", "org"] });
      const kept = await change(store, id, { references: { user_id: ["1"] }, rotation });
      assert.equal(done(kept).rotated, false);
      const answer = await change(store, id, { references: { org: ["7", "9"] }, rotation });
      assert.equal(done(answer).rotated, true);
      await assertSuperseded(store, true, id);
      await assertMembers(store, of("org", "8"), []);
      await assertMembers(store, of("org", "7"), [to]);
      await assertMembers(store, of("org", "9"), [to]);
    },
  ),

  storeTest("a superseded id can do nothing", async ({ store }) => {
    const id = await createOf(store, "1");
    const to = newIdBeside(id);
    done(await store.change(id, mergeUser(to, "2")));
    const before = await live(store, to);
    const superseded = { state: "superseded", by: "sign-in", hadIdentity: true };
    assert.deepEqual(await store.find(id, { names: ["user_id"] }), superseded);
    assert.deepEqual(await change(store, id, { set: { user_id: "3" } }), superseded);
    const rotation = rotationTo(newIdBeside(id));
    assert.deepEqual(await change(store, id, { rotation }), superseded);
    assert.deepEqual(await store.change(id, mergeUser(newIdBeside(id), "3")), superseded);
    assert.equal(await store.end(id), null);
    assert.equal(await store.end(id, { reference: of("user_id", "2") }), null);
    assert.deepEqual(await live(store, to), before);
    await assertMembers(store, of("user_id", "2"), [to]);
    await assertMembers(store, of("user_id", "1"), []);
    await assertMembers(store, of("user_id", "3"), []);
  }),

  storeTest("a merged sign-in with no grace leaves nothing at the old id", async ({ store }) => {
    const id = await createOf(store, "1");
    const to = newIdBeside(id);
    done(await store.change(id, mergeUser(to, "2", { grace: 0 })));
    await assertGone(store, id);
    await assertMembers(store, of("user_id", "2"), [to]);
  }),

  storeTest("a merged sign-in through an alias supersedes both old ids", async ({ store }) => {
    const first = await create(store, { fields: { a: "1" } });
    const [second, third] = [newIdBeside(first), newIdBeside(first)];
    done(await change(store, first, { rotation: rotationTo(second) }));
    const answer = done(await store.change(first, mergeUser(third, "1")));
    assert.deepEqual([answer.id, answer.rotated], [third, true]);
    assert.deepEqual(await texts(store, third), { a: "1", user_id: "1" });
    await assertSuperseded(store, false, first, second);
    await assertMembers(store, of("user_id", "1"), [third]);
  }),

  storeTest(
    "a merged sign-in through an alias with no grace kills both old ids",
    async ({ store }) => {
      const first = await create(store);
      const [second, third] = [newIdBeside(first), newIdBeside(first)];
      done(await change(store, first, { rotation: rotationTo(second) }));
      done(await store.change(first, mergeUser(third, "1", { grace: 0 })));
      await assertGone(store, first, second);
      assert.equal((await live(store, third)).id, third);
    },
  ),

  storeTest("an alias of a superseded id never reaches the session", async ({ store }) => {
    const first = await create(store);
    const [second, third] = [newIdBeside(first), newIdBeside(first)];
    done(await change(store, first, { rotation: rotationTo(second) }));
    done(await store.change(second, mergeUser(third, "1")));
    await assertSuperseded(store, false, first, second);
    assert.deepEqual(await change(store, first), {
      state: "superseded",
      by: "sign-in",
      hadIdentity: false,
    });
    assert.equal(await store.end(first), null);
    assert.deepEqual(await texts(store, third), { user_id: "1" });
  }),

  storeTest("a change through an alias that alters no identity is no rotation", async (under) => {
    const { store } = under;
    const first = await createOf(store, "1");
    const [second, third] = [newIdBeside(first), newIdBeside(first)];
    done(await change(store, first, { rotation: rotationTo(second) }));
    const rotation = rotationTo(third, { when: "identity-changes" });
    const answer = done(await change(store, first, { set: { a: "1" }, rotation }));
    assert.deepEqual([answer.id, answer.rotated], [second, false]);
    assert.deepEqual(await texts(store, second), { user_id: "1", a: "1" });
    await assertGone(store, third);
  }),

  ...[0, HOUR].map((grace) =>
    storeTest(
      `a merged sign-in sent twice gives the same answer twice (grace ${grace})`,
      async (under) => {
        const { store, elapse } = under;
        const first = await createOf(store, "1");
        const [second, third] = [newIdBeside(first), newIdBeside(first)];
        done(await change(store, first, { rotation: rotationTo(second) }));
        const sent = mergeUser(third, "2", { grace });
        const answer = done(await store.change(first, sent));
        await elapse(5);
        assert.deepEqual(await store.change(first, sent), answer);
        assert.deepEqual(timesOf(await live(store, third)), timesOf(answer.times));
        await assertMembers(store, of("user_id", "1"), []);
        await assertMembers(store, of("user_id", "2"), [third]);
        await store.end(third);
        assert.notEqual((await store.change(first, sent)).state, "changed", "no resurrection");
        await assertGone(store, third);
      },
    ),
  ),

  storeTest("a merged sign-in that is too large supersedes nothing", async ({ store }) => {
    const id = await create(store, { fields: { a: "1" } });
    const sent = mergeUser(newIdBeside(id), "1");
    const answer = await store.change(id, { ...sent, maxBytes: 9 });
    assert.deepEqual(answer, { state: "too-large", bytes: 10 });
    assert.deepEqual(await texts(store, id), { a: "1" });
    await assertMembers(store, of("user_id", "1"), []);
  }),

  storeTest("an identity of several values rotates when one is added", async ({ store }) => {
    const id = await create(store, { references: { user_id: ["1", "2"] } });
    const to = newIdBeside(id);
    const sent = changeOf({
      references: { user_id: ["1", "2", "3"] },
      rotation: rotationTo(to, { when: "identity-changes" }),
    });
    assert.equal(done(await store.change(id, sent)).rotated, true);
    await assertSuperseded(store, true, id);
    for (const text of ["1", "2", "3"]) await assertMembers(store, of("user_id", text), [to]);
  }),
];
