import type { Command } from "../../store/commanding.ts";
import type { Change, Fields } from "../../store/contract.ts";

/** A change of fields and of nothing else: it moves no deadline of a session that is never idle. */
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

/** A new id for a session that keeps its data, whoever's it is. An alias stays for `grace` ms. */
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
