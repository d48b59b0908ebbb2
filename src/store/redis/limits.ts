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

/** Creates what limits need of a store. */
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
  /** The id of the session that is asked for, if there is one. */
  readonly from?: string;
  /** The id of the session to make, if there is one. A session that has it was made by the same call. */
  readonly to?: string | undefined;
  /** Whether the session that is asked for enters the sets; otherwise it is ended. */
  readonly stays?: boolean;
  /** Lets it in. */
  readonly enter: (references: readonly FieldReferences[]) => Promise<Answer>;
  /** The lineage of what was let in; null if nothing was. */
  readonly toLineage: (answer: Answer) => string | null;
}

/** One value that may have so many sessions. */
interface LimitedValue {
  readonly reference: Reference;
  readonly limit: Limit;
}

/**
 * Keeps limits over several shards, which no script sees as a whole: a session is let in, and then those
 * beyond the limit are ended, in an order that is the same for all processes.
 */
export async function enterWithinLimits<Answer>(
  store: LimitedStore,
  entry: Entry<Answer>,
): Promise<Answer | Full> {
  const entered: LimitedValue[] = [];
  for (const value of listLimited(entry.references)) {
    const standing = await readStanding(store, value, entry);
    if (standing === "closed") return createFull(value);
    if (standing === "open") entered.push(value);
  }
  const answer = await entry.enter(dropLimits(entry).references);
  const lineage = entry.toLineage(answer);
  if (lineage === null) return answer;
  for (const value of entered) {
    if (!(await endSurplus(store, value, lineage))) return createFull(value);
  }
  return answer;
}

/**
 * Where a session stands before it enters a set: the set is "closed" to it, or "open", or the session is
 * "in" it already.
 */
async function readStanding(
  store: LimitedStore,
  { reference, limit }: LimitedValue,
  { from, to, stays = false }: Omit<Entry<unknown>, "enter" | "toLineage">,
): Promise<"closed" | "open" | "in"> {
  const rejects = limit.whenFull === "reject";
  if (!rejects && !stays) return "open";
  const count = await store.count(reference);
  if (count < limit.most) return "open";
  if (to !== undefined && (await store.has(reference, to))) return "open";
  const isThere = from !== undefined && (await store.has(reference, from));
  if (isThere && stays) return "in";
  if (rejects) return isThere && count === limit.most ? "open" : "closed";
  const own = from === undefined ? null : await store.readAge(from);
  return own !== null && (await isTooOld(store, reference, own, limit)) ? "closed" : "open";
}

/**
 * Ends the sessions of a set beyond its limit: the oldest, or, if it rejects, the youngest, which parallel
 * calls have let in. Returns whether the session of this lineage, which has entered, is let stay.
 */
async function endSurplus(
  store: LimitedStore,
  { reference, limit }: LimitedValue,
  lineage: string,
): Promise<boolean> {
  const rejects = limit.whenFull === "reject";
  const count = await store.count(reference);
  // In a set that is just full, a parallel call may have ended this session as the youngest.
  if (count <= limit.most) {
    return !rejects || count < limit.most || store.has(reference, lineage);
  }
  const ages = await store.listByAge(reference);
  const surplus = rejects ? ages.slice(limit.most) : ages.slice(0, -limit.most);
  await endEach(store, reference, surplus, "limit");
  return !rejects || ages.slice(0, limit.most).some((age) => age.lineage === lineage);
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
  return endEach(store, reference, ages.slice(0, -keep), "trim", options);
}

/** How many sessions are ended at a time. */
const MAX_PARALLEL_ENDINGS = 100;

/** Ends sessions by their lineages, whatever ids they have by then, if they are still in the set. */
async function endEach(
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

/** Lists the values that have limits. Those that reject come first, so that they refuse before others end. */
function listLimited(references: readonly FieldReferences[]): LimitedValue[] {
  const limited = references.flatMap(({ field, texts, plain, limit }) =>
    limit ? texts.map((text) => ({ reference: { field, text, plain }, limit })) : [],
  );
  const [rejecting, others] = [true, false].map((rejects) =>
    limited.filter(({ limit }) => (limit.whenFull === "reject") === rejects),
  );
  return [...(rejecting ?? []), ...(others ?? [])];
}

function createFull({ reference, limit }: LimitedValue): Full {
  return { state: "full", field: reference.field, limit: limit.most };
}
