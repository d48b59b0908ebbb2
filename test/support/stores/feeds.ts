/* Stores that are listened to, and what is heard. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Duration } from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import {
  type FeedEvent,
  type FeedStore,
  newIdBeside,
  type SessionStore,
} from "session-sets/testing";
import { eventually } from "../eventually.ts";
import { freshPrefix } from "./stores.ts";

export interface Heard {
  readonly events: readonly FeedEvent[];
  readonly gaps: number;
  stop(): Promise<void>;
}

export interface FeedStoreOptions {
  readonly prefix?: string;
  readonly shards?: number;
  readonly timeout?: Duration;
}

export function openFeedStore(
  client: RedisClient,
  { prefix = freshPrefix(), shards = 1, timeout = "20 seconds" }: FeedStoreOptions = {},
): FeedStore {
  return redisStore(client, { prefix, shards, timeout }) as FeedStore;
}

export async function hear(store: FeedStore, id: string | null = null): Promise<Heard> {
  const events: FeedEvent[] = [];
  let gaps = 0;
  const stop = await store.subscribe(id, {
    onEvent: (event) => events.push(event),
    onGap: () => {
      gaps++;
    },
  });
  return {
    events,
    get gaps() {
      return gaps;
    },
    stop,
  };
}

export function createFor(store: SessionStore, id: string): Promise<unknown> {
  return store.create({
    id,
    fields: new Map([["user_id", "1"]]),
    references: [{ field: "user_id", texts: ["1"], plain: false }],
    idleTimeout: 3_600_000,
    absoluteTimeout: null,
  });
}

/** The ids whose endings were heard. */
export function listEnded({ events }: Heard): string[] {
  return events.flatMap((event) =>
    event.type === "ended" ? event.sessions.map(({ id }) => id) : [],
  );
}

/** Makes and ends one session, until that is heard. */
export async function expectHeard(store: SessionStore, heard: Heard, id: string): Promise<void> {
  await createFor(store, id);
  await store.end(id);
  await eventually(`that the ending of ${id} is heard`, true, async () =>
    listEnded(heard).includes(id),
  );
}

/** Ends sessions beside `id` until one is heard. A gap must have told of those that were missed. */
export async function expectHeardAgain(
  store: SessionStore,
  heard: Heard,
  id: string,
): Promise<void> {
  const { gaps } = heard;
  const ended: string[] = [];
  await eventually(`that an ending beside ${id} is heard`, true, async () => {
    const next = newIdBeside(id);
    await createFor(store, next);
    await store.end(next);
    ended.push(next);
    await sleep(100);
    return listEnded(heard).includes(next);
  });
  const missed = ended.filter((one) => !listEnded(heard).includes(one));
  if (missed.length > 0) {
    await eventually("that a gap is told", true, async () => heard.gaps > gaps);
  }
}

export function expectGaps(heard: Heard, count: number): Promise<void> {
  return eventually(`${count} gap(s)`, count, async () => heard.gaps);
}
