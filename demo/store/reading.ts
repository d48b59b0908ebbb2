import type { SessionStore } from "session-sets";

/*
 * What is in the store of one user's sessions, for the pages to show. A reading begins at the user's own
 * set and follows only what its sessions name, so it never finds another user's keys. It holds no token,
 * because the store has none.
 */

/** One thing in the store, such as a key of Redis. */
export interface Stored {
  /** Its key. */
  readonly key: string;
  /** What it is there, such as a hash. */
  readonly type: string;
  readonly role: "session" | "set" | "pointer" | "alias" | "ended" | "cleared";
  /** When the store deletes it by itself (ms since 1970); null if it doesn't. */
  readonly expiresAt: number | null;
  readonly entries: readonly StoredEntry[];
  /** The session that it is, or belongs to; none for what is of the whole set. */
  readonly session?: { readonly id: string; readonly lineage: string };
}

/** A field of a hash, a member of a set, or a whole string. */
export interface StoredEntry {
  readonly name: string;
  readonly value: string;
  /** The moment that the value says (ms since 1970), or the duration (ms). */
  readonly moment?: number;
  readonly duration?: number;
  /** What the value is made of, where that is several times. */
  readonly parts?: readonly StoredEntry[];
}

/** A store that the demo can use, and show. */
export interface ShownStore {
  readonly store: SessionStore;
  /** Its name on the pages. */
  readonly name: string;
  /** How it keeps sessions, in a sentence or two. */
  readonly about: string;
  /**
   * Reads what there is of the sessions of a user, in a bounded time.
   *
   * @param ended the ids of the user's sessions that were in an earlier reading. What is left of them is part
   * of this one.
   */
  read(userId: string, ended?: readonly string[]): Promise<Stored[]>;
}
