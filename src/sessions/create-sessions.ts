import { parseOptionalDuration } from "../shared/durations.ts";
import { readOptions } from "../shared/given.ts";
import type { ReindexProgress } from "../store/reindexing.ts";
import { isTouchDue } from "../store/touch-delay.ts";
import type { EndingCallback, EndingGap, ToldEnding } from "./endings/ending.ts";
import { parseConfig } from "./options/config.ts";
import {
  parseEndingOptions,
  parseFieldsToRead,
  parseReadArguments,
  TOUCH_OPTIONS,
} from "./options/verb-options.ts";
import { composeSession, decodeFields, parseFieldsToUnset, toSession } from "./record.ts";
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

/** A bearer secret as it came from a request. A malformed one leads to no session. */
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

/** Finds the core of `sessions`, for the session of a request. */
export function findCore(sessions: object): SessionCore | undefined {
  return cores.get(sessions);
}

/**
 * The sessions of an application. Every method is safe to call at any time and from any number of
 * processes. Methods reject with a SessionError: ERR_STORE_UNAVAILABLE if the store fails (ERR_STORE_FULL
 * if a memory store is full), ERR_SESSION_VALUE or ERR_SESSION_TOO_LARGE for values that cannot be stored,
 * and ERR_SESSION_CONFIG for mistakes in the program.
 */
export class Sessions<Data extends object, Reference extends string = FieldOf<Data>> {
  readonly #core: SessionCore;

  /** @internal */
  constructor(core: SessionCore) {
    this.#core = core;
    cores.set(this, core);
  }

  /**
   * Makes a session and its token. The options are for this session alone.
   *
   * @throws SessionError ERR_SESSION_GONE if one of its sets was cleared since `asOf`;
   * ERR_SESSION_LIMIT if one of its values has as many sessions as its reference's `limit` allows.
   */
  async create(
    ...[values, options]: Record<never, never> extends Data
      ? [values?: ValuesOf<Data>, options?: CreateOptions]
      : [values: ValuesOf<Data>, options?: CreateOptions]
  ): Promise<SessionWithToken<Data>> {
    return this.#core.create<Data>(this.#core.toPlainValues(values ?? {}), options);
  }

  /**
   * Reads the session of a token, or null. Reading counts as use, unless `{ touch: false }`: it pushes the
   * idle deadline forward if that was last done over a minute, or a twentieth of the idle timeout, ago.
   * With `fields`, only those are read.
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
    const found = await this.#core.find(id, { names: fields });
    if (found.state !== "live") return null;
    const used = touch && isTouchDue(found) ? await this.#core.touch(found) : found;
    return used.state === "live" ? toSession<Data>(used.session) : null;
  }

  /**
   * Merges values into a session. A field that is undefined is left alone. Never makes a session.
   * Resolves to whether there was one.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a field that says who the user is: call `signIn`.
   */
  async set(token: Token, values: PartialValuesOf<Data>): Promise<boolean> {
    const given = this.#core.toPlainValues(values);
    this.#core.refuseIdentities("set", Object.keys(given));
    return this.#change(token, { values: given });
  }

  /**
   * Removes fields. Resolves to whether there was a session.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a field that says who the user is: call `delete`.
   */
  async unset(token: Token, fields: readonly OptionalFieldOf<Data>[]): Promise<boolean> {
    const unset = parseFieldsToUnset(fields);
    this.#core.refuseIdentities("unset", unset);
    return this.#change(token, { unset });
  }

  /** Pushes the idle deadline forward. Resolves to whether there was a session. */
  async touch(token: Token, options: TouchOptions = {}): Promise<boolean> {
    const { idleTimeout } = readOptions("touch", options, TOUCH_OPTIONS);
    return this.#change(token, { idleTimeout: parseOptionalDuration("idleTimeout", idleTimeout) });
  }

  /**
   * Signs a user in: ends the session of the token, and makes a new one with these values, fresh deadlines
   * and a new token. From the old session it keeps only the fields that `keep` names, and nothing if that
   * was another user's. If there is no old session, it only makes the new one.
   *
   * ```ts
   * const { token } = await sessions.signIn(oldToken, { user_id: 1 }, { keep: ["cart"] });
   * ```
   *
   * @throws SessionError ERR_SESSION_CONFIG if the values don't say who the user is, or if `keep` names a
   * field that does.
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
   * Gives a session a new token and id, and merges values in the same step. The session keeps its data and
   * its absolute deadline. For `grace`, the old token still leads to the session, but cannot rotate it:
   * such a call resolves to null, or with a `grace` of 0 ends the session.
   *
   * Values that name the same user again end all old tokens at once. Values that name another user, or the
   * first one, make it a `signIn`: a new session that keeps nothing. null for the user makes a new session
   * without one.
   *
   * @returns null if nothing was done: there is no session, this token may not rotate it, or it was rotated
   * 32 times within one grace time.
   */
  async rotate(
    token: Token,
    values: PartialValuesOf<Data> = {},
    options: RotateOptions = {},
  ): Promise<Rotated<Data> | null> {
    const id = this.#toId(token);
    const given = this.#core.toPlainValues(values);
    const parsed = this.#core.parseRotateOptions(options);
    if (id === null) return null;
    const fresh = createTokenBeside(id);
    const rotation = { to: fresh.id, when: "always", ...parsed } as const;
    const changed = await this.#core.change(id, { values: given, rotation });
    if (changed.state === "ended") return { token: null, session: null };
    if (changed.state !== "changed" || changed.fields === null) return null;
    const session = composeSession(changed, decodeFields<Data>(changed.fields), changed.times);
    return { token: fresh.token, session };
  }

  /**
   * Ends a session. Resolves to whether there was one.
   *
   * @throws SessionError ERR_REPLICAS if too few `replicas` have acknowledged it.
   */
  async delete(token: Token, options: DeleteOptions = {}): Promise<boolean> {
    const parsed = parseEndingOptions(options);
    const id = this.#toId(token);
    return id !== null && (await this.#core.end(id, parsed)) !== null;
  }

  /**
   * Gives the session set of one value of a reference: `by("user_id", 1)`. If the reference has arrays, the
   * value is one element.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a field that isn't a declared reference.
   */
  by<Field extends Reference & FieldOf<Data>>(
    field: Field,
    value: ElementOf<Data[Field]>,
  ): SessionSet<Data> {
    return new SessionSet<Data>(this.#core, this.#core.createReference(field, value));
  }

  /** Gives the session of a public id or lineage, for admin pages and sockets. It never moves a deadline. */
  byId(id: string): SessionById<Data> {
    return new SessionById<Data>(this.#core, id);
  }

  /**
   * Calls back once, within milliseconds, when a session has ended: by any process, in any way. Here
   * it closes a socket:
   *
   * ```ts
   * const off = await sessions.onEnd(lineage, ({ how }) => socket.close(4401, how));
   * socket.on("close", off);
   * ```
   *
   * Rotations are no ending: the watch goes by the lineage, whichever name it was given. The first watch
   * of a shard opens a connection of the store's own if there is none. Each call looks the session up
   * once. An ending may be told late, but is never missed: while the connection is lost, it waits; then
   * every watched session is looked up. What the callback throws is an uncaught exception.
   *
   * @param id an id or a lineage. If it leads to no session, the ending is `unknown`.
   * @returns what stops the watch. The callback isn't called after that, and the promise that it returns
   * resolves once what the watch took is released.
   * @throws SessionError ERR_SESSION_CONFIG for what is neither an id nor a lineage, for a store that
   * tells no endings, and for a user of Redis without the rights to subscribe.
   */
  async onEnd(id: string, callback: EndingCallback): Promise<() => Promise<void>> {
    return this.#core.onEnd(id, callback);
  }

  /**
   * Gives how all sessions end, from the first step of the loop on:
   *
   * ```ts
   * for await (const ending of sessions.endings()) {
   *   if (ending.how === "gap") continue; // some may have been missed
   *   console.log(ending.lineage, ending.how, ending.initiator, ending.reason);
   * }
   * ```
   *
   * It has no sessions that expire. A `gap` comes after a lost connection, and where the loop was 10,000
   * endings behind. The loop ends by `break`, and by `close()` of the sessions.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a store that tells no endings, and in the first step for
   * a user of Redis without the rights to subscribe.
   */
  endings(): AsyncGenerator<ToldEnding | EndingGap, void> {
    return this.#core.endings();
  }

  /**
   * Compares all sessions with their sets and fixes differences, while the sessions are in use. Run it after
   * you declared a reference for existing sessions, or after keys were lost. It scans all keys of the store
   * in bounded steps and yields its progress after each. To continue after a stop, pass the last `cursor`.
   * It moves no deadline.
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
   * Frees what the library opened itself: the sessions of a memory store, and the connections on which it
   * waits for replicas and hears of endings. It never closes a client. It ends all watches of `onEnd`,
   * whose callbacks aren't called, and all loops over `endings()`.
   */
  async close(): Promise<void> {
    await this.#core.close();
  }

  async #change(token: Token, changes: Parameters<SessionCore["change"]>[1]): Promise<boolean> {
    const id = this.#toId(token);
    if (id === null) return false;
    const { state } = await this.#core.change(id, changes);
    return state === "changed";
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

  /** Reads the session, or null. With `fields`, only those are read. */
  async get(): Promise<Session<Data> | null>;
  async get<Field extends FieldOf<Data>>(
    fields: readonly Field[],
  ): Promise<Session<Pick<Data, Field>> | null>;
  async get(fields?: readonly string[]): Promise<Session<Data> | null> {
    const names = fields === undefined ? undefined : parseFieldsToRead("byId(…).get", fields);
    if (this.#id === null) return null;
    const found = await this.#core.find(this.#id, { names, byName: true });
    return found.state === "live" ? toSession<Data>(found.session) : null;
  }

  /**
   * Ends the session. Resolves to whether there was one.
   *
   * @throws SessionError ERR_REPLICAS if too few `replicas` have acknowledged it.
   */
  async delete(options: DeleteOptions = {}): Promise<boolean> {
    const parsed = parseEndingOptions(options);
    if (this.#id === null) return false;
    return (await this.#core.end(this.#id, { byName: true, ...parsed })) !== null;
  }
}
