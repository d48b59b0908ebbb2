/* When a session may enter a set, as the contract says it. */

import type { FieldReferences, Reference } from "./contract.ts";

/**
 * How many live sessions a value may have. A full set refuses another session, or ends its oldest: the one
 * created first, and of those of one moment the one whose lineage `<` sorts first. A session that is
 * older than all in a full set is refused, too.
 *
 * A set that rejects never has more, and nobody in it is ended for others. One that ends the oldest may
 * let parallel calls in first, and then end those beyond the limit in that order, which may include the
 * caller's, if the store has several shards or the set is large. It never leaves fewer than the limit, and
 * not one more once all calls have returned.
 */
export interface Limit {
  /** 1 or more. */
  readonly most: number;
  readonly whenFull: "end-oldest" | "reject";
}

/**
 * A session may not enter a set, and nothing was written or ended.
 *
 * - `full`: the set of one of its values has as many sessions as its limit allows. A session that the
 *   same call ends doesn't count.
 * - `cleared`: the set was cleared (`endAll`) since `asOf`, or that can't be told. An `asOf` counts as
 *   two seconds earlier than it says, and one in the future as now. A store remembers a clear for an
 *   hour, and refuses an `asOf` that is older than that.
 */
export type Refused = Cleared | Full;

/** See `Refused`. */
export interface Cleared {
  readonly state: "cleared";
}

/** See `Refused`. */
export interface Full {
  readonly state: "full";
  readonly field: string;
  /** How many sessions the value may have. */
  readonly limit: number;
}

/** How much earlier an `asOf` counts than it says: clocks differ, and a clear is seen late. */
export const AS_OF_MARGIN_MS = 2_000;
/** How long a store remembers that a set was cleared. */
export const CLEAR_MEMORY_MS = 3_600_000;

/** One value that may have so many sessions. */
export interface LimitedValue {
  readonly reference: Reference;
  readonly limit: Limit;
}

/** Lists the values that have limits, beginning with those that do this when they are full. */
export function listLimited(
  references: readonly FieldReferences[],
  first: Limit["whenFull"],
): LimitedValue[] {
  return references
    .flatMap(({ field, texts, plain, limit }) =>
      limit ? texts.map((text) => ({ reference: { field, text, plain }, limit })) : [],
    )
    .sort((a, b) => Number(b.limit.whenFull === first) - Number(a.limit.whenFull === first));
}
