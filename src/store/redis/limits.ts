import { createLimitError } from "../../shared/errors.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type {
  EndOptions,
  FieldChanges,
  FieldReferences,
  Reference,
  TrimOptions,
} from "../contract.ts";
import type { Full, Limit } from "../entering.ts";
import type { StoredEndingKind } from "../feed.ts";
import { isSession } from "./layout/decode.ts";
import type { Keys } from "./layout/keys.ts";
import { findByName } from "./lookups.ts";
import { type Age, compareAges, listByAge, toAge } from "./pages.ts";
import type { Executor } from "./scripts/executor.ts";

/** What limits need of the store. */
export interface LimitedStore {
  readonly shards: number;
  count(reference: Reference): Promise<number>;
  has(reference: Reference, id: string): Promise<boolean>;
  /** Ends a session, and tells how. */
  endAs(how: StoredEndingKind, id: string, options: EndOptions): Promise<string | null>;
  /** All sessions of a set, the oldest first. */
  listByAge(reference: Reference): Promise<Age[]>;
  /** The age of the session that an id leads to; null where it leads to none. */
  readAge(id: string): Promise<Age | null>;
}

export function createLimitedStore(
  store: Pick<LimitedStore, "shards" | "count" | "has" | "endAs">,
  executor: Executor,
  keys: Keys,
): LimitedStore {
  return {
    shards: store.shards,
    count: (reference) => store.count(reference),
    has: (reference, id) => store.has(reference, id),
    endAs: (how, id, options) => store.endAs(how, id, options),
    listByAge: (reference) => listByAge(executor, keys, store.shards, reference),
    readAge: async (id) => {
      const found = await executor.runCommands(
        "read a session",
        keys.deriveSessionKey(id),
        (send) => findByName(send, keys, id, []),
      );
      return isSession(found) ? toAge(found.id, found.pairs) : null;
    },
  };
}

/** A call that lets one session into sets. */
export interface Entry<Answer> {
  readonly references: readonly FieldReferences[];
  /**
   * The ids of the session that is asked for and of what is made of it. One that is in a set already
   * takes no place of it anew: it is what enters, or makes room, or this is the same call once more.
   */
  readonly ids: readonly string[];
  /** Whether the session that is asked for stays, and is what enters. */
  readonly stays?: boolean;
  /** Lets it in. */
  readonly enter: (references: readonly FieldReferences[]) => Promise<Answer>;
  /** The lineage of what was let in; null where nothing was. */
  readonly toLineage: (answer: Answer) => string | null;
}

/** One value that may have so many sessions. */
interface LimitedValue {
  readonly reference: Reference;
  readonly limit: Limit;
}

/**
 * Limits over several shards, which no script sees as a whole: a session is let in, and then what stands
 * beyond the limit is ended, in an order on which all processes agree.
 */
export async function enterWithinLimits<Answer>(
  store: LimitedStore,
  entry: Entry<Answer>,
): Promise<Answer | Full> {
  const limited = listLimited(entry.references);
  for (const value of limited) {
    if (await isClosed(store, value, entry)) return createFull(value);
  }
  const answer = await entry.enter(dropLimits(entry).references);
  const lineage = entry.toLineage(answer);
  if (lineage === null) return answer;
  for (const value of limited) {
    if (!(await settle(store, value, lineage))) return createFull(value);
  }
  return answer;
}

/** Whether a set has no room for a session, before anything is written. */
async function isClosed(
  store: LimitedStore,
  { reference, limit }: LimitedValue,
  { ids, stays = false }: Pick<Entry<unknown>, "ids" | "stays">,
): Promise<boolean> {
  const rejects = limit.whenFull === "reject";
  if (!rejects && !stays) return false;
  if ((await store.count(reference)) < limit.most) return false;
  for (const id of ids) {
    if (await store.has(reference, id)) return false;
  }
  if (rejects) return true;
  const own = await store.readAge(ids[0] as string);
  return own !== null && isTooOld(store, reference, own, limit);
}

/**
 * Ends what stands beyond a limit. Whether the session that has entered may stay; where parallel calls
 * have filled a set that rejects, it is ended.
 */
async function settle(
  store: LimitedStore,
  { reference, limit }: LimitedValue,
  lineage: string,
): Promise<boolean> {
  if ((await store.count(reference)) <= limit.most) return true;
  const ages = await store.listByAge(reference);
  if (limit.whenFull === "end-oldest") {
    await endOldest(store, reference, ages.slice(0, -limit.most), "limit");
    return true;
  }
  const isBeyond = ages.slice(limit.most).some((age) => age.lineage === lineage);
  if (isBeyond) await store.endAs("limit", lineage, { byName: true });
  return !isBeyond;
}

/** Whether a session would be one of those to end, once it is in a set as well. */
async function isTooOld(
  store: LimitedStore,
  reference: Reference,
  own: Age,
  { most }: Limit,
): Promise<boolean> {
  const ages = [...(await store.listByAge(reference)), own].sort(compareAges);
  return ages.slice(0, -most).includes(own);
}

/** Ends the oldest sessions of a set but `keep`. How many. */
export async function trim(
  store: LimitedStore,
  reference: Reference,
  keep: number,
  options: TrimOptions,
): Promise<number> {
  const ages = await store.listByAge(reference);
  return endOldest(store, reference, ages.slice(0, -keep), "trim", options);
}

/** How many sessions are ended at a time. */
const MAX_PARALLEL_ENDINGS = 100;

/** Ends sessions by their lineages, whatever ids they have by then, if they are still in the set. */
async function endOldest(
  store: LimitedStore,
  reference: Reference,
  doomed: readonly Age[],
  how: StoredEndingKind,
  options: TrimOptions = {},
): Promise<number> {
  let ended = 0;
  for (let from = 0; from < doomed.length; from += MAX_PARALLEL_ENDINGS) {
    const batch = doomed.slice(from, from + MAX_PARALLEL_ENDINGS);
    const lineages = await waitForAll(
      batch.map(({ lineage }) =>
        store.endAs(how, lineage, { ...options, byName: true, reference }),
      ),
    );
    ended += lineages.filter((lineage) => lineage !== null).length;
  }
  return ended;
}

/**
 * @throws SessionError ERR_SESSION_LIMIT where a value would have more sessions than it may, once all
 * sessions of a set have it.
 */
export async function checkLimitsOfAll(
  store: Pick<LimitedStore, "listByAge">,
  reference: Reference,
  references: readonly FieldReferences[],
): Promise<void> {
  const limited = listLimited(references);
  if (limited.length === 0) return;
  const all = (await store.listByAge(reference)).map(({ lineage }) => lineage);
  for (const { reference: entered, limit } of limited) {
    const there = (await store.listByAge(entered)).map(({ lineage }) => lineage);
    if (new Set([...all, ...there]).size > limit.most) {
      throw createLimitError(entered.field, limit.most);
    }
  }
}

/** Without limits, for scripts that see one shard of several. */
export function dropLimits<Changes extends Pick<FieldChanges, "references">>(
  changes: Changes,
): Changes {
  return { ...changes, references: changes.references.map(({ limit: _, ...one }) => one) };
}

function listLimited(references: readonly FieldReferences[]): LimitedValue[] {
  return references.flatMap(({ field, texts, plain, limit }) =>
    limit ? texts.map((text) => ({ reference: { field, text, plain }, limit })) : [],
  );
}

function createFull({ reference, limit }: LimitedValue): Full {
  return { state: "full", field: reference.field, limit: limit.most };
}
