/*
 * What a store of sessions must do. A store knows ids, encoded fields, references and deadlines; it
 * knows neither tokens nor HTTP. `session-sets/testing` has the suite that every store passes.
 *
 * - Each method is atomic for each session it touches: nobody sees half of it.
 * - Absent, expired and ended are the same thing and are no error: null, false or "gone".
 * - The store's own clock decides what is expired: a session lives up to and with `expiresAt`.
 * - Methods reject for system faults only, with a SessionError (ERR_STORE_UNAVAILABLE,
 *   ERR_STORE_FULL, ERR_REPLICAS), and within a bounded time; and `changeAll` where a session would
 *   grow too large.
 * - Nothing but `create` makes a session, and only under an id that was never used before; and
 *   `change`, where it is asked to.
 * - Times and durations are whole milliseconds, times since 1970 on the store's clock.
 */

/** One value of one reference field: what a session set is the set of. */
export interface Reference {
  readonly field: string;
  /** The value as `encodeValue` writes it. */
  readonly text: string;
  /** Whether the members are kept as a plain Redis set, too (`as: "set"`). */
  readonly plain: boolean;
}

/** All values that one reference field of one session has, or is to have. Empty: no reference. */
export interface FieldReferences {
  readonly field: string;
  /** The values as `encodeValue` writes them, each once, at most 1,000. */
  readonly texts: readonly string[];
  /** Whether the members are kept as a plain Redis set, too (`as: "set"`). */
  readonly plain: boolean;
}

/** The fields of a session by name, each value as `encodeValue` writes it. */
export type Fields = ReadonlyMap<string, string>;

/** The times of a session. */
export interface Times {
  readonly createdAt: number;
  /** When the idle deadline was last pushed forward. */
  readonly lastSeenAt: number;
  /** How long the session may be idle; null where it has no idle deadline. */
  readonly idleTimeout: number | null;
  /** When it ends however busy it is; null where it has no absolute deadline. */
  readonly absoluteDeadline: number | null;
  /** The nearer one of its deadlines. */
  readonly expiresAt: number;
}

/** A session as a store gives it out. */
export interface StoredSession extends Times {
  readonly id: string;
  /** All its fields, or those that were asked for. */
  readonly fields: Fields;
}

/** A session to be made. At least one of the two timeouts is given. */
export interface NewSession {
  /** An id never used before: the library makes ids of at least 128 random bits. */
  readonly id: string;
  readonly fields: Fields;
  readonly references: readonly FieldReferences[];
  readonly idleTimeout: number | null;
  /** From now: the store makes the deadline. */
  readonly absoluteTimeout: number | null;
  /** The absolute deadline itself, instead; nothing is made where it has passed. */
  readonly absoluteDeadline?: number;
}

/**
 * What an id leads to. `now` is the time of the asking, on the store's clock.
 *
 * - `live`: a session, whose own id differs from the one asked for where that one is an alias.
 * - `superseded`: there is a tombstone; the id leads nowhere, and `hadIdentity` says whether the
 *   session it stood for had a value in one of the fields that say who the user is. An id of more
 *   than three rotations ago counts as one that had.
 * - `gone`: nothing: never created, expired, or ended.
 */
export type Lookup =
  | { readonly state: "live"; readonly session: StoredSession; readonly now: number }
  | Superseded
  | Gone;

/** The id stood for a session that was replaced by a sign-in, or ended by its user. */
export interface Superseded {
  readonly state: "superseded";
  readonly hadIdentity: boolean;
}

/** There is no session. */
export interface Gone {
  readonly state: "gone";
}

/** Changes to the fields of a session. */
export interface FieldChanges {
  readonly set: Fields;
  readonly unset: readonly string[];
  /** One entry for each reference field in `set` or `unset`, with all the values it then has. */
  readonly references: readonly FieldReferences[];
  /** How many bytes the names and values of the fields may have together, after the change. */
  readonly maxBytes: number;
}

/** A change to one session by whoever uses it: it pushes the idle deadline forward. */
export interface Change extends FieldChanges {
  /** Replaces the session's idle timeout; null leaves it. */
  readonly idleTimeout: number | null;
  /** Null: the session keeps its id. */
  readonly rotation: Rotation | null;
  /** Moves the absolute deadline, either way, to so long from now. */
  readonly absoluteTimeout?: number;
  /** Moves the absolute deadline to this moment; the session ends where it has passed. */
  readonly absoluteDeadline?: number;
  /** Whether all fields that are not in `set` go, and their references with them. */
  readonly replace?: boolean;
  /** Only where the session has this value now. */
  readonly where?: Reference;
  /**
   * Makes the session where nothing is at the id. It is for ids that a caller chooses, and the one
   * exception to that a change never brings back what was ended. It goes with a new timeout or
   * deadline, and without a rotation.
   */
  readonly create?: boolean;
}

/**
 * A new id for a session that keeps its data and its absolute deadline.
 *
 * A rotation that changes a value of an `identity` field (a sign-in) leaves a tombstone at the old
 * id and at every alias it came through, so that whoever knows an old id never reaches the
 * signed-in session. Any other leaves an alias at the old id.
 */
export interface Rotation extends Leaving {
  /** The new id, never used before and in the same shard as the old one. */
  readonly to: string;
  /** "always", or only where the change alters a value of an `identity` field. */
  readonly when: "always" | "identity-changes";
}

/** What is left at an id, so that requests under way with it are told from those without a session. */
export interface Leaving {
  /** The reference fields that say who the user is. */
  readonly identity: readonly string[];
  /** How long the alias or tombstone stays; 0 leaves none. */
  readonly grace: number;
}

/**
 * What became of a change.
 *
 * - `changed`: done. `fields` are all fields where the session was rotated, else null.
 * - `alias`: nothing was done: a rotation was asked for through an old id (and changes no
 *   `identity` field), and an old id never leads to a new token.
 * - `too-large`: nothing was done: the session would have had `bytes` bytes.
 * - `elsewhere`: nothing was done: the session does not have the value that `where` asks for.
 */
export type Changed =
  | {
      readonly state: "changed";
      readonly id: string;
      readonly rotated: boolean;
      readonly times: Times;
      readonly fields: Fields | null;
    }
  | { readonly state: "alias" }
  | { readonly state: "too-large"; readonly bytes: number }
  | { readonly state: "elsewhere" }
  | Superseded
  | Gone;

/** Where sessions and their sets are kept. */
export interface SessionStore {
  /**
   * How many parts the ids are spread over, 1 to 4096. An id begins with the number of its part; in
   * a store of one part it may be any text but an empty one.
   */
  readonly shards: number;

  /** Makes a session. Called again with the same id it changes nothing and gives the same times. */
  create(session: NewSession): Promise<Times>;

  /** What an id leads to, aliases followed; writes nothing. With `names`, only those fields. */
  find(id: string, names?: readonly string[]): Promise<Lookup>;

  /**
   * Changes one session, aliases followed. Called again with a `rotation` to an id that exists it
   * changes nothing more and gives the same answer.
   */
  change(id: string, change: Change): Promise<Changed>;

  /**
   * Ends one session, aliases followed: it, its entries and its aliases are gone. With
   * `reference`, only where the session has that value now. With `leaving`, a tombstone stays at its
   * id and at every alias it was reached by. Whether one was ended.
   *
   * With `replicas`, it resolves when so many copies of the store have acknowledged that nothing is
   * left, also where nothing was there; ERR_REPLICAS where they do not in time, and a call after that
   * waits again. ERR_SESSION_CONFIG, and nothing is ended, where the store cannot tell.
   */
  end(
    id: string,
    reference?: Reference | null,
    leaving?: Leaving | null,
    replicas?: number,
  ): Promise<boolean>;

  /** How many live sessions have this value. */
  count(reference: Reference): Promise<number>;

  /** Whether the session that the id leads to has this value. */
  has(reference: Reference, id: string): Promise<boolean>;

  /**
   * Up to `limit` (at most 500) sessions with this value, the most recently seen first; where a
   * shard has more than 500 of them, only those that expire last are looked at.
   */
  list(reference: Reference, limit: number): Promise<StoredSession[]>;

  /**
   * All sessions with this value, in pages and in no order. A session that has the value from the
   * first page to the last is given, and none is given twice, however they rotate meanwhile.
   * Without `withFields`, `fields` is empty.
   */
  pages(reference: Reference, withFields: boolean): AsyncIterable<StoredSession[]>;

  /**
   * Changes every session with this value; no deadline moves. How many. ERR_SESSION_TOO_LARGE
   * where one would grow over `maxBytes`: it and those after it are left as they are.
   */
  changeAll(reference: Reference, changes: FieldChanges): Promise<number>;

  /**
   * Ends every session with this value, but the one that `except` leads to. How many. Every
   * session that had the value when it was called, and still has it, is ended under whatever id.
   * `replicas` as in `end`.
   */
  endAll(reference: Reference, except?: string | null, replicas?: number): Promise<number>;

  /** The name of the place where a session is kept: in Redis, the key of its hash. */
  sessionKey(id: string): string;

  /** The name of the place where a session set is kept; `*` stands for the shard where it has several. */
  setKey(reference: Reference): string;

  /** Frees what the store itself has opened. */
  close(): Promise<void>;
}
