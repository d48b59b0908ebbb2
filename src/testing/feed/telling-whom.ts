import assert from "node:assert/strict";
import { newIdBeside, newIdInShard } from "../ids.ts";
import { create } from "../steps.ts";
import type { StoreTest } from "../store-test.ts";
import { assertTold, ended, feedTest, hearAll, listen, waitUntil } from "./steps.ts";

export const tellingWhom: readonly StoreTest[] = [
  feedTest("the feed tells who listens to all shards of every shard", async ({ store }) => {
    const listening = await listen(store, null);
    for (let shard = 0; shard < Math.min(store.shards, 8); shard++) {
      const id = await create(store, { id: newIdInShard(shard) });
      await store.end(id);
      await waitUntil("the ending is told", () =>
        listening.events.some((one) => one.type === "ended" && one.sessions[0]?.id === id),
      );
    }
  }),

  feedTest("the feed tells who listens to a shard of that one alone", async ({ store }) => {
    const own = newIdInShard(0);
    const other = newIdInShard(store.shards - 1);
    const [all, one] = [await listen(store, null), await listen(store, own)];
    const ids = await Promise.all([own, other].map((id) => create(store, { id: newIdBeside(id) })));
    for (const id of ids) await store.end(id);
    await hearAll(store, other, all);
    const told = await hearAll(store, own, one);
    const expected = store.shards === 1 ? ids : ids.slice(0, 1);
    const heard = told.flatMap((event) => (event.type === "ended" ? event.sessions : []));
    assert.deepEqual(
      heard.map(({ id }) => id).filter((id) => ids.includes(id)),
      expected,
    );
  }),

  feedTest("the feed tells each listener, also one that listens twice", async ({ store }) => {
    const id = await create(store);
    const told: string[] = [];
    const listener = { onEvent: () => void told.push("twice"), onGap() {} };
    await store.subscribe(id, listener);
    await store.subscribe(id, listener);
    const listenings = [await listen(store, id), await listen(store, null)];
    await store.end(id);
    for (const listening of listenings) {
      await waitUntil("the ending is told", () => listening.events.length > 0);
      assert.deepEqual(
        listening.events.map(({ type }) => type),
        ["ended"],
      );
    }
    await waitUntil("the ending is told twice", () => told.length === 2);
  }),

  feedTest("the feed tells nothing that was before", async ({ store }) => {
    const id = await create(store);
    await store.end(id);
    const listening = await listen(store, id);
    await assertTold(store, id, listening);
  }),

  feedTest("the feed tells nothing more to who has stopped, but to others", async ({ store }) => {
    const id = await create(store);
    const [stopped, stays] = [await listen(store, id), await listen(store, id)];
    await stopped.stop();
    await stopped.stop();
    await store.end(id);
    await assertTold(store, id, stays, ended("delete", id));
    assert.deepEqual(stopped.events, []);
  }),

  feedTest("the feed can be listened to again after all have stopped", async ({ store }) => {
    const id = await create(store);
    await (await listen(store, id)).stop();
    const listening = await listen(store, id);
    await store.end(id);
    await assertTold(store, id, listening, ended("delete", id));
    await listening.stop();
  }),
];
