import assert from "node:assert/strict";
import type { Rotation, SessionStore } from "../../store/contract.ts";
import { newId, newIdBeside } from "../ids.ts";
import {
  assertDeleted,
  assertGone,
  assertMembers,
  assertSuperseded,
  change,
  create,
  createChange,
  createForUser,
  createRotation,
  DAY_MS,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  pickTimes,
  type ReferenceTexts,
  readTexts,
  renew,
  type Texts,
} from "../steps.ts";
import { type StoreTest, storeTest } from "../store-test.ts";

const USER = of("user_id", "1");
const DATA = { cart: "[1]", t: "[7]" };
const TEAMS = { t: ["7"] };

/** A change that says who the user is, and the fields of the session that replaces the old one. */
interface Naming {
  readonly was: string | null;
  readonly set?: Texts;
  readonly unset?: readonly string[];
  readonly user_id: readonly string[];
  readonly left: Texts;
}

const SIGNS_OUT = { without: ["user_id"] };

const REPLACING: Readonly<Record<string, Naming>> = {
  "a user over nobody's session": {
    was: null,
    set: { user_id: "1", theme: "dark" },
    user_id: ["1"],
    left: { user_id: "1", theme: "dark" },
  },
  "another user": {
    was: "2",
    set: { user_id: "1", theme: "dark" },
    user_id: ["1"],
    left: { user_id: "1", theme: "dark" },
  },
  "null over a user": {
    was: "2",
    set: { user_id: "null", theme: "dark" },
    user_id: [],
    left: { theme: "dark" },
  },
  "unset over a user": { was: "2", unset: ["user_id", "cart"], user_id: [], left: {} },
};

const SAME: Readonly<Record<string, ReferenceTexts>> = {
  "the same user": { user_id: ["1"] },
  "one user of several in common": { user_id: ["3", "1"] },
};

const WRITES = ["user-changes", "never"] as const;

/** Creates a session of this user, or without a user, with data of its own. */
function createWithData(store: SessionStore, user: string | null): Promise<string> {
  const session = { fields: DATA, references: TEAMS, absoluteTimeout: 2 * DAY_MS };
  return user === null ? create(store, session) : createForUser(store, user, session);
}

function createSentChange({ set = {}, unset = [], user_id }: Naming, rotation: Rotation) {
  return createChange({ set, unset, references: { user_id }, idleTimeout: 3 * HOUR_MS, rotation });
}

function createRotationFor(id: string, naming: Naming, when: Rotation["when"]): Rotation {
  const replacement = { idleTimeout: HOUR_MS, absoluteTimeout: DAY_MS, without: [] };
  return createRotation(newIdBeside(id), {
    when,
    replacement: naming.user_id.length > 0 ? replacement : { ...replacement, ...SIGNS_OUT },
  });
}

/** Changes that name a user, by what they say of a session's id. */
export const changingUsers: readonly StoreTest[] = [
  ...Object.entries(REPLACING).flatMap(([whose, naming]) => [
    ...(["always", "user-changes"] as const).map((when) =>
      storeTest(`a change (${when}) of ${whose} puts another session there`, async (under) => {
        const { store, elapse } = under;
        const id = await createWithData(store, naming.was);
        const { createdAt } = await findLive(store, id);
        await elapse(10);
        const rotation = createRotationFor(id, naming, when);
        const answer = expectDone(await store.change(id, createSentChange(naming, rotation)));
        assert.deepEqual([answer.id, answer.rotated], [rotation.to, true]);
        assert.equal(answer.lineage, rotation.to);
        assert.deepEqual(Object.fromEntries(answer.fields ?? []), naming.left);
        const after = await findLive(store, rotation.to);
        assert.deepEqual(after.fields, answer.fields, "nothing is carried over");
        assert.deepEqual(pickTimes(after), pickTimes(answer.times));
        assert.ok(after.createdAt >= createdAt + 10, "the session is a new one");
        assert.equal(after.idleTimeout, HOUR_MS);
        assert.equal(after.absoluteDeadline, after.createdAt + DAY_MS);
        assert.equal(after.lineage, after.id);
        await assertSuperseded(store, { hadIdentity: naming.was !== null }, id);
        await assertMembers(store, USER, naming.user_id.length > 0 ? [rotation.to] : []);
        await assertMembers(store, of("user_id", "2"), []);
        await assertMembers(store, of("t", "7"), []);
      }),
    ),

    storeTest(`a change (never) of ${whose} does nothing and says so`, async ({ store }) => {
      const id = await createWithData(store, naming.was);
      const before = await findLive(store, id);
      const rotation = createRotationFor(id, naming, "never");
      const answer = await store.change(id, createSentChange(naming, rotation));
      assert.deepEqual(answer, { state: "signs-in" });
      assert.deepEqual(await findLive(store, id), before);
      await assertGone(store, rotation.to);
      await assertMembers(store, of("t", "7"), [id]);
      await assertMembers(store, USER, []);
      await assertMembers(store, of("user_id", "2"), naming.was ? [id] : []);
    }),

    storeTest(`a change of ${whose} through aliases supersedes them all`, async ({ store }) => {
      const ids = await renew(store, await createWithData(store, naming.was), 3);
      const [first = ""] = ids;
      const rotation = createRotationFor(first, naming, "user-changes");
      expectDone(await store.change(first, createSentChange(naming, rotation)));
      await assertSuperseded(store, { hadIdentity: naming.was !== null }, ...ids);
      assert.deepEqual(await readTexts(store, rotation.to), naming.left);
    }),

    storeTest(`a change of ${whose} sent twice is done once`, async ({ store, elapse }) => {
      const id = await createWithData(store, naming.was);
      const rotation = createRotationFor(id, naming, "user-changes");
      const sent = createSentChange(naming, rotation);
      const answer = expectDone(await store.change(id, sent));
      await elapse(5);
      assert.deepEqual(await store.change(id, sent), answer);
      await store.end(rotation.to);
      assert.equal((await store.change(id, sent)).state, "superseded", "no resurrection");
      await assertGone(store, rotation.to);
    }),
  ]),

  ...Object.entries(SAME).flatMap(([whose, references]) => [
    storeTest(`a change (always) of ${whose} renews the session for good`, async (under) => {
      const { store, elapse } = under;
      const id = await createWithData(store, "1");
      const before = await findLive(store, id);
      await elapse(5);
      const rotation = createRotation(newIdBeside(id));
      const set = { user_id: "same", theme: "dark" };
      const answer = expectDone(await change(store, id, { set, references, rotation }));
      assert.deepEqual([answer.id, answer.rotated], [rotation.to, true]);
      assert.deepEqual(await readTexts(store, rotation.to), { ...DATA, ...set });
      const after = await findLive(store, rotation.to);
      assert.equal(after.createdAt, before.createdAt);
      assert.equal(after.absoluteDeadline, before.absoluteDeadline);
      assert.equal(after.lineage, id);
      await assertSuperseded(store, { hadIdentity: true }, id);
      await assertMembers(store, USER, [rotation.to]);
      await assertMembers(store, of("t", "7"), [rotation.to]);
    }),

    ...WRITES.map((when) =>
      storeTest(`a change (${when}) of ${whose} is a plain write`, async ({ store }) => {
        const [id = "", present = ""] = await renew(store, await createWithData(store, "1"), 1);
        const { createdAt } = await findLive(store, id);
        for (const [n, at] of [present, id].entries()) {
          const rotation = createRotation(newIdBeside(id), { when });
          const set = { user_id: "same", n: String(n) };
          const answer = expectDone(await change(store, at, { set, references, rotation }));
          assert.deepEqual([answer.id, answer.rotated], [present, false]);
          assert.equal(answer.fields, null);
          await assertGone(store, rotation.to);
          assert.deepEqual(await readTexts(store, present), { ...DATA, ...set });
        }
        assert.equal((await findLive(store, id)).createdAt, createdAt);
        for (const text of references.user_id ?? []) {
          await assertMembers(store, of("user_id", text), [present]);
        }
      }),
    ),
  ]),

  storeTest(
    "a change of the same user through an alias renews for good, too",
    async ({ store }) => {
      for (const grace of [HOUR_MS, 0]) {
        const [first = "", second = ""] = await renew(store, await createWithData(store, "1"), 1);
        const rotation = createRotation(newIdBeside(first), { grace, tombstone: HOUR_MS });
        const answer = await change(store, first, { references: { user_id: ["1"] }, rotation });
        assert.equal(expectDone(answer).id, rotation.to);
        assert.equal(expectDone(answer).lineage, first);
        await assertSuperseded(store, { hadIdentity: true }, first, second);
        await store.end(rotation.to);
      }
    },
  ),

  storeTest("nobody in place of nobody is neither a sign-in nor a sign-out", async ({ store }) => {
    for (const draft of [{ set: { user_id: "null" } }, { unset: ["user_id"] }]) {
      const naming = { ...draft, references: { user_id: [] } };
      const id = await createWithData(store, null);
      for (const when of WRITES) {
        const rotation = createRotation(newIdBeside(id), { when });
        const answer = expectDone(await change(store, id, { ...naming, rotation }));
        assert.deepEqual([answer.id, answer.rotated], [id, false]);
      }
      assert.deepEqual(await readTexts(store, id), { ...DATA, ...draft.set });
      const rotation = createRotation(newIdBeside(id));
      const answer = expectDone(await change(store, id, { ...naming, rotation }));
      assert.deepEqual([answer.id, answer.rotated], [rotation.to, true]);
      assert.equal((await findLive(store, id)).id, rotation.to, "an alias, as of any renewal");
      assert.deepEqual(await readTexts(store, id), { ...DATA, ...draft.set });
    }
  }),

  storeTest(
    "a change that names no user gives a new id only where it always does",
    async (under) => {
      const { store } = under;
      const id = await createWithData(store, "1");
      for (const when of WRITES) {
        const rotation = createRotation(newIdBeside(id), { when });
        const draft = { set: { t: "[8]" }, unset: ["cart"], references: { t: ["8"] }, rotation };
        const answer = expectDone(await change(store, id, draft));
        assert.deepEqual([answer.id, answer.rotated], [id, false]);
        await assertGone(store, rotation.to);
      }
      assert.deepEqual(await readTexts(store, id), { user_id: "1", t: "[8]" });
      await assertMembers(store, of("t", "8"), [id]);
    },
  ),

  storeTest("a session in another's place that is too large replaces nothing", async (under) => {
    const { store } = under;
    const id = await createWithData(store, "2");
    const before = await findLive(store, id);
    // "user_id" and "1" are 8 bytes: what the old session has and what is dropped do not count.
    const replacement = { idleTimeout: HOUR_MS, absoluteTimeout: DAY_MS, without: ["org"] };
    for (const when of ["always", "user-changes"] as const) {
      const rotation = createRotation(newIdBeside(id), { when, replacement });
      const set = { user_id: "1", org: "null" };
      const sent = { set, references: { user_id: ["1"], org: [] }, rotation };
      const over = await change(store, id, { ...sent, maxBytes: 7 });
      assert.deepEqual(over, { state: "too-large", bytes: 8 });
      assert.deepEqual(await findLive(store, id), before);
      await assertGone(store, rotation.to);
      if (when === "always") continue;
      expectDone(await change(store, id, { ...sent, maxBytes: 8 }));
      assert.deepEqual(await readTexts(store, rotation.to), { user_id: "1" });
    }
  }),

  storeTest("a change of the user makes nothing where there is no session", async ({ store }) => {
    const deleted = await createForUser(store, "2");
    await store.end(deleted, { tombstone: { stays: HOUR_MS } });
    for (const when of ["always", "credentials", "user-changes", "never"] as const) {
      for (const id of [newId(store.shards), deleted]) {
        const rotation = createRotation(newIdBeside(id), { when });
        const sent = { set: { user_id: "1" }, references: { user_id: ["1"] }, rotation };
        const { state } = await change(store, id, sent);
        assert.equal(state, id === deleted ? "superseded" : "gone");
        await assertGone(store, rotation.to);
      }
    }
    await assertDeleted(store, deleted);
    await assertMembers(store, USER, []);
  }),

  storeTest("a change of the user goes by what the session must have", async ({ store }) => {
    const id = await createWithData(store, "2");
    const rotation = createRotation(newIdBeside(id), { when: "user-changes" });
    const sent = { set: { user_id: "1" }, references: { user_id: ["1"] }, rotation };
    const elsewhere = await change(store, id, { ...sent, where: of("t", "8") });
    assert.deepEqual(elsewhere, { state: "elsewhere" });
    await assertMembers(store, of("user_id", "2"), [id]);
    assert.equal(
      expectDone(await change(store, id, { ...sent, where: of("t", "7") })).rotated,
      true,
    );
    await assertMembers(store, USER, [rotation.to]);
  }),

  ...[0, 1, 3].map((aliases) =>
    storeTest(
      `new credentials leave tombstones at the id and ${aliases} aliases`,
      async (under) => {
        const { store, elapse } = under;
        const first = await createWithData(store, "1");
        const before = await findLive(store, first);
        const ids = await renew(store, first, aliases);
        await elapse(5);
        const rotation = createRotation(newIdBeside(first), {
          when: "credentials",
          grace: HOUR_MS,
        });
        const sent = createChange({ rotation });
        const answer = expectDone(await store.change(first, sent));
        assert.deepEqual([answer.id, answer.rotated, answer.lineage], [rotation.to, true, first]);
        await assertSuperseded(store, { hadIdentity: true }, ...ids);
        const after = await findLive(store, rotation.to);
        assert.deepEqual(after.fields, before.fields);
        assert.equal(after.createdAt, before.createdAt);
        assert.equal(after.absoluteDeadline, before.absoluteDeadline);
        await assertMembers(store, USER, [rotation.to]);
        await elapse(5);
        assert.deepEqual(await store.change(first, sent), answer, "sent again, it is done once");
      },
    ),
  ),

  storeTest("new credentials reach no session over a fourth alias", async ({ store }) => {
    const ids = await renew(store, await createWithData(store, "1"), 4);
    const rotation = createRotation(newIdBeside(ids[0] ?? ""), { when: "credentials" });
    const superseded = { state: "superseded", by: "sign-in", hadIdentity: true };
    assert.deepEqual(await change(store, ids[0] ?? "", { rotation }), superseded);
    assert.equal((await findLive(store, ids[4] ?? "")).id, ids[4]);
    await assertGone(store, rotation.to);
  }),

  storeTest("new credentials of nobody, without tombstones, leave nothing", async ({ store }) => {
    const [first = "", second = ""] = await renew(store, await createWithData(store, null), 1);
    const rotation = createRotation(newIdBeside(first), { when: "credentials", tombstone: 0 });
    expectDone(await change(store, first, { rotation }));
    await assertGone(store, first, second);
    assert.deepEqual(await readTexts(store, rotation.to), DATA);
  }),
];
