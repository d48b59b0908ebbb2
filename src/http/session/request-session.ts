import { fieldsToUnset } from "../../sessions/record.ts";
import { SessionSet } from "../../sessions/session-set.ts";
import type {
  ElementOf,
  FieldOf,
  OptionalFieldOf,
  PartialValuesOf,
  ReadOptions,
  RotateOptions,
  Session,
  SignInValues,
  TouchOptions,
} from "../../sessions/types.ts";
import { parseReadArguments, parseReplicas, TOUCH_OPTIONS } from "../../sessions/verb-options.ts";
import { parseOptionalDuration } from "../../shared/durations.ts";
import { createConfigError, isArray } from "../../shared/errors.ts";
import { readOptions } from "../../shared/given.ts";
import type { Reference as StoredReference } from "../../store/contract.ts";
import { createNoIdentityError, createNotSignedInError, nothingKept } from "../errors.ts";
import type { FetchResponse } from "../exchange/fetch-types.ts";
import { HeldSession } from "./held-session.ts";
import { createPeerEndings } from "./peer-endings.ts";
import { Refusing } from "./refusing.ts";
import type { RequestSessionContext } from "./request-context.ts";
import {
  type ChangedCredentials,
  deleteOptions,
  type GivenSession,
  REQUEST_SIGN_IN_OPTIONS,
  type RequestDeleteOptions,
  type RequestSignInOptions,
  SIGN_OUT_OPTIONS,
  type SignOutOptions,
  sendClearSiteData,
} from "./request-options.ts";

/**
 * The session of one request: the verbs of `Sessions` without the token, which stays in the cookie,
 * or the bearer header, that it came by.
 * Every change is an awaited call, and nothing is saved at the end of the response. Calls of one
 * request are carried out one after the other, in the order in which they were made.
 */
export class RequestSession<
  Data extends object,
  Reference extends string = FieldOf<Data>,
> extends Refusing {
  readonly #context: RequestSessionContext;
  readonly #held: HeldSession<Data>;
  #queue: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(context: RequestSessionContext) {
    super();
    const { core, carrier, tokens, csrf } = context;
    this.#context = context;
    this.#held = new HeldSession<Data>(core, carrier, tokens, () => csrf.clear());
  }

  /**
   * The session's data, or `{}` where there is no session; reading never makes one. It counts as
   * use, unless `{ touch: false }`. With `fields`, only those are read.
   */
  async get(options?: ReadOptions): Promise<Partial<Data>>;
  async get<Field extends FieldOf<Data>>(
    fields: readonly Field[],
    options?: ReadOptions,
  ): Promise<Partial<Pick<Data, Field>>>;
  async get(fields: undefined, options?: ReadOptions): Promise<Partial<Data>>;
  async get(
    fieldsOrOptions?: readonly string[] | ReadOptions,
    options?: ReadOptions,
  ): Promise<Partial<Data>> {
    const { fields, touch } = parseReadArguments("get", fieldsOrOptions, options);
    return (await this.#load(fields, touch))?.data ?? {};
  }

  /** The session with its id and dates, or null. It counts as use, unless `{ touch: false }`. */
  async load(options?: ReadOptions): Promise<Session<Data> | null> {
    if (isArray(options)) {
      throw createConfigError(
        "load gives all fields; to read some, call get with the list of them",
      );
    }
    const { touch } = parseReadArguments("load", options, undefined);
    return (await this.#load(undefined, touch)) as Session<Data> | null;
  }

  async #load(fields: readonly string[] | undefined, touch: boolean) {
    this.#restrictCaching();
    return this.#runInTurn(() => this.#held.load(fields, touch), false);
  }

  /**
   * Signs a user in: ends the session that the request came with, whatever it is, and makes a new one
   * of these values, with fresh deadlines and a new token. Of the old session it has the fields that
   * `keep` names, and nothing else; from another user's it keeps nothing.
   *
   * ```ts
   * await session.signIn({ user_id: user.id }, { keep: ["cart"] });
   * ```
   *
   * The cookie is set, and `token` is null. No cookie is sent and `token` is given where the request
   * came by a bearer header, `carriers` has no cookie, or `carrier` is `"bearer"`.
   *
   * @throws SessionError ERR_SESSION_CONFIG where the values do not say who the user is, or `keep`
   * does; ERR_COOKIE where the cookie cannot be set any more.
   */
  async signIn<const Keep extends FieldOf<Data> = never>(
    values: SignInValues<Data, Keep>,
    options: RequestSignInOptions<Keep> = {},
  ): Promise<GivenSession<Data>> {
    const given = this.#context.core.toPlainValues(values ?? {});
    const { carrier: named, ...rest } = readOptions("signIn", options, REQUEST_SIGN_IN_OPTIONS);
    if (named !== undefined && named !== "bearer") {
      throw createConfigError('carrier is "bearer", or left out', { option: "carrier" });
    }
    return this.#runInTurn(async () => {
      const carrier = named === undefined ? this.#held.carrier : this.#context.bearer;
      const { token, session } = await this.#held.signIn(given, rest, carrier);
      return { token: this.#revealToken(token), session };
    });
  }

  /**
   * Merges values into the session; a field that is undefined is left alone. Where there is no session
   * it makes one, and sets the cookie.
   *
   * It is no sign-in: it writes what is there back under the same user. Values that name another user,
   * or the first one, are a `signIn` that keeps nothing, and null for the user ends the session and
   * makes one of nobody, of what is set besides. Where the token came in a bearer header, nothing
   * brings the client another: `set` then neither makes a session nor changes who the user is.
   *
   * @throws SessionError ERR_SESSION_GONE where the session was ended by somebody else during this
   * request, or a bearer's was ended before; ERR_COOKIE where the cookie it takes cannot be set any
   * more; ERR_SESSION_CONFIG for what it does not do without a cookie.
   */
  async set(values: PartialValuesOf<Data>): Promise<void> {
    const given = this.#context.core.toPlainValues(values);
    return this.#runInTurn(() => this.#held.set(given));
  }

  /**
   * Removes fields. Removing the user ends the session and makes an empty one. Resolves to whether
   * there was a session.
   *
   * @throws SessionError as `set`.
   */
  async unset(fields: readonly OptionalFieldOf<Data>[]): Promise<boolean> {
    const unset = fieldsToUnset(fields);
    return this.#runInTurn(async () => {
      if (this.#held.id === null) return false;
      return (await this.#held.change("unset", {}, unset)).state === "changed";
    });
  }

  /** Pushes the idle deadline forward. Resolves to whether there was a session. */
  async touch(options: TouchOptions = {}): Promise<boolean> {
    const { idleTimeout } = readOptions("touch", options, TOUCH_OPTIONS);
    const idle = parseOptionalDuration("idleTimeout", idleTimeout);
    return this.#runInTurn(() => this.#held.touch(idle));
  }

  /**
   * Gives the session a new token, and merges values in the same step. Resolves to null where nothing
   * was done: without a session, for a request that came with an old token, and after 32 rotations
   * within one grace time. With a `grace` of 0, a request that came with an old token ends the session
   * instead, and `token` and `session` are null.
   *
   * Values that name the same user again (who has just shown the password once more) kill all old
   * tokens at once. Values that name another user, or the first one, are a `signIn` that keeps nothing.
   * It makes no session where there is none: `signIn` does.
   *
   * `token` is given where nothing else brings it to the client: by a bearer header. A cookie's is told
   * to nobody but the browser.
   */
  async rotate(
    values: PartialValuesOf<Data> = {},
    options: RotateOptions = {},
  ): Promise<GivenSession<Data> | { readonly token: null; readonly session: null } | null> {
    const given = this.#context.core.toPlainValues(values);
    const parsed = this.#context.core.parseRotateOptions(options);
    return this.#runInTurn(async () => {
      const rotated = await this.#held.rotate(given, parsed);
      if (rotated === "ended") return { token: null, session: null };
      return rotated && { token: this.#revealToken(rotated.token), session: rotated.session };
    });
  }

  /**
   * After a change of password, once the old one was checked: ends the other sessions of the user, and
   * gives this one a new token. All old tokens of this session are dead at once, also where the request
   * came with one of them.
   *
   * It changes the token first. Where ending the others fails then, calling it again goes on, in this
   * request or, by the new cookie, in another. By a bearer header nobody has told the client its new
   * token by then: `rotate()` gives one to answer with, beside the error.
   *
   * @param field the reference that says who the user is: `"user_id"`.
   * @throws SessionError ERR_SESSION_GONE where the session has no user; ERR_COOKIE where the cookie
   * cannot be set any more; ERR_REPLICAS where too few `replicas` have acknowledged it.
   */
  async changeCredentials<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options: SignOutOptions<ElementOf<Data[Field]>> = {},
  ): Promise<ChangedCredentials> {
    return this.#runForUser("changeCredentials", field, options, async (user, replicas) => {
      // Its own first: so a sign-in beside it is not ended for a change that comes too late.
      const token = await this.#held.changeToken(user);
      const ended = await this.#context.core.endAll(user, this.#held.lineage, replicas);
      return { ended, token: this.#revealToken(token) };
    });
  }

  /**
   * Ends the other sessions of the user. Resolves to how many. For a request that came with an old
   * token it ends this one, too, as it cannot be told which of the two is the user.
   *
   * @param field the reference that says who the user is: `"user_id"`.
   * @throws SessionError ERR_SESSION_GONE where the session has no user; ERR_REPLICAS where too few
   * `replicas` have acknowledged it.
   */
  async signOutOthers<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options: SignOutOptions<ElementOf<Data[Field]>> = {},
  ): Promise<number> {
    return this.#runForUser("signOutOthers", field, options, (user, replicas) =>
      this.#held.endPeers(user, this.#held.lineage, replicas),
    );
  }

  /**
   * Ends all sessions of the user, this one last, and clears the cookie. Resolves to how many.
   *
   * @param field the reference that says who the user is: `"user_id"`.
   * @throws SessionError ERR_SESSION_GONE where the session has no user; ERR_COOKIE where the cookie
   * cannot be cleared any more; ERR_REPLICAS where too few `replicas` have acknowledged it.
   */
  async signOutEverywhere<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options: SignOutOptions<ElementOf<Data[Field]>> = {},
  ): Promise<number> {
    return this.#runForUser("signOutEverywhere", field, options, (user, replicas) =>
      this.#held.endPeers(user, null, replicas),
    );
  }

  /** Does something about the user of the session. */
  async #runForUser<Value, T>(
    verb: string,
    field: string,
    options: SignOutOptions<Value>,
    work: (user: StoredReference, replicas: number | undefined) => Promise<T>,
  ): Promise<T> {
    const { core } = this.#context;
    const { value, ...rest } = readOptions(verb, options, SIGN_OUT_OPTIONS);
    const replicas = parseReplicas(rest);
    core.checkReference(field);
    if (core.filterIdentities([field]).length === 0) throw createNoIdentityError(verb, field);
    return this.#runInTurn(async () => {
      const user = await this.#held.findOwnReference(field, value);
      if (user === null) throw createNotSignedInError(verb, field);
      return work(user, replicas);
    }, false);
  }

  /**
   * Ends the session and clears the cookie. Resolves to whether there was one; where there was none,
   * the cookie is left alone. Where the headers are sent, or there is no response, the session is ended
   * all the same.
   *
   * A `set` after it makes a new session. A parallel request that still has the old token does not:
   * for the `rotationGrace`, its `set` is ERR_SESSION_GONE, unless it signs in.
   *
   * @throws SessionError ERR_REPLICAS where too few `replicas` have acknowledged it; the cookie stays.
   * ERR_SESSION_CONFIG where `keep` says who the user is, or nothing brings the client its new token.
   */
  async delete<const Keep extends FieldOf<Data> = never>(
    options: RequestDeleteOptions<Keep> = {},
  ): Promise<boolean> {
    const { keep, clearSiteData, replicas } = deleteOptions(options, this.#context.core);
    return this.#runInTurn(async () => {
      if (keep !== undefined && !this.#held.carrier.sends) {
        throw nothingKept(
          "Under a bearer header delete keeps nothing, for nothing would bring the client the new token",
        );
      }
      const ended = await (keep === undefined
        ? this.#held.delete(replicas)
        : this.#held.deleteKeeping(keep));
      if (ended) sendClearSiteData(this.#context.exchange, clearSiteData);
      return ended;
    });
  }

  /** The session's public id, as far as this request knows it; whether it is alive, `load` tells. */
  get id(): string | null {
    return this.#held.id;
  }

  /** Where the store keeps the session: in Redis the key of its hash. */
  get key(): string | null {
    const { id } = this.#held;
    return id === null ? null : this.#context.core.toKey(id);
  }

  /**
   * The set of the sessions that share this session's own value of a reference, itself among them:
   * `await ctx.session.peers("user_id")` are the user's devices. Null without a session or a value.
   *
   * @param value which of the values, where the field is an array; null if it is none of them.
   * @throws SessionError ERR_SESSION_VALUE where the field has several values and none is named.
   */
  async peers<Field extends Reference & FieldOf<Data>>(
    field: Field,
    value?: ElementOf<Data[Field]>,
  ): Promise<SessionSet<Data> | null> {
    const { core } = this.#context;
    core.checkReference(field);
    this.#restrictCaching();
    const shared = await this.#runInTurn(() => this.#held.findOwnReference(field, value), false);
    const endings = createPeerEndings(this.#held, (work) => this.#runInTurn(work));
    return shared && new SessionSet<Data>(core, shared, endings);
  }

  /**
   * A token for the forms of this session: put it into a hidden field. Without a session it sets a
   * pre-session cookie, so that a sign-in form has one, too. It takes no round trip.
   *
   * Where a browser sends several session cookies (after a change of domain or path), only a call that
   * reads can tell which of them counts. So read before you make a token or check one.
   *
   * @throws SessionError ERR_COOKIE where that cookie cannot be set any more.
   */
  createCSRFToken(): string {
    this.#context.admit();
    if (this.#held.token !== null) this.#restrictCaching();
    // A pre-session secret is one browser's, too.
    else
      this.#context.exchange.restrictCaching({ kind: "private", vary: ["Cookie"], yields: true });
    return this.#context.csrf.create(this.#held.token);
  }

  /**
   * Whether a form's token is of this session. Without an argument it is the one that the request
   * brings: in its header `X-CSRF-Token`, or else in the field `_csrf` of its body, where the
   * framework has a parsed one. False where several session cookies came, and nothing was read yet.
   */
  verifyCSRFToken(token: unknown = this.#context.csrf.sent): boolean {
    this.#context.admit();
    return !this.#held.isUndecided && this.#context.csrf.verify(this.#held.token, token);
  }

  /** @internal Of a session of a Request: see `FetchSession`. */
  commit<Answer extends FetchResponse>(response: Answer): Answer {
    return this.#context.exchange.commit?.(response) ?? response;
  }

  /** Tells caches that the response depends on the session: on this user, where a token came. */
  #restrictCaching(): void {
    const { exchange, tokens, carrier, varies } = this.#context;
    const isOfUser = tokens.length > 0;
    const kind = isOfUser ? "private" : "vary";
    exchange.restrictCaching({ kind, vary: isOfUser ? [carrier.vary] : [...varies], yields: true });
  }

  /** The token as the application is told it: not at all where a cookie carries it. */
  #revealToken(token: string): string | null {
    return this.#held.carrier.sends ? null : token;
  }

  /**
   * Runs `work` when all calls before it have ended, and it is known which token counts, unless work
   * begins with a read, which finds that out itself.
   */
  #runInTurn<T>(work: () => Promise<T>, decides = true): Promise<T> {
    const result = this.#queue.then(async () => {
      this.#context.admit();
      if (decides && this.#held.isUndecided) await this.#held.decide([]);
      return work();
    });
    this.#queue = result.catch(() => undefined); // the caller is told; the next call starts anyway
    return result;
  }
}
