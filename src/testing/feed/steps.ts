import assert from "node:assert/strict";
// Not the global ones, which a test may fake.
import { setTimeout as sleep } from "node:timers/promises";
import type { SessionStore } from "../../store/contract.ts";
import {
  type Cause,
  type FeedEvent,
  type FeedStore,
  isFeedStore,
  type StoredEndingKind,
} from "../../store/feed.ts";
import { newIdBeside } from "../ids.ts";
import { create } from "../steps.ts";
import { type StoreTest, type StoreUnderTest, storeTest } from "../store-test.ts";

/* The steps of the tests of feeds, besides those of ../steps.ts. */

/** How long a store may take to tell something, in time that this process has lived through. */
const TIMEOUT_MS = 10_000;
const RETRY_DELAY_MS = 5;

export const CAUSE: Cause = { initiator: "admin", reason: "stolen laptop" };
export const NO_CAUSE: Cause = { initiator: null, reason: null };

/** A test of a store that tells what happens to its sessions. Any other store fails it. */
export function feedTest(
  name: string,
  body: (under: StoreUnderTest & { readonly store: FeedStore }) => Promise<void>,
): StoreTest {
  return storeTest(name, (under) => {
    const { store } = under;
    assert.ok(isFeedStore(store), "the store needs the method subscribe for this group of tests");
    return body({ ...under, store });
  });
}

/** An event without its time. */
export type Told = FeedEvent extends infer Event
  ? Event extends FeedEvent
    ? Omit<Event, "at">
    : never
  : never;

/** What a listener was told. */
export interface Listening {
  readonly events: readonly FeedEvent[];
  stop(): Promise<void>;
}

/** Listens to the shard of an id or, for null, to all shards. */
export async function listen(store: FeedStore, id: string | null): Promise<Listening> {
  const events: FeedEvent[] = [];
  const stop = await store.subscribe(id, {
    onEvent: (event) => events.push(event),
    onGap() {
      throw new Error("the store says that something was missed, and nothing was");
    },
  });
  return { events, stop };
}

/** Waits until `isDone`, and fails if that takes too long. */
export async function waitUntil(what: string, isDone: () => boolean): Promise<void> {
  // A delay that a busy machine draws out counts as it was meant, so that it has more time.
  for (let waited = 0; !isDone(); waited += RETRY_DELAY_MS) {
    assert.ok(waited < TIMEOUT_MS, `${what} within ${TIMEOUT_MS} ms`);
    await sleep(RETRY_DELAY_MS);
  }
}

/**
 * Ends one more session, in the shard of `id`, and waits until that is told. All that has happened in the
 * shard before is told by then.
 */
export async function hearAll(
  store: SessionStore,
  id: string,
  { events }: Listening,
): Promise<readonly FeedEvent[]> {
  const last = newIdBeside(id);
  await create(store, { id: last });
  await store.end(last);
  const isLast = (event: FeedEvent) =>
    event.type === "ended" && event.sessions.some((one) => one.id === last);
  await waitUntil("the ending of one more session is told", () => events.some(isLast));
  return events.slice(0, events.findIndex(isLast));
}

/** Asserts that exactly this was told of the shard of `id`, in this order. */
export async function assertTold(
  store: SessionStore,
  id: string,
  listening: Listening,
  ...expected: readonly Told[]
): Promise<void> {
  const told = await hearAll(store, id, listening);
  assert.deepEqual(
    told.map(({ at: _, ...event }) => event),
    expected,
  );
}

/** What is told of one session that was ended. */
export function ended(
  how: StoredEndingKind,
  id: string,
  lineage: string = id,
  cause: Cause = NO_CAUSE,
): Told {
  return { type: "ended", how, cause, sessions: [{ id, lineage }] };
}

/** What is told of a session that got a new id. */
export function rotated(from: string, to: string, lineage: string = from): Told {
  return { type: "rotated", from, to, lineage };
}
