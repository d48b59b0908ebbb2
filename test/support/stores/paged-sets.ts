/* Large session sets, and a store whose operations on a set do something else between their pages. */
import { redisStore } from "session-sets/redis";
import type { SessionStore, StoredSession } from "../../../src/store/contract.ts";
import type { PageOptions } from "../../../src/store/listing.ts";
import { newIdBeside } from "../../../src/testing/ids.ts";
import {
  change,
  create,
  createChanges,
  createRotation,
  expectDone,
  findLive,
  of,
} from "../../../src/testing/steps.ts";
import { intercepted } from "../intercept.ts";
import { type Client, freshPrefix } from "./stores.ts";
import { editTimes } from "./times.ts";

const PAGED = ["page", "changeAll", "endAll"];
const HOUR = 3_600_000;
/**
 * The machine may be so slow that each session which is used between two pages moves past all others. A
 * change of the set would then never be done, so after this many pages nothing more happens in between.
 */
const MAX_DISTURBED_PAGES = 60;

export const USER = of("user_id", "1");

export interface PagedSet {
  /** Its operations on sets stop after each page that is not the last, for what `between` does. */
  readonly store: SessionStore;
  /** The same sessions, without stops. */
  readonly other: SessionStore;
  readonly prefix: string;
  /** The current id of each session of the set, by the number in its field `n`. */
  readonly ids: string[];
  /** How many sessions each page gave or changed or ended. */
  readonly pages: number[];
  between: (page: number) => Promise<unknown>;
}

/** A set of this many sessions of user 1 in one shard, each a deadline of its own. */
export async function openPagedSet(client: Client, count: number): Promise<PagedSet> {
  const prefix = freshPrefix();
  const options = { prefix, timeout: "20 seconds" } as const;
  const other = redisStore(client, options);
  const slow = intercepted(client, async ({ script }, pass) => {
    const reply = await pass();
    if (script === undefined || !PAGED.includes(script)) return reply;
    paged.pages.push(sessionsIn(script, reply));
    if (paged.pages.length <= MAX_DISTURBED_PAGES) await paged.between(paged.pages.length);
    return reply;
  });
  const paged: PagedSet = {
    store: redisStore(slow, options),
    other,
    prefix,
    ids: await Promise.all(
      Array.from({ length: count }, (_, n) => createMember(other, n, HOUR + n * 10)),
    ),
    pages: [],
    between: async () => {},
  };
  return paged;
}

export function createMember(store: SessionStore, n: number, idleTimeout: number): Promise<string> {
  return create(store, {
    fields: { user_id: "1", n: String(n) },
    references: { user_id: ["1"] },
    idleTimeout,
  });
}

function sessionsIn(script: string, reply: unknown): number {
  const at = { page: 4, changeAll: 4, endAll: 2 }[script] ?? 0;
  const sessions = (reply as unknown[])[at];
  return Array.isArray(sessions) ? sessions.length : Number(sessions);
}

/** Gives the session of number n a new id, and leaves the old one for so long. */
export async function rotate({ other, ids }: PagedSet, n: number, grace: number): Promise<void> {
  const old = ids[n] ?? "";
  const to = newIdBeside(old);
  expectDone(await change(other, old, { rotation: createRotation(to, { grace }) }));
  ids[n] = to;
}

export async function touch({ other, ids }: PagedSet, n: number): Promise<void> {
  expectDone(await change(other, ids[n] ?? ""));
}

/** Uses, rotates and makes sessions all over the set. */
export async function disturb(set: PagedSet, page: number): Promise<void> {
  const count = set.ids.length;
  for (let i = 0; i < 25; i++) {
    const n = (i * 28 + page * 5) % count;
    await touch(set, n);
    await rotate(set, (n + 7) % count, 0);
    await rotate(set, (n + 14) % count, HOUR);
  }
  for (let i = 0; i < 5; i++) await createMember(set.other, 10_000 + page * 10 + i, HOUR + i);
}

/** Gives every session of the set the same deadline, as if all had been made in one millisecond. */
export async function tie(
  client: Client,
  { other, ids }: Pick<PagedSet, "other" | "ids">,
): Promise<number> {
  const deadline = (await findLive(other, ids[0] ?? "")).expiresAt + HOUR;
  for (const id of ids) {
    const key = other.sessionKey(id);
    await editTimes(client, key, { idle: "-", absolute: deadline });
    await client.pexpireat(key, deadline);
    await client.zadd(other.setKey(USER), deadline, id);
  }
  await client.pexpireat(other.setKey(USER), deadline);
  return deadline;
}

export async function readAll(
  { store }: PagedSet,
  options?: PageOptions,
): Promise<StoredSession[]> {
  const read: StoredSession[] = [];
  for await (const page of store.pages(USER, options)) read.push(...page);
  return read;
}

/** The numbers of the sessions that are not marked as admin. */
export async function unchanged({ other, ids }: PagedSet): Promise<number[]> {
  const roles = await Promise.all(
    ids.map(async (id) => (await findLive(other, id, ["role"])).fields.get("role")),
  );
  return roles.flatMap((role, n) => (role === "admin" ? [] : [n]));
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

export function readNumbers(sessions: readonly StoredSession[]): number[] {
  return sessions
    .map(({ fields }) => Number(fields.get("n")))
    .filter((n) => n < 10_000)
    .sort((a, b) => a - b);
}

export const MARK = createChanges({ set: { role: "admin" } });
