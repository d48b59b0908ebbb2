// Imported as a namespace: an imported alias would lose its parameter, and compile errors the units.
import type * as durations from "../shared/durations.ts";
import type { SessionStore } from "../store/contract.ts";
import type { CauseOptions } from "./options/cause.ts";
import type { StandardSchema } from "./options/schema.ts";

/** A session, as it was when it was read. */
export interface Session<Data> {
  /** The public name, for lists, logs and pages. Knowing it gives no access. A rotation changes it. */
  readonly id: string;
  /**
   * The id that the session was made with. Rotations don't change it. Use it wherever an id works: `byId`,
   * and a session set's `has`, `delete` and `clear({ except })`. Use it on pages that sign out devices. It
   * gives no access either.
   */
  readonly lineage: string;
  /** The fields: all, or those that were asked for. */
  readonly data: Data;
  readonly createdAt: Date;
  /** When it was last used, accurate to a twentieth of its idle timeout or a minute, whichever is less. */
  readonly lastSeenAt: Date;
  /** The nearer of its two deadlines, if it is not used before. */
  readonly expiresAt: Date;
  /** When it ends, however busy it is. Null without an absolute timeout. */
  readonly absoluteDeadline: Date | null;
}

/** A session that was just given a token. The token is never told again. */
export interface SessionWithToken<Data> {
  /** The bearer secret, for the user's cookie and nothing else. */
  readonly token: string;
  readonly session: Session<Data>;
}

/**
 * The result of `rotate`. Both are null if the session was ended instead: by a rotation without a grace
 * time that came with an old token.
 */
export type Rotated<Data> =
  | SessionWithToken<Data>
  | { readonly token: null; readonly session: null };

/** A value that sessions can be found by, alone or as an element of an array. */
export type ReferenceValue = string | number | boolean;

/** The values that `by` takes for a field: the field's own, or an element of it. */
export type ElementOf<Value> = unknown extends Value
  ? ReferenceValue
  : Value extends readonly (infer Element)[]
    ? Extract<Element, ReferenceValue>
    : Extract<Value, ReferenceValue>;

/** The values of a new session. An optional field may also be undefined. */
export type ValuesOf<Data> = {
  [Field in keyof Data]: Record<never, never> extends Pick<Data, Field>
    ? Data[Field] | undefined
    : Data[Field];
};

/** Values to write into a session. A field that is undefined is left alone. */
export type PartialValuesOf<Data> = { [Field in keyof Data]?: Data[Field] | undefined };

/** The names of a record's fields. */
export type FieldOf<Data> = keyof Data & string;

/** The names of the optional fields, which can be unset. */
export type OptionalFieldOf<Data> = {
  [Field in keyof Data]-?: Record<never, never> extends Pick<Data, Field> ? Field : never;
}[keyof Data] &
  string;

/** How a reference is declared. */
export interface ReferenceOptions {
  /**
   * Whether the field says who the user is. If it does, naming another user is a sign-in, which ends the
   * session and makes a new one. Leave it true for a user, and set it to false for a team or an address.
   * @default true
   */
  identity?: boolean;
  /**
   * The one type of its values. A value of another type is ERR_SESSION_VALUE, also in `by`. This helps
   * because 60 and "60" are different values, and only one of them finds the sessions.
   * @default both types
   */
  type?: "string" | "number";
  /**
   * `"set"` also keeps the ids in a plain Redis set, for `SMEMBERS`. It needs a store of one shard.
   */
  as?: "set";
  /**
   * How many live sessions each value may have, such as the devices of a user. With `whenFull`.
   * @default any number
   */
  limit?: number;
  /**
   * What happens when a session would enter a full set. `"end-oldest"` ends the session there that was
   * created first. `"reject"` is ERR_SESSION_LIMIT, and nothing is written or ended. Either way it is
   * ERR_SESSION_LIMIT if `by().set` would overfill a set, or if a session that enters by `set` is older
   * than all that are in it.
   */
  whenFull?: "end-oldest" | "reject";
}

/**
 * The deadlines of one session. The default is that of `createSessions`. null turns off one of the two;
 * turning off both is ERR_SESSION_CONFIG.
 */
export interface Deadlines {
  /**
   * The session ends after this time without use (OWASP: idle timeout).
   * @default "7 days"
   */
  idleTimeout?: durations.Duration | null;
  /**
   * The session ends this time after its creation, however busy it is (OWASP: absolute timeout).
   * @default "30 days", the most that NIST SP 800-63B-4 allows at its lowest level
   */
  absoluteTimeout?: durations.Duration | null;
}

/** When the credentials were read that a session is made for. */
export interface AsOf {
  /**
   * When the credentials were read: a Date, or ms since 1970. The call is ERR_SESSION_GONE, and nothing
   * is written or ended, if a set that the session would enter was cleared since. So a login under way
   * cannot slip past a change of password. The moment counts as two seconds earlier than it says; one in
   * the future counts as now, and one more than an hour ago is refused. Leave it out right after your
   * own `clear`.
   * @default nothing is checked
   */
  asOf?: Date | number;
}

/** How a session is made. */
export interface CreateOptions extends Deadlines, AsOf {}

/**
 * How a user is signed in: the new session's deadlines, the fields it keeps of the old one, and why that
 * is ended.
 */
export interface SignInOptions<Keep extends string = never> extends Deadlines, AsOf, CauseOptions {
  /**
   * The fields that the new session keeps, such as a cart: from the old session without a user or of the
   * same user, never from another user's. None of them may say who the user is.
   * @default none
   */
  keep?: readonly Keep[];
}

/** The values that a sign-in takes: those of a new session. The fields to keep are optional. */
export type SignInValues<Data, Keep extends keyof Data> = ValuesOf<Omit<Data, Keep>> &
  PartialValuesOf<Pick<Data, Keep>>;

/** How a session is read. */
export interface ReadOptions {
  /**
   * Whether reading counts as use and pushes the idle deadline forward.
   * @default true
   */
  touch?: boolean;
}

/** What else a touch changes. */
export interface TouchOptions {
  /** A new idle timeout for this session, from now on. */
  idleTimeout?: durations.Duration;
}

/** How a session is rotated, and why it is ended if another one replaces it. */
export interface RotateOptions extends AsOf, CauseOptions {
  /**
   * How long the old token still leads to the session, for requests under way. 0 ends the old token at
   * once, and the whole session if the call itself comes with an old token. (After a change of password,
   * call `changeCredentials`.)
   * @default the `rotationGrace` of `createSessions`
   */
  grace?: durations.Duration;
}

/** How a session is ended, and why. */
export interface DeleteOptions extends CauseOptions {
  /**
   * How many replicas must acknowledge the ending before the call resolves, so that a failover to one of
   * them doesn't bring the session back. If fewer do within the store's `timeout`, the call rejects with
   * ERR_REPLICAS: the session is ended on the master, and calling again waits again. For `redisStore` with
   * a client of ioredis or redis.
   * @default none
   */
  replicas?: number;
}

/** The fields that sessions can be found by: a list of names and records, or a record. */
export type ReferencesOption<Field extends string = string> =
  | ReferencesRecord<Field>
  | readonly (Field | ReferencesRecord<Field>)[];

/** Fields and how they are declared as references. `true` is short for `{}`. */
export type ReferencesRecord<Field extends string = string> = {
  readonly [Name in Field]?: ReferenceOptions | true;
};

/** The names of the fields that were declared. */
export type ReferencesIn<Declared> = Declared extends readonly (infer Entry)[]
  ? NamesIn<Entry>
  : NamesIn<Declared>;

type NamesIn<Entry> = Entry extends string ? Entry : keyof Entry & string;

/** The declarations, with a legible compile error where a name isn't a field of the data. */
export type CheckedReferences<Data, Declared> = Declared extends readonly unknown[]
  ? { [Index in keyof Declared]: CheckedEntry<Data, Declared[Index]> }
  : CheckedEntry<Data, Declared>;

type CheckedEntry<Data, Entry> = Entry extends string
  ? Entry extends keyof Data
    ? Entry
    : Misspelt<Entry>
  : { [Field in keyof Entry]: Field extends keyof Data ? Entry[Field] : Misspelt<Field> };

type Misspelt<Field> = `${Field & string} is not a field of the data`;

/** The options of `createSessions`. */
export interface SessionsOptions<
  Data extends object,
  Declared extends ReferencesOption = ReferencesOption<FieldOf<Data>>,
> extends Deadlines {
  /**
   * The shape of the sessions' data: `{} as Data` for its type only, or a Standard Schema (Zod, Valibot,
   * ArkType …), which also checks the fields of every write. It doesn't transform them.
   */
  data?: Data | StandardSchema<Data>;
  /**
   * Where the sessions are kept.
   * @default a memory store of this process, with a warning if NODE_ENV is production
   */
  store?: SessionStore;
  /**
   * The fields that sessions can be found by: `["user_id", { team_ids: { identity: false } }]`, or
   * `{ user_id: true, team_ids: { identity: false } }`.
   * @default none
   */
  references?: Declared extends CheckedReferences<Data, Declared>
    ? Declared
    : CheckedReferences<Data, Declared>;
  /**
   * How many bytes the names and values of a session's fields may have together.
   * @default 65536
   */
  maxBytes?: number;
  /**
   * How long an old token still leads to its session after a rotation. After a sign-in it leads nowhere,
   * but for this time a request with it is told apart from one without a session.
   * @default "10 seconds"
   */
  rotationGrace?: durations.Duration;
}
