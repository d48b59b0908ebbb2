import type { Command } from "../../store/commanding.ts";
import type { Change, Fields } from "../../store/contract.ts";

/** Changes fields and nothing else: the deadline stays, for the session has no idle timeout. */
export function createChange(set: Fields, unset: readonly string[] = []): Command {
  return {
    set,
    unset,
    references: [],
    maxBytes: Number.MAX_SAFE_INTEGER, // the predecessors had no limit
    idleTimeout: null,
    merge: null,
  };
}

/** Gives a session a new id. It keeps its data and its user. The old id is an alias for `grace` ms. */
export function createRenewal(to: string, grace: number): Change {
  const replacement = { idleTimeout: null, absoluteTimeout: null, without: [] };
  return {
    set: new Map(),
    unset: [],
    references: [],
    maxBytes: Number.MAX_SAFE_INTEGER,
    idleTimeout: null,
    rotation: { to, when: "always", identity: [], grace, tombstone: grace, replacement },
  };
}
