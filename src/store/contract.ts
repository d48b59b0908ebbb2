/*
 * The contract of a session store. A store knows ids, encoded fields, references and deadlines; it
 * knows neither tokens nor HTTP. Every store passes the suite in `session-sets/testing`.
 *
 * - Each method is atomic for each session it touches: no caller sees half of a change.
 * - Absent, expired and ended sessions are treated alike, and aren't errors: the answer is null,
 *   false or "gone".
 * - The store's own clock decides what has expired. A session is live up to and including `expiresAt`.
 * - Each method settles within a bounded time. It rejects with a SessionError, and only for a system
 *   fault (ERR_STORE_UNAVAILABLE, ERR_STORE_FULL, ERR_REPLICAS); where a session's references would
 *   have more than 1,000 values together (ERR_SESSION_VALUE, and nothing is done); and in `changeAll`.
 * - Only `create` and `signIn` make a session, and only under an id that was never used before. A
 *   `change` that names another user than the session's does what `signIn` does.
 * - Times and durations are whole milliseconds. Times count from 1970 on the store's clock.
 *
 * Optional abilities extend `SessionStore`: commanding.ts, feed.ts, reindexing.ts and iterating.ts.
 */

import type { Limit, Refused } from "./entering.ts";
import type { Cause } from "./feed.ts";
import type { ListOptions, PageOptions } from "./listing.ts";

/** One value of one reference field. It names a session set. */
export interface Reference {
  readonly field: string;
  /** The value as `encodeValue` writes it. */
  readonly text: string;
  /** Whether the set's ids are also kept in a plain Redis set (`as: "set"`). */
  readonly plain: boolean;
  /** A value that the program may have meant. It is looked up where no session has this one. */
  readonly lookalike?: Lookalike;
}

/** The same value as another type: the number 60 for the string "60", or the reverse. */
export interface Lookalike {
  /** The value as `encodeValue` writes it. */
  readonly text: string;
  /**
   * Called when `count`, `list` (without `after`) or `endAll` finds no session with the reference's
   * value, but at least one with this value.
   */
  readonly onFound: () => void;
}

/** All values that one reference field of one session has, or will have; empty for none. */
export interface FieldReferences {
  readonly field: string;
  /** The values as `encodeValue` writes them, each once, at most 1,000. */
  readonly texts: readonly string[];
  /**
   * Whether the field says who the user is. A full store may end sessions without a user.
   * @default false
   */
  readonly identity?: boolean;
  /** Whether the set's ids are also kept in a plain Redis set (`as: "set"`). */
  readonly plain: boolean;
  /**
   * How many live sessions each of the values may have.
   * @default any number
   */
  readonly limit?: Limit | undefined;
}

/** The fields of a session by name, each value as `encodeValue` writes it. */
export type Fields = ReadonlyMap<string, string>;

/** The times of a session. */
export interface Times {
  readonly createdAt: number;
  /** When the idle deadline was last pushed forward. */
  readonly lastSeenAt: number;
  /** How long the session may be idle; null without an idle deadline. */
  readonly idleTimeout: number | null;
  /** When it ends even if it is in use; null without an absolute deadline. */
  readonly absoluteDeadline: number | null;
  /** The earlier of its deadlines. */
  readonly expiresAt: number;
}

/** A session as a store returns it. */
export interface StoredSession extends Times {
  readonly id: string;
  /** The id that the session was made with. Rotations keep it. */
  readonly lineage: string;
  /** All its fields, or those that were asked for. */
  readonly fields: Fields;
}

/** A session to make. At least one of the two timeouts is given. */
export interface NewSession {
  /** An id that was never used before: the library's ids have at least 128 random bits. */
  readonly id: string;
  readonly fields: Fields;
  readonly references: readonly FieldReferences[];
  readonly idleTimeout: number | null;
  /** How long from now the session may live; the store computes the deadline. */
  readonly absoluteTimeout: number | null;
  /** When the credentials were read that it is made for: see `Refused`. */
  readonly asOf?: number | undefined;
}

/** The id and the times of a session that was made. */
export interface Created extends Times {
  readonly state: "created";
  readonly id: string;
}

/**
 * What an id leads to. `now` is the time of the read on the store's clock.
 *
 * - `live`: a session. Its id differs from the given one where that is an alias.
 * - `superseded`: a tombstone.
 * - `gone`: nothing. The session was never created, has expired, or was ended.
 */
export type Lookup =
  | { readonly state: "live"; readonly session: StoredSession; readonly now: number }
  | Superseded
  | Gone;

/** The id's session was ended, and a tombstone says how. */
export interface Superseded {
  readonly state: "superseded";
  /** Whether a sign-in replaced the session, or its own request ended it. */
  readonly by: "sign-in" | "delete";
  /**
   * Whether the session that a sign-in replaced had a value in one of the fields that say who the
   * user is. It is also true in two other cases:
   *
   * - The id is from more than three rotations ago.
   * - A `change` with a `rotation` names some of these fields, but not all that the sign-in named. It
   *   isn't that sign-in sent twice, and its session would replace the sign-in's in the browser.
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
  /** One entry for each reference field in `set` or `unset`, with all values it has afterwards. */
  readonly references: readonly FieldReferences[];
  /** The most bytes that the names and values of all fields may have together after the change. */
  readonly maxBytes: number;
}

/** A change to one session in use. It counts as use: always, or where `isTouchDue` if it only writes fields. */
export interface Change extends FieldChanges {
  /** Replaces the session's idle timeout; null leaves it. */
  readonly idleTimeout: number | null;
  /** Null: the session keeps its id. */
  readonly rotation: Rotation | null;
  /** Makes the call do nothing unless the session has this value now. */
  readonly where?: Reference;
}

/**
 * A new id for a session, or for the session that replaces it.
 *
 * A change that names an `identity` field says who the user is. Each such field is compared by itself:
 *
 * - The old and the new values have one in common: the session is the same user's.
 * - They have none in common: it is another user's. If there are no new values, it is a sign-out.
 * - There were no old values: it is nobody's.
 *
 * Among several fields the strictest result counts: another user's or a sign-out first, then nobody's.
 */
export interface Rotation {
  /** The new id. It was never used before, and is in the same shard as the old one. */
  readonly to: string;
  /**
   * When the session gets the new id. Except with `"credentials"` and `"never"`, a change that names an
   * `identity` field replaces a session that isn't the same user's.
   *
   * - `"always"`: a renewal. It leaves an alias at the old id, or a tombstone where the change names the
   *   same user or `grace` is 0. Through an alias, a change that names no user does nothing (`alias`);
   *   with a `grace` of 0 it ends the session (`ended`).
   * - `"credentials"`: a renewal that leaves tombstones at the old id and at every alias on the way.
   * - `"user-changes"`: the session keeps its id where it is the same user's.
   * - `"never"`: the same user's session keeps its id; for any other, nothing is done (`signs-in`).
   */
  readonly when: "always" | "credentials" | "user-changes" | "never";
  /** The reference fields that say who the user is. */
  readonly identity: readonly string[];
  /** How long (ms) an alias is kept; 0 leaves none. */
  readonly grace: number;
  /** How long (ms) a tombstone is kept; 0 leaves none. */
  readonly tombstone: number;
  /**
   * The session that replaces one that isn't the same user's. It keeps nothing of the old session,
   * and gets the fields that the change sets, except those in `without`.
   */
  readonly replacement: Replacement;
  /** Ids of other sessions that the caller ends if this one is replaced. No limit counts them. */
  readonly leaving?: readonly string[] | undefined;
  /** Why the session that is there is ended, if it is. */
  readonly cause?: Cause | undefined;
  /** When the credentials were read, as in `Refused`. It counts for all sets that the change names. */
  readonly asOf?: number | undefined;
}

/** A session that replaces another: its deadlines, and the fields that it doesn't get. */
export interface Replacement {
  readonly idleTimeout: number | null;
  readonly absoluteTimeout: number | null;
  readonly without: readonly string[];
}

/** A session that replaces anything an id leads to. */
export interface SignIn extends NewSession {
  /** The fields to keep from the old session, with their references, unless the new one sets them. */
  readonly keep: readonly string[];
  /** The reference fields that say who the user is. */
  readonly identity: readonly string[];
  /** How long (ms) tombstones are kept; 0 leaves none. */
  readonly tombstone: number;
  /** The most bytes that the names and values of its fields may have together. */
  readonly maxBytes: number;
  /** Ids of other sessions that the caller ends once this is done. No limit counts them. */
  readonly leaving?: readonly string[] | undefined;
  /** Why the session that is there is ended. */
  readonly cause?: Cause | undefined;
}

/**
 * The outcome of a sign-in.
 *
 * - `signed-in`: done. `ended` says whether the id led to a session, which was ended.
 * - `too-large`: nothing was done. With the kept fields, the session would have had `bytes` bytes.
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
 * The outcome of a change.
 *
 * - `changed`: done. `fields` holds all fields if the session has a new id; otherwise it is null.
 * - `ended`: the session was ended by a rotation without a grace time through an old id.
 * - `alias`: nothing was done. Either the rotation was asked for through an old id, which never leads
 *   to a new token, or the session was rotated 32 times within one grace time.
 * - `signs-in`: nothing was done. The session isn't the same user's.
 * - `too-large`: nothing was done. The session would have had `bytes` bytes.
 * - `elsewhere`: nothing was done. The session doesn't have the value that `where` asks for.
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

/** Options of `find`. */
export interface FindOptions {
  /** The fields to read; all if left out. */
  readonly names?: readonly string[] | undefined;
  /** The id doesn't come from a token, so it may also be a lineage. */
  readonly byName?: boolean;
}

/** Options of `end`. */
export interface EndOptions {
  /** The id doesn't come from a token, so it may also be a lineage. */
  readonly byName?: boolean;
  /** Makes the call do nothing unless the session has this value now. */
  readonly reference?: Reference;
  /** What to leave at its id and at every alias it was reached by; nothing if left out. */
  readonly tombstone?: Tombstone;
  /**
   * How many replicas must acknowledge that nothing is left, even if nothing was there. If too few do so
   * in time, the call rejects with ERR_REPLICAS, and calling again waits again. A store that
   * cannot tell rejects with ERR_SESSION_CONFIG, and ends nothing.
   */
  readonly replicas?: number | undefined;
  /** Why the session is ended: what a `FeedStore` tells. */
  readonly cause?: Cause | undefined;
}

/** What is left of a session that its own request has ended. */
export interface Tombstone {
  /** How long (ms) it is kept; 0 leaves none. */
  readonly stays: number;
  /** Leaves it only if the session has this lineage. */
  readonly lineage?: string;
}

/** Options of `trim`. */
export type TrimOptions = Pick<EndOptions, "replicas" | "cause">;

/** Options of `endAll`. */
export interface EndAllOptions extends TrimOptions {
  /** An id or a lineage. The session that it leads to isn't ended. */
  readonly except?: string | null;
  /** Whether the set counts as cleared from then on (`Refused`); true if left out. */
  readonly leavesMark?: boolean;
}

/** How often a session may be renewed within one grace time, so the most aliases that lead to it. */
export const MAX_RENEWALS = 32;
/** The most aliases that `find` and `change` follow from an id. An ending follows all of them. */
export const MAX_HOPS = 3;

/** A store of sessions and their sets. */
export interface SessionStore {
  /** How many shards there are, 1 to 4096. If several, an id begins with the number of its shard. */
  readonly shards: number;

  /**
   * Makes a session. Called again with the same id while the session lives, it changes nothing and
   * returns the same times. If the id's shard takes no new sessions for the moment, the store may call
   * `createIdElsewhere`, which returns an id in another shard each time, and use that id.
   */
  create(session: NewSession, createIdElsewhere?: () => string): Promise<Created | Refused>;

  /**
   * Ends the session that an id leads to, over any number of aliases, and makes another in the same
   * shard. It leaves tombstones at the id, even if that led nowhere, and at every alias on the way.
   * It keeps no field of a session that was another user's, or that was over three aliases away.
   * Called again with the same new id while that session lives, it returns the same session.
   */
  signIn(id: string, session: SignIn): Promise<SignedIn>;

  /** What an id leads to, over at most three aliases, or over all with `byName`. It writes nothing. */
  find(id: string, options?: FindOptions): Promise<Lookup>;

  /**
   * Changes one session, over at most three aliases. Called again with a `rotation` to an id that
   * exists by then, it changes nothing more and returns the same answer.
   */
  change(id: string, change: Change): Promise<Changed>;

  /** Ends a session and all aliases from the id to it. It returns the lineage; null if none was there. */
  end(id: string, options?: EndOptions): Promise<string | null>;

  /** Counts the live sessions with this value. */
  count(reference: Reference): Promise<number>;

  /** Whether the session that an id or a lineage leads to has this value. */
  has(reference: Reference, id: string): Promise<boolean>;

  /** Returns some of the sessions with this value; fewer than `limit` only if there are no more. */
  list(reference: Reference, options: ListOptions): Promise<StoredSession[]>;

  /**
   * Iterates over all sessions with this value, in pages and in no order. A session that has the value
   * from the first page to the last is included. No session comes twice, even if it is rotated meanwhile.
   */
  pages(reference: Reference, options?: PageOptions): AsyncIterable<StoredSession[]>;

  /**
   * Changes every session with this value, without moving deadlines, and returns how many. It rejects
   * with ERR_SESSION_TOO_LARGE where a session would exceed `maxBytes`: that session and those after
   * it are left as they are. It rejects with ERR_SESSION_LIMIT, and changes nothing, where a value would
   * have more sessions than its limit allows, whatever its `whenFull` says.
   */
  changeAll(reference: Reference, changes: FieldChanges): Promise<number>;

  /**
   * Ends every session with this value, except the one that `except` leads to, and returns how many.
   * A session that had the value when this was called, and still has it, is ended even if it is
   * rotated meanwhile. From then on the set counts as cleared (`Refused`), also if it was empty or
   * memory is full.
   */
  endAll(reference: Reference, options?: EndAllOptions): Promise<number>;

  /**
   * Ends the oldest sessions with this value, in the order of `Limit`, until `keep` are left, and returns
   * how many. A session that had the value when this was called, and was older than those that are kept,
   * is ended even if it is rotated meanwhile; one that is made meanwhile, only if `keep` are younger.
   */
  trim(reference: Reference, keep: number, options?: TrimOptions): Promise<number>;

  /** The name of the place where a session is kept: the key of its hash in Redis. */
  sessionKey(id: string): string;

  /** The name of a session set's place. `*` stands for the shard if there are several. */
  setKey(reference: Reference): string;

  /** Closes what the store itself has opened. */
  close(): Promise<void>;
}
