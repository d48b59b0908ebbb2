import type { Change, Fields, Rotation } from "../../store/contract.ts";

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

/** A new id for a session that keeps its data, whoever's it is. What is left at the old id stays `grace` ms. */
export function rotationTo(
  to: string,
  when: "always" | "identity-changes",
  identity: readonly string[],
  grace: number,
): Rotation {
  const replacement = { idleTimeout: null, absoluteTimeout: null, without: [] };
  return { to, when, identity, grace, tombstone: grace, replacement };
}
