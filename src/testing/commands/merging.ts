import assert from "node:assert/strict";
import { newIdBeside } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  assertSuperseded,
  change,
  create,
  createChanges,
  createForUser,
  createRotation,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  PAST_SOON_MS,
  pickTimes,
  type ReferenceTexts,
  readTexts,
  renew,
  SOON_MS,
  type Texts,
} from "../steps.ts";
import type { StoreTest } from "../store-test.ts";
import { command, commandTest, createCommand, createMerge, mergeTo } from "./steps.ts";

/** Commands that change the user, and merge into the session. */
export const merging: readonly StoreTest[] = [
  commandTest(
    "a merged sign-in rotates and leaves a tombstone at the old id",
    async ({ store }) => {
      const id = await create(store, { fields: { cart: "[1]" } });
      const before = await findLive(store, id);
      const to = newIdBeside(id);
      const answer = expectDone(await store.command(id, createMerge(to, "1")));
      assert.deepEqual([answer.id, answer.rotated], [to, true]);
      assert.deepEqual(Object.fromEntries(answer.fields ?? []), { cart: "[1]", user_id: "1" });
      await assertSuperseded(store, { hadIdentity: false }, id);
      const after = await findLive(store, to);
      assert.equal(after.createdAt, before.createdAt);
      assert.equal(after.absoluteDeadline, before.absoluteDeadline);
      await assertMembers(store, of("user_id", "1"), [to]);
    },
  ),

  commandTest("a tombstone says whether the session had an identity before", async ({ store }) => {
    const user = await createForUser(store, "1");
    expectDone(await store.command(user, createMerge(newIdBeside(user), "2")));
    await assertSuperseded(store, { hadIdentity: true }, user);
    const other = await create(store, { fields: { t: "7" }, references: { t: ["7"] } });
    expectDone(await store.command(other, createMerge(newIdBeside(other), "2")));
    await assertSuperseded(store, { hadIdentity: false }, other);
  }),

  commandTest("a merged sign-out by unset rotates, too", async ({ store }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    const answer = expectDone(
      await command(store, id, {
        unset: ["user_id"],
        references: { user_id: [] },
        merge: mergeTo(to),
      }),
    );
    assert.equal(answer.rotated, true);
    await assertSuperseded(store, { hadIdentity: true }, id);
    assert.deepEqual(await readTexts(store, to), {});
    await assertMembers(store, of("user_id", "1"), []);
  }),

  commandTest("a merging change that alters no identity does not rotate", async ({ store }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    const merge = mergeTo(to);
    const drafts: { set: Texts; references?: ReferenceTexts }[] = [
      { set: { theme: "dark" } },
      { set: { user_id: "1" }, references: { user_id: ["1"] } },
      { set: { t: "7" }, references: { t: ["7"] } },
    ];
    for (const draft of drafts) {
      const answer = expectDone(await command(store, id, { ...draft, merge }));
      assert.deepEqual([answer.id, answer.rotated, answer.fields], [id, false, null]);
    }
    assert.equal((await findLive(store, id)).id, id);
    await assertGone(store, to);
    await assertMembers(store, of("user_id", "1"), [id]);
    await assertMembers(store, of("t", "7"), [id]);
  }),

  commandTest(
    "an identity that counts with its first value rotates then alone",
    async ({ store }) => {
      const id = await create(store, { references: { org: ["7"] } });
      const [second, third] = [newIdBeside(id), newIdBeside(id)];
      const become = (from: string, to: string, references: ReferenceTexts) => {
        const identity = ["user_id", "org"];
        const merge = mergeTo(to, { identity, firstOnly: ["user_id"] });
        return command(store, from, { references, merge });
      };
      assert.equal(expectDone(await become(id, second, { user_id: ["1"] })).id, second);
      await assertSuperseded(store, { hadIdentity: true }, id);
      for (const user_id of [["1"], ["2"], ["2", "3"], [], []]) {
        const answer = expectDone(await become(second, newIdBeside(id), { user_id }));
        assert.deepEqual([answer.id, answer.rotated], [second, false]);
      }
      assert.equal(
        expectDone(await become(second, third, { user_id: ["4"] })).id,
        third,
        "its first again",
      );
      const fourth = newIdBeside(id);
      assert.equal(
        expectDone(await become(third, fourth, { user_id: ["5"], org: ["8"] })).id,
        fourth,
      );
      await assertMembers(store, of("user_id", "5"), [fourth]);
    },
  ),

  commandTest("null in place of no identity isn't a sign-in", async ({ store }) => {
    const id = await create(store);
    const answer = expectDone(
      await command(store, id, {
        set: { user_id: "null" },
        references: { user_id: [] },
        merge: mergeTo(newIdBeside(id)),
      }),
    );
    assert.equal(answer.rotated, false);
    assert.deepEqual(await readTexts(store, id), { user_id: "null" });
  }),

  commandTest(
    "any of several identity fields rotates a session that is merged into",
    async ({ store }) => {
      const id = await createForUser(store, "1", { references: { org: ["7", "8"] } });
      const to = newIdBeside(id);
      const merge = mergeTo(to, { identity: ["user_id", "org"] });
      const kept = await command(store, id, { references: { user_id: ["1"] }, merge });
      assert.equal(expectDone(kept).rotated, false);
      const answer = await command(store, id, { references: { org: ["7", "9"] }, merge });
      assert.equal(expectDone(answer).rotated, true);
      await assertSuperseded(store, { hadIdentity: true }, id);
      await assertMembers(store, of("org", "8"), []);
      await assertMembers(store, of("org", "7"), [to]);
      await assertMembers(store, of("org", "9"), [to]);
    },
  ),

  commandTest("a superseded id can do nothing", async ({ store }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    expectDone(await store.command(id, createMerge(to, "2")));
    const before = await findLive(store, to);
    const superseded = { state: "superseded", by: "sign-in", hadIdentity: true };
    assert.deepEqual(await store.find(id, { names: ["user_id"] }), superseded);
    assert.deepEqual(await change(store, id, { set: { user_id: "3" } }), superseded);
    const rotation = createRotation(newIdBeside(id));
    assert.deepEqual(await change(store, id, { rotation }), superseded);
    assert.deepEqual(await store.command(id, createMerge(newIdBeside(id), "3")), superseded);
    assert.equal(await store.end(id), null);
    assert.equal(await store.end(id, { reference: of("user_id", "2") }), null);
    assert.deepEqual(await findLive(store, to), before);
    await assertMembers(store, of("user_id", "2"), [to]);
    await assertMembers(store, of("user_id", "1"), []);
    await assertMembers(store, of("user_id", "3"), []);
  }),

  commandTest(
    "a merged sign-in with no tombstone leaves nothing at the old id",
    async ({ store }) => {
      const id = await createForUser(store, "1");
      const to = newIdBeside(id);
      expectDone(await store.command(id, createMerge(to, "2", { tombstone: 0 })));
      await assertGone(store, id);
      await assertMembers(store, of("user_id", "2"), [to]);
    },
  ),

  commandTest("a merged sign-in through an alias supersedes both old ids", async ({ store }) => {
    const first = await create(store, { fields: { a: "1" } });
    const [second, third] = [newIdBeside(first), newIdBeside(first)];
    expectDone(await change(store, first, { rotation: createRotation(second) }));
    const answer = expectDone(await store.command(first, createMerge(third, "1")));
    assert.deepEqual([answer.id, answer.rotated], [third, true]);
    assert.deepEqual(await readTexts(store, third), { a: "1", user_id: "1" });
    await assertSuperseded(store, { hadIdentity: false }, first, second);
    await assertMembers(store, of("user_id", "1"), [third]);
  }),

  commandTest(
    "a merged sign-in through an alias with no tombstone ends both old ids",
    async ({ store }) => {
      const first = await create(store);
      const [second, third] = [newIdBeside(first), newIdBeside(first)];
      expectDone(await change(store, first, { rotation: createRotation(second) }));
      expectDone(await store.command(first, createMerge(third, "1", { tombstone: 0 })));
      await assertGone(store, first, second);
      assert.equal((await findLive(store, third)).id, third);
    },
  ),

  commandTest("an alias of a superseded id never reaches the session", async ({ store }) => {
    const first = await create(store);
    const [second, third] = [newIdBeside(first), newIdBeside(first)];
    expectDone(await change(store, first, { rotation: createRotation(second) }));
    expectDone(await store.command(second, createMerge(third, "1")));
    await assertSuperseded(store, { hadIdentity: false }, first, second);
    assert.deepEqual(await change(store, first), {
      state: "superseded",
      by: "sign-in",
      hadIdentity: false,
    });
    assert.equal(await store.end(first), null);
    assert.deepEqual(await readTexts(store, third), { user_id: "1" });
  }),

  commandTest("a change through an alias that alters no identity doesn't rotate", async (under) => {
    const { store } = under;
    const first = await createForUser(store, "1");
    const [second, third] = [newIdBeside(first), newIdBeside(first)];
    expectDone(await change(store, first, { rotation: createRotation(second) }));
    const merge = mergeTo(third);
    const answer = expectDone(await command(store, first, { set: { a: "1" }, merge }));
    assert.deepEqual([answer.id, answer.rotated], [second, false]);
    assert.deepEqual(await readTexts(store, second), { user_id: "1", a: "1" });
    await assertGone(store, third);
  }),

  ...[0, HOUR_MS].map((tombstone) =>
    commandTest(
      `a merged sign-in sent twice gives the same answer twice (a tombstone for ${tombstone} ms)`,
      async (under) => {
        const { store, elapse } = under;
        const first = await createForUser(store, "1");
        const [second, third] = [newIdBeside(first), newIdBeside(first)];
        expectDone(await change(store, first, { rotation: createRotation(second) }));
        const sent = createMerge(third, "2", { tombstone });
        const answer = expectDone(await store.command(first, sent));
        await elapse(5);
        assert.deepEqual(await store.command(first, sent), answer);
        assert.deepEqual(pickTimes(await findLive(store, third)), pickTimes(answer.times));
        await assertMembers(store, of("user_id", "1"), []);
        await assertMembers(store, of("user_id", "2"), [third]);
        await store.end(third);
        assert.notEqual((await store.command(first, sent)).state, "changed", "no resurrection");
        await assertGone(store, third);
      },
    ),
  ),

  commandTest("a merged sign-in that is too large supersedes nothing", async ({ store }) => {
    const id = await create(store, { fields: { a: "1" } });
    const sent = createMerge(newIdBeside(id), "1");
    const answer = await store.command(id, { ...sent, maxBytes: 9 });
    assert.deepEqual(answer, { state: "too-large", bytes: 10 });
    assert.deepEqual(await readTexts(store, id), { a: "1" });
    await assertMembers(store, of("user_id", "1"), []);
  }),

  commandTest("an identity of several values rotates when one is added", async ({ store }) => {
    const id = await create(store, { references: { user_id: ["1", "2"] } });
    const to = newIdBeside(id);
    const sent = createCommand({
      references: { user_id: ["1", "2", "3"] },
      merge: mergeTo(to),
    });
    assert.equal(expectDone(await store.command(id, sent)).rotated, true);
    await assertSuperseded(store, { hadIdentity: true }, id);
    for (const text of ["1", "2", "3"]) await assertMembers(store, of("user_id", text), [to]);
  }),

  commandTest("a merged session keeps its lineage", async ({ store }) => {
    const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
    const merged = newIdBeside(first);
    assert.equal(expectDone(await store.command(second, createMerge(merged, "2"))).lineage, first);
    await store.changeAll(of("user_id", "2"), createChanges({ set: { b: "1" } }));
    assert.equal((await findLive(store, merged)).lineage, first);
    assert.equal((await findLive(store, merged)).id, merged);
    assert.equal(await store.end(first, { byName: true }), first);
  }),

  commandTest(
    "a change that names less than a merged sign-in does not supersede it",
    async ({ store }) => {
      const identity = ["user_id", "org"];
      const merged = async (references: ReferenceTexts) => {
        const id = await create(store);
        const merge = mergeTo(newIdBeside(id), { identity });
        expectDone(await command(store, id, { references, merge }));
        return id;
      };
      const told = async (id: string, references: ReferenceTexts) => {
        const rotation = createRotation(newIdBeside(id), { when: "user-changes", identity });
        const merge = mergeTo(newIdBeside(id), { identity });
        const answer = await change(store, id, { references, rotation });
        assert.deepEqual(await command(store, id, { references, merge }), answer);
        assert.equal(answer.state, "superseded");
        return answer.state === "superseded" && answer.hadIdentity;
      };
      const user = await merged({ user_id: ["1"], org: [] });
      assert.equal(await told(user, { user_id: ["1"] }), false);
      assert.equal(await told(user, { org: ["7"] }), true);
      assert.equal(await told(user, { t: ["7"] }), false, "it names none of them");
      const both = await merged({ user_id: ["1"], org: ["7"] });
      assert.equal(await told(both, { user_id: ["1"] }), true);
      assert.equal(await told(both, { org: ["8"], user_id: ["1"] }), false);
    },
  ),

  commandTest("an expired session cannot be merged into", async ({ store, elapse }) => {
    const id = await createForUser(store, "1", { idleTimeout: SOON_MS });
    await elapse(PAST_SOON_MS);
    const to = newIdBeside(id);
    assert.deepEqual(await store.command(id, createMerge(to, "2")), { state: "gone" });
    await assertGone(store, id, to);
    await assertMembers(store, of("user_id", "2"), []);
  }),

  commandTest("of parallel merges on one id one is done", async ({ store }) => {
    const id = await createForUser(store, "0");
    const users = Array.from({ length: 8 }, (_, i) => `user ${i}`);
    const answers = await Promise.all(
      users.map((user) => store.command(id, createMerge(newIdBeside(id), user))),
    );
    const winners = users.filter((_, i) => answers[i]?.state === "changed");
    assert.equal(winners.length, 1);
    assert.equal(answers.filter(({ state }) => state === "superseded").length, users.length - 1);
    for (const user of users) {
      assert.equal(await store.count(of("user_id", user)), user === winners[0] ? 1 : 0);
    }
  }),

  commandTest("no command that races with end brings the session back", async ({ store }) => {
    for (let round = 0; round < 10; round++) {
      const id = await createForUser(store, "1");
      const to = newIdBeside(id);
      await Promise.all([
        command(store, id, { set: { a: "1" }, absoluteTimeout: HOUR_MS }),
        store.command(id, createMerge(to, "2")),
        store.end(id),
        command(store, id, { replace: true }),
      ]);
      await store.end(to);
      await assertMembers(store, of("user_id", "1"), []);
      await assertMembers(store, of("user_id", "2"), []);
      assert.notEqual((await store.find(id)).state, "live");
      await assertGone(store, to);
    }
  }),
];
