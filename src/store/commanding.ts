import type { Changed, FieldChanges, Reference, SessionStore } from "./contract.ts";

/*
 * What a store can do besides: change a session as a caller commands who chooses ids, and says when
 * each session ends. The entries under `compat/` need it, because the APIs that they keep do so. A
 * store without it is a whole store, too; `commandContract` of `session-sets/testing` has its tests.
 */

/** A change to one session by a caller who commands. It pushes the idle deadline forward. */
export interface Command extends FieldChanges {
  /** Replaces the session's idle timeout; null leaves it. */
  readonly idleTimeout: number | null;
  /** Moves the absolute deadline, either way, to so long from now. */
  readonly absoluteTimeout?: number;
  /** Moves the absolute deadline to this moment; the session ends where it has passed. */
  readonly absoluteDeadline?: number;
  /** Whether all fields that are not in `set` go, and their references with them. */
  readonly replace?: boolean;
  /** Only where the session has this value now. */
  readonly where?: Reference;
  /**
   * Makes the session where nothing is at the id. It goes with a new timeout or deadline, and without
   * a `merge`. `"anew"` makes it also where `end` has left a tombstone.
   */
  readonly create?: boolean | "anew";
  /** Null: the session keeps its id, whoever's it becomes. */
  readonly merge: Merge | null;
}

/**
 * A new id for a session whose user changes: where a value of an `identity` field comes or goes. It
 * keeps its fields and its deadlines, and leaves tombstones at every id that it came through.
 */
export interface Merge {
  /** The new id, never used before and in the same shard as the old one. */
  readonly to: string;
  /** The reference fields that say who the user is. */
  readonly identity: readonly string[];
  /**
   * Those of them that count only where the session had no value.
   * @default none
   */
  readonly firstOnly?: readonly string[];
  /** How long (ms) a tombstone stays; 0 leaves none. */
  readonly tombstone: number;
}

/** What became of a command: as of a change that keeps the session's id, or merges. */
export type Commanded = Exclude<
  Changed,
  { readonly state: "ended" | "alias" | "signs-in" | "cleared" }
>;

/** A store that takes commands. */
export interface CommandStore extends SessionStore {
  /**
   * Changes one session, over three aliases at most. Called again with a `merge` to an id that
   * exists it changes nothing more and gives the same answer.
   */
  command(id: string, command: Command): Promise<Commanded>;
}

export function isCommandStore(store: SessionStore): store is CommandStore {
  return "command" in store && typeof store.command === "function";
}
