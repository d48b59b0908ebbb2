import type { Duration } from "../durations.ts";
import type { SessionStore } from "../store/contract.ts";
import type { StandardSchema } from "./schema.ts";

/** A session as it was when it was read. */
export interface Session<Data> {
  /** The public name: for lists, logs and pages. Knowing it gives no access. It changes with a rotation. */
  readonly id: string;
  /** The fields: all of them, or those that were asked for. */
  readonly data: Data;
  readonly createdAt: Date;
  /** When it was last used, exact to a twentieth of its idle timeout or a minute, whichever is less. */
  readonly lastSeenAt: Date;
  /** The nearer one of its two deadlines, unless it is used before. */
  readonly expiresAt: Date;
  /** When it ends however busy it is; null where it has no absolute timeout. */
  readonly absoluteDeadline: Date | null;
}

/** A session that was just given a token: the only moment at which the token is known. */
export interface SessionWithToken<Data> {
  /** The bearer secret, for the user's cookie and nothing else. */
  readonly token: string;
  readonly session: Session<Data>;
}

/** What a session may be found by, alone or as an element of an array. */
export type ReferenceValue = string | number | boolean;

/** The values that `by` takes for a field: the field's own, or an element of it. */
export type ElementOf<Value> = unknown extends Value
  ? ReferenceValue
  : Value extends readonly (infer Element)[]
    ? Extract<Element, ReferenceValue>
    : Extract<Value, ReferenceValue>;

/** The names of a record's fields. */
export type FieldOf<Data> = keyof Data & string;

/** The names of the fields that may be absent, and so can be unset. */
export type OptionalFieldOf<Data> = {
  [Field in keyof Data]-?: Record<never, never> extends Pick<Data, Field> ? Field : never;
}[keyof Data] &
  string;

/** How one field refers to what its sessions share. */
export interface ReferenceOptions {
  /**
   * Whether the field says who the user is: a change of it is a sign-in or sign-out, and gives the
   * session a new token. Leave it true for a user; false fits a team or an address.
   * @default true
   */
  rotate?: boolean;
  /**
   * `"set"` keeps the ids in a plain Redis set, too, for `SMEMBERS`; it needs a store of one shard.
   */
  as?: "set";
}

/** Deadlines of one session; what is left out is as in `createSessions`. */
export interface Deadlines {
  /** The session ends when it was not used for so long (OWASP: idle timeout). */
  idleTimeout?: Duration;
  /** The session ends so long after its creation, however busy it is (OWASP: absolute timeout). */
  absoluteTimeout?: Duration;
}

/** How a session is read. */
export interface ReadOptions {
  /**
   * Whether reading counts as use and pushes the idle deadline forward.
   * @default true
   */
  touch?: boolean;
}

/** What a touch changes besides. */
export interface TouchOptions {
  /** A new idle timeout for this session, from now on. */
  idleTimeout?: Duration;
}

/** How a session is rotated. */
export interface RotateOptions {
  /**
   * How long the old token still leads to the session, for requests that are under way. 0 ends it
   * at once, as befits a change of password.
   * @default the `rotationGrace` of `createSessions`
   */
  grace?: Duration;
}

/** How a session is ended. */
export interface DeleteOptions {
  /**
   * How many replicas must have acknowledged the ending before the call resolves, so that a failover
   * to one of them does not bring the session back. Fewer of them within the store's `timeout` is
   * ERR_REPLICAS: the session is ended on the master, and calling again waits again. For `redisStore`
   * with a client of ioredis or redis.
   * @default it waits for none
   */
  replicas?: number;
}

/** What `createSessions` takes. `idleTimeout` or `absoluteTimeout`, or both, must be given. */
export interface SessionsOptions<Data extends object, Reference extends string> extends Deadlines {
  /**
   * The shape of the sessions' data: `{} as Data`, for its type only, or a Standard Schema (Zod,
   * Valibot, ArkType …), which also checks the fields of every write; it does not transform them.
   */
  data?: Data | StandardSchema<Data>;
  /**
   * Where the sessions are kept.
   * @default a memory store of this process, with a warning where NODE_ENV is production
   */
  store?: SessionStore;
  /** The fields that sessions can be found by. */
  references?: {
    readonly [Field in Reference]?: Field extends keyof Data ? ReferenceOptions : never;
  };
  /**
   * How many bytes the names and values of a session's fields may have together.
   * @default 65536
   */
  maxBytes?: number;
  /**
   * How long an old token still leads to its session after a rotation; after a sign-in it leads
   * nowhere, and for so long a request that still has it is told apart from one without a session.
   * @default "10 seconds"
   */
  rotationGrace?: Duration;
}
