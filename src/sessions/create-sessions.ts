import { parseOptionalDuration } from "../shared/durations.ts";
import { readOptions } from "../shared/given.ts";
import type { ReindexProgress } from "../store/reindexing.ts";
import { parseConfig } from "./config.ts";
import { composeSession, decodeFields, fieldsToUnset, toSession } from "./record.ts";
import type { ReindexOptions } from "./reindex.ts";
import { SessionCore } from "./session-core.ts";
import { SessionSet } from "./session-set.ts";
import { createTokenBeside } from "./token.ts";
import type {
  CreateOptions,
  DeleteOptions,
  ElementOf,
  FieldOf,
  OptionalFieldOf,
  PartialValuesOf,
  ReadOptions,
  ReferencesIn,
  ReferencesOption,
  Rotated,
  RotateOptions,
  Session,
  SessionsOptions,
  SessionWithToken,
  SignInOptions,
  SignInValues,
  TouchOptions,
  ValuesOf,
} from "./types.ts";
import { fieldsToRead, parseReadArguments, parseReplicas, TOUCH_OPTIONS } from "./verb-options.ts";

/** A bearer secret as it came from a request. What is no well-formed token is no session. */
export type Token = string | null | undefined;

const cores = new WeakMap<object, SessionCore>();

/**
 * Makes the sessions of an application.
 *
 * ```ts
 * const sessions = createSessions({
 *   data: {} as { user_id?: number; theme?: string },
 *   references: ["user_id"],
 * });
 * ```
 *
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work.
 */
export function createSessions<
  Data extends object = Record<string, unknown>,
  const Declared extends ReferencesOption = ReferencesOption<FieldOf<Data>>,
>(options?: SessionsOptions<Data, Declared>): Sessions<Data, ReferencesIn<Declared>> {
  const core = new SessionCore(parseConfig(options as SessionsOptions<object> | undefined));
  return new Sessions<Data, ReferencesIn<Declared>>(core);
}

/** The engine of sessions, for the session of a request. */
export function findCore(sessions: object): SessionCore | undefined {
  return cores.get(sessions);
}

/**
 * The sessions of an application. Every method is safe to call at any time and from any number of
 * processes. Where the store fails it rejects with ERR_STORE_UNAVAILABLE (or, a full memory store,
 * ERR_STORE_FULL), for what cannot be stored with ERR_SESSION_VALUE or ERR_SESSION_TOO_LARGE, and for
 * mistakes of the program with ERR_SESSION_CONFIG; each is a SessionError.
 */
export class Sessions<Data extends object, Reference extends string = FieldOf<Data>> {
  readonly #core: SessionCore;

  /** @internal */
  constructor(core: SessionCore) {
    this.#core = core;
    cores.set(this, core);
  }

  /**
   * Makes a session, with deadlines of its own where they are given, and the token for it.
   *
   * @throws SessionError ERR_SESSION_GONE where one of its sets was cleared since `asOf`.
   */
  async create(
    ...[values, options]: Record<never, never> extends Data
      ? [values?: ValuesOf<Data>, options?: CreateOptions]
      : [values: ValuesOf<Data>, options?: CreateOptions]
  ): Promise<SessionWithToken<Data>> {
    return this.#core.create<Data>(this.#core.toPlainValues(values ?? {}), options);
  }

  /**
   * The session of a token, or null. It counts as use, unless `{ touch: false }`: the idle deadline
   * is pushed forward when the last time was more than a twentieth of the idle timeout or a minute
   * ago. With `fields`, only those are read.
   */
  async get(token: Token, options?: ReadOptions): Promise<Session<Data> | null>;
  async get<Field extends FieldOf<Data>>(
    token: Token,
    fields: readonly Field[],
    options?: ReadOptions,
  ): Promise<Session<Pick<Data, Field>> | null>;
  async get(token: Token, fields: undefined, options?: ReadOptions): Promise<Session<Data> | null>;
  async get(
    token: Token,
    fieldsOrOptions?: readonly string[] | ReadOptions,
    options?: ReadOptions,
  ): Promise<Session<Data> | null> {
    const { fields, touch } = parseReadArguments("get", fieldsOrOptions, options);
    const id = this.#toId(token);
    if (id === null) return null;
    const found = await this.#core.find(id, fields);
    const used = touch ? await this.#core.touchIfDue(found) : found;
    return used.state === "live" ? toSession<Data>(used.session) : null;
  }

  /**
   * Merges values into a session; a field that is undefined is left alone. Never makes a session.
   * Resolves to whether there was one.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a field that says who the user is: `signIn` does that.
   */
  async set(token: Token, values: PartialValuesOf<Data>): Promise<boolean> {
    const given = this.#core.toPlainValues(values);
    this.#core.refuseIdentities("set", Object.keys(given));
    return this.#change(token, { values: given });
  }

  /**
   * Removes fields. Resolves to whether there was a session.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a field that says who the user is: `delete` signs out.
   */
  async unset(token: Token, fields: readonly OptionalFieldOf<Data>[]): Promise<boolean> {
    const unset = fieldsToUnset(fields);
    this.#core.refuseIdentities("unset", unset);
    return this.#change(token, { unset });
  }

  /** Pushes the idle deadline forward. Resolves to whether there was a session. */
  async touch(token: Token, options: TouchOptions = {}): Promise<boolean> {
    const { idleTimeout } = readOptions("touch", options, TOUCH_OPTIONS);
    return this.#change(token, { idleTimeout: parseOptionalDuration("idleTimeout", idleTimeout) });
  }

  /**
   * Signs a user in: ends the session of the token, whatever it is, and makes a new one of these
   * values, with fresh deadlines and a token of its own. Of the old session it has the fields that
   * `keep` names, and nothing else; from another user's it keeps nothing. Where the token leads to no
   * session, or is none, it only makes one.
   *
   * ```ts
   * const { token } = await sessions.signIn(oldToken, { user_id: 1 }, { keep: ["cart"] });
   * ```
   *
   * @throws SessionError ERR_SESSION_CONFIG where the values do not say who the user is, or `keep`
   * does.
   */
  async signIn<const Keep extends FieldOf<Data> = never>(
    token: Token,
    values: SignInValues<Data, Keep>,
    options?: SignInOptions<Keep>,
  ): Promise<SessionWithToken<Data>> {
    const given = this.#core.toPlainValues(values ?? {});
    const signedIn = await this.#core.signIn<Data>(this.#toId(token), given, options);
    return { token: signedIn.token, session: signedIn.session };
  }

  /**
   * Gives a session a new token and id, and merges values in the same step. It keeps its data and its
   * absolute deadline. The old token leads to the session still for `grace`, but never to the new
   * token: null is answered to a call that comes with it, and a `grace` of 0 ends the session then.
   *
   * Values that name the same user again kill all old tokens at once. Values that name another user,
   * or the first one, are a `signIn`: a new session that keeps nothing. With null for the user it is a
   * new session of nobody.
   *
   * @returns null where nothing was done: there is no session, none that this token may rotate, or it
   * was rotated 32 times within one grace time.
   */
  async rotate(
    token: Token,
    values: PartialValuesOf<Data> = {},
    options: RotateOptions = {},
  ): Promise<Rotated<Data> | null> {
    const id = this.#toId(token);
    const given = this.#core.toPlainValues(values);
    const { grace, asOf } = this.#core.parseRotateOptions(options);
    if (id === null) return null;
    const fresh = createTokenBeside(id);
    const rotation = { to: fresh.id, when: "always", grace, asOf } as const;
    const changed = await this.#core.change(id, { values: given, rotation });
    if (changed.state === "ended") return { token: null, session: null };
    if (changed.state !== "changed" || changed.fields === null) return null;
    const session = composeSession(changed, decodeFields<Data>(changed.fields), changed.times);
    return { token: fresh.token, session };
  }

  /**
   * Ends a session. Resolves to whether there was one.
   *
   * @throws SessionError ERR_REPLICAS where too few `replicas` have acknowledged it.
   */
  async delete(token: Token, options: DeleteOptions = {}): Promise<boolean> {
    const replicas = parseReplicas(options);
    const id = this.#toId(token);
    return id !== null && (await this.#core.end(id, { replicas })) !== null;
  }

  /**
   * The session set of one value of a reference: `by("user_id", 1)`. For a reference whose values
   * are arrays, the value is one element.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a field that is no declared reference.
   */
  by<Field extends Reference & FieldOf<Data>>(
    field: Field,
    value: ElementOf<Data[Field]>,
  ): SessionSet<Data> {
    return new SessionSet<Data>(this.#core, this.#core.createReference(field, value));
  }

  /** The session of a public id or lineage: for admin pages and sockets. It never moves a deadline. */
  byId(id: string): SessionById<Data> {
    return new SessionById<Data>(this.#core, id);
  }

  /**
   * Compares all sessions with their sets, and mends what is wrong, while they are in use: run it
   * after a reference was declared for sessions that exist already, and after something took keys
   * away. It goes through all keys of the store in bounded steps and tells its progress after each;
   * stop whenever you like, and give the last `cursor` back to go on. It moves no deadline.
   *
   * ```ts
   * for await (const { cursor, scanned, added, removed } of sessions.reindex()) {
   *   console.log(cursor, scanned, added, removed);
   * }
   * ```
   *
   * @throws SessionError ERR_SESSION_CONFIG for a wrong option, or a store that cannot do it.
   */
  reindex(options: ReindexOptions = {}): AsyncGenerator<ReindexProgress, void> {
    return this.#core.reindex(options);
  }

  /**
   * Frees what the library itself has opened: a memory store's sessions, the connections on which it
   * waits for replicas; never a client.
   */
  async close(): Promise<void> {
    await this.#core.close();
  }

  async #change(token: Token, changes: Parameters<SessionCore["change"]>[1]): Promise<boolean> {
    const id = this.#toId(token);
    return id !== null && (await this.#core.change(id, changes)).state === "changed";
  }

  #toId(token: Token): string | null {
    return this.#core.toId(token);
  }
}

/** One session by its public id or lineage. */
export class SessionById<Data extends object> {
  readonly #core: SessionCore;
  readonly #id: string | null;

  /** @internal */
  constructor(core: SessionCore, id: string) {
    this.#core = core;
    this.#id = core.isId(id) ? id : null;
  }

  /** The session, or null. With `fields`, only those are read. */
  async get(): Promise<Session<Data> | null>;
  async get<Field extends FieldOf<Data>>(
    fields: readonly Field[],
  ): Promise<Session<Pick<Data, Field>> | null>;
  async get(fields?: readonly string[]): Promise<Session<Data> | null> {
    const names = fields === undefined ? undefined : fieldsToRead("byId(…).get", fields);
    if (this.#id === null) return null;
    const found = await this.#core.find(this.#id, names, true);
    return found.state === "live" ? toSession<Data>(found.session) : null;
  }

  /**
   * Ends the session. Resolves to whether there was one.
   *
   * @throws SessionError ERR_REPLICAS where too few `replicas` have acknowledged it.
   */
  async delete(options: DeleteOptions = {}): Promise<boolean> {
    const replicas = parseReplicas(options);
    if (this.#id === null) return false;
    return (await this.#core.end(this.#id, { byName: true, replicas })) !== null;
  }
}
