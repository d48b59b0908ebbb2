import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { SessionError } from "../../shared/errors.ts";
import { sum } from "../../shared/sum.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type { FieldReferences, Reference, TrimOptions } from "../contract.ts";
import { type LimitedValue, listLimited } from "../entering.ts";
import type { StoredEndingKind } from "../feed.ts";
import { countEach, type ShardedScripts } from "./count.ts";
import type { Postponed } from "./layout/decode.ts";
import { encodeBareName, encodeName } from "./layout/keys.ts";
import { findByName } from "./lookups.ts";
import { type Age, compareAges, listByAge, toAge } from "./pages.ts";
import { Reservations, type ReservingStore } from "./reservations.ts";
import { endEach } from "./set-endings.ts";

/** What limits need of the store. */
export interface LimitedStore extends ReservingStore, ShardedScripts {}

/** A call that lets one session into sets. */
export interface Entry<Answer> {
  readonly references: readonly FieldReferences[];
  /** The id of the session that is asked for, if there is one. */
  readonly from?: string;
  /** Whether that session enters the sets; otherwise it is ended, if it is there. */
  readonly stays?: boolean;
  /** The fields that say whose a session is: one that stays is ended, too, if it isn't the same user's. */
  readonly identity?: readonly string[];
  /** Ids of other sessions that the caller ends. */
  readonly leaving?: readonly string[] | undefined;
  /** Lets it in, unless its script answers that the sets have no room. */
  readonly enter: (
    references: readonly FieldReferences[],
    encodeBounds: EncodeBounds,
  ) => Promise<Answer | Postponed>;
  readonly hasEntered: (answer: Answer) => boolean;
}

/** Encodes what the script of a session's shard has to know of the others (`encodeLimits`). */
export type EncodeBounds = (shard: number) => string[];

/** How long (ms) to pause at most before a place is tried again that is reserved for another session. */
const MAX_PAUSE_MS = 20;

/** More sessions than a set ever has. */
const ANY_NUMBER = Number.MAX_SAFE_INTEGER;

const NO_BOUNDS: EncodeBounds = () => [];

const RESERVED: Postponed = { state: "reserved" };

/**
 * Lets a session into sets. Those without limits have room for it. With limits, on one shard its script
 * does all of that, unless a set has many sessions. Over several shards, its script is told what the
 * others have, and by reservations that stays true. Those beyond the limit are then ended page by page.
 */
export function enterWithinLimits<Answer extends { readonly state: string }>(
  store: LimitedStore,
  entry: Entry<Answer>,
): Promise<Answer> {
  if (entry.references.some(({ limit }) => limit)) return enterLimited(store, entry);
  // Only a limit makes a script postpone anything.
  return entry.enter(entry.references, NO_BOUNDS) as Promise<Answer>;
}

async function enterLimited<Answer extends { readonly state: string }>(
  store: LimitedStore,
  entry: Entry<Answer>,
): Promise<Answer> {
  if (store.shards === 1) {
    const answer = await entry.enter(entry.references, NO_BOUNDS);
    if (!isPostponed(answer)) return answer;
  }
  return retryReserved(store, async () => {
    const answer = await enterInSteps(store, entry);
    return isPostponed(answer) ? "reserved" : answer;
  });
}

/**
 * Does the work again, after a pause, as long as it says that a place is reserved for another session.
 *
 * @throws SessionError ERR_STORE_UNAVAILABLE if it still is when an operation must have ended.
 */
export async function retryReserved<T>(
  { timeout }: LimitedStore,
  work: () => Promise<T | "reserved">,
): Promise<T> {
  const end = performance.now() + timeout;
  for (;;) {
    const done = await work();
    if (done !== "reserved") return done;
    if (performance.now() > end) throw createReservedError();
    await sleep(Math.random() * MAX_PAUSE_MS); // those who wait for each other don't meet again
  }
}

async function enterInSteps<Answer extends { readonly state: string }>(
  store: LimitedStore,
  entry: Entry<Answer>,
): Promise<Answer | Postponed> {
  const limited = listLimited(entry.references, "reject");
  const ending = limited.filter(({ limit }) => limit.whenFull === "end-oldest");
  // On one shard the script counts by itself.
  const rejecting = store.shards === 1 ? [] : limited.slice(0, limited.length - ending.length);
  const reservations = await Reservations.make(
    store,
    rejecting.map(({ reference }) => ({ reference, count: 1 })),
  );
  const { answer, leavers, entered } = await reservations.during(async () => {
    const standings = await waitForAll(ending.map((value) => readStanding(store, value, entry)));
    const counts = await waitForAll(rejecting.map(({ reference }) => countEach(store, reference)));
    // After the counts: one that has ended by now may have been counted, and is not taken off.
    const leavers = await readLeavers(store, entry.leaving);
    if (!reservations.beginEntry()) return { answer: RESERVED, leavers, entered: [] };
    const encodeBounds = (shard: number) => [
      ...ending.flatMap(({ reference }, i) =>
        encodeBound(reference, standings[i] === "closed" ? 0 : ANY_NUMBER, 0),
      ),
      ...rejecting.flatMap(({ reference, limit }, i) => {
        const elsewhere = (counts[i] as number[]).filter((_, other) => other !== shard);
        const left = leavers.filter((one) => one.shard !== shard && hasName(one.names, reference));
        const most = limit.most - sum(elsewhere) + left.length;
        return encodeBound(reference, most, reservations.others[i] as number);
      }),
    ];
    const answer = await entry.enter(entry.references.map(withoutEndings), encodeBounds);
    return { answer, leavers, entered: ending.filter((_, i) => standings[i] !== "in") };
  });
  if (!isPostponed(answer) && entry.hasEntered(answer)) {
    for (const value of entered) await endSurplus(store, value, leavers);
  }
  return answer;
}

function isPostponed(answer: { readonly state: string }): answer is Postponed {
  return answer.state === "reserved" || answer.state === "crowded";
}

/** Makes a field's limit one of those that scripts keep without ending a session. */
function withoutEndings({ limit, ...one }: FieldReferences): FieldReferences {
  return limit ? { ...one, limit: { ...limit, whenFull: "reject" } } : one;
}

function encodeBound(reference: Reference, most: number, reserved: number): string[] {
  return [encodeBareName(reference), String(most), String(reserved)];
}

/** A session with what decides about its place in a set. */
interface Member {
  readonly age: Age;
  readonly shard: number;
  /** The names of the sets that it is in. */
  readonly names: readonly string[];
}

/** The session that an id leads to; null where it leads to none. */
async function readMember({ executor, keys }: LimitedStore, id: string): Promise<Member | null> {
  const found = await executor.runCommands("read a session", keys.deriveSessionKey(id), (send) =>
    findByName(send, keys, id),
  );
  if (!found.isSession) return null;
  return { age: toAge(found), shard: keys.findShard(id), names: found.setNames };
}

/** The sessions that these ids lead to, each once. */
async function readLeavers(store: LimitedStore, ids: readonly string[] = []): Promise<Member[]> {
  const found = await waitForAll(ids.map((id) => readMember(store, id)));
  const live = found.filter((one) => one !== null);
  return [...new Map(live.map((one) => [one.age.lineage, one])).values()];
}

/**
 * Where a session stands before it enters a set that ends the oldest: it is "in" it already, or the set is
 * "open" to it, or "closed", because it would be the one to end.
 */
async function readStanding(
  store: LimitedStore,
  { reference, limit: { most } }: LimitedValue,
  entry: Omit<Entry<unknown>, "enter" | "hasEntered">,
): Promise<"closed" | "in" | "open"> {
  if (!entry.stays || entry.from === undefined) return "open";
  if (sum(await countEach(store, reference)) < most) return "open";
  const own = await readMember(store, entry.from);
  if (own === null || isReplaced(own.names, entry)) return "open";
  if (hasName(own.names, reference)) return "in";
  const ages = [...(await listAges(store, reference)), own.age].sort(compareAges);
  return ages.slice(0, -most).includes(own.age) ? "closed" : "open";
}

/** Whether another session takes the place of the one with these names, as `change.lua` decides it. */
function isReplaced(
  names: readonly string[],
  { references, identity = [] }: Pick<Entry<unknown>, "references" | "identity">,
): boolean {
  return references
    .filter(({ field }) => identity.includes(field))
    .some(({ texts, ...one }) => {
      if (texts.length > 0) return !texts.some((text) => hasName(names, { ...one, text }));
      return names.some((name) => stripMark(name).startsWith(`${encodeName(one.field)}:`));
    });
}

function hasName(names: readonly string[], reference: Reference): boolean {
  const wanted = encodeBareName(reference);
  return names.some((name) => stripMark(name) === wanted);
}

/** The name of a set without the mark of those that are also plain sets. */
function stripMark(name: string): string {
  return name.replace(/^=/, "");
}

/** Ends the oldest sessions of a set beyond its limit. Those that are leaving don't count. */
async function endSurplus(
  store: LimitedStore,
  { reference, limit: { most } }: LimitedValue,
  leavers: readonly Member[],
): Promise<void> {
  if (sum(await countEach(store, reference)) <= most) return;
  const left = new Set(leavers.map(({ age }) => age.lineage));
  const ages = (await listAges(store, reference)).filter(({ lineage }) => !left.has(lineage));
  await endAges(store, reference, ages.slice(0, -most), "limit");
}

/** Ends the oldest sessions of a set but `keep`. How many. */
export async function trim(
  store: LimitedStore,
  reference: Reference,
  keep: number,
  options: TrimOptions,
): Promise<number> {
  const ages = await listAges(store, reference);
  return endAges(store, reference, ages.slice(0, -keep), "trim", options);
}

function endAges(
  store: LimitedStore,
  reference: Reference,
  ages: readonly Age[],
  how: StoredEndingKind,
  options?: TrimOptions,
): Promise<number> {
  const lineages = ages.map(({ lineage }) => lineage);
  return endEach(store, store.shards, reference, lineages, how, options);
}

function listAges({ executor, keys, shards }: LimitedStore, reference: Reference): Promise<Age[]> {
  return listByAge(executor, keys, shards, reference);
}

/** Without limits, for scripts that see one shard of several. */
export function dropLimits(references: readonly FieldReferences[]): FieldReferences[] {
  return references.map(({ limit: _, ...one }) => one);
}

function createReservedError(): SessionError {
  return new SessionError(
    "ERR_STORE_UNAVAILABLE",
    "The session store could not enter a session set: its last place is reserved for another session that is about to enter, and nothing was done. Try again: a reservation that a program has left behind expires after four times redisStore's timeout",
    { operation: "enter a session set" },
  );
}
