import assert from "node:assert/strict";
import { newId, newIdBeside } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  assertSuperseded,
  change,
  create,
  createChange,
  createForUser,
  createRotation,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  pickTimes,
  readTexts,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

export const rotating: readonly StoreTest[] = [
  storeTest("a rotation gives the session a new id and keeps its data", async (under) => {
    const { store, elapse } = under;
    const id = await createForUser(store, "1", {
      fields: { theme: "dark" },
      references: { t: ["7"] },
    });
    const before = await findLive(store, id);
    await elapse(10);
    const to = newIdBeside(id);
    const answer = expectDone(await change(store, id, { rotation: createRotation(to) }));
    assert.equal(answer.id, to);
    assert.equal(answer.rotated, true);
    assert.deepEqual(answer.fields, before.fields);

    const after = await findLive(store, to);
    assert.equal(after.id, to);
    assert.deepEqual(after.fields, before.fields);
    assert.deepEqual(pickTimes(answer.times), pickTimes(after));
    assert.equal(after.createdAt, before.createdAt);
    assert.equal(after.idleTimeout, before.idleTimeout);
    assert.equal(after.absoluteDeadline, before.absoluteDeadline);
    assert.ok(after.lastSeenAt >= before.lastSeenAt + 10, "a rotation uses the session");
    assert.equal(after.expiresAt, after.lastSeenAt + HOUR_MS);
    await assertMembers(store, of("user_id", "1"), [to]);
    await assertMembers(store, of("t", "7"), [to]);
  }),

  storeTest("a rotation carries changes", async ({ store }) => {
    const id = await createForUser(store, "1", {
      fields: { a: "1", b: "2" },
      references: { t: ["7"] },
    });
    const to = newIdBeside(id);
    const answer = expectDone(
      await change(store, id, {
        set: { a: "3", t: "[7,8]" },
        unset: ["b"],
        references: { t: ["8", "9"] },
        idleTimeout: 2 * HOUR_MS,
        rotation: createRotation(to),
      }),
    );
    const expected = { user_id: "1", a: "3", t: "[7,8]" };
    assert.deepEqual(Object.fromEntries(answer.fields ?? []), expected);
    assert.deepEqual(await readTexts(store, to), expected);
    assert.equal((await findLive(store, to)).idleTimeout, 2 * HOUR_MS);
    await assertMembers(store, of("t", "7"), []);
    await assertMembers(store, of("t", "8"), [to]);
    await assertMembers(store, of("t", "9"), [to]);
  }),

  storeTest("a rotated session can be changed, rotated and ended again", async ({ store }) => {
    const first = await createForUser(store, "1");
    const second = newIdBeside(first);
    expectDone(await change(store, first, { rotation: createRotation(second) }));
    expectDone(
      await change(store, second, { set: { user_id: "2" }, references: { user_id: ["2"] } }),
    );
    const third = newIdBeside(first);
    expectDone(await change(store, second, { rotation: createRotation(third) }));
    assert.deepEqual(await readTexts(store, third), { user_id: "2" });
    await assertMembers(store, of("user_id", "1"), []);
    await assertMembers(store, of("user_id", "2"), [third]);
    assert.equal(await store.end(third), first);
    await assertMembers(store, of("user_id", "2"), []);
    await assertGone(store, first, second, third);
  }),

  storeTest("the old id leads to the session for its grace time", async ({ store }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    expectDone(await change(store, id, { rotation: createRotation(to) }));
    assert.deepEqual(await findLive(store, id), await findLive(store, to));
    assert.deepEqual(
      await findLive(store, id, ["user_id"]),
      await findLive(store, to, ["user_id"]),
    );
    assert.equal((await findLive(store, id, ["absent"])).fields.size, 0);
  }),

  storeTest("an alias is in no set, but has follows it", async ({ store }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    expectDone(await change(store, id, { rotation: createRotation(to) }));
    await assertMembers(store, of("user_id", "1"), [to]);
    assert.equal(await store.has(of("user_id", "1"), id), true);
    assert.equal(await store.has(of("user_id", "2"), id), false);
  }),

  storeTest("a change through an alias changes the session", async ({ store }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    expectDone(await change(store, id, { rotation: createRotation(to) }));
    const answer = expectDone(
      await change(store, id, {
        set: { a: "1" },
        references: { t: ["7"] },
        idleTimeout: 2 * HOUR_MS,
      }),
    );
    assert.equal(answer.id, to);
    assert.equal(answer.rotated, false);
    assert.deepEqual(await readTexts(store, to), { user_id: "1", a: "1" });
    assert.equal((await findLive(store, to)).idleTimeout, 2 * HOUR_MS);
    await assertMembers(store, of("t", "7"), [to]);
    const large = await change(store, id, { set: { b: "x" }, maxBytes: 11 });
    assert.deepEqual(large, { state: "too-large", bytes: 12 });
  }),

  storeTest("a way in leads over three aliases, and no further", async ({ store }) => {
    const ids = [await createForUser(store, "1")];
    for (let hop = 0; hop < 4; hop++) {
      const [from = ""] = ids.slice(-1);
      const to = newIdBeside(from);
      expectDone(await change(store, from, { rotation: createRotation(to) }));
      ids.push(to);
    }
    const [first = "", ...rest] = ids;
    const last = rest.at(-1) ?? "";
    for (const [hops, id] of rest.reverse().entries()) {
      assert.equal((await findLive(store, id)).id, last, `${hops} hops`);
      assert.equal(expectDone(await change(store, id, { set: { hops: String(hops) } })).id, last);
      assert.equal(await store.has(of("user_id", "1"), id), true);
      assert.deepEqual(await readTexts(store, last), { user_id: "1", hops: String(hops) });
    }
    // This differs from an id that never was: its request must not start a session of its own.
    await assertSuperseded(store, { hadIdentity: true }, first);
    const superseded = { state: "superseded", by: "sign-in", hadIdentity: true };
    assert.deepEqual(await change(store, first, { set: { hops: "4" } }), superseded);
    const rotation = createRotation(newIdBeside(first));
    assert.deepEqual(await change(store, first, { rotation }), superseded);
    assert.deepEqual(await readTexts(store, last), { user_id: "1", hops: "3" }, "nothing was done");
    await assertMembers(store, of("user_id", "1"), [last]);
  }),

  storeTest("a rotation with no grace ends the old id at once", async ({ store }) => {
    const id = await createForUser(store, "1");
    const to = newIdBeside(id);
    expectDone(await change(store, id, { rotation: createRotation(to, { grace: 0 }) }));
    await assertGone(store, id);
    assert.deepEqual(await change(store, id, { set: { a: "1" } }), { state: "gone" });
    assert.equal(await store.end(id), null);
    assert.deepEqual(await readTexts(store, to), { user_id: "1" });
    await assertMembers(store, of("user_id", "1"), [to]);
  }),

  storeTest("a rotation with no grace ends older aliases too", async ({ store }) => {
    const [first, second, third] = await createThreeIds(await createForUser(store, "1"));
    expectDone(await change(store, first, { rotation: createRotation(second) }));
    expectDone(await change(store, second, { rotation: createRotation(third, { grace: 0 }) }));
    await assertGone(store, first, second);
    assert.equal((await findLive(store, third)).id, third);
  }),

  storeTest(
    "a rotation through an alias does nothing and says alias",
    async ({ store, elapse }) => {
      const [first, second, third] = await createThreeIds(await createForUser(store, "1"));
      expectDone(await change(store, first, { rotation: createRotation(second) }));
      const before = await findLive(store, second);
      await elapse(5);
      const answer = await change(store, first, {
        set: { a: "1" },
        unset: ["user_id"],
        references: { t: ["7"] },
        rotation: createRotation(third, { identity: [] }),
      });
      assert.deepEqual(answer, { state: "alias" });
      await assertGone(store, third);
      assert.deepEqual(
        await findLive(store, second),
        before,
        "nothing was done, no deadline moved",
      );
      await assertMembers(store, of("t", "7"), []);
      await assertMembers(store, of("user_id", "1"), [second]);
    },
  ),

  storeTest("a rotation of what is gone makes nothing", async ({ store }) => {
    const ended = await createForUser(store, "1");
    await store.end(ended);
    for (const id of [ended, newId(store.shards)]) {
      const to = newIdBeside(id);
      const answer = await change(store, id, { set: { a: "1" }, rotation: createRotation(to) });
      assert.deepEqual(answer, { state: "gone" });
      await assertGone(store, id, to);
    }
    await assertMembers(store, of("user_id", "1"), []);
  }),

  storeTest("a rotation that is too large does nothing", async ({ store }) => {
    const id = await create(store, { fields: { a: "1" } });
    const to = newIdBeside(id);
    const answer = await change(store, id, {
      set: { b: "1" },
      maxBytes: 3,
      rotation: createRotation(to),
    });
    assert.deepEqual(answer, { state: "too-large", bytes: 4 });
    await assertGone(store, to);
    assert.equal((await findLive(store, id)).id, id);
    assert.deepEqual(await readTexts(store, id), { a: "1" });
  }),

  ...[0, HOUR_MS].map((grace) =>
    storeTest(
      `a rotation sent twice gives the same answer twice (grace ${grace})`,
      async (under) => {
        const { store, elapse } = under;
        const id = await createForUser(store, "1", { fields: { a: "1" } });
        const to = newIdBeside(id);
        const sent = createChange({ set: { a: "2" }, rotation: createRotation(to, { grace }) });
        const first = expectDone(await store.change(id, sent));
        await elapse(5);
        assert.deepEqual(await store.change(id, sent), first);
        assert.deepEqual(pickTimes(await findLive(store, to)), pickTimes(first.times));

        expectDone(await change(store, to, { set: { a: "3" } }));
        const late = expectDone(await store.change(id, sent));
        assert.deepEqual([late.id, late.rotated], [to, true]);
        assert.deepEqual(
          await readTexts(store, to),
          { user_id: "1", a: "3" },
          "nothing more changed",
        );
        await assertMembers(store, of("user_id", "1"), [to]);

        await store.end(to);
        assert.notEqual((await store.change(id, sent)).state, "changed", "no resurrection");
        await assertGone(store, to);
        await assertMembers(store, of("user_id", "1"), []);
      },
    ),
  ),
];

async function createThreeIds(first: string): Promise<[string, string, string]> {
  return [first, newIdBeside(first), newIdBeside(first)];
}
