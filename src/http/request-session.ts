import { optionalMilliseconds } from "../durations.ts";
import type { Engine } from "../sessions/engine.ts";
import { decodeFields, sessionOf, withTimes } from "../sessions/record.ts";
import { replicasOf } from "../sessions/replicas.ts";
import { SessionSet } from "../sessions/session-set.ts";
import { createTokenBeside, idOf, type NewToken } from "../sessions/token.ts";
import type {
  Deadlines,
  DeleteOptions,
  ElementOf,
  FieldOf,
  OptionalFieldOf,
  RotateOptions,
  Session,
  TouchOptions,
} from "../sessions/types.ts";
import type { Changed, Times } from "../store/contract.ts";
import type { Carrier } from "./carriers.ts";
import type { CSRFTokens } from "./csrf.ts";
import { gone, tokenKept, tokenLost, unnamedPeers } from "./faults.ts";

/** What the session of a request needs to know of the application. */
export interface RequestSessionContext {
  readonly engine: Engine;
  /** What has brought the token, and brings the client a new one. */
  readonly carrier: Carrier;
  /** The well-formed token of the request, or null. */
  readonly token: string | null;
  readonly csrf: CSRFTokens;
  /** Whether a change of a reference that says who the user is gives the session a new token. */
  readonly rotate: boolean;
}

/**
 * The session of one request: the verbs of `Sessions` without the token, which stays in the cookie,
 * or the bearer header, that it came by.
 * Every change is an awaited call, and nothing is saved at the end of the response. Calls of one
 * request are carried out one after the other, in the order in which they were made.
 */
export class RequestSession<Data extends object, Reference extends string = FieldOf<Data>> {
  readonly #context: RequestSessionContext;
  readonly #carrier: Carrier;
  /** The well-formed token of the request, or of the session that this request has made or rotated. */
  #token: string | null;
  /** What the token leads to, aliases followed. */
  #id: string | null;
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
    this.#id = idOf(context.token, context.engine.config.store.shards);
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
   * Merges values into the session; a field that is undefined is left alone. Where there is no
   * session it makes one, with `deadlines` if they are given, and sets the cookie. A session that is
   * there keeps the deadlines and the other data it has: to sign in with fresh ones ("remember me"),
   * `delete` first.
   *
   * A change of a reference that says who the user is gives the session a new token, and the old one
   * is dead. Where the token came in a bearer header, nothing brings the client another: `set` then
   * neither makes a session (`sessions.create` does) nor changes such a reference (`rotate` does).
   *
   * @throws SessionError ERR_SESSION_GONE where the session was ended by somebody else during this
   * request, or a bearer's was ended before; ERR_COOKIE where the cookie it takes cannot be set any
   * more; ERR_SESSION_CONFIG for what it does not do without a cookie.
   */
  async set(values: Partial<Data>, deadlines: Deadlines = {}): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#id === null) return this.#create(values, deadlines);
      const changed = await this.#change("set", this.#id, values, []);
      if (changed.state === "gone" && !this.#seen) return this.#create(values, deadlines);
      if (changed.state === "superseded" && this.#context.engine.identifies(values)) {
        // A sign-in that was clicked twice, or one that wanted the old session ended.
        if (!changed.hadIdentity || this.#deleted) return this.#create(values, deadlines);
      }
      if (changed.state !== "changed") throw gone();
    });
  }

  /** Removes fields. Resolves to whether there was a session. */
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
      return (await this.#adopt(changed, null)).state === "changed";
    });
  }

  /**
   * Gives the session a new token, and merges values in the same step. Resolves to whether it did:
   * not without a session, nor for a request that came with an old token, unless the values change a
   * reference that says who the user is. After a change of password, `{ grace: 0 }` ends the old
   * token at once.
   *
   * Where the token came in a bearer header, it resolves to the new token instead of true: answer
   * with it, for nothing else brings it to the client. A cookie's is told to nobody but the browser.
   */
  async rotate(values: Partial<Data> = {}, options: RotateOptions = {}): Promise<string | boolean> {
    return this.#inTurn(async () => {
      // Asked by the old id, the store sees that this request came with an old token.
      const { shards } = this.#context.engine.config.store;
      const id = this.#throughAlias ? idOf(this.#token, shards) : this.#id;
      if (id === null) return false;
      this.#carrier.check();
      const fresh = createTokenBeside(id);
      const rotation = this.#context.engine.rotation(fresh.id, "always", options);
      const changed = await this.#context.engine.change(id, { values, rotation });
      if ((await this.#adopt(changed, fresh)).state !== "changed") return false;
      return this.#carrier.sends || fresh.token;
    });
  }

  /**
   * Ends the session and clears the cookie. Resolves to whether there was one; where there was none,
   * the cookie is left alone. So to sign out everywhere, `clear` the peers but this session, and
   * `delete` it then.
   *
   * A `set` after it makes a new session. A parallel request that still has the old token does not:
   * for the `rotationGrace`, its `set` is ERR_SESSION_GONE.
   *
   * @throws SessionError ERR_REPLICAS where too few `replicas` have acknowledged it; the cookie stays.
   */
  async delete(options: DeleteOptions = {}): Promise<boolean> {
    const replicas = replicasOf(options);
    return this.#inTurn(async () => {
      if (this.#id === null) return false;
      this.#carrier.check();
      const { store, identity, rotationGrace: grace } = this.#context.engine.config;
      const ended = await store.end(this.#id, null, { identity, grace }, replicas);
      this.#deleted = true;
      this.#seen = false;
      if (!ended) return false;
      this.#carrier.clear();
      this.#id = null;
      this.#token = null;
      this.#throughAlias = false;
      return true;
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
    const { data } = (await this.#inTurn(() => this.#load([field]))) ?? { data: {} as Data };
    const own = [...new Set<unknown>([data[field]].flat())].filter((one) => one != null);
    if (value === undefined && own.length > 1) throw unnamedPeers(field, own.length);
    const shared = value ?? own[0];
    if (shared === undefined || !own.includes(shared)) return null;
    return new SessionSet<Data>(engine, engine.reference(field, shared));
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
    const reading = await this.#context.engine.read(this.#id, fields, true);
    if (reading.state !== "live") return null;
    this.#arrivedAt(reading.session.id);
    if (reading.touched) await this.#renewCookie(reading.session);
    return sessionOf<Data>(reading.session);
  }

  async #create(values: Partial<Data>, deadlines: Deadlines): Promise<void> {
    if (!this.#carrier.sends) throw this.#token === null ? tokenLost() : gone();
    this.#carrier.check();
    const { token, session } = await this.#context.engine.create<Data>(values, deadlines);
    this.#hold(token, session);
  }

  async #change(verb: "set" | "unset", id: string, values: object, unset: readonly string[]) {
    const { engine, rotate } = this.#context;
    // Callers without types may give anything; the engine says what is wrong with it.
    const named = [Object.keys(Object(values)), unset].flat();
    const mayRotate = rotate && engine.concernsIdentity(named);
    if (mayRotate && !this.#carrier.sends) throw tokenKept(verb);
    if (mayRotate) this.#carrier.check();
    const fresh = mayRotate ? createTokenBeside(id) : null;
    const rotation = fresh && engine.rotation(fresh.id, "identity-changes");
    return this.#adopt(await engine.change(id, { values, unset, rotation }), fresh);
  }

  /** Takes over what a change has made of the session. */
  async #adopt<Answer extends Changed>(changed: Answer, fresh: NewToken | null): Promise<Answer> {
    if (changed.state !== "changed") return changed;
    if (fresh && changed.fields) {
      const data = decodeFields<Data>(changed.fields);
      this.#hold(fresh.token, withTimes(fresh.id, data, changed.times));
    } else {
      this.#arrivedAt(changed.id);
      await this.#renewCookie(changed.times);
    }
    return changed;
  }

  /** The request's id leads to the session `id`, which is alive. */
  #arrivedAt(id: string): void {
    if (id !== this.#id) this.#throughAlias = true;
    this.#id = id;
    this.#seen = true;
  }

  /** The response tells the browser the token of a session. */
  #hold(token: string, session: Session<Data>): void {
    this.#token = token;
    this.#id = session.id;
    this.#throughAlias = false;
    this.#seen = true;
    this.#carrier.set(token, session);
  }

  /** Sets the cookie once more where a session that was just used would outlive it. */
  async #renewCookie(times: Times): Promise<void> {
    if (this.#token === null || this.#id === null || this.#throughAlias) return;
    if (!this.#carrier.mayRunOut(times)) return;
    const reading = await this.#context.engine.read(this.#id, undefined, false);
    if (reading.state !== "live") return;
    this.#carrier.renew(this.#token, sessionOf<Data>(reading.session));
  }
}
