/* What the memory store tells beyond the contract of feeds: it may be full. */

import { memoryStore } from "session-sets/memory";
import { type FeedEvent, type FeedStore, newId } from "session-sets/testing";
import { expect, test } from "vitest";
import { eventually } from "../../../support/eventually.ts";

const TIMEOUTS = { idleTimeout: 60_000, absoluteTimeout: null };

async function createSession(store: FeedStore, user?: string) {
  const fields = new Map(user === undefined ? [] : [["user_id", user]]);
  const references =
    user === undefined ? [] : [{ field: "user_id", texts: [user], plain: false, identity: true }];
  const id = newId(1);
  await store.create({ id, fields, references, ...TIMEOUTS });
  return { id };
}

test("a full store tells which sessions without a user it has ended, as a limit", async () => {
  const store = memoryStore({ maxSessions: 3 }) as FeedStore;
  const told: FeedEvent[] = [];
  await store.subscribe(null, { onEvent: (event) => told.push(event), onGap() {} });
  const oldest = await createSession(store);
  await createSession(store, "1");
  const next = await createSession(store);
  await createSession(store, "2");
  await createSession(store, "3");
  const cause = { initiator: null, reason: null };
  await eventually(
    "both endings",
    [oldest, next].map(({ id }) => [{ id, lineage: id }]),
    async () => told.map((event) => event.type === "ended" && event.sessions),
  );
  expect(told).toMatchObject([
    { how: "limit", cause },
    { how: "limit", cause },
  ]);
  await expect(createSession(store, "4")).rejects.toMatchObject({ code: "ERR_STORE_FULL" });
  expect(told).toHaveLength(2);
});

test("who stops listening is told nothing more, not even what has just happened", async () => {
  const store = memoryStore() as FeedStore;
  const told: string[] = [];
  const listen = (name: string) =>
    store.subscribe(null, { onEvent: () => told.push(name), onGap() {} });
  const stop = await listen("stopped");
  await listen("other");
  const { id } = await createSession(store);
  const done = [store.end(id), stop()];
  await Promise.all(done);
  await eventually("the other", ["other"], async () => told);
});

test("the store tells nobody after it was closed", async () => {
  const store = memoryStore() as FeedStore;
  const told: FeedEvent[] = [];
  await store.subscribe(null, { onEvent: (event) => told.push(event), onGap() {} });
  const { id } = await createSession(store);
  await store.close();
  const again = await createSession(store);
  await store.end(id);
  await store.end(again.id);
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual([]);
});
