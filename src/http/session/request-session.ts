import type { EndingCallback } from "../../sessions/endings/ending.ts";
import { type CauseOptions, parseCause } from "../../sessions/options/cause.ts";
import { parseReadArguments, TOUCH_OPTIONS } from "../../sessions/options/verb-options.ts";
import { decodeFields, parseFieldsToUnset, toSession } from "../../sessions/record.ts";
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
import { parseOptionalDuration } from "../../shared/durations.ts";
import { createConfigError, isArray } from "../../shared/errors.ts";
import { readOptions } from "../../shared/given.ts";
import { createNothingKeptError, createNothingToWatchError } from "../errors.ts";
import type { FetchResponse } from "../exchange/fetch-types.ts";
import { createPeerEndings } from "./peer-endings.ts";
import type { RequestContext } from "./request-context.ts";
import {
  type ChangedCredentials,
  type GivenSession,
  parseDeleteOptions,
  REQUEST_SIGN_IN_OPTIONS,
  type RequestDeleteOptions,
  type RequestSignInOptions,
  type SignOutOptions,
  sendClearSiteData,
} from "./request-options.ts";
import { RequestTurns } from "./request-turns.ts";
import { Unassignable } from "./unassignable.ts";

/**
 * The session of one request: the methods of `Sessions` without the token, which stays in the cookie or
 * the bearer header.
 * Every change is an awaited call, and nothing is saved at the end of the response. The calls of one
 * request run one after the other, in the order in which they were made.
 */
export class RequestSession<
  Data extends object,
  Reference extends string = FieldOf<Data>,
> extends Unassignable {
  readonly #turns: RequestTurns<Data>;

  /** @internal */
  constructor(context: RequestContext) {
    super();
    this.#turns = new RequestTurns<Data>(context);
  }

  /**
   * Reads the session's data; `{}` without a session. Reading never makes a session. It counts as use,
   * unless `{ touch: false }`. With `fields`, only those are read.
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
    const stored = await this.#turns.load(parseReadArguments("get", fieldsOrOptions, options));
    return stored === null ? {} : decodeFields<Partial<Data>>(stored.fields);
  }

  /** Reads the session with its id and dates; null without one. It counts as use, unless `{ touch: false }`. */
  async load(options?: ReadOptions): Promise<Session<Data> | null> {
    if (isArray(options)) {
      throw createConfigError("load reads all fields; to read some of them, call get with a list");
    }
    const { touch } = parseReadArguments("load", options, undefined);
    const stored = await this.#turns.load({ fields: undefined, touch });
    return stored && toSession<Data>(stored);
  }

  /**
   * Signs a user in: ends the session that the request came with, and makes a new one with these values,
   * fresh deadlines and a new token. Of the old session it keeps only the fields in `keep`, and nothing if
   * that was another user's.
   *
   * ```ts
   * await session.signIn({ user_id: user.id }, { keep: ["cart"] });
   * ```
   *
   * It sets the cookie, and `token` is null. If the request came with a bearer header, `carriers` has no
   * cookie, or `carrier` is `"bearer"`, it sends no cookie, and gives `token` instead.
   *
   * @throws SessionError ERR_SESSION_CONFIG if the values do not say who the user is, or `keep` does;
   * ERR_COOKIE if the cookie can no longer be set.
   */
  async signIn<const Keep extends FieldOf<Data> = never>(
    values: SignInValues<Data, Keep>,
    options: RequestSignInOptions<Keep> = {},
  ): Promise<GivenSession<Data>> {
    const given = this.#turns.context.core.toPlainValues(values ?? {});
    const { carrier: named, ...rest } = readOptions("signIn", options, REQUEST_SIGN_IN_OPTIONS);
    if (named !== undefined && named !== "bearer") {
      throw createConfigError('carrier must be "bearer", or left out', { option: "carrier" });
    }
    return this.#turns.run(async () => {
      const carrier = named === undefined ? this.#turns.held.carrier : this.#turns.context.bearer;
      const { token, session } = await this.#turns.held.signIn(given, rest, carrier);
      return { token: this.#turns.revealToken(token), session };
    });
  }

  /**
   * Merges values into the session. A field that is undefined is left alone. Without a session it makes
   * one, and sets the cookie.
   *
   * Naming the same user again changes nothing about the user. Values that name another user, or the first
   * one, do what `signIn` without `keep` does. Null for the user ends the session, and makes one without a
   * user from the other values. If the token came in a bearer header, the client would never get a new one,
   * so `set` neither makes a session nor changes the user.
   *
   * @throws SessionError ERR_SESSION_GONE if the session ended during this request, but not by this
   * request, or if that of a bearer header has ended; ERR_COOKIE if it needs to set the cookie, and no
   * longer can; ERR_SESSION_CONFIG for a change that needs a cookie.
   */
  async set(values: PartialValuesOf<Data>, options: CauseOptions = {}): Promise<void> {
    const given = this.#turns.context.core.toPlainValues(values);
    const cause = parseCause("set", options);
    return this.#turns.run(() => this.#turns.held.set(given, cause));
  }

  /**
   * Removes fields. Removing the user ends the session and makes an empty one. Resolves to whether there
   * was a session.
   *
   * @throws SessionError the same errors as `set`.
   */
  async unset(
    fields: readonly OptionalFieldOf<Data>[],
    options: CauseOptions = {},
  ): Promise<boolean> {
    const unset = parseFieldsToUnset(fields);
    const cause = parseCause("unset", options);
    return this.#turns.run(async () => {
      if (this.#turns.held.id === null) return false;
      return (await this.#turns.held.change("unset", {}, unset, cause)).state === "changed";
    });
  }

  /** Pushes the idle deadline forward. Resolves to whether there was a session. */
  async touch(options: TouchOptions = {}): Promise<boolean> {
    const { idleTimeout } = readOptions("touch", options, TOUCH_OPTIONS);
    const idle = parseOptionalDuration("idleTimeout", idleTimeout);
    return this.#turns.run(() => this.#turns.held.touch(idle));
  }

  /**
   * Gives the session a new token, and merges values in the same step. Resolves to null if nothing was
   * done: without a session, for a request that came with an old token, and after 32 rotations within one
   * grace time. With a `grace` of 0, a request that came with an old token ends the session instead, and
   * `token` and `session` are null.
   *
   * Values that name the same user again, who has just entered the password once more, end all old tokens
   * at once. Values that name another user, or the first one, do what `signIn` without `keep` does. Without
   * a session it makes none; `signIn` does.
   *
   * `token` is given if the token travels in a bearer header. A token in a cookie goes to the browser only.
   */
  async rotate(
    values: PartialValuesOf<Data> = {},
    options: RotateOptions = {},
  ): Promise<GivenSession<Data> | { readonly token: null; readonly session: null } | null> {
    const given = this.#turns.context.core.toPlainValues(values);
    const parsed = this.#turns.context.core.parseRotateOptions(options);
    return this.#turns.run(async () => {
      const rotated = await this.#turns.held.rotate(given, parsed);
      if (rotated === "ended") return { token: null, session: null };
      return rotated && { token: this.#turns.revealToken(rotated.token), session: rotated.session };
    });
  }

  /**
   * Call it after a change of password, once the old password was checked. It ends the other sessions of
   * the user, and gives this one a new token. All old tokens of this session end at once, even the one that
   * the request came with.
   *
   * It changes the token first. If ending the others fails then, call it again, in this request or, with
   * the new cookie, in another. With a bearer header, the client does not have its new token yet: call
   * `rotate()` for one, and answer with it and the error.
   *
   * @param field the reference that says who the user is: `"user_id"`.
   * @throws SessionError ERR_SESSION_GONE if the session has no user; ERR_COOKIE if the cookie can no
   * longer be set; ERR_REPLICAS if too few `replicas` acknowledged it.
   */
  async changeCredentials<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options: SignOutOptions<ElementOf<Data[Field]>> = {},
  ): Promise<ChangedCredentials> {
    return this.#turns.runForUser("changeCredentials", field, options, async (user, how) => {
      // Its own token changes first. If a sign-in beside this request has replaced the session, that fails
      // before the new session is ended.
      const { context, held } = this.#turns;
      let ended = 0;
      const token = await held.changeToken(user, async () => {
        ended = await context.core.endAll(user, { except: held.lineage, ...how });
      });
      return { ended, token: this.#turns.revealToken(token) };
    });
  }

  /**
   * Ends the other sessions of the user. Resolves to how many. If the request came with an old token, it
   * ends this session, too: either of its two tokens may be in the wrong hands.
   *
   * @param field the reference that says who the user is: `"user_id"`.
   * @throws SessionError ERR_SESSION_GONE if the session has no user; ERR_REPLICAS if too few `replicas`
   * acknowledged it.
   */
  async signOutOthers<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options: SignOutOptions<ElementOf<Data[Field]>> = {},
  ): Promise<number> {
    return this.#turns.runForUser("signOutOthers", field, options, (user, how) =>
      this.#turns.held.endPeers(user, { except: this.#turns.held.lineage, ...how }),
    );
  }

  /**
   * Ends all sessions of the user, this one last, and clears the cookie. Resolves to how many.
   *
   * @param field the reference that says who the user is: `"user_id"`.
   * @throws SessionError ERR_SESSION_GONE if the session has no user; ERR_COOKIE if the cookie can no
   * longer be cleared; ERR_REPLICAS if too few `replicas` acknowledged it.
   */
  async signOutEverywhere<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options: SignOutOptions<ElementOf<Data[Field]>> = {},
  ): Promise<number> {
    return this.#turns.runForUser("signOutEverywhere", field, options, (user, how) =>
      this.#turns.held.endPeers(user, how),
    );
  }

  /**
   * Ends the session and clears the cookie. Resolves to whether there was a session; if not, the cookie is
   * left alone. The session ends even if the headers were sent, or there is no response.
   *
   * A `set` after it makes a new session. A `set` of a parallel request that still has the old token does
   * not: for the `rotationGrace` it rejects with ERR_SESSION_GONE, unless it signs in.
   *
   * @throws SessionError ERR_REPLICAS if too few `replicas` acknowledged it; then the cookie stays.
   * ERR_SESSION_CONFIG if `keep` names who the user is, or is given where no cookie carries the token.
   */
  async delete<const Keep extends FieldOf<Data> = never>(
    options: RequestDeleteOptions<Keep> = {},
  ): Promise<boolean> {
    const { keep, clearSiteData, how } = parseDeleteOptions(options, this.#turns.context.core);
    return this.#turns.run(async () => {
      if (keep !== undefined && !this.#turns.held.carrier.sends) {
        throw createNothingKeptError(
          "delete keeps nothing if the token came in a bearer header: the client would never get the token of the new session",
        );
      }
      const ended = await (keep === undefined
        ? this.#turns.held.delete(how)
        : this.#turns.held.deleteKeeping(keep, how.cause));
      if (ended) sendClearSiteData(this.#turns.context.exchange, clearSiteData);
      return ended;
    });
  }

  /** The session's public id, as far as this request knows it. `load` tells whether the session is alive. */
  get id(): string | null {
    return this.#turns.held.id;
  }

  /** The place of the session in the store: in Redis, the key of its hash. */
  get key(): string | null {
    const { id } = this.#turns.held;
    return id === null ? null : this.#turns.context.core.toKey(id);
  }

  /**
   * The set of the sessions that share this session's value of a reference, this one included:
   * `await ctx.session.peers("user_id")` are the user's devices. Null without a session or a value.
   *
   * @param value one of the values, if the field is an array. For any other value, it resolves to null.
   * @throws SessionError ERR_SESSION_VALUE if the field has several values, and `value` is left out.
   */
  async peers<Field extends Reference & FieldOf<Data>>(
    field: Field,
    value?: ElementOf<Data[Field]>,
  ): Promise<SessionSet<Data> | null> {
    const { core } = this.#turns.context;
    core.checkReference(field, "peers");
    this.#turns.restrictCaching();
    const shared = await this.#turns.runRead(() => this.#turns.findOwnReference(field, value));
    const endings = createPeerEndings(this.#turns.held, (work) => this.#turns.run(work));
    return shared && new SessionSet<Data>(core, shared, endings);
  }

  /**
   * Calls back once, within milliseconds, when this session has ended, also long after the request: by
   * any process, in any way. Here it closes a socket:
   *
   * ```ts
   * const off = await session.onEnd(({ how }) => socket.close(4401, how));
   * socket.on("close", off);
   * ```
   *
   * It does not count as use. It is otherwise as `onEnd` of `Sessions`, and resolves to what stops it.
   *
   * @throws SessionError ERR_SESSION_GONE if the request has no live session; ERR_SESSION_CONFIG as
   * `onEnd` of `Sessions`.
   */
  async onEnd(callback: EndingCallback): Promise<() => Promise<void>> {
    this.#turns.restrictCaching();
    const lineage = await this.#turns.runRead(() => this.#turns.held.findLineage());
    if (lineage === null) throw createNothingToWatchError();
    return this.#turns.context.core.onEnd(lineage, callback);
  }

  /**
   * Creates a token for the forms of this session: put it into a hidden field. Without a session it sets a
   * pre-session cookie, so that a sign-in form has a token, too. It takes no round trip.
   *
   * A browser may send several session cookies, after a change of domain or path. Only a call that reads
   * can tell which of them counts. So read before you create or verify a token.
   *
   * @throws SessionError ERR_COOKIE if that cookie can no longer be set.
   */
  createCSRFToken(): string {
    this.#turns.context.admit();
    if (this.#turns.held.token !== null) this.#turns.restrictCaching();
    // A pre-session secret belongs to one browser, too.
    else
      this.#turns.context.exchange.restrictCaching({
        kind: "private",
        vary: ["Cookie"],
        yields: true,
      });
    return this.#turns.context.csrf.create(this.#turns.held.token);
  }

  /**
   * Whether a token was created for this session. By default it is the token that the request brings in
   * its header `X-CSRF-Token`, or else in the field `_csrf` of its body, if the framework has parsed that.
   * It is false if several session cookies came, and nothing was read yet.
   */
  verifyCSRFToken(token: unknown = this.#turns.context.csrf.sent): boolean {
    this.#turns.context.admit();
    return (
      !this.#turns.held.isUndecided &&
      this.#turns.context.csrf.verify(this.#turns.held.token, token)
    );
  }

  /** @internal For the session of a Request: see `FetchSession`. */
  commit<Answer extends FetchResponse>(response: Answer): Answer {
    return this.#turns.context.exchange.commit?.(response) ?? response;
  }
}
