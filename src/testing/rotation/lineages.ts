import assert from "node:assert/strict";
import type { SessionStore } from "../../store/contract.ts";
import { newIdBeside } from "../ids.ts";
import {
  assertDeleted,
  assertGone,
  assertMembers,
  assertSuperseded,
  change,
  createChanges,
  createForUser,
  createRotation,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  PAST_SOON_MS,
  readAllPages,
  readTexts,
  renew,
  SOON_MS,
  signIn,
} from "../steps.ts";
import { type StoreTest, type StoreUnderTest, storeTest } from "../store-test.ts";

const USER = of("user_id", "1");
const BY_NAME = { byName: true };

/** Creates a session whose old ids all lead nowhere, and returns its lineage and its id. */
async function createLongRotated({ store, elapse }: StoreUnderTest): Promise<[string, string]> {
  const ids = await renew(store, await createForUser(store, "1"), 5, { grace: SOON_MS });
  await elapse(PAST_SOON_MS);
  await assertGone(store, ...ids.slice(0, -1));
  return [ids[0] ?? "", ids[5] ?? ""];
}

/** Asserts that no method finds this session by its lineage. */
async function assertForgotten(store: SessionStore, lineage: string): Promise<void> {
  assert.notEqual((await store.find(lineage, BY_NAME)).state, "live");
  assert.equal(await store.has(USER, lineage), false);
  assert.equal(await store.end(lineage, BY_NAME), null);
}

/** The name of a session that outlives its ids. */
export const lineages: readonly StoreTest[] = [
  storeTest("a session's lineage is its first id, and stays", async ({ store }) => {
    const first = await createForUser(store, "1");
    assert.equal((await findLive(store, first)).lineage, first);
    const written = expectDone(await change(store, first, { set: { a: "1" } }));
    assert.equal(written.lineage, first);
    const ids = await renew(store, first, 2);
    const last = ids[2] ?? "";
    for (const id of ids) assert.equal((await findLive(store, id)).lineage, first);
    assert.equal(
      (await findLive(store, last, ["a"])).lineage,
      first,
      "also where few fields are read",
    );
    assert.equal(expectDone(await change(store, first)).lineage, first);

    const again = createRotation(newIdBeside(first));
    const references = { user_id: ["1"] };
    const answer = expectDone(await change(store, last, { references, rotation: again }));
    assert.equal(answer.lineage, first, "the same user again");
    const credentials = createRotation(newIdBeside(first), { when: "credentials" });
    assert.equal(
      expectDone(await change(store, again.to, { rotation: credentials })).lineage,
      first,
    );
    await store.changeAll(of("user_id", "1"), createChanges({ set: { b: "1" } }));
    assert.equal((await findLive(store, credentials.to)).lineage, first);
    assert.equal(await store.end(credentials.to), first);
  }),

  storeTest("a session in another's place has a lineage of its own", async ({ store }) => {
    const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
    const rotation = createRotation(newIdBeside(first), { when: "user-changes" });
    const set = { user_id: "2" };
    const references = { user_id: ["2"] };
    const answer = expectDone(await change(store, second, { set, references, rotation }));
    assert.equal(answer.lineage, rotation.to);
    const { to } = await signIn(store, rotation.to, "2");
    assert.equal((await findLive(store, to)).lineage, to);
    for (const old of [first, rotation.to]) await assertForgotten(store, old);
  }),

  storeTest("the readers of a set give lineages", async ({ store }) => {
    const plain = await createForUser(store, "1");
    const [first = "", second = ""] = await renew(store, await createForUser(store, "1"), 1);
    const expected = new Map([
      [plain, plain],
      [second, first],
    ]);
    for (const sessions of [
      await store.list(USER, { limit: 10, order: "last-seen" }),
      await readAllPages(store, USER),
      await readAllPages(store, USER, { withFields: true }),
    ]) {
      assert.deepEqual(new Map(sessions.map(({ id, lineage }) => [id, lineage])), expected);
    }
  }),

  storeTest("find by name finds a session by its lineage for ever", async (under) => {
    const { store } = under;
    const [lineage, id] = await createLongRotated(under);
    const session = await findLive(store, id);
    const found = await store.find(lineage, BY_NAME);
    assert.deepEqual(found.state === "live" && found.session, session);
    const some = await store.find(lineage, { ...BY_NAME, names: ["absent"] });
    assert.equal(some.state === "live" && some.session.id, id);
    assert.equal(some.state === "live" && some.session.fields.size, 0);
    expectDone(await change(store, id, { idleTimeout: 2 * HOUR_MS }));
    assert.equal((await store.find(lineage, BY_NAME)).state, "live");
  }),

  storeTest("find by name finds a session by its ids as ever", async ({ store }) => {
    const ids = await renew(store, await createForUser(store, "1"), 4);
    const last = ids[4] ?? "";
    for (const id of ids.filter((_, i) => i !== 0)) {
      const found = await store.find(id, BY_NAME);
      assert.equal(found.state === "live" && found.session.id, last);
    }
    // The first id is four aliases away, but it is the lineage.
    await assertSuperseded(store, { hadIdentity: true }, ids[0] ?? "");
    const found = await store.find(ids[0] ?? "", BY_NAME);
    assert.equal(found.state === "live" && found.session.id, last);
    const never = newIdBeside(last);
    assert.deepEqual(await store.find(never, BY_NAME), { state: "gone" });
    assert.equal(await store.end(never, BY_NAME), null);
  }),

  storeTest("a lineage gives no access: the old token stays dead", async (under) => {
    const { store } = under;
    const [lineage, id] = await createLongRotated(under);
    const before = await findLive(store, id);
    await assertGone(store, lineage);
    assert.deepEqual(await change(store, lineage, { set: { a: "1" } }), { state: "gone" });
    for (const when of ["always", "credentials", "user-changes", "never"] as const) {
      const rotation = createRotation(newIdBeside(id), { when, grace: 0 });
      assert.deepEqual(await change(store, lineage, { rotation }), { state: "gone" });
      await assertGone(store, rotation.to);
    }
    assert.equal(await store.end(lineage), null);
    assert.equal(await store.end(lineage, { reference: USER }), null);
    const { answer, to } = await signIn(store, lineage, "1", { keep: ["user_id", "a"] });
    assert.equal(answer.ended, false, "a sign-in by a dead token ends nothing");
    assert.deepEqual(await findLive(store, id), before);
    await assertMembers(store, USER, [id, to]);
    const found = await store.find(lineage, BY_NAME);
    assert.equal(
      found.state === "live" && found.session.id,
      id,
      "nor does another session get the name",
    );
  }),

  storeTest("end by name ends a session by its lineage", async (under) => {
    const { store } = under;
    const [lineage, id] = await createLongRotated(under);
    const reference = of("user_id", "2");
    assert.equal(await store.end(lineage, { ...BY_NAME, reference }), null);
    await findLive(store, id);
    assert.equal(await store.end(lineage, { ...BY_NAME, reference: USER }), lineage);
    await assertGone(store, id);
    await assertMembers(store, USER, []);
    await assertForgotten(store, lineage);
  }),

  storeTest("end by name leaves its tombstone at the session's id", async (under) => {
    const { store } = under;
    const [lineage, id] = await createLongRotated(under);
    const tombstone = { stays: HOUR_MS, lineage };
    assert.equal(await store.end(lineage, { ...BY_NAME, tombstone }), lineage);
    await assertDeleted(store, id);
    await assertGone(store, lineage);
    await assertForgotten(store, lineage);

    const ids = await renew(store, await createForUser(store, "1"), 1);
    const [first = ""] = ids;
    assert.equal(await store.end(first, { ...BY_NAME, tombstone: { stays: HOUR_MS } }), first);
    await assertDeleted(store, ...ids);
  }),

  storeTest("has knows a session by its lineage", async (under) => {
    const { store } = under;
    const [lineage] = await createLongRotated(under);
    assert.equal(await store.has(USER, lineage), true);
    assert.equal(await store.has(of("user_id", "2"), lineage), false);
  }),

  storeTest("endAll keeps the session of a lineage", async (under) => {
    const { store } = under;
    const [lineage, id] = await createLongRotated(under);
    const others = await Promise.all([1, 2, 3].map(() => createForUser(store, "1")));
    assert.equal(await store.endAll(USER, { except: lineage }), 3);
    await assertGone(store, ...others);
    await assertMembers(store, USER, [id]);
    await renew(store, await createForUser(store, "1"), 2);
    assert.equal(await store.endAll(USER, { except: lineage }), 1);
    await assertMembers(store, USER, [id]);
  }),

  storeTest("a session is found by its lineage where its first id has a tombstone", async (u) => {
    const { store } = u;
    const first = await createForUser(store, "1");
    const rotation = createRotation(newIdBeside(first), { when: "credentials" });
    expectDone(await change(store, first, { rotation }));
    await assertSuperseded(store, { hadIdentity: true }, first);
    const found = await store.find(first, BY_NAME);
    assert.equal(found.state === "live" && found.session.id, rotation.to);
    assert.equal(await store.has(USER, first), true);
    assert.equal(await store.endAll(USER, { except: first }), 0);
    assert.equal(await store.end(first, { ...BY_NAME, tombstone: { stays: HOUR_MS } }), first);
    await assertDeleted(store, rotation.to);
    await assertSuperseded(store, { hadIdentity: true }, first);
  }),

  ...[
    { how: "by its id", end: (store: SessionStore, id: string) => store.end(id) },
    { how: "with its set", end: (store: SessionStore) => store.endAll(USER) },
    { how: "by a sign-in", end: (store: SessionStore, id: string) => signIn(store, id, "2") },
    {
      how: "by another user",
      end: (store: SessionStore, id: string) =>
        change(store, id, {
          references: { user_id: ["2"] },
          rotation: createRotation(newIdBeside(id), { when: "user-changes" }),
        }),
    },
  ].map(({ how, end }) =>
    storeTest(`a lineage is gone with its session, ended ${how}`, async (under) => {
      const { store } = under;
      const [lineage, id] = await createLongRotated(under);
      await end(store, id);
      await assertForgotten(store, lineage);
      await createForUser(store, "1");
      assert.equal(await store.endAll(USER, { except: lineage }), 1, "nothing is spared for it");
    }),
  ),

  storeTest("a lineage is gone with its session, expired", async ({ store, elapse }) => {
    const first = await createForUser(store, "1");
    const second = newIdBeside(first);
    expectDone(await change(store, first, { rotation: createRotation(second, { grace: 0 }) }));
    await change(store, second, { idleTimeout: SOON_MS });
    await elapse(PAST_SOON_MS);
    await assertGone(store, second);
    await assertForgotten(store, first);
  }),

  storeTest("a lineage lives as long as its session, however that is moved", async (under) => {
    const { store, elapse } = under;
    const [lineage, id] = await createLongRotated(under);
    expectDone(await change(store, id, { idleTimeout: 10 * SOON_MS }));
    // On a slow machine it may be gone already. Both must say the same.
    const { state } = await change(store, id, { idleTimeout: HOUR_MS });
    await elapse(10 * PAST_SOON_MS);
    const found = await store.find(lineage, BY_NAME);
    assert.equal(found.state, state === "changed" ? "live" : "gone");
    if (state === "changed") assert.deepEqual(await readTexts(store, id), { user_id: "1" });
  }),
];
