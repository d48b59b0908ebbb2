import { optionalMilliseconds } from "../durations.ts";
import { misconfigured, refuseUnknownKeys } from "../errors.ts";
import { type Changes, type Engine, fieldsNamedIn } from "../sessions/engine.ts";
import { decodeFields, sessionOf, withTimes } from "../sessions/record.ts";
import { replicasOf } from "../sessions/replicas.ts";
import { type Endings, SessionSet } from "../sessions/session-set.ts";
import { createTokenBeside, idOf, type NewToken } from "../sessions/token.ts";
import type {
  DeleteOptions,
  ElementOf,
  FieldOf,
  OptionalFieldOf,
  RotateOptions,
  Session,
  SignInOptions,
  SignInValues,
  TouchOptions,
} from "../sessions/types.ts";
import type {
  Changed,
  Reference as StoredReference,
  Superseded,
  Times,
} from "../store/contract.ts";
import type { Carrier } from "./carriers.ts";
import type { CSRFTokens } from "./csrf.ts";
import { gone, noIdentity, notSignedIn, tokenKept, tokenLost, unnamedPeers } from "./faults.ts";

/** How a request signs a user in. */
export interface RequestSignInOptions<Keep extends string = never> extends SignInOptions<Keep> {
  /**
   * `"bearer"`: no cookie is sent, and the token is given, for a client that sends it in a header.
   * @default how the request's own token came
   */
  carrier?: "bearer";
}

/** A session with a new token. */
export interface GivenSession<Data> {
  /** For the application to answer with; null where a cookie carries it. */
  readonly token: string | null;
  readonly session: Session<Data>;
}

/** Of which of the user's values the sessions are ended, and whether it waits for replicas. */
export interface SignOutOptions<Value> extends DeleteOptions {
  /** Which of the values, where the field is an array. */
  value?: Value;
}

/** What a change of password has done. */
export interface ChangedCredentials {
  /** How many other sessions were ended. */
  readonly ended: number;
  /** For the application to answer with; null where a cookie carries it. */
  readonly token: string | null;
}

/** What the session of a request needs to know of the application. */
export interface RequestSessionContext {
  readonly engine: Engine;
  /** What has brought the token, and brings the client a new one. */
  readonly carrier: Carrier;
  /** A carrier that brings none: the application answers with the token. */
  readonly bearer: Carrier;
  /** The well-formed token of the request, or null. */
  readonly token: string | null;
  readonly csrf: CSRFTokens;
}

/**
 * The session of one request: the verbs of `Sessions` without the token, which stays in the cookie,
 * or the bearer header, that it came by.
 * Every change is an awaited call, and nothing is saved at the end of the response. Calls of one
 * request are carried out one after the other, in the order in which they were made.
 */
export class RequestSession<Data extends object, Reference extends string = FieldOf<Data>> {
  readonly #context: RequestSessionContext;
  #carrier: Carrier;
  /** The well-formed token of the request, or of the session that this request has made or rotated. */
  #token: string | null;
  /** What the token leads to, aliases followed. */
  #id: string | null;
  /** The lineage of the session, once this request has seen it. */
  #lineage: string | null = null;
  /** The request came with an old token: its response never sets a cookie. */
  #throughAlias = false;
  /** This request has seen the session alive. */
  #seen = false;
  /** This request wanted the session ended. */
  #deleted = false;
  #turn: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(context: RequestSessionContext) {
    this.#context = context;
    this.#carrier = context.carrier;
    this.#token = context.token;
    this.#id = this.#tokenId;
  }

  /**
   * The session's data, or `{}` where there is no session; reading never makes one. It counts as
   * use. With `fields`, only those are read.
   */
  async get(): Promise<Partial<Data>>;
  async get<Field extends FieldOf<Data>>(
    fields: readonly Field[],
  ): Promise<Partial<Pick<Data, Field>>>;
  async get(fields?: readonly string[]): Promise<Partial<Data>> {
    return (await this.#inTurn(() => this.#load(fields)))?.data ?? {};
  }

  /** The session with its id and dates, or null. It counts as use. */
  async load(): Promise<Session<Partial<Data>> | null> {
    return this.#inTurn(() => this.#load());
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
    const { carrier: named, ...rest } = options;
    if (named !== undefined && named !== "bearer") {
      throw misconfigured('carrier is "bearer", or left out');
    }
    return this.#inTurn(async () => {
      const carrier = named === undefined ? this.#carrier : this.#context.bearer;
      carrier.check();
      const { engine } = this.#context;
      const [oldId, wasThroughAlias] = [this.#id, this.#throughAlias];
      const { token, session, ended } = await engine.signIn<Data>(this.#tokenId, values, rest);
      this.#carrier = carrier;
      this.#hold(token, session);
      // The alias that it came through has expired since.
      if (wasThroughAlias && !ended && oldId !== null) await this.#endAt(oldId);
      return { token: this.#told(token), session };
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
  async set(values: Partial<Data>): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#id === null) return this.#create(values);
      const changed = await this.#change("set", this.#id, values, []);
      if (changed.state === "gone" && !this.#seen) return this.#create(values);
      if (changed.state === "superseded" && this.#context.engine.identifies(values)) {
        if (this.#maySignInAfter(changed)) return this.#create(values);
      }
      if (changed.state !== "changed") throw gone();
    });
  }

  /**
   * Whether a `set` makes a session that says who the user is, at an id whose session was ended: by
   * this request; by a sign-out, unless this request has read what it may be writing back; or by a
   * sign-in that was clicked twice.
   */
  #maySignInAfter({ by, hadIdentity }: Superseded): boolean {
    return this.#deleted || (by === "delete" ? !this.#seen : !hadIdentity);
  }

  /**
   * Removes fields. Removing the user ends the session and makes an empty one. Resolves to whether
   * there was a session.
   *
   * @throws SessionError as `set`.
   */
  async unset(fields: readonly OptionalFieldOf<Data>[]): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#id === null) return false;
      return (await this.#change("unset", this.#id, {}, fields)).state === "changed";
    });
  }

  /** Pushes the idle deadline forward. Resolves to whether there was a session. */
  async touch({ idleTimeout }: TouchOptions = {}): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#id === null) return false;
      const idle = optionalMilliseconds("idleTimeout", idleTimeout);
      const changed = await this.#context.engine.change(this.#id, { idleTimeout: idle });
      await this.#adopt(changed, null);
      return changed.state === "changed";
    });
  }

  /**
   * Gives the session a new token, and merges values in the same step. Resolves to null where nothing
   * was done: without a session, for a request that came with an old token, and after 32 rotations
   * within one grace time. With a `grace` of 0, a request that came with an old token ends the session
   * instead, and `token` and `session` are null.
   *
   * Values that name the same user again (who has just shown the password once more) kill all old
   * tokens at once. Values that name another user, or the first one, are a `signIn` that keeps nothing.
   *
   * `token` is given where nothing else brings it to the client: by a bearer header. A cookie's is told
   * to nobody but the browser.
   */
  async rotate(
    values: Partial<Data> = {},
    options: RotateOptions = {},
  ): Promise<GivenSession<Data> | { readonly token: null; readonly session: null } | null> {
    const grace = this.#context.engine.graceOf(options);
    return this.#inTurn(async () => {
      // Asked by the old id, the store sees that this request came with an old token.
      const id = this.#tokenId;
      if (id === null) return null;
      this.#carrier.check();
      const fresh = createTokenBeside(id);
      const rotation = { to: fresh.id, when: "always", grace } as const;
      const changed = await this.#context.engine.change(id, { values, rotation });
      if (changed.state === "ended") {
        this.#forget();
        return { token: null, session: null };
      }
      const session = await this.#adopt(changed, fresh);
      return session && { token: this.#told(fresh.token), session };
    });
  }

  /**
   * After a change of password, once the old one was checked: ends the other sessions of the user, and
   * gives this one a new token. All old tokens of this session are dead at once, also where the request
   * came with one of them.
   *
   * @param field the reference that says who the user is: `"user_id"`.
   * @throws SessionError ERR_SESSION_GONE where the session has no user; ERR_COOKIE where the cookie
   * cannot be set any more; ERR_REPLICAS where too few `replicas` have acknowledged it.
   */
  async changeCredentials<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options: SignOutOptions<ElementOf<Data[Field]>> = {},
  ): Promise<ChangedCredentials> {
    return this.#ofUser("changeCredentials", field, options, async (where, replicas) => {
      this.#carrier.check();
      const fresh = createTokenBeside(this.#id ?? "");
      const rotation = { to: fresh.id, when: "credentials" } as const;
      const changed = await this.#changeByEveryId({ rotation, where });
      if (!(await this.#adopt(changed, fresh))) throw gone();
      const ended = await this.#context.engine.endAll(where, this.#lineage, replicas);
      return { ended, token: this.#told(fresh.token) };
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
    return this.#ofUser("signOutOthers", field, options, (user, replicas) =>
      this.#endPeers(user, this.#lineage, replicas),
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
    return this.#ofUser("signOutEverywhere", field, options, (user, replicas) =>
      this.#endPeers(user, null, replicas),
    );
  }

  /** Does something about the user of the session. */
  async #ofUser<Value, T>(
    verb: string,
    field: string,
    options: SignOutOptions<Value>,
    work: (user: StoredReference, replicas: number | undefined) => Promise<T>,
  ): Promise<T> {
    const { engine } = this.#context;
    refuseUnknownKeys(verb, options, ["value", "replicas"]);
    const { value, ...rest } = options;
    const replicas = replicasOf(rest);
    engine.checkReference(field);
    if (engine.identitiesIn([field]).length === 0) throw noIdentity(verb, field);
    return this.#inTurn(async () => {
      const user = await this.#ownReference(field, value);
      if (user === null) throw notSignedIn(verb, field);
      return work(user, replicas);
    });
  }

  /**
   * Ends the session and clears the cookie. Resolves to whether there was one; where there was none,
   * the cookie is left alone.
   *
   * A `set` after it makes a new session. A parallel request that still has the old token does not:
   * for the `rotationGrace`, its `set` is ERR_SESSION_GONE, unless it signs in.
   *
   * @throws SessionError ERR_REPLICAS where too few `replicas` have acknowledged it; the cookie stays.
   */
  async delete(options: DeleteOptions = {}): Promise<boolean> {
    const replicas = replicasOf(options);
    return this.#inTurn(async () => {
      const ended = await this.#end(null, replicas);
      this.#deleted = true;
      this.#seen = false;
      return ended;
    });
  }

  /** The session's public id, as far as this request knows it; whether it is alive, `load` tells. */
  id(): string | null {
    return this.#id;
  }

  /** Where the store keeps the session: in Redis the key of its hash. */
  getKey(): string | null {
    return this.#id === null ? null : this.#context.engine.config.store.sessionKey(this.#id);
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
    const { engine } = this.#context;
    engine.checkReference(field);
    const shared = await this.#inTurn(() => this.#ownReference(field, value));
    return shared && new SessionSet<Data>(engine, shared, this.#endingsOfPeers());
  }

  /** One value of the session's own of a reference; null where it has none, or not this one. */
  async #ownReference(field: string, value: unknown): Promise<StoredReference | null> {
    const data: { readonly [field: string]: unknown } = (await this.#load([field]))?.data ?? {};
    const own = [...new Set([data[field]].flat())].filter((one) => one != null);
    if (value === undefined && own.length > 1) throw unnamedPeers(field, own.length);
    const shared = value ?? own[0];
    if (shared === undefined || !own.includes(shared)) return null;
    return this.#context.engine.reference(field, shared);
  }

  /** Ends the session of this request as `delete` does, where it is one of those that are ended. */
  #endingsOfPeers(): Endings {
    return {
      end: (set, name, replicas) =>
        this.#inTurn(async () => {
          const own = this.#isOwn(name) || (!this.#mayClear() && (await this.#namesOwn(name)));
          if (own && (await this.#end(set, replicas))) return true;
          const tombstone = { ...this.#tombstone, lineage: this.#lineage ?? "" };
          const { store } = this.#context.engine.config;
          const ended = await store.end(name, {
            byName: true,
            reference: set,
            tombstone,
            replicas,
          });
          if (ended !== null && ended === this.#lineage) this.#forget();
          return ended !== null;
        }),
      endAll: (set, except, replicas) => this.#inTurn(() => this.#endPeers(set, except, replicas)),
    };
  }

  /**
   * Ends all sessions of a set but one. That of this request goes last, so that a failure leaves the
   * user signed in; and it goes also where it is the one to be spared, but came with an old token.
   */
  async #endPeers(
    set: StoredReference,
    except: string | null,
    replicas: number | undefined,
  ): Promise<number> {
    const { engine } = this.#context;
    if (this.#id === null) return engine.endAll(set, except, replicas);
    const sparesOwn = except !== null && (await this.#namesOwn(except));
    if (sparesOwn && !this.#throughAlias) return engine.endAll(set, except, replicas);
    this.#carrier.check();
    if (except !== null && !sparesOwn) {
      const own = await this.#end(set, replicas);
      return Number(own) + (await engine.endAll(set, except, replicas));
    }
    const others = await engine.endAll(set, this.#lineage, replicas);
    if (await this.#end(set, replicas)) return others + 1;
    // It has left the set, or is under a token by now that this request does not know (I5).
    return others + (await engine.endAll(set, null, replicas));
  }

  /** Whether a name is known to be that of this request's session. */
  #isOwn(name: string): boolean {
    return [this.#id, this.#tokenId, this.#lineage].includes(name);
  }

  /** Whether a name leads to this request's session; any but those it knows is looked up. */
  async #namesOwn(name: string): Promise<boolean> {
    if (this.#isOwn(name)) return true;
    const read = await this.#context.engine.read(name, [], { touch: false, byName: true });
    return read.state === "live" && read.session.lineage === this.#lineage;
  }

  /** Whether the client can be told to forget its token now, or need not be. */
  #mayClear(): boolean {
    try {
      this.#carrier.check();
      return true;
    } catch {
      return false;
    }
  }

  /**
   * A token for the forms of this session: put it into a hidden field. Without a session it sets a
   * pre-session cookie, so that a sign-in form has one, too. It takes no round trip.
   *
   * @throws SessionError ERR_COOKIE where that cookie cannot be set any more.
   */
  createCSRFToken(): string {
    return this.#context.csrf.create(this.#token);
  }

  /**
   * Whether a form's token is of this session. Without an argument it is the one that the request
   * brings: in its header `X-CSRF-Token`, or else in the field `_csrf` of its body, where the
   * framework has a parsed one.
   */
  verifyCSRFToken(token: unknown = this.#context.csrf.sent): boolean {
    return this.#context.csrf.verify(this.#token, token);
  }

  /** Runs `work` when all calls before it have ended. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined); // the caller is told; the next call starts anyway
    return result;
  }

  async #load(fields?: readonly string[]): Promise<Session<Partial<Data>> | null> {
    if (this.#id === null) return null;
    const reading = await this.#context.engine.read(this.#id, fields, { touch: true });
    if (reading.state !== "live") return null;
    this.#arrivedAt(reading.session);
    if (reading.touched) await this.#renewCookie(reading.session);
    return sessionOf<Data>(reading.session);
  }

  async #create(values: Partial<Data>): Promise<void> {
    if (!this.#carrier.sends) throw this.#token === null ? tokenLost() : gone();
    this.#carrier.check();
    const { token, session } = await this.#context.engine.create<Data>(values);
    this.#hold(token, session);
  }

  async #change(verb: "set" | "unset", id: string, values: object, unset: readonly string[]) {
    const { engine } = this.#context;
    const named = [fieldsNamedIn(values), unset].flat();
    if (engine.identitiesIn(named).length === 0) {
      const changed = await engine.change(id, { values, unset });
      await this.#adopt(changed, null);
      return changed;
    }
    const { sends } = this.#carrier;
    if (sends) this.#carrier.check();
    const fresh = createTokenBeside(id);
    const rotation = { to: fresh.id, when: sends ? "user-changes" : "never" } as const;
    const changed = await this.#changeByEveryId({ values, unset, rotation });
    if (changed.state === "signs-in") throw tokenKept(verb);
    await this.#adopt(changed, fresh);
    return changed;
  }

  /**
   * A change that leaves tombstones, asked by the id of the request's token, so that they are at every
   * id that it came through; where that is an alias that has expired since, by the one it led to.
   */
  async #changeByEveryId(changes: Changes): Promise<Changed> {
    const { engine } = this.#context;
    const changed = await engine.change(this.#tokenId ?? "", changes);
    const expired = changed.state === "gone" && this.#throughAlias && this.#id !== null;
    return expired ? engine.change(this.#id as string, changes) : changed;
  }

  /** Ends the session, if it is of the set. Whether it was there; if it was, the cookie is cleared. */
  async #end(set: StoredReference | null, replicas: number | undefined): Promise<boolean> {
    const [first, then] = [this.#tokenId, this.#id];
    if (first === null || then === null) return false;
    this.#carrier.check();
    const ended =
      (await this.#endAt(first, set, replicas)) ||
      (then !== first && (await this.#endAt(then, set, replicas)));
    if (ended) this.#forget();
    return ended;
  }

  async #endAt(
    id: string,
    set: StoredReference | null = null,
    replicas?: number,
  ): Promise<boolean> {
    const reference = set === null ? {} : { reference: set };
    const { store } = this.#context.engine.config;
    const options = { ...reference, tombstone: this.#tombstone, replicas };
    return (await store.end(id, options)) !== null;
  }

  get #tombstone() {
    return { stays: this.#context.engine.config.rotationGrace };
  }

  /** The id of the request's token, which may be an alias. */
  get #tokenId(): string | null {
    return idOf(this.#token, this.#context.engine.config.store.shards);
  }

  /** Takes over what a change has made of the session; gives it where it has a new token. */
  async #adopt(changed: Changed, fresh: NewToken | null): Promise<Session<Data> | null> {
    if (changed.state !== "changed") return null;
    if (fresh && changed.fields) {
      const session = withTimes(changed, decodeFields<Data>(changed.fields), changed.times);
      this.#hold(fresh.token, session);
      return session;
    }
    this.#arrivedAt(changed);
    await this.#renewCookie(changed.times);
    return null;
  }

  /** The request's token leads to this session, which is alive. */
  #arrivedAt({ id, lineage }: { readonly id: string; readonly lineage: string }): void {
    if (id !== this.#id) this.#throughAlias = true;
    this.#id = id;
    this.#lineage = lineage;
    this.#seen = true;
  }

  /** The response tells the client the token of a session. */
  #hold(token: string, session: Session<Data>): void {
    this.#token = token;
    this.#id = session.id;
    this.#lineage = session.lineage;
    this.#throughAlias = false;
    this.#seen = true;
    this.#carrier.set(token, session);
  }

  /** The session was ended by this request, and the client is to forget it. */
  #forget(): void {
    this.#carrier.clear();
    this.#token = null;
    this.#id = null;
    this.#lineage = null;
    this.#throughAlias = false;
    this.#deleted = true;
    this.#seen = false;
  }

  /** The token as the application is told it: not at all where a cookie carries it. */
  #told(token: string): string | null {
    return this.#carrier.sends ? null : token;
  }

  /** Sets the cookie once more where a session that was just used would outlive it. */
  async #renewCookie(times: Times): Promise<void> {
    if (this.#token === null || this.#id === null || this.#throughAlias) return;
    if (!this.#carrier.mayRunOut(times)) return;
    const reading = await this.#context.engine.read(this.#id, undefined, { touch: false });
    if (reading.state !== "live") return;
    this.#carrier.renew(this.#token, sessionOf<Data>(reading.session));
  }
}
