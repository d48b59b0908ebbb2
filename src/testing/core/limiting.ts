import assert from "node:assert/strict";
import { SessionError } from "../../shared/errors.ts";
import type { NewSession, SessionStore } from "../../store/contract.ts";
import type { Limit } from "../../store/entering.ts";
import { newIdBeside } from "../ids.ts";
import {
  assertGone,
  assertMembers,
  change,
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
  type SessionDraft,
  signIn,
  toLimited,
  toReferences,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";
import { createInOrder, END_OLDEST, FULL, REJECT, USER } from "./full-sets.ts";

/** A session of user 1, who may have so many. */
function draft(store: SessionStore, limit: Limit, session: SessionDraft = {}): NewSession {
  const made = createDraft(store, { ...session, fields: { user_id: "1", ...session.fields } });
  return { ...made, references: toLimited({ user_id: ["1"] }, limit) };
}

/** How many sessions a set of users may have, and what becomes of one too many. */
export const limiting: readonly StoreTest[] = [
  storeTest("a session in a full set ends the oldest", async (under) => {
    const { store } = under;
    const [, second = ""] = await createInOrder(under, 2);
    const made = draft(store, END_OLDEST);
    await createSession(store, made);
    await assertMembers(store, USER, [second, made.id]);
  }),

  storeTest("of too many sessions all that are beyond the limit are ended", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 5);
    const made = draft(store, END_OLDEST);
    await createSession(store, made);
    await assertMembers(store, USER, [ids[4] as string, made.id]);
    await assertGone(store, ...ids.slice(0, 4));
  }),

  storeTest("the oldest is the first created, however it was used and rotated", async (under) => {
    const { store, elapse } = under;
    const [first = "", second = ""] = await createInOrder(under, 2);
    const to = newIdBeside(first);
    expectDone(await change(store, first, { rotation: createRotation(to) }));
    await elapse(2);
    expectDone(await change(store, to, { set: { a: "1" } }));
    await createSession(store, draft(store, END_OLDEST));
    await assertGone(store, to);
    assert.equal(await store.has(USER, second), true);
  }),

  storeTest("what is below the limit is let in, and ends nothing", async ({ store }) => {
    const first = draft(store, REJECT);
    const second = draft(store, END_OLDEST);
    await createSession(store, first);
    await createSession(store, second);
    await assertMembers(store, USER, [first.id, second.id]);
  }),

  storeTest("a full set rejects, and nothing is written", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 2);
    const made = draft(store, REJECT);
    assert.deepEqual(await store.create(made), FULL);
    await assertGone(store, made.id);
    await assertMembers(store, USER, ids);
  }),

  storeTest("expired sessions do not count", async ({ store, elapse }) => {
    const live = await createForUser(store, "1");
    await createForUser(store, "1", { idleTimeout: 20 });
    await createForUser(store, "1", { idleTimeout: 20 });
    await elapse(45);
    const made = draft(store, REJECT);
    await createSession(store, made);
    await assertMembers(store, USER, [live, made.id]);
  }),

  storeTest("create called again with its id is not refused", async ({ store }) => {
    const made = draft(store, { most: 1, whenFull: "reject" });
    const first = await createSession(store, made);
    assert.deepEqual(await store.create(made), first);
    await assertMembers(store, USER, [made.id]);
  }),

  storeTest(
    "values are limited one by one, and one that is full refuses all",
    async ({ store, elapse }) => {
      const inTeams = (texts: readonly string[], limit: Limit) => ({
        ...createDraft(store),
        references: toLimited({ team: texts }, limit),
      });
      const first = inTeams(["1", "2"], REJECT);
      await createSession(store, first);
      await elapse(2);
      const second = inTeams(["1"], REJECT);
      await createSession(store, second);
      await elapse(2);
      const refused = inTeams(["3", "2", "1"], REJECT);
      assert.deepEqual(await store.create(refused), { state: "full", field: "team", limit: 2 });
      for (const text of ["2", "3"]) {
        assert.equal(await store.has(of("team", text), refused.id), false);
      }
      const let_in = inTeams(["1", "2"], END_OLDEST);
      await createSession(store, let_in);
      await assertMembers(store, of("team", "1"), [second.id, let_in.id]);
      await assertMembers(store, of("team", "2"), [let_in.id]);
    },
  ),

  storeTest("the session that a sign-in ends does not count", async (under) => {
    const { store } = under;
    const [first = "", second = ""] = await createInOrder(under, 2);
    const limited = (id: string, limit: Limit) => ({
      ...createSignIn(id, "1"),
      references: toLimited({ user_id: ["1"] }, limit),
    });
    const sent = limited(first, REJECT);
    assert.equal((await store.signIn(first, sent)).state, "signed-in");
    await assertMembers(store, USER, [second, sent.id]);
    const again = limited(second, END_OLDEST);
    assert.equal((await store.signIn(second, again)).state, "signed-in");
    await assertMembers(store, USER, [sent.id, again.id]);
  }),

  storeTest("a sign-in that is rejected ends nothing", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 2);
    const old = await create(store, { fields: { cart: "x" } });
    const sent = {
      ...createSignIn(old, "1"),
      references: toLimited({ user_id: ["1"] }, REJECT),
    };
    assert.deepEqual(await store.signIn(old, sent), FULL);
    assert.deepEqual(await readTexts(store, old), { cart: "x" });
    await assertGone(store, sent.id);
    await assertMembers(store, USER, ids);
  }),

  storeTest("a sign-in into a full set ends the oldest", async (under) => {
    const { store } = under;
    const [first = "", second = ""] = await createInOrder(under, 2);
    const old = await create(store);
    const sent = {
      ...createSignIn(old, "1"),
      references: toLimited({ user_id: ["1"] }, END_OLDEST),
    };
    assert.equal((await store.signIn(old, sent)).state, "signed-in");
    await assertGone(store, first);
    await assertMembers(store, USER, [second, sent.id]);
    assert.deepEqual(await store.signIn(old, sent), await store.signIn(old, sent));
    await assertMembers(store, USER, [second, sent.id]);
  }),

  storeTest("a change that names another user counts as a sign-in", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 2);
    const [, second = ""] = ids;
    const other = await createForUser(store, "2");
    const named = (to: string, limit: Limit) => ({
      ...changeUser(to, "1"),
      references: toLimited({ user_id: ["1"] }, limit),
    });
    const refused = newIdBeside(other);
    assert.deepEqual(await store.change(other, named(refused, REJECT)), FULL);
    await assertGone(store, refused);
    await assertMembers(store, USER, ids);
    await assertMembers(store, of("user_id", "2"), [other]);
    const to = newIdBeside(other);
    expectDone(await store.change(other, named(to, END_OLDEST)));
    await assertMembers(store, USER, [second, to]);
  }),

  storeTest("a change that replaces an old session counts as a new one", async (under) => {
    const { store, elapse } = under;
    const guest = await create(store, { fields: { cart: "x" } });
    const other = await createForUser(store, "2");
    await elapse(2);
    const ids = await createInOrder(under, 2);
    const named = (to: string) => ({
      ...changeUser(to, "1"),
      references: toLimited({ user_id: ["1"] }, END_OLDEST),
    });
    const first = newIdBeside(guest);
    expectDone(await store.change(guest, named(first)));
    await assertMembers(store, USER, [ids[1] as string, first]);
    await elapse(2);
    const second = newIdBeside(other);
    expectDone(await store.change(other, named(second)));
    await assertMembers(store, USER, [first, second]);
    await assertGone(store, ...ids);
  }),

  storeTest("a change of a session that is gone says so, full or not", async (under) => {
    const { store } = under;
    await createInOrder(under, 2);
    const gone = await create(store);
    await store.end(gone);
    const enter = {
      ...changeUser(newIdBeside(gone), "1"),
      references: toLimited({ user_id: ["1"] }, REJECT),
    };
    assert.deepEqual(await store.change(gone, enter), { state: "gone" });
  }),

  storeTest("a change of a session in the set does not count it twice", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 2);
    const again = { ...createChange(), references: toLimited({ user_id: ["1"] }, REJECT) };
    for (const id of ids) expectDone(await store.change(id, again));
    await assertMembers(store, USER, ids);
  }),

  storeTest("a session that enters a full set by a change ends the oldest there", async (under) => {
    const { store } = under;
    const [first = "", second = ""] = await createInOrder(under, 2);
    const younger = await createForUser(store, "9");
    const enter = (limit: Limit) => ({
      ...createChanges({ set: { user_id: "1" } }),
      references: toLimited({ user_id: ["1"] }, limit),
      idleTimeout: null,
      rotation: null,
    });
    assert.deepEqual(await store.change(younger, enter(REJECT)), FULL);
    await assertMembers(store, of("user_id", "9"), [younger]);
    expectDone(await store.change(younger, enter(END_OLDEST)));
    await assertGone(store, first);
    await assertMembers(store, USER, [second, younger]);
  }),

  storeTest("a session that enters a set with room by a change ends nothing", async (under) => {
    const { store } = under;
    const guest = await create(store);
    const [first = ""] = await createInOrder(under, 1);
    const enter = {
      ...createChange({ set: { user_id: "1" } }),
      references: toLimited({ user_id: ["1"] }, END_OLDEST),
    };
    expectDone(await store.change(guest, enter));
    await assertMembers(store, USER, [guest, first]);
  }),

  storeTest(
    "one that is replaced because its user is removed counts as a new one",
    async (under) => {
      const { store, elapse } = under;
      const oldest = await createForUser(store, "9");
      await elapse(2);
      const inTeam: string[] = [];
      for (const _ of [1, 2]) {
        inTeam.push(await create(store, { fields: { team: "7" }, references: { team: ["7"] } }));
        await elapse(2);
      }
      const to = newIdBeside(oldest);
      const leave = {
        ...createChange({
          set: { team: "7" },
          unset: ["user_id"],
          rotation: createRotation(to, { when: "user-changes" }),
        }),
        references: [...toReferences({ user_id: [] }), ...toLimited({ team: ["7"] }, END_OLDEST)],
      };
      expectDone(await store.change(oldest, leave));
      await assertMembers(store, of("team", "7"), [inTeam[1] as string, to]);
      await assertGone(store, inTeam[0] as string);
    },
  ),

  storeTest("one that is older than all of a full set is refused by a change", async (under) => {
    const { store, elapse } = under;
    const oldest = await createForUser(store, "9");
    await elapse(2);
    const ids = await createInOrder(under, 2);
    const enter = {
      ...createChange({ set: { user_id: "1" } }),
      references: toLimited({ user_id: ["1"] }, END_OLDEST),
    };
    assert.deepEqual(await store.change(oldest, enter), FULL);
    await assertMembers(store, USER, ids);
    await assertMembers(store, of("user_id", "9"), [oldest]);
  }),

  storeTest("changeAll refuses where a value would have too many sessions", async (under) => {
    const { store, elapse } = under;
    const inTeam = await create(store, {
      fields: { team: "7" },
      references: { user_id: ["1"], team: ["7"] },
    });
    await elapse(2);
    const [second = ""] = await createInOrder(under, 1);
    const move = (limit: Limit) => ({
      ...createChanges({ set: { team: "7" } }),
      references: toLimited({ team: ["7"] }, limit),
    });
    assert.equal(await store.changeAll(USER, move(END_OLDEST)), 2);
    await assertMembers(store, of("team", "7"), [inTeam, second]);
    const [third = ""] = await createInOrder(under, 1);
    for (const limit of [REJECT, END_OLDEST]) {
      await assert.rejects(store.changeAll(USER, move(limit)), (error) => {
        assert.ok(error instanceof SessionError && error.code === "ERR_SESSION_LIMIT", `${error}`);
        assert.deepEqual([error.field, error.limit], ["team", 2]);
        return true;
      });
    }
    await assertMembers(store, of("team", "7"), [inTeam, second]);
    assert.equal((await readTexts(store, third)).team, undefined);
  }),

  storeTest("changeAll of sessions that have the value does not ask for room", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 3);
    const again = {
      ...createChanges({ set: { a: "1" } }),
      references: toLimited({ user_id: ["1"] }, REJECT),
    };
    assert.equal(await store.changeAll(USER, again), 3);
    assert.equal(await store.changeAll(of("user_id", "nobody"), again), 0);
    await assertMembers(store, USER, ids);
  }),

  storeTest(
    "parallel sessions leave as many as there may be, and not one more",
    async ({ store }) => {
      const drafts = Array.from({ length: 12 }, () => draft(store, { ...END_OLDEST, most: 5 }));
      await Promise.all(drafts.map((made) => createSession(store, made)));
      assert.equal(await store.count(USER), 5);
      const rejected = Array.from({ length: 12 }, () => ({
        ...draft(store, { ...REJECT, most: 5 }),
        references: toLimited({ user_id: ["2"] }, { ...REJECT, most: 5 }),
      }));
      const answers = await Promise.all(rejected.map((made) => store.create(made)));
      assert.equal(await store.count(of("user_id", "2")), 5);
      const let_in = rejected.filter((_, i) => answers[i]?.state === "created").map(({ id }) => id);
      await assertMembers(store, of("user_id", "2"), let_in);
    },
  ),

  storeTest("a limit is of its own field only", async ({ store }) => {
    const one = { ...draft(store, { most: 1, whenFull: "reject" }) };
    await createSession(store, {
      ...one,
      references: [...one.references, ...toReferences({ team: ["1"] })],
    });
    const other = createDraft(store, { references: { team: ["1"] } });
    await createSession(store, other);
    assert.equal(await store.count(of("team", "1")), 2);
    await signIn(store, other.id, "2");
  }),
];
