import assert from "node:assert/strict";
import type { SessionStore } from "../../store/contract.ts";
import { newId, newIdBeside } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  change,
  createOf,
  DAY,
  done,
  HOUR,
  live,
  mergeUser,
  of,
  PAST_SOON,
  renewed,
  rotationTo,
  SOON,
  texts,
  timesOf,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

/* Changes by somebody who says himself when a session ends, which one he means and what is left of it. */

const USER = of("user_id", "1");
const WITHOUT_IDLE = { idleTimeout: null } as const;

/** A session whose deadline was SOON, and was moved before it came: where that was too late, another. */
async function prolonged(store: SessionStore): Promise<string> {
  for (let tries = 100; tries > 0; tries--) {
    const id = await createOf(store, "1", { ...WITHOUT_IDLE, absoluteTimeout: SOON });
    const { state } = await change(store, id, { absoluteTimeout: DAY });
    if (state === "changed") return id;
    assert.equal(state, "gone");
  }
  assert.fail("a session that has a moment to live is always gone");
}

export const commanding: readonly StoreTest[] = [
  storeTest("create takes an exact deadline", async ({ store }) => {
    const absoluteDeadline = (await now(store)) + 12_345;
    const id = await createOf(store, "1", { ...WITHOUT_IDLE, absoluteDeadline });
    const session = await live(store, id);
    assert.equal(session.absoluteDeadline, absoluteDeadline);
    assert.equal(session.expiresAt, absoluteDeadline);
    await assertMembers(store, USER, [id]);
  }),

  storeTest("create makes nothing where the deadline has passed", async ({ store }) => {
    for (const past of [-1, 0, 1, (await now(store)) - 1]) {
      const id = await createOf(store, "1", { absoluteDeadline: past });
      await assertGone(store, id);
    }
    await assertMembers(store, USER, []);
  }),

  storeTest("change moves the absolute deadline either way, by how long", async ({ store }) => {
    const id = await createOf(store, "1", { ...WITHOUT_IDLE, absoluteTimeout: HOUR });
    for (const absoluteTimeout of [DAY, HOUR / 2, 2 * DAY]) {
      const { times } = done(await change(store, id, { absoluteTimeout }));
      assert.equal(times.expiresAt, times.lastSeenAt + absoluteTimeout);
      assert.equal((await live(store, id)).absoluteDeadline, times.expiresAt);
    }
    await assertMembers(store, USER, [id]);
  }),

  storeTest("change moves the absolute deadline either way, to a moment", async ({ store }) => {
    const id = await createOf(store, "1", { ...WITHOUT_IDLE, absoluteTimeout: DAY });
    const start = await now(store);
    for (const absoluteDeadline of [start + HOUR + 1, start + 3 * DAY + 2, start + HOUR]) {
      const { times } = done(await change(store, id, { absoluteDeadline }));
      assert.equal(times.expiresAt, absoluteDeadline);
      assert.equal((await live(store, id)).expiresAt, absoluteDeadline);
    }
    done(await change(store, id, { set: { a: "1" } }));
    assert.equal((await live(store, id)).expiresAt, start + HOUR, "no other change moves it");
    await assertMembers(store, USER, [id]);
  }),

  storeTest("the idle deadline holds beside a new absolute one", async ({ store }) => {
    const id = await createOf(store, "1", { idleTimeout: HOUR, absoluteTimeout: HOUR });
    const { times } = done(await change(store, id, { absoluteTimeout: DAY }));
    assert.equal(times.expiresAt, times.lastSeenAt + HOUR);
  }),

  storeTest("a session ends at its new deadline, and its entry with it", async (under) => {
    const { store, elapse } = under;
    const id = await createOf(store, "1", { ...WITHOUT_IDLE, absoluteTimeout: DAY });
    done(await change(store, id, { absoluteTimeout: SOON }));
    const kept = await prolonged(store);
    await elapse(PAST_SOON);
    await assertGone(store, id);
    await assertMembers(store, USER, [kept]);
  }),

  storeTest("a deadline that has passed ends the session", async ({ store }) => {
    for (const past of [-1, 0, (await now(store)) - 1]) {
      const id = await createOf(store, "1");
      const answer = await change(store, id, {
        set: { user_id: "2" },
        references: { user_id: ["2"] },
        absoluteDeadline: past,
      });
      assert.equal(done(answer).times.absoluteDeadline, past);
      await assertGone(store, id);
    }
    await assertMembers(store, USER, []);
    await assertMembers(store, of("user_id", "2"), []);
  }),

  storeTest("a deadline that has passed ends a rotated session", async ({ store }) => {
    for (const past of [-1, 0, 1, (await now(store)) - 1]) {
      const [first = "", second = ""] = await renewed(store, await createOf(store, "1"), 1);
      const answer = await change(store, second, { set: { a: "1" }, absoluteDeadline: past });
      assert.equal(done(answer).times.absoluteDeadline, past);
      await assertGone(store, first, second);
      assert.deepEqual(await store.find(first, { byName: true }), { state: "gone" });
      const id = await createOf(store, "1");
      const rotation = rotationTo(newIdBeside(id), { grace: 0 });
      done(await change(store, id, { rotation, absoluteDeadline: past }));
      await assertGone(store, id, rotation.to);
    }
    await assertMembers(store, USER, []);
  }),

  storeTest("replace takes away all other fields and their references", async ({ store }) => {
    const id = await createOf(store, "1", {
      fields: { a: "1", b: "2" },
      references: { team: ["7", "8"] },
    });
    done(
      await change(store, id, {
        set: { user_id: "1", b: "3", c: "4" },
        references: { user_id: ["1"] },
        replace: true,
      }),
    );
    assert.deepEqual(await texts(store, id), { user_id: "1", b: "3", c: "4" });
    await assertMembers(store, USER, [id]);
    for (const team of ["7", "8"]) await assertMembers(store, of("team", team), []);
    done(await change(store, id, { replace: true }));
    assert.deepEqual(await texts(store, id), {});
    await assertMembers(store, USER, []);
  }),

  storeTest("what is replaced does not count as bytes", async ({ store }) => {
    const id = await createOf(store, "1", { fields: { big: "x".repeat(100) } });
    done(await change(store, id, { set: { a: "1" }, replace: true, maxBytes: 2 }));
    const over = await change(store, id, { set: { b: "12" }, replace: true, maxBytes: 2 });
    assert.deepEqual(over, { state: "too-large", bytes: 3 });
    assert.deepEqual(await texts(store, id), { a: "1" });
  }),

  storeTest("change with `where` changes a session that has the value", async ({ store }) => {
    const id = await createOf(store, "1", { references: { team: ["7", "8"] } });
    const where = of("team", "8");
    done(await change(store, id, { set: { a: "1" }, where }));
    assert.equal((await live(store, id)).fields.get("a"), "1");
  }),

  storeTest("change with `where` leaves any other session as it is", async ({ store }) => {
    const id = await createOf(store, "1");
    const before = await live(store, id);
    const answer = await change(store, id, {
      set: { a: "1" },
      absoluteTimeout: SOON,
      replace: true,
      where: of("user_id", "2"),
    });
    assert.deepEqual(answer, { state: "elsewhere" });
    assert.deepEqual(await live(store, id), before);
    assert.equal(await store.end(id), id);
    const gone = await change(store, id, { set: { a: "1" }, where: USER });
    assert.deepEqual(gone, { state: "gone" });
  }),

  storeTest("change with `create` makes the session where there is none", async ({ store }) => {
    const id = newId(store.shards);
    const made = {
      set: { user_id: "1", a: "2" },
      references: { user_id: ["1"] },
      absoluteTimeout: HOUR,
      create: true,
      where: of("user_id", "1"),
    };
    const { times, rotated } = done(await change(store, id, made));
    assert.equal(rotated, false);
    assert.equal(times.createdAt, times.lastSeenAt);
    assert.equal(times.idleTimeout, null);
    assert.equal(times.expiresAt, times.lastSeenAt + HOUR);
    assert.deepEqual(await texts(store, id), made.set);
    assert.deepEqual(timesOf(await live(store, id)), timesOf(times));
    await assertMembers(store, USER, [id]);
  }),

  storeTest("and changes it like any other where there is one", async ({ store }) => {
    const id = await createOf(store, "1", { ...WITHOUT_IDLE, absoluteTimeout: DAY });
    const { createdAt } = await live(store, id);
    done(await change(store, id, { set: { a: "1" }, create: true, absoluteTimeout: HOUR }));
    assert.equal((await live(store, id)).createdAt, createdAt);
    assert.deepEqual(await texts(store, id), { user_id: "1", a: "1" });
    const where = of("user_id", "2");
    const answer = await change(store, id, { create: true, absoluteTimeout: HOUR, where });
    assert.deepEqual(answer, { state: "elsewhere" });
  }),

  storeTest("a session made by a change ends as others do", async ({ store, elapse }) => {
    const [empty, brief, past, large] = Array.from({ length: 4 }, () => newId(store.shards));
    assert.ok(empty && brief && past && large, "there are four ids");
    done(await change(store, empty, { create: true, absoluteTimeout: HOUR }));
    assert.deepEqual(await texts(store, empty), {});
    assert.equal(await store.end(empty), empty);
    const references = { user_id: ["1"] };
    done(await change(store, brief, { references, create: true, absoluteTimeout: SOON }));
    done(await change(store, past, { references, create: true, absoluteDeadline: 1 }));
    const answer = await change(store, large, {
      set: { a: "12" },
      references,
      create: true,
      absoluteTimeout: HOUR,
      maxBytes: 2,
    });
    assert.deepEqual(answer, { state: "too-large", bytes: 3 });
    await elapse(PAST_SOON);
    await assertGone(store, empty, brief, past, large);
    await assertMembers(store, USER, []);
  }),

  storeTest(
    "change with `create` makes nothing in the place of a sign-in's old id",
    async (under) => {
      const { store } = under;
      const id = await createOf(store, "1");
      const to = newIdBeside(id);
      await store.change(id, mergeUser(to, "2"));
      const answer = await change(store, id, { create: true, absoluteTimeout: HOUR });
      assert.deepEqual(answer, { state: "superseded", by: "sign-in", hadIdentity: true });
      await live(store, to);
    },
  ),

  storeTest(
    'change with `create: "anew"` makes the session also where one was ended',
    async (under) => {
      const { store } = under;
      const id = await createOf(store, "1", { fields: { old: "1" } });
      const made = {
        set: { user_id: "2", a: "2" },
        references: { user_id: ["2"] },
        absoluteTimeout: HOUR,
        replace: true,
      } as const;
      assert.equal(await store.end(id, { tombstone: { stays: HOUR } }), id);
      const refused = await change(store, id, { ...made, create: true });
      assert.equal(refused.state, "superseded");
      const { times } = done(await change(store, id, { ...made, create: "anew" }));
      assert.equal(times.createdAt, times.lastSeenAt);
      assert.equal(times.expiresAt, times.lastSeenAt + HOUR);
      assert.deepEqual(await texts(store, id), made.set);
      assert.deepEqual(timesOf(await live(store, id)), timesOf(times));
      await assertMembers(store, USER, []);
      await assertMembers(store, of("user_id", "2"), [id]);
      assert.equal(await store.end(id), id);
      await assertGone(store, id);
    },
  ),

  storeTest("and not in the place of a sign-in's old id", async ({ store }) => {
    const id = await createOf(store, "1");
    await store.change(id, mergeUser(newIdBeside(id), "2"));
    const answer = await change(store, id, { create: "anew", absoluteTimeout: HOUR });
    assert.deepEqual(answer, { state: "superseded", by: "sign-in", hadIdentity: true });
  }),

  storeTest("a store of one part takes any text but an empty one for an id", async ({ store }) => {
    if (store.shards > 1) return;
    const ids = [" ", "*", "}", "{b}", "a:b", "zz", "s:1 2", "é\n\0", "__proto__", "x".repeat(999)];
    for (const id of ids) await createOf(store, "1", { id, fields: { own: id } });
    for (const id of ids) assert.equal((await live(store, id)).fields.get("own"), id);
    await assertMembers(store, USER, ids);
    done(await change(store, "*", { set: { a: "1" } }));
    assert.equal(await store.end("*"), "*");
    await assertMembers(
      store,
      USER,
      ids.filter((id) => id !== "*"),
    );
  }),
];

/** The time on the store's clock. */
async function now(store: Parameters<typeof live>[0]): Promise<number> {
  return (await live(store, await createOf(store, "somebody"))).createdAt;
}
