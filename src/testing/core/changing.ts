import assert from "node:assert/strict";
import { newId, newIdBeside } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  change,
  create,
  createForUser,
  createRotation,
  DAY_MS,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  pickTimes,
  readTexts,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

/** A session that lives for so long is not too short for any machine. */
const LONG_MS = 60_000;

export const changing: readonly StoreTest[] = [
  storeTest("change merges fields", async ({ store }) => {
    const id = await create(store, { fields: { a: "1", b: "2" } });
    const answer = expectDone(await change(store, id, { set: { b: "3", c: "4" } }));
    assert.deepEqual(await readTexts(store, id), { a: "1", b: "3", c: "4" });
    assert.equal(answer.id, id);
    assert.equal(answer.rotated, false);
    assert.equal(answer.fields, null);
    assert.deepEqual(pickTimes(answer.times), pickTimes(await findLive(store, id)));
  }),

  storeTest("change unsets fields, and an absent one isn't an error", async ({ store }) => {
    const id = await create(store, { fields: { a: "1", b: "2", c: "3" } });
    expectDone(await change(store, id, { set: { d: "4" }, unset: ["a", "c", "absent"] }));
    assert.deepEqual(await readTexts(store, id), { b: "2", d: "4" });
  }),

  storeTest("a session whose last field is unset lives on", async ({ store }) => {
    const id = await create(store, { fields: { a: "1" } });
    expectDone(await change(store, id, { unset: ["a"] }));
    assert.deepEqual(await readTexts(store, id), {});
  }),

  storeTest("change never creates", async ({ store }) => {
    const id = newId(store.shards);
    const answer = await change(store, id, {
      set: { user_id: "1" },
      references: { user_id: ["1"] },
    });
    assert.deepEqual(answer, { state: "gone" });
    await assertGone(store, id);
    await assertMembers(store, of("user_id", "1"), []);
  }),

  storeTest("change never brings an ended session back", async ({ store }) => {
    const id = await createForUser(store, "1");
    assert.equal(await store.end(id), id);
    const answer = await change(store, id, {
      set: { user_id: "1" },
      references: { user_id: ["1"] },
    });
    assert.deepEqual(answer, { state: "gone" });
    await assertGone(store, id);
    await assertMembers(store, of("user_id", "1"), []);
  }),

  storeTest("change of one session leaves the others alone", async ({ store }) => {
    const [a, b] = [await createForUser(store, "1"), await createForUser(store, "1")];
    expectDone(await change(store, a, { set: { user_id: "2" }, references: { user_id: ["2"] } }));
    assert.deepEqual(await readTexts(store, b), { user_id: "1" });
    await assertMembers(store, of("user_id", "1"), [b]);
    await assertMembers(store, of("user_id", "2"), [a]);
  }),

  storeTest("change pushes the idle deadline forward", async ({ store, elapse }) => {
    const id = await create(store);
    const before = await findLive(store, id);
    await elapse(30);
    const { times } = expectDone(await change(store, id));
    assert.ok(times.lastSeenAt >= before.lastSeenAt + 30, "a change uses the session");
    assert.deepEqual(pickTimes(times), {
      ...pickTimes(before),
      lastSeenAt: times.lastSeenAt,
      expiresAt: times.lastSeenAt + HOUR_MS,
    });
    assert.deepEqual(pickTimes(await findLive(store, id)), pickTimes(times));
  }),

  storeTest("a change of fields counts as use where a read would", async ({ store, elapse }) => {
    const id = await createForUser(store, "1");
    const before = pickTimes(await findLive(store, id));
    for (const fields of [{ set: { a: "1" } }, { unset: ["a"] }, { unset: ["none"] }]) {
      await elapse(3);
      assert.deepEqual(pickTimes(expectDone(await change(store, id, fields)).times), before);
    }
    const moved = { set: { user_id: "2" }, references: { user_id: ["2"] } };
    assert.deepEqual(pickTimes(expectDone(await change(store, id, moved)).times), before);
    assert.deepEqual(pickTimes(await findLive(store, id)), before, "nothing has moved");
    await assertMembers(store, of("user_id", "1"), []);
    await assertMembers(store, of("user_id", "2"), [id]);
    // On a slow machine a session may expire between two steps. Then begin again, with more time.
    for (let idleTimeout = 4000; ; idleTimeout *= 2) {
      const start = performance.now();
      const twentieth = idleTimeout / 20;
      const short = await createForUser(store, "2", { idleTimeout, absoluteTimeout: null });
      try {
        for (const fields of [{ set: { a: "1" } }, { unset: ["a"] }, moved]) {
          const { lastSeenAt } = await findLive(store, short);
          await elapse(twentieth + 5);
          const { times } = expectDone(await change(store, short, fields));
          assert.ok(times.lastSeenAt >= lastSeenAt + twentieth, "after a twentieth it counts");
          assert.equal(times.expiresAt, times.lastSeenAt + idleTimeout);
          assert.deepEqual(pickTimes(await findLive(store, short)), pickTimes(times));
        }
        await assertMembers(store, of("user_id", "2"), [id, short]);
        return;
      } catch (error) {
        if (performance.now() - start < idleTimeout / 2 || idleTimeout > LONG_MS) throw error;
        if ((await store.find(short)).state !== "gone") throw error;
      }
    }
  }),

  storeTest("what is no change of fields alone always counts as use", async ({ store, elapse }) => {
    let id = await create(store);
    let { lastSeenAt } = await findLive(store, id);
    const set = { a: "1" };
    for (const given of [
      {},
      { set, idleTimeout: HOUR_MS },
      { set, rotation: createRotation(newIdBeside(id)) },
    ]) {
      await elapse(5);
      const done = expectDone(await change(store, id, given));
      assert.ok(done.times.lastSeenAt > lastSeenAt, `with ${Object.keys(given)}`);
      assert.deepEqual(pickTimes(await findLive(store, done.id)), pickTimes(done.times));
      [id, lastSeenAt] = [done.id, done.times.lastSeenAt];
    }
  }),

  storeTest("maxBytes holds over many small writes", async ({ store }) => {
    const id = await create(store, { fields: {} });
    const maxBytes = 1210;
    let bytes = 0;
    for (let n = 100; n < 160; n++) {
      const answer = await change(store, id, {
        set: { [`n${n}`]: "-9223372036854775808" },
        maxBytes,
      });
      if (bytes + 24 > maxBytes)
        assert.deepEqual(answer, { state: "too-large", bytes: bytes + 24 });
      else {
        expectDone(answer);
        bytes += 24;
      }
    }
    assert.equal(bytes, 1200);
    const same = { set: { n100: "1" }, unset: ["n101"], maxBytes };
    expectDone(await change(store, id, same));
    assert.equal((await readTexts(store, id)).n101, undefined);
  }),

  storeTest("change never moves the absolute deadline", async ({ store, elapse }) => {
    const id = await create(store, { idleTimeout: HOUR_MS, absoluteTimeout: HOUR_MS + 10 });
    const before = await findLive(store, id);
    await elapse(30);
    const { times } = expectDone(await change(store, id));
    assert.equal(times.absoluteDeadline, before.absoluteDeadline);
    assert.equal(times.expiresAt, before.absoluteDeadline, "the idle deadline is now further away");
    const longer = expectDone(await change(store, id, { idleTimeout: DAY_MS })).times;
    assert.equal(longer.expiresAt, before.absoluteDeadline);
    assert.deepEqual(pickTimes(await findLive(store, id)), pickTimes(longer));
  }),

  storeTest("change replaces the idle timeout, longer or shorter", async ({ store }) => {
    const id = await createForUser(store, "1", { absoluteTimeout: null });
    for (const idleTimeout of [2 * HOUR_MS, HOUR_MS / 2, DAY_MS]) {
      const { times } = expectDone(await change(store, id, { idleTimeout }));
      assert.equal(times.idleTimeout, idleTimeout);
      assert.equal(times.expiresAt, times.lastSeenAt + idleTimeout);
      assert.deepEqual(pickTimes(await findLive(store, id)), pickTimes(times));
    }
    expectDone(await change(store, id, { set: { a: "1" } }));
    assert.equal((await findLive(store, id)).idleTimeout, DAY_MS, "a later change keeps it");
    await assertMembers(store, of("user_id", "1"), [id]);
  }),

  storeTest("change gives a session without an idle timeout one", async ({ store }) => {
    const id = await create(store, { idleTimeout: null });
    assert.equal(expectDone(await change(store, id)).times.idleTimeout, null);
    const { times } = expectDone(await change(store, id, { idleTimeout: HOUR_MS }));
    assert.equal(times.idleTimeout, HOUR_MS);
    assert.equal(times.expiresAt, times.lastSeenAt + HOUR_MS);
  }),

  storeTest("maxBytes counts the names and values of the merged fields", async ({ store }) => {
    // "a1" is 2 bytes, "bb" and "12345" 7, "é" and "€" 2 + 3: 14 in all.
    const id = await create(store, { fields: { a: "1", old: "x" } });
    const set = { bb: "12345", é: "€" };
    const over = await change(store, id, { set, unset: ["old"], maxBytes: 13 });
    assert.deepEqual(over, { state: "too-large", bytes: 14 });
    assert.deepEqual(await readTexts(store, id), { a: "1", old: "x" }, "nothing was done");
    expectDone(await change(store, id, { set, unset: ["old"], maxBytes: 14 }));
    assert.deepEqual(await readTexts(store, id), { a: "1", ...set });
  }),

  storeTest("maxBytes counts a replaced value once", async ({ store }) => {
    const id = await create(store, { fields: { a: "x".repeat(100) } });
    expectDone(await change(store, id, { set: { a: "y".repeat(99) }, maxBytes: 100 }));
    const answer = await change(store, id, { set: { a: "z".repeat(100) }, maxBytes: 100 });
    assert.deepEqual(answer, { state: "too-large", bytes: 101 });
    assert.deepEqual(await readTexts(store, id), { a: "y".repeat(99) });
  }),

  storeTest(
    "a change that is too large changes no set and no deadline",
    async ({ store, elapse }) => {
      const id = await createForUser(store, "1");
      const before = await findLive(store, id);
      await elapse(10);
      const answer = await change(store, id, {
        set: { user_id: "2", big: "x".repeat(100) },
        references: { user_id: ["2"] },
        idleTimeout: DAY_MS,
        maxBytes: 100,
      });
      assert.equal(answer.state, "too-large");
      assert.deepEqual(await findLive(store, id), before);
      await assertMembers(store, of("user_id", "1"), [id]);
      await assertMembers(store, of("user_id", "2"), []);
    },
  ),

  storeTest(
    "the references of a session do not count as bytes of its fields",
    async ({ store }) => {
      const values = Array.from({ length: 100 }, (_, i) => `team-${i}`);
      const id = await create(store, { fields: { t: "[]" }, references: { t: values } });
      expectDone(await change(store, id, { set: { a: "1" }, maxBytes: 5 }));
      const answer = await change(store, id, { set: { ab: "1" }, maxBytes: 5 });
      assert.deepEqual(answer, { state: "too-large", bytes: 8 });
    },
  ),
];
