import assert from "node:assert/strict";
import type { FeedEvent, Initiator } from "../../store/feed.ts";
import { newId, newIdBeside, newIdInShard } from "../ids.ts";
import {
  change,
  create,
  createForUser,
  createMany,
  DAY_MS,
  expectDone,
  findLive,
  HOUR_MS,
  of,
  PAST_SOON_MS,
  renew,
  SOON_MS,
} from "../steps.ts";
import type { StoreTest } from "../store-test.ts";
import { assertTold, CAUSE, ended, feedTest, hearAll, listen, waitUntil } from "./steps.ts";

/** Texts that would get lost in a message that is put together without care. */
const REASONS = [
  "",
  "-",
  "%",
  "a b:c,d;e\n\0\"'\\",
  "ended 1 delete - - x:y",
  "ação 密码 🔑",
  "x".repeat(200),
];

/** Lists the lineages of all sessions that were ended. */
function listEnded(events: readonly FeedEvent[]): string[] {
  return events.flatMap((event) =>
    event.type === "ended" ? event.sessions.map(({ lineage }) => lineage) : [],
  );
}

export const tellingEndings: readonly StoreTest[] = [
  feedTest("the feed tells that end ended a session", async ({ store }) => {
    const id = await createForUser(store, "1");
    const listening = await listen(store, id);
    await store.end(id);
    await assertTold(store, id, listening, ended("delete", id));
  }),

  feedTest("the feed tells when a session ended, on the store's clock", async ({ store }) => {
    const id = await createForUser(store, "1");
    const { lastSeenAt } = await findLive(store, id);
    const listening = await listen(store, id);
    await store.end(id);
    const [event] = await hearAll(store, id, listening);
    const at = event?.at ?? 0;
    assert.ok(Number.isInteger(at), `${at} is a whole number`);
    assert.ok(at >= lastSeenAt && at < lastSeenAt + HOUR_MS, `${at} is after ${lastSeenAt}`);
  }),

  feedTest("the feed tells the cause that the caller gives", async ({ store }) => {
    const initiators: Initiator[] = ["user", "admin", "policy", "system"];
    const causes = [
      ...initiators.map((initiator) => ({ initiator, reason: null })),
      ...REASONS.map((reason) => ({ initiator: null, reason })),
      CAUSE,
    ];
    const beside = newId(store.shards);
    const listening = await listen(store, beside);
    const ids: string[] = [];
    for (const cause of causes) {
      const id = await create(store, { id: newIdBeside(beside) });
      ids.push(id);
      await store.end(id, { cause });
    }
    const expected = causes.map((cause, i) => ended("delete", ids[i] ?? "", ids[i], cause));
    await assertTold(store, beside, listening, ...expected);
  }),

  feedTest("the feed tells the id that a session had, and its lineage", async ({ store }) => {
    for (const by of ["an alias", "its id", "its lineage"] as const) {
      const ids = await renew(store, await createForUser(store, "1"), 2);
      const [first = "", second = "", third = ""] = ids;
      const listening = await listen(store, first);
      if (by === "an alias") await store.end(second, { tombstone: { stays: HOUR_MS } });
      if (by === "its id") await store.end(third);
      if (by === "its lineage") await store.end(first, { byName: true });
      await assertTold(store, first, listening, ended("delete", third, first));
    }
  }),

  feedTest("the feed tells nothing where nothing was ended", async ({ store }) => {
    const id = await createForUser(store, "1");
    const listening = await listen(store, id);
    await store.end(newIdBeside(id), { cause: CAUSE });
    await store.end(newIdBeside(id), { tombstone: { stays: HOUR_MS } });
    await store.end(id, { reference: of("user_id", "2") });
    await store.endAll(of("user_id", "2"), { cause: CAUSE });
    await store.endAll(of("user_id", "1"), { except: id });
    await assertTold(store, id, listening);
  }),

  feedTest("the feed tells of a session that is ended twice once", async ({ store }) => {
    const id = await createForUser(store, "1");
    const listening = await listen(store, id);
    await Promise.all([
      store.end(id),
      store.end(id, { tombstone: { stays: HOUR_MS } }),
      store.end(id),
    ]);
    const told = await hearAll(store, id, listening);
    assert.deepEqual(listEnded(told), [id]);
  }),

  feedTest("the feed tells of each session that endAll ended", async ({ store }) => {
    const [first = "", then = ""] = await renew(store, await createForUser(store, "1"), 1);
    const id = await createForUser(store, "1", { id: newIdBeside(first) });
    await createForUser(store, "2", { id: newIdBeside(first) });
    const listening = await listen(store, first);
    await store.endAll(of("user_id", "1"), { cause: CAUSE });
    const told = await hearAll(store, first, listening);
    const sessions = told.flatMap((event) => {
      assert.equal(event.type, "ended");
      assert.equal(event.how, "clear");
      assert.deepEqual(event.cause, CAUSE);
      return event.sessions;
    });
    const expected = [
      { id, lineage: id },
      { id: then, lineage: first },
    ];
    const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
    assert.deepEqual([...sessions].sort(byId), expected.sort(byId));
  }),

  feedTest("the feed tells of all sessions of a large set, each once", async ({ store }) => {
    const ids = await createMany(store, "1", 700);
    const listening = await listen(store, null);
    assert.equal(await store.endAll(of("user_id", "1"), { except: ids[0] ?? "" }), 699);
    const expected = ids.slice(1).sort();
    await waitUntil("all are told", () => listEnded(listening.events).length >= expected.length);
    for (let shard = 0; shard < Math.min(store.shards, 4); shard++) {
      await hearAll(store, newIdInShard(shard), listening); // one more, after all of its shard
    }
    const told = listEnded(listening.events.filter((one) => "how" in one && one.how === "clear"));
    assert.deepEqual(told.sort(), expected);
  }),

  feedTest("the feed tells nothing of sessions that expire", async ({ store, elapse }) => {
    const id = await create(store, { idleTimeout: SOON_MS });
    const fixed = await createForUser(store, "1", {
      id: newIdBeside(id),
      absoluteTimeout: SOON_MS,
    });
    const listening = await listen(store, id);
    await elapse(PAST_SOON_MS);
    assert.equal((await store.find(id)).state, "gone");
    assert.equal(await store.end(id), null);
    assert.equal(await store.end(fixed), null);
    assert.equal(await store.endAll(of("user_id", "1")), 0);
    await assertTold(store, id, listening);
  }),

  feedTest("the feed tells nothing of reads and writes", async ({ store }) => {
    const id = await createForUser(store, "1");
    const listening = await listen(store, id);
    await createForUser(store, "2", { id: newIdBeside(id) });
    await store.find(id);
    expectDone(await change(store, id, { set: { a: "1" } }));
    expectDone(await change(store, id, { unset: ["a"], idleTimeout: DAY_MS }));
    await store.changeAll(of("user_id", "1"), {
      set: new Map([["a", "2"]]),
      unset: [],
      references: [],
      maxBytes: 1000,
    });
    await store.list(of("user_id", "1"), { limit: 10, order: "last-seen" });
    await assertTold(store, id, listening);
  }),
];
