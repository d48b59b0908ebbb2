import assert from "node:assert/strict";
import type { Limit } from "../../store/entering.ts";
import type { FeedEvent, StoredEndingKind } from "../../store/feed.ts";
import { newId, newIdBeside } from "../ids.ts";
import { change, createDraft, createForUser, createSignIn, of, toLimited } from "../steps.ts";
import type { StoreTest, StoreUnderTest } from "../store-test.ts";
import { CAUSE, feedTest, hearAll, type Listening, listen, NO_CAUSE, waitUntil } from "./steps.ts";

const END_OLDEST: Limit = { most: 2, whenFull: "end-oldest" };

/** Makes sessions of user 1 in one shard, one after the other, and returns their ids. */
async function createInOrder({ store, elapse }: StoreUnderTest, count: number): Promise<string[]> {
  const beside = newId(store.shards);
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    ids.push(await createForUser(store, "1", { id: newIdBeside(beside) }));
    await elapse(2);
  }
  return ids;
}

/** The references of user 1, who may have two sessions. */
const limited = () => toLimited({ user_id: ["1"] }, END_OLDEST);

/** Lists the lineages of the sessions that were ended like this. */
function listEnded(events: readonly FeedEvent[], how: StoredEndingKind): string[] {
  return events.flatMap((event) =>
    event.type === "ended" && event.how === how ? event.sessions.map((one) => one.lineage) : [],
  );
}

/** Asserts that exactly these were told of the shard of `id`, as ended like this. */
async function assertEnded(
  { store }: StoreUnderTest,
  listening: Listening,
  how: StoredEndingKind,
  ids: readonly string[],
  cause = NO_CAUSE,
): Promise<void> {
  const told = await hearAll(store, ids[0] ?? "", listening);
  for (const event of told) if (event.type === "ended") assert.deepEqual(event.cause, cause);
  assert.deepEqual(listEnded(told, how).sort(), [...ids].sort());
  assert.equal(told.length > 0 && told.every((one) => "how" in one && one.how === how), true);
}

export const tellingLimits: readonly StoreTest[] = [
  feedTest("the feed tells which sessions trim ended, and why", async (under) => {
    const ids = await createInOrder(under, 5);
    const listening = await listen(under.store, ids[0] ?? "");
    assert.equal(await under.store.trim(of("user_id", "1"), 2, { cause: CAUSE }), 3);
    await assertEnded(under, listening, "trim", ids.slice(0, 3), CAUSE);
  }),

  feedTest("the feed tells which sessions a new one ended in a full set", async (under) => {
    const ids = await createInOrder(under, 3);
    const listening = await listen(under.store, ids[0] ?? "");
    const made = createDraft(under.store, { id: newIdBeside(ids[0] ?? "") });
    await under.store.create({ ...made, references: limited() });
    await assertEnded(under, listening, "limit", ids.slice(0, 2));
  }),

  feedTest("the feed tells a sign-in and whom its limit ended apart", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 2);
    const [first = ""] = ids;
    const old = await createForUser(store, "2", { id: newIdBeside(first) });
    const listening = await listen(store, first);
    const sent = { ...createSignIn(old, "1"), references: limited(), cause: CAUSE };
    assert.equal((await store.signIn(old, sent)).state, "signed-in");
    const told = await hearAll(store, first, listening);
    assert.deepEqual(listEnded(told, "limit"), [first]);
    assert.deepEqual(listEnded(told, "sign-in"), [old]);
    assert.equal(told.length, 2);
  }),

  feedTest("the feed tells which session a change ended in a full set", async (under) => {
    const { store } = under;
    const ids = await createInOrder(under, 2);
    const [first = ""] = ids;
    const id = await createForUser(store, "2", { id: newIdBeside(first) });
    const listening = await listen(store, first);
    const changes = { set: new Map([["user_id", "1"]]), unset: [], references: limited() };
    const answer = await store.change(id, {
      ...changes,
      maxBytes: 1000,
      idleTimeout: null,
      rotation: null,
    });
    assert.equal(answer.state, "changed");
    await assertEnded(under, listening, "limit", [first]);
  }),

  feedTest("the feed tells nothing where a full set refuses a session", async (under) => {
    const { store } = under;
    const [first = ""] = await createInOrder(under, 2);
    const old = await createForUser(store, "2", { id: newIdBeside(first) });
    const listening = await listen(store, first);
    const references = toLimited({ user_id: ["1"] }, { most: 2, whenFull: "reject" });
    const sent = { ...createSignIn(old, "1"), references };
    assert.equal((await store.signIn(old, sent)).state, "full");
    await change(store, old, { set: { a: "1" } });
    assert.deepEqual(await hearAll(store, first, listening), []);
  }),

  feedTest("the feed tells of the oldest in any shard", async (under) => {
    const { store } = under;
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) {
      ids.push(await createForUser(store, "1"));
      await under.elapse(2);
    }
    const listening = await listen(store, null);
    await store.create({ ...createDraft(store), references: limited() });
    await waitUntil(
      "three are told",
      () => listEnded(listening.events, "limit").length >= ids.length - 1,
    );
    assert.deepEqual(listEnded(listening.events, "limit").sort(), ids.slice(0, 3).sort());
  }),
];
