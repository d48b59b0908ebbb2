import type { Changed, FieldChanges, Reference, SessionStore } from "./contract.ts";

/*
 * An optional ability of a store: it changes a session for a caller who chooses ids and deadlines.
 * The entries under `compat/` need it, because their APIs let callers do so. A store without it is
 * complete. Its tests are `commandContract` of `session-sets/testing`.
 */

/** A change to one session by a caller who chooses ids and deadlines. It pushes the idle deadline forward. */
export interface Command extends FieldChanges {
  /** Replaces the session's idle timeout; null leaves it. */
  readonly idleTimeout: number | null;
  /** Sets the absolute deadline to this long from now, earlier or later than before. */
  readonly absoluteTimeout?: number;
  /** Sets the absolute deadline to this moment. If it has passed, the session ends. */
  readonly absoluteDeadline?: number;
  /** Whether to remove all fields that aren't in `set`, and their references. */
  readonly replace?: boolean;
  /** Makes the call do nothing unless the session has this value now. */
  readonly where?: Reference;
  /**
   * Whether to make the session, under the id that is asked for, if that leads to nothing: nothing is
   * there, or an alias whose session has ended. `"anew"` also makes it where `end` has left a tombstone.
   * It needs a new timeout or deadline, and no `merge`.
   */
  readonly create?: boolean | "anew";
  /** Null: the session keeps its id, even if its user changes. */
  readonly merge: Merge | null;
}

/**
 * A new id for a session whose user changes, that is where an `identity` field gains or loses a value.
 * The session keeps its fields and deadlines, and leaves tombstones at the old id and every alias.
 */
export interface Merge {
  /** The new id. It was never used before, and is in the same shard as the old one. */
  readonly to: string;
  /** The reference fields that say who the user is. */
  readonly identity: readonly string[];
  /**
   * The fields among them that count only if the session had no value there.
   * @default none
   */
  readonly firstOnly?: readonly string[];
  /** How long (ms) a tombstone is kept; 0 leaves none. */
  readonly tombstone: number;
}

/** The outcome of a command: that of a change which keeps the session's id, or merges. */
export type Commanded = Exclude<
  Changed,
  { readonly state: "ended" | "alias" | "signs-in" | "cleared" }
>;

/** A store that takes commands. */
export interface CommandStore extends SessionStore {
  /**
   * Changes one session, over at most three aliases. Called again with a `merge` to an id that
   * exists by then, it changes nothing more and returns the same answer.
   */
  command(id: string, command: Command): Promise<Commanded>;
}

export function isCommandStore(store: SessionStore): store is CommandStore {
  return "command" in store && typeof store.command === "function";
}
