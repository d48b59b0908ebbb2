import { createCSRFToken, verifyCSRFToken } from "../../http/csrf-tokens.ts";
import { createGoneError } from "../../http/errors.ts";
import { maySignInAfter } from "../../http/session/answers.ts";
import type { MigrateOptions } from "../../migrate/migrator.ts";
import { createToken, createTokenBeside, type NewToken, toId } from "../../sessions/token.ts";
import type { Duration } from "../../shared/durations.ts";
import { Queue } from "../../shared/queue.ts";
import type { Command, Commanded } from "../../store/commanding.ts";
import { createRenewal } from "../shared/change.ts";
import type { KoaCookie } from "./cookie.ts";
import { deriveMigratedId, isForeignId } from "./ids.ts";
import type { Settings } from "./options/options.ts";
import { type KoaSessionData, type SessionsInRedis, toData, toNames } from "./store.ts";

/** For how long a request that still has the token from before a sign-in is told apart (ms). */
const GRACE_MS = 10_000;
const SHARDS = 1;

/** The cookie of a session that was signed in to, and that of a visitor's, which may be the same. */
export interface SessionCookies {
  readonly user: KoaCookie;
  readonly visitor: KoaCookie;
}

/**
 * The session of one request, `ctx.session`. Its calls are carried out one after the other, in the
 * order in which they were made.
 */
export class KoaSession {
  readonly #sessions: SessionsInRedis;
  readonly #cookies: SessionCookies;
  readonly #settings: Settings;
  /** The token and id of the request, or of the session that this request has made. */
  #held: NewToken | null;
  /** Which of the cookies its token is in. */
  #cookie: KoaCookie;
  /** A visitor's token that came beside another one, whose session counts where it is there. */
  #beside: NewToken | null = null;
  /** What the next session of this request is going to have, once somebody asks for its key. */
  #next: NewToken | null = null;
  /** The cookie's value, where it may be that of a session which was not moved yet. */
  #foreignId: string | null = null;
  /** The token came with the request, so somebody else may know it. */
  #cameWithRequest: boolean;
  /** This request has seen the session alive. */
  #seen = false;
  /** This request wanted the session ended. */
  #deleted = false;
  readonly #queue = new Queue();

  /** @internal */
  constructor(sessions: SessionsInRedis, cookies: SessionCookies, settings: Settings) {
    this.#sessions = sessions;
    this.#cookies = cookies;
    this.#settings = settings;
    const { user, visitor } = cookies;
    const token = user.get();
    const visiting = visitor === user ? null : parseToken(visitor.get());
    this.#held = parseToken(token);
    this.#cookie = user;
    if (sessions.migrator && isForeignId(token)) this.#foreignId = token;
    if (this.#held === null && this.#foreignId === null) this.#visit(visiting);
    else this.#beside = visiting;
    this.#cameWithRequest = this.#held !== null || this.#foreignId !== null;
  }

  #visit(visiting: NewToken | null): void {
    this.#held = visiting;
    this.#cookie = this.#cookies.visitor;
  }

  /**
   * The key of the session's hash, for `client.hgetall(key)`. While sessions are moved, ask for it
   * after the first call that was awaited: it may be the one that moves the session.
   */
  getKey(): string {
    const id =
      this.#foreignId === null
        ? (this.#held ?? this.#createNext()).id
        : deriveMigratedId(this.#foreignId);
    return this.#sessions.store.sessionKey(id);
  }

  /**
   * The session, or some fields of it, and its `id`. Where there is none it is empty: nothing is written
   * to Redis, and no cookie is sent, until something is set in it.
   */
  async get(fields?: readonly string[] | null): Promise<KoaSessionData> {
    const names = toNames(fields);
    return this.#runInTurn(async () => {
      if (this.#held === null) return {};
      const found = await this.#sessions.store.find(this.#held.id, { names });
      this.#seen ||= found.state === "live";
      return toData(found);
    });
  }

  /**
   * Merges values; a field that is undefined is left alone. Where there is no session it makes one, and
   * sends the cookie. The session ends `maxAge` from now. Resolves to the values.
   *
   * A reference that gets its first value, or of which `{ rotate: true }` says so, gives the session a
   * new token, and the old one leads nowhere.
   *
   * @throws SessionError ERR_SESSION_GONE where the session was ended by somebody else during this
   * request; ERR_COOKIE where the cookie cannot be set any more.
   */
  async set<Values extends object>(values: Values, maxAge?: Duration): Promise<Values> {
    await this.#runInTurn(async () => {
      const change = this.#sessions.createChange({ values, maxAge });
      const changed = await this.#change(change);
      if (changed === null || this.#mayMakeAfter(changed, change)) return this.#create(change);
      if (changed.state !== "changed") throw createGoneError();
    });
    return values;
  }

  /** Whether values make a session of their own, where a change has found none. */
  #mayMakeAfter(changed: Commanded, change: Command): boolean {
    if (changed.state === "gone") return !this.#seen;
    if (changed.state !== "superseded" || !this.#namesUser(change)) return false;
    return this.#deleted || maySignInAfter(changed, { seen: this.#seen });
  }

  /** Removes fields. The session ends `maxAge` from now. Where there is none, it makes none. */
  async unset(fields: readonly string[], maxAge?: Duration): Promise<void> {
    await this.#runInTurn(() =>
      this.#change(this.#sessions.createChange({ unset: fields, maxAge })),
    );
  }

  /** The session ends `maxAge` from now. Where there is none it makes one, and sends the cookie. */
  async touch(maxAge?: Duration): Promise<void> {
    await this.#runInTurn(async () => {
      const change = this.#sessions.createChange({ maxAge });
      const changed = await this.#change(change);
      if (changed === null || changed.state === "gone") await this.#create(change);
    });
  }

  /**
   * Ends the session, and clears its cookie. It makes no new one: `set` does. A parallel request that
   * still has the old token makes none for ten seconds, unless it signs in.
   */
  async delete(): Promise<void> {
    await this.#runInTurn(
      async () => {
        if (this.#held === null) return;
        this.#cookie.check();
        const { id } = this.#held;
        const ended = await this.#sessions.store.end(id, { tombstone: { stays: GRACE_MS } });
        this.#deleted = true;
        this.#seen = false;
        // The cookie of what was not there is left alone: a sign-in may have replaced it.
        if (ended === null) return;
        this.#cookie.clear();
        this.#cookies.visitor.clear();
        this.#held = null;
      },
      { thenEnd: true },
    );
  }

  /**
   * A token for the session's forms. Where there is no session it makes one, and sends the cookie, for
   * the token is bound to that.
   *
   * @param _session is not needed any more.
   */
  async createCSRFToken(_session?: object | null): Promise<string> {
    return this.#runInTurn(async () => {
      const { store } = this.#sessions;
      const found = this.#held && (await store.find(this.#held.id, { names: [] }));
      this.#seen ||= found?.state === "live";
      if (found === null || found.state === "gone")
        await this.#create(this.#sessions.createChange({}));
      return createCSRFToken((this.#held as NewToken).token, this.#settings.saltBytes);
    });
  }

  /** Whether a form's token is of this session. */
  async verifyCSRFToken(token: unknown): Promise<boolean>;
  async verifyCSRFToken(session: object | null | undefined, token: unknown): Promise<boolean>;
  async verifyCSRFToken(session: unknown, token?: unknown): Promise<boolean> {
    const sent = typeof session === "string" ? session : token;
    const { saltBytes } = this.#settings;
    return this.#runInTurn(
      async () => this.#held !== null && verifyCSRFToken(this.#held.token, sent, saltBytes),
    );
  }

  /** Runs `work` when all calls before it have ended; with `thenEnd` it ends the session. */
  #runInTurn<T>(work: () => Promise<T>, options: MigrateOptions = {}): Promise<T> {
    return this.#queue.run(async () => {
      const hasToken = this.#held !== null || this.#foreignId !== null;
      this.#cookie.restrictCaching({ hasToken });
      if (this.#foreignId !== null) await this.#migrate(this.#foreignId, options);
      if (this.#beside !== null) await this.#choose(this.#beside);
      return work();
    });
  }

  /** Whether the session of the first token is there; a visitor's takes its place where it is not. */
  async #choose(visiting: NewToken): Promise<void> {
    this.#beside = null;
    const { store } = this.#sessions;
    const found = this.#held && (await store.find(this.#held.id, { names: [] }));
    if (found === null || found.state === "gone") this.#visit(visiting);
    else if (found.state === "live") {
      this.#seen = true;
      this.#cookies.visitor.clear(); // what a request beside the sign-in has made
    }
  }

  /**
   * Moves the session that the cookie has led to until now, and gives it a token of its own: the old one
   * stood in Redis for everybody to read. One of nobody gets that when it signs in, and not before: the
   * cookie of an earlier one may arrive after that of the sign-in. Where the cookie cannot be set any
   * more, a later request does it. For its grace time the old one leads to the session, for parallel
   * requests.
   */
  async #migrate(foreignId: string, { thenEnd = false }: MigrateOptions): Promise<void> {
    const { migrator, store } = this.#sessions;
    if (migrator === null) return;
    const { identity } = this.#settings;
    await migrator.migrate(foreignId, { thenEnd });
    const id = deriveMigratedId(foreignId);
    const found = await store.find(id, { names: toNames(identity) });
    this.#foreignId = null;
    if (found.state === "gone") return;
    this.#held = { token: foreignId, id };
    if (found.state !== "live") return;
    this.#seen = true;
    const isOfNobody = Object.values(toData(found)).every((value) => value === null);
    if (thenEnd || !this.#cookie.settable || (identity.length > 0 && isOfNobody)) return;
    const to = createTokenBeside(id);
    const changed = await store.change(id, createRenewal(to.id, GRACE_MS));
    if (changed.state === "changed") this.#hold(to, this.#cookies.user);
    // else somebody else has the new token
  }

  /** Changes the session; null where the request has none. */
  async #change(command: Command): Promise<Commanded | null> {
    if (this.#held === null) return null;
    const { identity, firstOnly } = this.#settings;
    const { user, visitor } = this.#cookies;
    const tellsUser = command.references.some(({ field, texts }) => {
      return identity.includes(field) && (texts.length > 0 || !firstOnly.includes(field));
    });
    const isVisitors = user !== visitor && this.#cookie === visitor;
    if (tellsUser && (this.#cameWithRequest || isVisitors)) this.#cookie.check();
    const to = createTokenBeside(this.#held.id);
    const merge =
      tellsUser && this.#cameWithRequest
        ? { to: to.id, identity, firstOnly, tombstone: GRACE_MS }
        : null;
    const changed = await this.#sessions.store.command(this.#held.id, { ...command, merge });
    if (changed.state !== "changed") return changed;
    this.#seen = true;
    if (changed.rotated) {
      this.#cameWithRequest = false;
      this.#hold(to, user);
    } else if (isVisitors && !this.#cameWithRequest && this.#namesUser(command)) {
      this.#hold(this.#held, user); // the token is this request's own
    }
    return changed;
  }

  /** Makes a session under a token of its own, whatever the request came with. */
  async #create(command: Command): Promise<void> {
    const { set: fields, references, absoluteTimeout = null } = command;
    this.#cookie.check();
    const made = this.#createNext();
    const timeouts = { idleTimeout: null, absoluteTimeout };
    await this.#sessions.store.create({ id: made.id, fields, references, ...timeouts });
    const { user, visitor } = this.#cookies;
    this.#next = null;
    this.#seen = true;
    this.#cameWithRequest = false;
    this.#hold(made, this.#namesUser(command) ? user : visitor);
  }

  /** The response brings the browser a token. */
  #hold(held: NewToken, cookie: KoaCookie): void {
    const { visitor } = this.#cookies;
    if (cookie !== visitor) visitor.clear();
    this.#held = held;
    this.#cookie = cookie;
    cookie.set(held.token);
  }

  #createNext(): NewToken {
    this.#next ??= createToken(SHARDS);
    return this.#next;
  }

  /** Whether a change gives values to what says who the user is. */
  #namesUser({ references }: Command): boolean {
    const { identity } = this.#settings;
    return references.some(({ field, texts }) => texts.length > 0 && identity.includes(field));
  }
}

/** The token in a cookie, and its id; null for what this library could not have made, which is never one. */
function parseToken(value: string | undefined): NewToken | null {
  const id = toId(value, SHARDS);
  return id === null ? null : { token: value as string, id };
}
