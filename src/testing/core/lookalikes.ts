import assert from "node:assert/strict";
import type { Reference, SessionStore } from "../../store/contract.ts";
import { newIdInShard } from "../ids.ts";
import {
  assertMembers,
  create,
  createForUser,
  findLive,
  of,
  PAST_SOON_MS,
  renew,
  SOON_MS,
} from "../steps.ts";
import { type StoreTest, type StoreUnderTest, storeTest } from "../store-test.ts";

const TEXT = '"60"';
const NUMBER = "60";

/** The set of a text where the program may have meant a number, and how often that was reported. */
function createMistaken(field = "user_id"): { reference: Reference; countTold: () => number } {
  let countTold = 0;
  const lookalike = { text: NUMBER, onFound: () => countTold++ };
  return { reference: { ...of(field, TEXT), lookalike }, countTold: () => countTold };
}

const WAYS: Readonly<Record<string, (store: SessionStore, reference: Reference) => unknown>> = {
  count: (store, reference) => store.count(reference),
  list: (store, reference) => store.list(reference, { limit: 10, order: "last-seen" }),
  "list by deadlines": (store, reference) =>
    store.list(reference, { limit: 10, order: "deadline" }),
  endAll: (store, reference) => store.endAll(reference),
};

/** Creates a session with this user in each shard. */
function createInEachShard(store: SessionStore, user: string): Promise<string[]> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard);
  return Promise.all(
    shards.map((shard) => createForUser(store, user, { id: newIdInShard(shard) })),
  );
}

function testEachWay(
  sentence: (way: string) => string,
  body: (under: StoreUnderTest, way: (typeof WAYS)[string]) => Promise<void>,
): StoreTest[] {
  return Object.entries(WAYS).map(([name, way]) =>
    storeTest(sentence(name), (under) => body(under, way)),
  );
}

/** A value without sessions, where the same value of the other type has some. */
export const lookalikes: readonly StoreTest[] = [
  ...testEachWay(
    (way) =>
      `${way} of an empty set reports once that there are sessions with the other type's value`,
    async ({ store }, way) => {
      const id = await createForUser(store, NUMBER);
      const { reference, countTold } = createMistaken();
      await way(store, reference);
      assert.equal(countTold(), 1);
      await way(store, reference);
      assert.equal(countTold(), 2, "it is reported each time");
      await assertMembers(store, of("user_id", NUMBER), [id]);
    },
  ),

  ...testEachWay(
    (way) => `${way} tells once, however many shards have such sessions`,
    async ({ store }, way) => {
      await createInEachShard(store, NUMBER);
      await createInEachShard(store, NUMBER);
      const { reference, countTold } = createMistaken();
      await way(store, reference);
      assert.equal(countTold(), 1);
    },
  ),

  ...testEachWay(
    (way) => `${way} tells nothing where a session of any shard has the value`,
    async ({ store }, way) => {
      for (let shard = 0; shard < store.shards; shard++) {
        await createInEachShard(store, NUMBER);
        await createForUser(store, TEXT, { id: newIdInShard(shard) });
        const { reference, countTold } = createMistaken();
        await way(store, reference);
        assert.equal(countTold(), 0);
        await store.endAll(of("user_id", TEXT));
      }
    },
  ),

  ...testEachWay(
    (way) => `${way} tells nothing where neither value has a session`,
    async ({ store, elapse }, way) => {
      await createForUser(store, "61");
      await create(store, { references: { other_id: [NUMBER] } });
      await createForUser(store, NUMBER, { idleTimeout: SOON_MS });
      await elapse(PAST_SOON_MS);
      const { reference, countTold } = createMistaken();
      await way(store, reference);
      assert.equal(countTold(), 0);
    },
  ),

  ...testEachWay(
    (way) => `${way} tells of a set whose sessions have all expired`,
    async ({ store, elapse }, way) => {
      await createForUser(store, TEXT, { idleTimeout: SOON_MS });
      await createForUser(store, NUMBER);
      await elapse(PAST_SOON_MS);
      const { reference, countTold } = createMistaken();
      await way(store, reference);
      assert.equal(countTold(), 1);
    },
  ),

  storeTest("endAll reports no lookalike where it spares the only session", async ({ store }) => {
    await createInEachShard(store, NUMBER);
    const { reference, countTold } = createMistaken();
    for (let shard = 0; shard < store.shards; shard++) {
      const first = await createForUser(store, TEXT, { id: newIdInShard(shard) });
      const [, second = ""] = await renew(store, first, 1);
      for (const except of [first, second]) {
        assert.equal(await store.endAll(reference, { except }), 0);
      }
      assert.equal(countTold(), 0);
      await store.end(second);
    }
  }),

  storeTest(
    "endAll reports a lookalike where the spared session lacks the value",
    async ({ store }) => {
      const [except = ""] = await createInEachShard(store, NUMBER);
      const { reference, countTold } = createMistaken();
      assert.equal(await store.endAll(reference, { except }), 0);
      assert.equal(countTold(), 1);
      assert.equal(await store.count(of("user_id", NUMBER)), store.shards);
    },
  ),

  storeTest("nothing else asks for the other type's value", async ({ store }) => {
    const id = await createForUser(store, NUMBER);
    const { reference, countTold } = createMistaken();
    const after = await findLive(store, id);
    assert.deepEqual(await store.list(reference, { limit: 10, order: "deadline", after }), []);
    assert.equal(await store.has(reference, id), false);
    assert.equal(await store.end(id, { reference }), null);
    for await (const page of store.pages(reference, { withFields: true }))
      assert.deepEqual(page, []);
    assert.equal(countTold(), 0);
  }),

  storeTest("a plain set is looked at like any other", async ({ store }) => {
    await create(store, { references: { user_id: [NUMBER] } });
    const { reference, countTold } = createMistaken();
    assert.equal(await store.count({ ...reference, plain: true }), 0);
    assert.equal(countTold(), 1);
  }),
];
