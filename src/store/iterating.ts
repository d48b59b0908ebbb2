import type { PageOptions, SessionStore, StoredSession } from "./contract.ts";

/*
 * What a store can do besides: go through all its sessions, whatever their fields hold. It is no
 * part of the contract, because it looks at everything that is kept; a store without it is a whole
 * store, too.
 */

/** A store that can go through all its sessions. */
export interface IterableStore extends SessionStore {
  /**
   * All live sessions, in bounded steps and in no order. One that is there under the same id from
   * the first step to the last is given, and no id is given twice.
   */
  iterate(options?: PageOptions): AsyncIterable<StoredSession[]>;
}

export function isIterable(store: SessionStore): store is IterableStore {
  return "iterate" in store && typeof store.iterate === "function";
}
