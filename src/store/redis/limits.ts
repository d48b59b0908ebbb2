import { createLimitError } from "../../shared/errors.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type {
  EndOptions,
  FieldChanges,
  FieldReferences,
  Reference,
  TrimOptions,
} from "../contract.ts";
import { type Full, type LimitedValue, listLimited } from "../entering.ts";
import type { StoredEndingKind } from "../feed.ts";
import { decodeSetNames, isSession } from "./layout/decode.ts";
import { encodeName, encodeSetName, type Keys } from "./layout/keys.ts";
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
  /** The session that an id leads to; null where it leads to none. */
  readEntering(id: string): Promise<EnteringSession | null>;
}

/** A session that is to enter a set. */
interface EnteringSession {
  readonly age: Age;
  /** The names of the sets that it is in. */
  readonly names: readonly string[];
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
    readEntering: async (id) => {
      const found = await executor.runCommands(
        "read a session",
        keys.deriveSessionKey(id),
        (send) => findByName(send, keys, id),
      );
      if (!isSession(found)) return null;
      return { age: toAge(found.id, found.pairs), names: decodeSetNames(found.pairs) };
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
  /** The fields that say whose a session is: one that stays is ended, too, if it isn't the same user's. */
  readonly identity?: readonly string[];
  /** Whether a session is made where the id leads to none. */
  readonly makes?: boolean;
  /** Lets it in. */
  readonly enter: (references: readonly FieldReferences[]) => Promise<Answer>;
  /** The lineage of what was let in; null if nothing was. */
  readonly toLineage: (answer: Answer) => string | null;
}

type EntryPlan = Omit<Entry<unknown>, "enter" | "toLineage">;

type Standing = "closed" | "open" | "in";

/**
 * Keeps limits over several shards, which no script sees as a whole: a session is let in, and then those
 * beyond the limit are ended, in an order that is the same for all processes.
 */
export async function enterWithinLimits<Answer>(
  store: LimitedStore,
  entry: Entry<Answer>,
): Promise<Answer | Full> {
  const entered: LimitedValue[] = [];
  // Those that reject come first, so that they refuse before others end a session.
  for (const value of listLimited(entry.references, "reject")) {
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
  value: LimitedValue,
  entry: EntryPlan,
): Promise<Standing> {
  const { reference, limit } = value;
  if (limit.whenFull === "end-oldest" && !entry.stays) return "open";
  const count = await store.count(reference);
  if (count < limit.most) return "open";
  if (entry.to !== undefined && (await store.has(reference, entry.to))) return "open";
  return readStandingInFull(store, value, entry, count);
}

/** The same before a set that has `count` sessions, as many as it may or more. */
async function readStandingInFull(
  store: LimitedStore,
  value: LimitedValue,
  entry: EntryPlan,
  count: number,
): Promise<Standing> {
  const { reference, limit } = value;
  const { from, stays = false, makes = !stays } = entry;
  const rejects = limit.whenFull === "reject";
  const own = from === undefined ? null : await store.readEntering(from);
  if (own === null) return rejects && makes ? "closed" : "open"; // the script answers that it is gone
  const isThere = hasName(own.names, reference);
  if (stays && !isReplaced(own.names, entry)) {
    return isThere ? "in" : readStandingByAge(store, value, own.age);
  }
  return !rejects || (isThere && count === limit.most) ? "open" : "closed";
}

/** Where a session of this age stands before it enters a full set. */
async function readStandingByAge(
  store: LimitedStore,
  { reference, limit: { most, whenFull } }: LimitedValue,
  own: Age,
): Promise<Standing> {
  if (whenFull === "reject") return "closed";
  const ages = [...(await store.listByAge(reference)), own].sort(compareAges);
  return ages.slice(0, -most).includes(own) ? "closed" : "open"; // it would be one of those to end
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
  const wanted = encodeSetName({ ...reference, plain: false });
  return names.some((name) => stripMark(name) === wanted);
}

/** The name of a set without the mark of those that are also plain sets. */
function stripMark(name: string): string {
  return name.replace(/^=/, "");
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
  const limited = listLimited(references, "reject");
  if (limited.length === 0) return;
  const all = (await store.listByAge(reference)).map(({ lineage }) => lineage);
  for (const { reference: entered, limit } of limited) {
    const there = new Set((await store.listByAge(entered)).map(({ lineage }) => lineage));
    const entering = all.filter((lineage) => !there.has(lineage)).length;
    if (entering > 0 && there.size + entering > limit.most) {
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

function createFull({ reference, limit }: LimitedValue): Full {
  return { state: "full", field: reference.field, limit: limit.most };
}
