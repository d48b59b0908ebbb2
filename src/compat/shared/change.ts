import type { Change, Fields } from "../../store/contract.ts";

/** A change of fields and of nothing else: it moves no deadline of a session that is never idle. */
export function changeOf(set: Fields, unset: readonly string[] = []): Change {
  return {
    set,
    unset,
    references: [],
    maxBytes: Number.MAX_SAFE_INTEGER, // the predecessors had no limit
    idleTimeout: null,
    rotation: null,
  };
}
