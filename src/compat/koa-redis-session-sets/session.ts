import { createCSRFToken, verifyCSRFToken } from "../../http/csrf-tokens.ts";
import { gone } from "../../http/errors.ts";
import { createToken, createTokenBeside, idOf, type NewToken } from "../../sessions/token.ts";
import type { Duration } from "../../shared/durations.ts";
import type { Changed } from "../../store/contract.ts";
import { changeOf, rotationTo } from "../shared/change.ts";
import type { KoaCookie } from "./cookie.ts";
import { isOldId, movedId } from "./ids.ts";
import type { Settings } from "./options.ts";
import {
  dataOf,
  type KoaSessionData,
  namesOf,
  type SessionsInRedis,
  type Wanted,
} from "./store.ts";

/** For how long a request that still has the token from before a sign-in is told apart (ms). */
const GRACE = 10_000;
const SHARDS = 1;

/**
 * The session of one request, `ctx.session`. Its calls are carried out one after the other, in the
 * order in which they were made.
 */
export class KoaSession {
  readonly #sessions: SessionsInRedis;
  readonly #cookie: KoaCookie;
  readonly #settings: Settings;
  /** The token and id of the request, or of the session that this request has made. */
  #held: NewToken | null;
  /** What the next session of this request is going to have, once somebody asks for its key. */
  #next: NewToken | null = null;
  /** The cookie's value, where it may be that of a session which was not moved yet. */
  #oldId: string | null = null;
  /** The token is an old id: it is never sent, for a parallel request may have sent a new one. */
  #silent = false;
  /** The token came with the request, so somebody else may know it. */
  #brought: boolean;
  /** This request has seen the session alive. */
  #seen = false;
  #turn: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(sessions: SessionsInRedis, cookie: KoaCookie, settings: Settings) {
    this.#sessions = sessions;
    this.#cookie = cookie;
    this.#settings = settings;
    const token = cookie.get();
    const id = idOf(token, SHARDS);
    // What is no token that this library could have made is no session, and is never one.
    this.#held = id === null ? null : { token: token as string, id };
    if (sessions.old && isOldId(token)) this.#oldId = token;
    this.#brought = id !== null || this.#oldId !== null;
  }

  /**
   * The key of the session's hash, for `client.hgetall(key)`. While sessions are moved, ask for it
   * after the first call that was awaited: it may be the one that moves the session.
   */
  getKey(): string {
    const id = this.#oldId === null ? (this.#held ?? this.#fresh()).id : movedId(this.#oldId);
    return this.#sessions.store.sessionKey(id);
  }

  /** The session, or some fields of it. Where there is none it makes one, which is empty. */
  async get(fields?: readonly string[] | null): Promise<KoaSessionData> {
    return this.#inTurn(() => this.#get(fields));
  }

  /**
   * Merges values; a field that is undefined is left alone. Where there is no session it makes one.
   * The session, and its cookie, end `maxAge` from now. Resolves to the values.
   *
   * @throws SessionError ERR_SESSION_GONE where the session was ended by somebody else during this
   * request; ERR_COOKIE where the cookie cannot be set any more.
   */
  async set<Values extends object>(values: Values, maxAge?: Duration): Promise<Values> {
    const wanted = { values, maxAge };
    await this.#inTurn(async () => {
      const changed = await this.#change(wanted);
      if (changed === null || (changed.state === "gone" && !this.#seen)) return this.#make(wanted);
      if (changed.state === "superseded" && !changed.hadIdentity && this.#signsIn(values)) {
        return this.#make(wanted); // a sign-in that was clicked twice
      }
      if (changed.state !== "changed") throw gone();
    });
    return values;
  }

  /** Removes fields. The session, and its cookie, end `maxAge` from now. */
  async unset(fields: readonly string[], maxAge?: Duration): Promise<void> {
    await this.#inTurn(() => this.#change({ unset: fields, maxAge }));
  }

  /** The session, and its cookie, end `maxAge` from now. Where there is none it makes one. */
  async touch(maxAge?: Duration): Promise<void> {
    await this.#inTurn(async () => {
      const changed = await this.#change({ maxAge });
      if (changed === null || changed.state === "gone") await this.#make({ maxAge });
    });
  }

  /** Ends the session, and clears its cookie. It makes no new one: `get` and `set` do. */
  async delete(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#held === null) return;
      this.#cookie.check();
      await this.#sessions.store.end(this.#held.id);
      this.#cookie.clear();
      this.#held = null;
      this.#silent = false;
      this.#seen = false;
    }, true);
  }

  /**
   * A token for the session's forms. Where there is no session it makes one.
   *
   * @param _session is not needed any more: the token is bound to the session's cookie.
   */
  async createCSRFToken(_session?: object | null): Promise<string> {
    return this.#inTurn(async () => {
      await this.#get([]);
      return createCSRFToken((this.#held as NewToken).token, this.#settings.saltBytes);
    });
  }

  /** Whether a form's token is of this session. */
  async verifyCSRFToken(token: unknown): Promise<boolean>;
  async verifyCSRFToken(session: object | null | undefined, token: unknown): Promise<boolean>;
  async verifyCSRFToken(session: unknown, token?: unknown): Promise<boolean> {
    const sent = typeof session === "string" ? session : token;
    const { saltBytes } = this.#settings;
    return this.#inTurn(
      async () => this.#held !== null && verifyCSRFToken(this.#held.token, sent, saltBytes),
    );
  }

  /** Runs `work` when all calls before it have ended; `ends`: it ends the session. */
  #inTurn<T>(work: () => Promise<T>, ends = false): Promise<T> {
    const result = this.#turn.then(async () => {
      if (this.#oldId !== null) await this.#arrive(this.#oldId, ends);
      return work();
    });
    this.#turn = result.catch(() => undefined); // the caller is told; the next call starts anyway
    return result;
  }

  /**
   * Moves the session that the cookie has led to until now, and gives it a token of its own: the old
   * one stood in Redis for everybody to read. Where the cookie cannot be set any more, a later
   * request does it. For its grace time the old one leads to the session, for parallel requests.
   */
  async #arrive(oldId: string, ends: boolean): Promise<void> {
    const { old, store } = this.#sessions;
    if (old === null) return;
    const id = await old.move(oldId, ends);
    const found = await store.find(id, { names: [] });
    this.#oldId = null;
    if (found.state === "gone") return;
    this.#held = { token: oldId, id };
    this.#silent = true;
    if (found.state !== "live") return;
    this.#seen = true;
    if (ends || !this.#cookie.settable) return;
    const to = createTokenBeside(id);
    const rotation = rotationTo(to.id, "always", [], GRACE);
    const changed = await store.change(id, { ...changeOf(new Map()), rotation });
    if (changed.state !== "changed") return; // somebody else has the new token
    this.#held = to;
    this.#silent = false;
    this.#cookie.set(to.token, changed.times.expiresAt - found.now);
  }

  async #get(fields?: readonly string[] | null): Promise<KoaSessionData> {
    const names = namesOf(fields);
    if (this.#held !== null) {
      const found = await this.#sessions.store.find(this.#held.id, { names });
      this.#seen ||= found.state === "live";
      // Of a token that a sign-in has replaced there is nothing to see, and no cookie in its place.
      if (found.state !== "gone") return dataOf(found);
    }
    await this.#make({});
    return {};
  }

  /** Changes the session; null where the request has none. */
  async #change(wanted: Wanted): Promise<Changed | null> {
    const change = this.#sessions.change(wanted);
    if (this.#held === null) return null;
    this.#cookie.check();
    const { identity } = this.#settings;
    const to = createTokenBeside(this.#held.id);
    const rotates = this.#brought && identity.length > 0;
    const rotation = rotates ? rotationTo(to.id, "identity-changes", identity, GRACE) : null;
    const changed = await this.#sessions.store.change(this.#held.id, { ...change, rotation });
    if (changed.state === "changed") {
      this.#hold(changed.rotated ? to : this.#held, wanted);
      if (changed.rotated) this.#brought = false;
    }
    return changed;
  }

  /** Makes a session under a token of its own, whatever the request came with. */
  async #make(wanted: Wanted): Promise<void> {
    const { set, references, absoluteTimeout = null } = this.#sessions.change(wanted);
    this.#cookie.check();
    const made = this.#fresh();
    const timeouts = { idleTimeout: null, absoluteTimeout };
    await this.#sessions.store.create({ id: made.id, fields: set, references, ...timeouts });
    this.#next = null;
    this.#brought = false;
    this.#hold(made, wanted);
  }

  #hold(held: NewToken, { maxAge }: Wanted): void {
    this.#silent &&= held === this.#held;
    this.#held = held;
    this.#seen = true;
    if (!this.#silent) this.#cookie.set(held.token, this.#sessions.maxAge(maxAge));
  }

  #fresh(): NewToken {
    this.#next ??= createToken(SHARDS);
    return this.#next;
  }

  /** Whether the values say who the user is. */
  #signsIn(values: object): boolean {
    const { identity } = this.#settings;
    return Object.entries(values).some(
      ([field, value]) => value != null && identity.includes(field),
    );
  }
}
