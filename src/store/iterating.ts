import type { SessionStore, StoredSession } from "./contract.ts";
import type { PageOptions } from "./listing.ts";

/*
 * An optional ability of a store: to iterate over all its sessions. It isn't part of the contract,
 * because it looks at everything that is kept. A store without it is complete.
 */

/** A store that can iterate over all its sessions. */
export interface IterableStore extends SessionStore {
  /**
   * Iterates over all live sessions, in bounded steps and in no order. A session that has the same id
   * from the first step to the last is included. No id comes twice.
   */
  iterate(options?: PageOptions): AsyncIterable<StoredSession[]>;
}

export function isIterable(store: SessionStore): store is IterableStore {
  return "iterate" in store && typeof store.iterate === "function";
}
