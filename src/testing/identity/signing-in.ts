import assert from "node:assert/strict";
import { newId, newIdBeside } from "../ids.ts";
import {
  assertDeleted,
  assertGone,
  assertMembers,
  assertSuperseded,
  change,
  create,
  createForUser,
  createRotation,
  createSignIn,
  DAY_MS,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  PAST_SOON_MS,
  pickTimes,
  readTexts,
  renew,
  SOON_MS,
  signIn,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

const USER = of("user_id", "1");
const CART = { cart: "[1]", t: "[7,8]" };
const TEAMS = { t: ["7", "8"] };
const KEEP = ["cart", "t", "absent"];

/** What a sign-in makes, ends and keeps. */
export const signingIn: readonly StoreTest[] = [
  storeTest("a sign-in where there is no session makes one", async ({ store }) => {
    const id = newId(store.shards);
    const { to, answer } = await signIn(store, id, "1", { fields: { theme: "dark" }, keep: KEEP });
    const fields = { user_id: "1", theme: "dark" };
    assert.deepEqual(Object.fromEntries(answer.fields), fields);
    assert.equal(answer.ended, false);
    const session = await findLive(store, to);
    assert.equal(session.id, to);
    assert.equal(session.lineage, to);
    assert.deepEqual(await readTexts(store, to), fields);
    assert.deepEqual(pickTimes(answer.times), pickTimes(session));
    assert.deepEqual(pickTimes(session), {
      createdAt: session.createdAt,
      lastSeenAt: session.createdAt,
      idleTimeout: HOUR_MS,
      absoluteDeadline: session.createdAt + DAY_MS,
      expiresAt: session.createdAt + HOUR_MS,
    });
    await assertMembers(store, USER, [to]);
    await assertSuperseded(store, { hadIdentity: false }, id);
  }),

  storeTest("a sign-in has either deadline alone, too", async ({ store }) => {
    const id = await createForUser(store, "1");
    const idle = await signIn(store, id, "1", { idleTimeout: 2 * HOUR_MS, absoluteTimeout: null });
    assert.equal(idle.answer.times.absoluteDeadline, null);
    assert.equal(idle.answer.times.expiresAt, idle.answer.times.createdAt + 2 * HOUR_MS);
    const { to, answer } = await signIn(store, idle.to, "1", { idleTimeout: null });
    assert.equal(answer.times.idleTimeout, null);
    assert.equal(answer.times.expiresAt, answer.times.createdAt + DAY_MS);
    assert.deepEqual(pickTimes(await findLive(store, to)), pickTimes(answer.times));
    await assertMembers(store, USER, [to]);
  }),

  ...[
    { whose: "nobody's session", user: null, kept: CART },
    { whose: "the same user's session", user: "1", kept: CART },
    { whose: "another user's session", user: "2", kept: {} },
  ].flatMap(({ whose, user, kept }) => [
    storeTest(`a sign-in over ${whose} ends it and keeps nothing unasked`, async (under) => {
      const { store, elapse } = under;
      const before = { fields: { ...CART, role: "admin" }, references: TEAMS };
      const times = { idleTimeout: 2 * HOUR_MS, absoluteTimeout: 2 * DAY_MS };
      const session = { ...before, ...times };
      const id = await (user ? createForUser(store, user, session) : create(store, session));
      const { createdAt } = await findLive(store, id);
      await elapse(10);
      const { to, answer } = await signIn(store, id, "1", { fields: { theme: "dark" } });
      assert.equal(answer.ended, true);
      assert.deepEqual(Object.fromEntries(answer.fields), { user_id: "1", theme: "dark" });
      assert.deepEqual(await readTexts(store, to), { user_id: "1", theme: "dark" });
      assert.ok(answer.times.createdAt >= createdAt + 10, "the session is a new one");
      assert.equal(answer.times.idleTimeout, HOUR_MS);
      assert.equal(answer.times.absoluteDeadline, answer.times.createdAt + DAY_MS);
      assert.equal((await findLive(store, to)).lineage, to);
      await assertSuperseded(store, { hadIdentity: user !== null }, id);
      await assertMembers(store, USER, [to]);
      await assertMembers(store, of("user_id", "2"), []);
      for (const team of ["7", "8"]) await assertMembers(store, of("t", team), []);
    }),

    storeTest(
      `a sign-in over ${whose} keeps ${Object.keys(kept).length} fields of two`,
      async (u) => {
        const { store } = u;
        const session = { fields: { ...CART, role: "admin" }, references: TEAMS };
        const id = await (user ? createForUser(store, user, session) : create(store, session));
        const { to, answer } = await signIn(store, id, "1", { keep: KEEP });
        assert.equal(answer.ended, true);
        assert.deepEqual(Object.fromEntries(answer.fields), { ...kept, user_id: "1" });
        assert.deepEqual(await readTexts(store, to), { ...kept, user_id: "1" });
        await assertSuperseded(store, { hadIdentity: user !== null }, id);
        const members = "t" in kept ? [to] : [];
        for (const team of ["7", "8"]) await assertMembers(store, of("t", team), members);
        // A kept reference is like any other of the new session.
        expectDone(await change(store, to, { set: { t: "[8,9]" }, references: { t: ["8", "9"] } }));
        await assertMembers(store, of("t", "7"), []);
        for (const team of ["8", "9"]) await assertMembers(store, of("t", team), [to]);
        assert.equal(await store.end(to), to);
        await assertMembers(store, of("t", "8"), []);
      },
    ),
  ]),

  storeTest("what a sign-in sets takes the place of what it keeps", async ({ store }) => {
    const id = await create(store, { fields: CART, references: TEAMS });
    const { to } = await signIn(store, id, "1", {
      fields: { cart: "[2]", t: "[8,9]" },
      references: { t: ["8", "9"] },
      keep: KEEP,
    });
    assert.deepEqual(await readTexts(store, to), { user_id: "1", cart: "[2]", t: "[8,9]" });
    await assertMembers(store, of("t", "7"), []);
    for (const team of ["8", "9"]) await assertMembers(store, of("t", team), [to]);
  }),

  storeTest("a sign-in of one of several users keeps fields", async ({ store }) => {
    const id = await create(store, { fields: CART, references: { user_id: ["2", "1", "3"] } });
    const { to } = await signIn(store, id, "1", { keep: ["cart"] });
    assert.deepEqual(await readTexts(store, to), { cart: "[1]", user_id: "1" });
    await assertMembers(store, USER, [to]);
    for (const user of ["2", "3"]) await assertMembers(store, of("user_id", user), []);
  }),

  storeTest("a sign-in keeps fields though another reference changes", async ({ store }) => {
    const id = await createForUser(store, "1", { fields: CART, references: TEAMS });
    const over = { fields: { t: "[9]" }, references: { t: ["9"] }, keep: ["cart"] };
    const { to } = await signIn(store, id, "1", over);
    assert.deepEqual(await readTexts(store, to), { cart: "[1]", t: "[9]", user_id: "1" });
  }),

  storeTest("a sign-in makes a session over a tombstone, which stays", async ({ store }) => {
    const deleted = await createForUser(store, "1", { fields: CART });
    await store.end(deleted, { tombstone: { stays: HOUR_MS } });
    const replaced = await createForUser(store, "1", { fields: CART });
    const first = await signIn(store, replaced, "2");
    for (const id of [deleted, replaced]) {
      const { to, answer } = await signIn(store, id, "1", { keep: KEEP });
      assert.equal(answer.ended, false);
      assert.deepEqual(await readTexts(store, to), { user_id: "1" });
      await store.end(to);
    }
    await assertDeleted(store, deleted);
    await assertSuperseded(store, { hadIdentity: true }, replaced);
    assert.deepEqual(
      await readTexts(store, first.to),
      { user_id: "2" },
      "it doesn't lead to that one",
    );
  }),

  storeTest("a sign-in makes a session over an alias that leads to none", async ({ store }) => {
    const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
    assert.equal(await store.endAll(USER), 1);
    const { to, answer } = await signIn(store, first, "1", { keep: KEEP });
    assert.equal(answer.ended, false);
    await assertMembers(store, USER, [to]);
    await assertSuperseded(store, { hadIdentity: false }, first);
    await assertGone(store, second);
  }),

  storeTest("a sign-in keeps nothing of a session that has expired", async ({ store, elapse }) => {
    const id = await createForUser(store, "1", { fields: CART, idleTimeout: SOON_MS });
    await elapse(PAST_SOON_MS);
    const { to, answer } = await signIn(store, id, "1", { keep: KEEP });
    assert.equal(answer.ended, false);
    assert.deepEqual(await readTexts(store, to), { user_id: "1" });
    await assertMembers(store, USER, [to]);
    await assertSuperseded(store, { hadIdentity: false }, id);
  }),

  ...[1, 3, 4, 10, 32].map((aliases) =>
    storeTest(`a sign-in over ${aliases} aliases ends the session they lead to`, async (under) => {
      const { store } = under;
      const first = await createForUser(store, "1", { fields: CART, references: TEAMS });
      const ids = await renew(store, first, aliases);
      const { to, answer } = await signIn(store, first, "1", { keep: KEEP });
      assert.equal(answer.ended, true);
      const kept = aliases <= 3 ? CART : {};
      assert.deepEqual(await readTexts(store, to), { ...kept, user_id: "1" });
      await assertSuperseded(store, { hadIdentity: true }, ...ids);
      await assertMembers(store, USER, [to]);
      await assertMembers(store, of("t", "7"), aliases <= 3 ? [to] : []);
    }),
  ),

  storeTest("a sign-in in the middle of aliases leaves no way at the older ones", async (under) => {
    const { store } = under;
    const [first = "", second = "", third = ""] = await renew(
      store,
      await createForUser(store, "1"),
      2,
    );
    const { to } = await signIn(store, second, "2");
    await assertSuperseded(store, { hadIdentity: true }, first, second, third);
    await assertMembers(store, of("user_id", "2"), [to]);
    await assertMembers(store, USER, []);
  }),

  storeTest("a sign-in without tombstones leaves nothing", async ({ store }) => {
    const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
    await signIn(store, first, "1", { tombstone: 0 });
    await assertGone(store, first, second);
    const never = newId(store.shards);
    await signIn(store, never, "1", { tombstone: 0 });
    await assertGone(store, never);
    assert.equal(await store.count(USER), 2);
  }),

  storeTest("the tombstones of a sign-in stay for their time", async ({ store, elapse }) => {
    const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
    const never = newId(store.shards);
    await signIn(store, first, "1", { tombstone: SOON_MS });
    await signIn(store, never, "1", { tombstone: SOON_MS });
    await elapse(PAST_SOON_MS);
    await assertGone(store, first, second, never);
    assert.equal(await store.count(USER), 2);
  }),

  storeTest("a sign-in that is too large does nothing", async ({ store }) => {
    // "user_id" and "1" are 8 bytes, "cart" and "[1]" 7, "t" and "[7,8]" 6.
    const id = await create(store, { fields: { ...CART, more: "1" }, references: TEAMS });
    const before = await findLive(store, id);
    const never = newId(store.shards);
    for (const [at, over, bytes] of [
      [id, { keep: KEEP, maxBytes: 20 }, 21],
      [id, { fields: { cart: "[1,2,3]" }, keep: KEEP, maxBytes: 24 }, 25],
      [id, { maxBytes: 7 }, 8],
      [never, { keep: KEEP, maxBytes: 7 }, 8],
    ] as const) {
      const sent = createSignIn(at, "1", over);
      assert.deepEqual(await store.signIn(at, sent), { state: "too-large", bytes });
      await assertGone(store, sent.id, never);
    }
    assert.deepEqual(await findLive(store, id), before);
    await assertMembers(store, of("t", "7"), [id]);
    await assertMembers(store, USER, []);
    const { to } = await signIn(store, id, "1", { keep: KEEP, maxBytes: 21 });
    assert.deepEqual(await readTexts(store, to), { ...CART, user_id: "1" });
  }),

  storeTest("a sign-in that is sent again finds its work done", async ({ store, elapse }) => {
    for (const id of [newId(store.shards), await create(store, { fields: CART })]) {
      const sent = createSignIn(id, "1", { keep: ["cart"] });
      const answer = await store.signIn(id, sent);
      await elapse(5);
      const again = await store.signIn(id, sent);
      assert.deepEqual({ ...again, ended: true }, { ...answer, ended: true });
      await assertMembers(store, USER, [sent.id]);
      await assertSuperseded(store, { hadIdentity: false }, id);
      expectDone(await change(store, sent.id, { set: { a: "1" } }));
      const late = await store.signIn(id, sent);
      assert.equal(late.state === "signed-in" && late.fields.get("a"), "1");
      assert.equal((await findLive(store, sent.id)).fields.get("a"), "1", "nothing more changed");
      await store.end(sent.id);
    }
  }),

  storeTest("a session that was signed in can be rotated, signed in and ended", async (under) => {
    const { store } = under;
    const { to: first } = await signIn(store, newId(store.shards), "1", { fields: CART });
    const [, second = ""] = await renew(store, first, 1);
    const { to: third } = await signIn(store, first, "1", { keep: ["cart"] });
    assert.deepEqual(await readTexts(store, third), { cart: "[1]", user_id: "1" });
    await assertSuperseded(store, { hadIdentity: true }, first, second);
    const rotation = createRotation(newIdBeside(third), { grace: 0 });
    expectDone(await change(store, third, { rotation }));
    assert.equal(await store.end(rotation.to), third);
    await assertMembers(store, USER, []);
  }),
];
