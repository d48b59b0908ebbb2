import { createCSRFToken, verifyCSRFToken } from "../../http/csrf-tokens.ts";
import { createGoneError } from "../../http/errors.ts";
import { maySignInAfter } from "../../http/session/answers.ts";
import { sendToken } from "../../http/session/send-token.ts";
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

/** How long (ms) a token from before a sign-in is still recognized. */
const GRACE_MS = 10_000;
const SHARDS = 1;

/** The cookie of a signed-in session and the cookie of a visitor's session: one or two cookies. */
export interface SessionCookies {
  readonly user: KoaCookie;
  readonly visitor: KoaCookie;
}

/**
 * The session of one request, `ctx.session`. Its calls run one after the other, in the order in which
 * they were made.
 */
export class KoaSession {
  readonly #sessions: SessionsInRedis;
  readonly #cookies: SessionCookies;
  readonly #settings: Settings;
  /** The token and id of the request, or of the session that this request has made. */
  #held: NewToken | null;
  /** The cookie that carries its token. */
  #cookie: KoaCookie;
  /** A visitor's token that came beside a user's. It counts if the user's leads to no session. */
  #beside: NewToken | null = null;
  /** The token and id of the next session, made once the program has asked for its key. */
  #next: NewToken | null = null;
  /** The cookie's value, if it may be the id of a session that was not migrated yet. */
  #foreignId: string | null = null;
  /** Whether the token came with the request, so that others may know it. */
  #cameWithRequest: boolean;
  /** Whether this request has seen the session alive. */
  #seen = false;
  /** Whether this request has called `delete`. */
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
    if (this.#held === null && this.#foreignId === null) this.#holdVisitor(visiting);
    else this.#beside = visiting;
    this.#cameWithRequest = this.#held !== null || this.#foreignId !== null;
  }

  #holdVisitor(visiting: NewToken | null): void {
    this.#held = visiting;
    this.#cookie = this.#cookies.visitor;
  }

  /**
   * The key of the session's hash, for `client.hgetall(key)`. While sessions are migrated, await
   * another call of the session first: it may migrate the session, and so change the key.
   */
  getKey(): string {
    const id =
      this.#foreignId === null
        ? (this.#held ?? this.#createNext()).id
        : deriveMigratedId(this.#foreignId);
    return this.#sessions.store.sessionKey(id);
  }

  /**
   * The session's data, or some fields of it, and its `id`; empty where there is no session. Reading
   * writes nothing to Redis, and sends no cookie.
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
   * Merges values. A field that is undefined stays as it is. Where there is no session, this makes one
   * and sends the cookie. The session ends `maxAge` from now. Resolves to the values.
   *
   * The first value of a reference gives the session a new token, and so does each later value of one
   * declared `{ rotate: true }`. The old token then leads to no session.
   *
   * @throws SessionError ERR_SESSION_GONE if another request ended the session during this one;
   * ERR_COOKIE if the cookie can no longer be set.
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

  /** Whether `set` may make a session after its change has found none. */
  #mayMakeAfter(changed: Commanded, change: Command): boolean {
    if (changed.state === "gone") return !this.#seen;
    if (changed.state !== "superseded" || !this.#namesUser(change)) return false;
    return this.#deleted || maySignInAfter(changed, { seen: this.#seen });
  }

  /** Removes fields. The session ends `maxAge` from now. Where there is none, nothing happens. */
  async unset(fields: readonly string[], maxAge?: Duration): Promise<void> {
    await this.#runInTurn(() =>
      this.#change(this.#sessions.createChange({ unset: fields, maxAge })),
    );
  }

  /** Makes the session end `maxAge` from now. Where there is none, makes one and sends the cookie. */
  async touch(maxAge?: Duration): Promise<void> {
    await this.#runInTurn(async () => {
      const change = this.#sessions.createChange({ maxAge });
      const changed = await this.#change(change);
      if (changed === null || changed.state === "gone") await this.#create(change);
    });
  }

  /**
   * Ends the session, and clears its cookie. A later `set` makes a new session. For ten seconds, a
   * parallel request that still has the old token makes none, unless it signs in.
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
        // Without a session the cookie stays: a sign-in may have replaced it.
        if (ended === null) return;
        this.#cookie.clear();
        this.#cookies.visitor.clear();
        this.#held = null;
      },
      { thenEnd: true },
    );
  }

  /**
   * A token for the session's forms. Where there is no session, this makes one and sends the cookie,
   * because the token is bound to the session.
   *
   * @param _session isn't used: the token is always that of this session.
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

  /** Whether a form's token belongs to this session. */
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

  /** Keeps the user's token if it leads to a session, and holds the visitor's token otherwise. */
  async #choose(visiting: NewToken): Promise<void> {
    this.#beside = null;
    const { store } = this.#sessions;
    const found = this.#held && (await store.find(this.#held.id, { names: [] }));
    if (found === null || found.state === "gone") this.#holdVisitor(visiting);
    else if (found.state === "live") {
      this.#seen = true;
      this.#cookies.visitor.clear(); // a request beside the sign-in made that session
    }
  }

  /**
   * Migrates the session that the cookie leads to, and gives it a new token, because the old one can be
   * read in Redis. A session without a user gets its new token at the sign-in: a cookie sent earlier
   * could reach the browser after the cookie of the sign-in. If the cookie can no longer be set, a later
   * request gives the session its token. For the grace time the old token leads to the session, too, for
   * parallel requests.
   */
  async #migrate(foreignId: string, { thenEnd = false }: MigrateOptions): Promise<void> {
    const { store } = this.#sessions;
    const migrator = this.#sessions.migrator as NonNullable<SessionsInRedis["migrator"]>;
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
    if (changed.state === "changed") await this.#hold(to, this.#cookies.user);
    // else a parallel request has sent the new token
  }

  /** Changes the session. Null: the request has none. */
  async #change(command: Command): Promise<Commanded | null> {
    if (this.#held === null) return null;
    const { identity, firstOnly } = this.#settings;
    const { user, visitor } = this.#cookies;
    const namesIdentity = command.references.some(({ field, texts }) => {
      return identity.includes(field) && (texts.length > 0 || !firstOnly.includes(field));
    });
    const isVisitors = user !== visitor && this.#cookie === visitor;
    if (namesIdentity && (this.#cameWithRequest || isVisitors)) this.#cookie.check();
    const to = createTokenBeside(this.#held.id);
    const merge =
      namesIdentity && this.#cameWithRequest
        ? { to: to.id, identity, firstOnly, tombstone: GRACE_MS }
        : null;
    const changed = await this.#sessions.store.command(this.#held.id, { ...command, merge });
    if (changed.state !== "changed") return changed;
    this.#seen = true;
    if (changed.rotated) {
      this.#cameWithRequest = false;
      await this.#hold(to, user);
    } else if (isVisitors && !this.#cameWithRequest && this.#namesUser(command)) {
      await this.#hold(this.#held, user); // the token is this request's own
    }
    return changed;
  }

  /** Makes a session under a new token, even if the request came with one. */
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
    await this.#hold(made, this.#namesUser(command) ? user : visitor);
  }

  /** Holds a token, and sends it to the browser. */
  async #hold(held: NewToken, cookie: KoaCookie): Promise<void> {
    const { visitor } = this.#cookies;
    if (cookie !== visitor) visitor.clear();
    this.#held = held;
    this.#cookie = cookie;
    await sendToken(
      () => cookie.set(held.token),
      (how) => this.#sessions.store.end(held.id, how),
    );
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

/** The token in a cookie, and its id; null for a text that this library cannot have made. */
function parseToken(value: string | undefined): NewToken | null {
  const id = toId(value, SHARDS);
  return id === null ? null : { token: value as string, id };
}
