/*
 * What a store of sessions must do. A store knows ids, encoded fields, references and deadlines; it
 * knows neither tokens nor HTTP. `session-sets/testing` has the suite that every store passes.
 *
 * - Each method is atomic for each session it touches: nobody sees half of it.
 * - Absent, expired and ended are the same thing and are no error: null, false or "gone".
 * - The store's own clock decides what is expired: a session lives up to and with `expiresAt`.
 * - Methods reject for system faults only, with a SessionError (ERR_STORE_UNAVAILABLE,
 *   ERR_STORE_FULL, ERR_REPLICAS), and within a bounded time; with ERR_SESSION_VALUE where the
 *   references of a session would have more than 1,000 values together, and nothing is done; and
 *   `changeAll` where a session would grow too large.
 * - Nothing but `create` and `signIn` makes a session, and only under an id that was never used
 *   before. A `change` that names another user than the session's is a `signIn`, and does what it
 *   does.
 * - Times and durations are whole milliseconds, times since 1970 on the store's clock.
 *
 * That is the whole of it. What a store can do besides has files of its own, each with a type that
 * extends `SessionStore`: commanding.ts, which the entries under `compat/` need, reindexing.ts and
 * iterating.ts.
 */

/** One value of one reference field: what a session set is the set of. */
export interface Reference {
  readonly field: string;
  /** The value as `encodeValue` writes it. */
  readonly text: string;
  /** Whether the members are kept as a plain Redis set, too (`as: "set"`). */
  readonly plain: boolean;
  /** The value that a program may have meant: asked for where no session has this one. */
  readonly lookalike?: Lookalike;
}

/** The same value as the other type: the number 60 for the string "60", and the other way round. */
export interface Lookalike {
  /** The value as `encodeValue` writes it. */
  readonly text: string;
  /**
   * Called where `count`, `list` (but for what is `after` a place) or `endAll` finds no session of a
   * reference, and some of this one.
   */
  readonly onFound: () => void;
}

/** All values that one reference field of one session has, or is to have. Empty: no reference. */
export interface FieldReferences {
  readonly field: string;
  /** The values as `encodeValue` writes them, each once, at most 1,000. */
  readonly texts: readonly string[];
  /**
   * Whether the field says who the user is. A store that is full may end sessions of nobody.
   * @default false
   */
  readonly identity?: boolean;
  /** Whether the members are kept as a plain Redis set, too (`as: "set"`). */
  readonly plain: boolean;
  /**
   * How many live sessions each of the values may have.
   * @default any number
   */
  readonly limit?: Limit | undefined;
}

/**
 * How many live sessions a value may have. What is full of them refuses another one, or ends its oldest:
 * the first created, and of those of one moment the one whose lineage `<` sorts first. Where the one that
 * enters is older than all that are there, it is refused, too.
 *
 * A store of several shards may let parallel calls in first, and then end what is too many in that
 * order, the caller's own included. It never leaves fewer than there may be, and not one more once all
 * calls have returned.
 */
export interface Limit {
  /** 1 or more. */
  readonly most: number;
  readonly whenFull: "end-oldest" | "reject";
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
  /** The id that the session was made with, which rotations keep. */
  readonly lineage: string;
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
  /** When the credentials were read that it is made for: see `Refused`. */
  readonly asOf?: number | undefined;
}

/** A session that was made, and with which id. */
export interface Created extends Times {
  readonly state: "created";
  readonly id: string;
}

/**
 * A session may not enter a set, and nothing was written or ended.
 *
 * - `full`: the set of one of its values has as many sessions as there may be. One that the same call
 *   ends doesn't count.
 * - `cleared`: the set was cleared (`endAll`) since `asOf`, or nobody can tell. An `asOf` counts as two
 *   seconds earlier than it says, and one in the future as now. A store remembers for an hour that a
 *   set was cleared, and refuses an `asOf` that is older than that.
 */
export type Refused = Cleared | Full;

/** See `Refused`. */
export interface Cleared {
  readonly state: "cleared";
}

/** See `Refused`. */
export interface Full {
  readonly state: "full";
  readonly field: string;
  /** How many sessions the value may have. */
  readonly limit: number;
}

/** How much earlier an `asOf` counts than it says: clocks differ, and a clear is seen late. */
export const AS_OF_MARGIN_MS = 2_000;
/** How long a store remembers that a set was cleared. */
export const CLEAR_MEMORY_MS = 3_600_000;

/**
 * What an id leads to. `now` is the time of the asking, on the store's clock.
 *
 * - `live`: a session, whose own id differs from the one asked for where that one is an alias.
 * - `superseded`: there is a tombstone.
 * - `gone`: nothing: never created, expired, or ended.
 */
export type Lookup =
  | { readonly state: "live"; readonly session: StoredSession; readonly now: number }
  | Superseded
  | Gone;

/** The id stood for a session that was ended, and says by what. */
export interface Superseded {
  readonly state: "superseded";
  /** Whether a sign-in took its place, or its own request ended it. */
  readonly by: "sign-in" | "delete";
  /**
   * Whether the session that a sign-in replaced had a value in one of the fields that say who the
   * user is. An id of more than three rotations ago counts as one that had. So does any to a `change`
   * with a `rotation` that names some of these fields, and not all that the sign-in has named: it is no
   * sign-in that was sent twice, and its session would take the place of that one's in the browser.
   */
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
  /** Only where the session has this value now. */
  readonly where?: Reference;
}

/**
 * A new id for a session, or for the one that takes its place.
 *
 * A change that names an `identity` field says who the user is. Each such field counts by itself:
 * the session is the same user's where the old and the new values have one in common, another's
 * where they have none, nobody's where it had no value; no new values over old ones are a sign-out.
 * Of several fields the strictest counts: another user's and a sign-out, then nobody's.
 */
export interface Rotation {
  /** The new id, never used before and in the same shard as the old one. */
  readonly to: string;
  /**
   * - `"always"`: a renewal. It leaves an alias at the old id; a tombstone where the change names the
   *   same user, or `grace` is 0. Through an alias it is done only where it names the same user; else
   *   nothing is (`alias`), or, with a `grace` of 0, the session is ended (`ended`).
   * - `"credentials"`: a renewal that leaves tombstones at every id it came through, aliases too.
   * - `"user-changes"`: the session keeps its id where it is the same user's.
   * - `"never"`: the same, and nothing is done (`signs-in`) where the session is not.
   */
  readonly when: "always" | "credentials" | "user-changes" | "never";
  /** The reference fields that say who the user is. */
  readonly identity: readonly string[];
  /** How long (ms) an alias stays; 0 leaves none. */
  readonly grace: number;
  /** How long (ms) a tombstone stays; 0 leaves none. */
  readonly tombstone: number;
  /**
   * The session that takes the place of one that is not the same user's: of the old one it keeps
   * nothing, and of the change it has what is set, but for the fields of `without`.
   */
  readonly replacement: Replacement;
  /**
   * When the credentials were read that the change is made for: see `Refused`. It counts for the sets
   * that the change names, also where the session is in them already.
   */
  readonly asOf?: number | undefined;
}

/** The deadlines of a session that takes the place of another, and what it does not get. */
export interface Replacement {
  readonly idleTimeout: number | null;
  readonly absoluteTimeout: number | null;
  readonly without: readonly string[];
}

/** A session that takes the place of what an id leads to, whatever that is. */
export interface SignIn extends NewSession {
  /** The fields that it takes over from the old session, with their references, unless it has them. */
  readonly keep: readonly string[];
  /** The reference fields that say who the user is. */
  readonly identity: readonly string[];
  /** How long (ms) tombstones stay; 0 leaves none. */
  readonly tombstone: number;
  /** How many bytes the names and values of its fields may have together. */
  readonly maxBytes: number;
}

/**
 * What became of a sign-in.
 *
 * - `signed-in`: done. `ended`: whether the id led to a session, which it has ended.
 * - `too-large`: nothing was done: with what it keeps the session would have had `bytes` bytes.
 */
export type SignedIn =
  | {
      readonly state: "signed-in";
      readonly times: Times;
      readonly fields: Fields;
      readonly ended: boolean;
    }
  | { readonly state: "too-large"; readonly bytes: number }
  | Refused;

/**
 * What became of a change.
 *
 * - `changed`: done. `fields` are all fields where the session has a new id, else null.
 * - `ended`: the session was ended: a rotation without a grace time came through an old id.
 * - `alias`: nothing was done: a rotation was asked for through an old id, which never leads to a
 *   new token, or the session was rotated 32 times within one grace time.
 * - `signs-in`: nothing was done: the session is not the same user's.
 * - `too-large`: nothing was done: the session would have had `bytes` bytes.
 * - `elsewhere`: nothing was done: the session does not have the value that `where` asks for.
 */
export type Changed =
  | {
      readonly state: "changed";
      readonly id: string;
      readonly lineage: string;
      readonly rotated: boolean;
      readonly times: Times;
      readonly fields: Fields | null;
    }
  | { readonly state: "ended" | "alias" | "signs-in" }
  | { readonly state: "too-large"; readonly bytes: number }
  | { readonly state: "elsewhere" }
  | Refused
  | Superseded
  | Gone;

/** How a session is found. */
export interface FindOptions {
  /** Only these fields are read. */
  readonly names?: readonly string[] | undefined;
  /** The id is a name that somebody was told, not that of a token: a lineage will do, too. */
  readonly byName?: boolean;
}

/** How a session is ended. */
export interface EndOptions {
  /** The id is a name that somebody was told, not that of a token: a lineage will do, too. */
  readonly byName?: boolean;
  /** Only where the session has this value now. */
  readonly reference?: Reference;
  /** What stays at its id and at every alias it was reached by; left out: nothing. */
  readonly tombstone?: Tombstone;
  /**
   * How many copies of the store must have acknowledged that nothing is left, also where nothing was
   * there. ERR_REPLICAS where they do not in time, and a call after that waits again.
   * ERR_SESSION_CONFIG, and nothing is ended, where the store cannot tell.
   */
  readonly replicas?: number | undefined;
}

/** What stays of a session that its own request has ended. */
export interface Tombstone {
  /** How long (ms); 0 leaves none. */
  readonly stays: number;
  /** Only where the session is of this lineage. */
  readonly lineage?: string;
}

/** How the sessions of a set are ended. */
export interface EndAllOptions extends Pick<EndOptions, "replicas"> {
  /** An id or a lineage: the session that it leads to lives on. */
  readonly except?: string | null;
}

/** How the oldest sessions of a set are ended. */
export type TrimOptions = Pick<EndOptions, "replicas">;

/** Where a session stands in the order of deadlines; it need not be there any more. */
export type ListPlace = Pick<StoredSession, "id" | "expiresAt">;

/** Which sessions of a set are listed, and in what order. */
export interface ListOptions {
  /** At most so many, 1 to 500. */
  readonly limit: number;
  /**
   * - `"last-seen"`: the most recently seen first; where a shard has more than 500 of them, only those
   *   that expire last are looked at.
   * - `"deadline"`: the latest `expiresAt` first; those of one deadline by id, as `<` compares texts.
   */
  readonly order: "last-seen" | "deadline";
  /**
   * In the order of deadlines: only those that stand behind this place. It goes by the place alone, also
   * where that session was ended, rotated or touched since.
   */
  readonly after?: ListPlace | null;
}

/** How often a session may be rotated within one grace time, and so how many aliases lead to one. */
export const MAX_RENEWALS = 32;
/** Over how many aliases an id is a way in; an ending follows all there are. */
export const MAX_HOPS = 3;

/** Where sessions and their sets are kept. */
export interface SessionStore {
  /**
   * How many parts the ids are spread over, 1 to 4096. An id begins with the number of its part; in
   * a store of one part it may be any text but an empty one.
   */
  readonly shards: number;

  /**
   * Makes a session. Called again with its id while it is there, it changes nothing: the same times.
   * A store whose part of that id takes no new ones for the moment asks `createIdElsewhere` for another id,
   * which is in another part each time, and may make the session under that.
   */
  create(session: NewSession, createIdElsewhere?: () => string): Promise<Created | Refused>;

  /**
   * Ends the session that an id leads to, over all aliases there are, and makes another in the same
   * shard. Tombstones stay at the id, also where it led nowhere, and at every alias it came through.
   * Nothing is kept of a session that was another user's, or that more than three aliases led to.
   * Called again with the same new id while that session is there, it gives the same session.
   */
  signIn(id: string, session: SignIn): Promise<SignedIn>;

  /** What an id leads to, over three aliases at most, or by its name over all; writes nothing. */
  find(id: string, options?: FindOptions): Promise<Lookup>;

  /**
   * Changes one session, over three aliases at most. Called again with a `rotation` to an id that
   * exists it changes nothing more and gives the same answer.
   */
  change(id: string, change: Change): Promise<Changed>;

  /** Ends a session, and all aliases that led from the id to it. Its lineage; null for none. */
  end(id: string, options?: EndOptions): Promise<string | null>;

  /** How many live sessions have this value. */
  count(reference: Reference): Promise<number>;

  /** Whether the session that an id or a lineage leads to has this value. */
  has(reference: Reference, id: string): Promise<boolean>;

  /**
   * Some of the sessions with this value; fewer than `limit` only where there are no more.
   */
  list(reference: Reference, options: ListOptions): Promise<StoredSession[]>;

  /**
   * All sessions with this value, in pages and in no order. A session that has the value from the
   * first page to the last is given, and none is given twice, however they rotate meanwhile.
   * Without `withFields`, `fields` is empty.
   */
  pages(reference: Reference, withFields: boolean): AsyncIterable<StoredSession[]>;

  /**
   * Changes every session with this value; no deadline moves. How many. ERR_SESSION_TOO_LARGE
   * where one would grow over `maxBytes`: it and those after it are left as they are. ERR_SESSION_LIMIT, and nothing is changed, where a value would have more sessions than its
   * `limit` allows, whatever is to happen when it is full.
   */
  changeAll(reference: Reference, changes: FieldChanges): Promise<number>;

  /**
   * Ends every session with this value, but the one that `except` leads to. How many. Every
   * session that had the value when it was called, and still has it, is ended under whatever id. From
   * then on the set counts as cleared, also where it was empty, or memory is full.
   */
  endAll(reference: Reference, options?: EndAllOptions): Promise<number>;

  /**
   * Ends the oldest sessions with this value, in the order of `Limit`, until `keep` are left. How many.
   * Each that had the value when it was called and was older than those that are kept is ended under
   * whatever id; those that are made meanwhile live.
   */
  trim(reference: Reference, keep: number, options?: TrimOptions): Promise<number>;

  /** The name of the place where a session is kept: in Redis, the key of its hash. */
  sessionKey(id: string): string;

  /** The name of a session set's place; `*` stands for the shard where it has several. */
  setKey(reference: Reference): string;

  /** Frees what the store itself has opened. */
  close(): Promise<void>;
}
