import assert from "node:assert/strict";
import type { Change, SessionStore, SignIn } from "../../store/contract.ts";
import type { Limit } from "../../store/entering.ts";
import { newId, newIdBeside } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  changeUser,
  create,
  createChange,
  createChanges,
  createDraft,
  createForUser,
  createRotation,
  createSession,
  createSignIn,
  expectDone,
  of,
  readTexts,
  renew,
  toLimited,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";
import { createInOrder, END_OLDEST, FULL, REJECT, USER } from "./full-sets.ts";

const CLEARED = { state: "cleared" };

const limited = (limit: Limit) => toLimited({ user_id: ["1"] }, limit);

/** A sign-in of user 1, whose caller then ends the sessions of these ids. */
function createLimited(id: string, limit: Limit, leaving?: readonly string[]): SignIn {
  return { ...createSignIn(id, "1"), references: limited(limit), leaving };
}

/** A change that makes a session one of user 1. */
function createEntry(limit: Limit): Change {
  return { ...createChange({ set: { user_id: "1" } }), references: limited(limit) };
}

/** A change that replaces a session by one of user 1. */
function createReplacement(
  to: string,
  limit: Limit,
  over: Parameters<typeof changeUser>[2],
): Change {
  return { ...changeUser(to, "1", over), references: limited(limit) };
}

const isLive = async (store: SessionStore, id: string) => (await store.find(id)).state === "live";

/** Who has a place in a set with a limit, and which of several refusals is the answer. */
export const enteringFullSets: readonly StoreTest[] = [
  storeTest("a set that rejects ends nobody, however old those are who enter", async (under) => {
    const { store, elapse } = under;
    const older = await Promise.all([1, 2, 3].map(() => createForUser(store, "9")));
    await elapse(2);
    const [member = ""] = await createInOrder(under, 1);
    const drafts = [1, 2, 3].map(() => ({ ...createDraft(store), references: limited(REJECT) }));
    const answers = await Promise.all([
      ...older.map((id) => store.change(id, createEntry(REJECT))),
      ...drafts.map((made) => store.create(made)),
    ]);
    const ids = [...older, ...drafts.map(({ id }) => id)];
    const entered = ids.filter((_, i) => answers[i]?.state !== "full");
    assert.equal(entered.length, 1, `one of six enters: ${JSON.stringify(answers)}`);
    await assertMembers(store, USER, [member, ...entered]);
    for (const id of older) {
      assert.equal((await readTexts(store, id)).user_id, entered.includes(id) ? "1" : "9");
    }
    for (const { id } of drafts) assert.equal(await isLive(store, id), entered.includes(id));
  }),

  storeTest("parallel sign-ins over a set that rejects replace what they end", async (under) => {
    const { store } = under;
    const [first = "", second = ""] = await createInOrder(under, 2);
    const visitors = await Promise.all([1, 2, 3].map(() => create(store)));
    const ids = [first, first, ...visitors];
    const sent = ids.map((id) => createLimited(id, REJECT));
    const answers = await Promise.all(ids.map((id, i) => store.signIn(id, sent[i] as SignIn)));
    const made = sent.flatMap(({ id }, i) => (answers[i]?.state === "signed-in" ? [id] : []));
    await assertMembers(store, USER, [second, ...made]);
    assert.equal(made.length, 1);
    for (const [i, id] of visitors.entries()) {
      assert.equal(await isLive(store, id), answers[i + 2]?.state === "full");
    }
  }),

  storeTest("values that parallel sessions need in another order go to as many", async (under) => {
    const { store } = under;
    const one: Limit = { most: 1, whenFull: "reject" };
    for (let round = 0; round < 10; round++) {
      const teams = [`${round}a`, `${round}b`];
      const drafts = [teams, teams.toReversed(), teams].map((texts) => ({
        ...createDraft(store),
        references: toLimited({ team: texts }, one),
      }));
      const answers = await Promise.all(drafts.map((made) => store.create(made)));
      const made = drafts.filter((_, i) => answers[i]?.state === "created").map(({ id }) => id);
      assert.equal(made.length, 1);
      for (const team of teams) await assertMembers(store, of("team", team), made);
    }
  }),

  storeTest("a session that its sign-in's caller ends takes no place", async (under) => {
    const { store } = under;
    for (const limit of [REJECT, END_OLDEST]) {
      const [first = "", twin = ""] = await createInOrder(under, 2);
      const visitor = await create(store);
      const sent = createLimited(visitor, limit, [twin]);
      assert.equal((await store.signIn(visitor, sent)).state, "signed-in");
      await store.end(twin);
      await assertMembers(store, USER, [first, sent.id]);
      await store.endAll(USER);
    }
  }),

  storeTest("it takes none by whatever id it is named, and is taken off once", async (under) => {
    const { store } = under;
    for (const limit of [REJECT, END_OLDEST]) {
      const made = await createInOrder(under, 3);
      const [first = "", second = "", third = ""] = made;
      const names = await renew(store, third, 2);
      const visitor = await create(store);
      const refused = createLimited(visitor, REJECT, names);
      assert.deepEqual(await store.signIn(visitor, refused), FULL);
      await store.end(second);
      const sent = createLimited(visitor, limit, names.slice(0, 2)); // by old ids
      assert.equal((await store.signIn(visitor, sent)).state, "signed-in");
      await store.end(names.at(-1) as string);
      await assertMembers(store, USER, [first, sent.id]);
      await store.endAll(USER);
    }
  }),

  storeTest("one of another user makes no room, nor does one that is gone", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 2);
    const other = await createForUser(store, "2");
    const leaving = [other, newId(store.shards), newIdBeside(other)];
    const visitor = await create(store);
    assert.deepEqual(await store.signIn(visitor, createLimited(visitor, REJECT, leaving)), FULL);
    await assertMembers(store, USER, ids);
  }),

  storeTest(
    "a change that replaces a session takes off those that leave with it",
    async (under) => {
      const { store } = under;
      for (const limit of [REJECT, END_OLDEST]) {
        const [first = "", twin = ""] = await createInOrder(under, 2);
        const visitor = await create(store);
        const to = newIdBeside(visitor);
        const asked = createReplacement(to, limit, { leaving: [twin] });
        expectDone(await store.change(visitor, asked));
        await store.end(twin);
        await assertMembers(store, USER, [first, to]);
        await store.endAll(USER);
      }
    },
  ),

  storeTest("a set that was cleared refuses before one that is full", async (under) => {
    const { store } = under;
    const visitor = await create(store);
    const before = (await store.find(visitor)) as { readonly session: { createdAt: number } };
    const asOf = before.session.createdAt;
    await store.endAll(USER);
    const ids = await createInOrder(under, 2);
    const other = await createForUser(store, "2");
    const to = newIdBeside(visitor);
    for (const limit of [REJECT, END_OLDEST]) {
      const made = { ...createDraft(store, { asOf }), references: limited(limit) };
      assert.deepEqual(await store.create(made), CLEARED);
      const sent = { ...createLimited(visitor, limit), asOf };
      assert.deepEqual(await store.signIn(visitor, sent), CLEARED);
      for (const id of [visitor, other]) {
        for (const when of ["always", "user-changes", "never"] as const) {
          const asked = createReplacement(newIdBeside(id), limit, { when, asOf });
          assert.deepEqual(await store.change(id, asked), CLEARED);
        }
      }
    }
    await assertGone(store, to);
    await assertMembers(store, USER, ids);
  }),

  storeTest(
    "a session that is elsewhere, or would sign in, is not refused as full",
    async (under) => {
      const { store, elapse } = under;
      const oldest = await createForUser(store, "9");
      await elapse(2);
      await createInOrder(under, 2);
      for (const limit of [REJECT, END_OLDEST]) {
        const where = of("team", "7");
        assert.deepEqual(await store.change(oldest, { ...createEntry(limit), where }), {
          state: "elsewhere",
        });
        const asked = createReplacement(newIdBeside(oldest), limit, { when: "never" });
        assert.deepEqual(await store.change(oldest, asked), { state: "signs-in" });
        const gone = newId(store.shards);
        assert.deepEqual(await store.change(gone, createEntry(limit)), { state: "gone" });
      }
    },
  ),

  storeTest("a full set refuses before a session is found too large", async (under) => {
    const { store, elapse } = under;
    const oldest = await createForUser(store, "9");
    await elapse(2);
    await createInOrder(under, 2);
    const tooLarge = { maxBytes: 3 };
    assert.deepEqual(await store.change(oldest, { ...createEntry(REJECT), ...tooLarge }), FULL);
    assert.deepEqual(await store.change(oldest, { ...createEntry(END_OLDEST), ...tooLarge }), FULL);
    const sent = { ...createLimited(oldest, REJECT), ...tooLarge };
    assert.deepEqual(await store.signIn(oldest, sent), FULL);
    const replaced = { ...createReplacement(newIdBeside(oldest), REJECT, {}), ...tooLarge };
    assert.deepEqual(await store.change(oldest, replaced), FULL);
    const rotation = createRotation(newIdBeside(oldest), { identity: [] });
    assert.deepEqual(await store.change(oldest, { ...createEntry(REJECT), rotation }), FULL);
  }),

  storeTest("a session that is in a full set may name its value again", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 3);
    for (const limit of [REJECT, END_OLDEST]) {
      for (const id of ids) expectDone(await store.change(id, createEntry(limit)));
    }
    await assertMembers(store, USER, ids);
    const made = { ...createDraft(store), references: limited(END_OLDEST) };
    await createSession(store, made);
    await assertMembers(store, USER, [ids[2] as string, made.id]);
  }),

  storeTest("changeAll beside parallel sessions overfills no set that rejects", async (under) => {
    const { store } = under;
    for (let round = 0; round < 5; round++) {
      const team = toLimited({ team: [`${round}`] }, { most: 3, whenFull: "reject" });
      await Promise.all([1, 2].map(() => createForUser(store, `${round}`)));
      const move = { ...createChanges({ set: { team: `${round}` } }), references: team };
      const drafts = [1, 2].map(() => ({ ...createDraft(store), references: team }));
      const [moved, ...answers] = await Promise.all([
        store.changeAll(of("user_id", `${round}`), move).catch((error: { code: string }) => error),
        ...drafts.map((made) => store.create(made)),
      ]);
      const made = answers.filter(({ state }) => state === "created").length;
      if (typeof moved !== "number") assert.equal(moved.code, "ERR_SESSION_LIMIT");
      const count = made + (typeof moved === "number" ? moved : 0);
      assert.equal(await store.count(of("team", `${round}`)), count);
      assert.ok(count >= 2 && count <= 3, `${count} of 3 are in the set`);
    }
  }),
];
