import { EventEmitter } from "node:events";
import type { MoveProgress } from "../../migrate/migrator.ts";
import { type MoveOptions, parseCursor } from "../../migrate/options.ts";
import { SessionSet } from "../../sessions/session-set.ts";
import type { ReferenceValue } from "../../sessions/types.ts";
import { createConfigError, quote, SessionError, toFieldName } from "../../shared/errors.ts";
import { readSafely } from "../../shared/given.ts";
import { answer, checkCallback, type SessionCallback, type StoreCallback } from "./callback.ts";
import {
  parseStoreConfig,
  type SessionData,
  type SessionSetsStoreOptions,
  type StoreConfig,
  type StoredData,
} from "./options.ts";
import { checkSession, toSavedSession } from "./saving/record.ts";
import { SavedSessions } from "./saving/saved-sessions.ts";
import {
  type Generate,
  learnClasses,
  restoreSession,
  type SessionClasses,
} from "./session-class.ts";
import { checkFields } from "./sets/check-fields.ts";
import { StoreSessionSet } from "./sets/session-set.ts";

/**
 * A store for express-session, and for @fastify/session, whose sessions can be found by what is in
 * them:
 *
 * ```ts
 * import session from "express-session";
 * import { SessionSetsStore } from "session-sets/compat/express-session";
 *
 * const store = new SessionSetsStore({
 *   client,
 *   references: { user_id: { from: (s) => s.passport?.user } },
 * });
 * const middleware = session({ store, secret: "…", resave: false, saveUninitialized: false });
 *
 * await store.by("user_id", 1).clear(); // signs user 1 out everywhere
 * ```
 *
 * A save writes the fields that the request has changed, so requests that change different fields at
 * the same time do not undo each other, and it never brings back a session that has ended. Fields
 * are the session's own properties; what is deeper in one of them is written with it. Options of the
 * cookie, and with them the deadline, are written where the request has changed them; otherwise a
 * save or a touch pushes the deadline forward by what is stored.
 *
 * Calls about one session take effect in the order in which they are made, awaited or not.
 *
 * Each method takes a callback, or returns a promise without one. Errors are SessionErrors:
 * ERR_STORE_UNAVAILABLE (or ERR_STORE_FULL) where the store fails, ERR_SESSION_VALUE and
 * ERR_SESSION_TOO_LARGE for what cannot be saved.
 */
export class SessionSetsStore<
  Data extends object = SessionData,
  Reference extends string = string,
> extends EventEmitter {
  readonly #config: StoreConfig;
  readonly #saved: SavedSessions;
  #generate: Generate | undefined;
  #classes: SessionClasses | undefined;

  /** @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work. */
  constructor(options: SessionSetsStoreOptions<Data, Reference> = {}) {
    super();
    this.#config = parseStoreConfig(options as SessionSetsStoreOptions<never, string>);
    this.#saved = new SavedSessions(this.#config);
  }

  /**
   * The session with this sid; null (or undefined) where there is none. It moves no deadline.
   *
   * @throws SessionError ERR_SESSION_CONFIG for the public id of a session, which gives no access.
   */
  get(sid: string): Promise<StoredData<Data> | null>;
  get(sid: string, callback: SessionCallback): void;
  get(sid: string, callback?: SessionCallback) {
    return answer(this.#saved.find<StoredData<Data>>(sid), callback);
  }

  /**
   * Saves what has changed in a session since `get` gave it or it was saved last, and slides its
   * deadline, or puts it where its cookie says if that has changed. An object that the store has not
   * given out is a new session: it is made, or written in place of what is there. One that it has
   * given out, or a copy of such a one (`{ ...session }`), stays ended once it has, and that is no error.
   */
  set(sid: string, session: object): Promise<void>;
  set(sid: string, session: object, callback: (error?: unknown) => void): void;
  set(sid: string, session: object, callback?: (error?: unknown) => void) {
    return answer(this.#saved.save(sid, session), callback);
  }

  /** Ends the session of a sid, or of a public id as `all` gives it; that there is none is no error. */
  destroy(sid: string): Promise<void>;
  destroy(sid: string, callback: (error?: unknown) => void): void;
  destroy(sid: string, callback?: (error?: unknown) => void) {
    return answer(this.#saved.end(sid), callback);
  }

  /**
   * Slides a session's deadline, or puts it where its cookie says if that has changed; that there is
   * none is no error. Nothing is sent where that was done within a twentieth of the timeout or a
   * minute.
   *
   * @throws SessionError ERR_SESSION_CONFIG for the public id of a session, which gives no access.
   */
  touch(sid: string, session: object): Promise<void>;
  touch(sid: string, session: object, callback: (error?: unknown) => void): void;
  touch(sid: string, session: object, callback?: (error?: unknown) => void) {
    return answer(this.#saved.touch(sid, session), callback);
  }

  /**
   * All sessions, each with its public `id` (never its sid). They are read in bounded steps, but
   * held in memory together: to go through many, use a reference and `for await`.
   */
  all(): Promise<(StoredData<Data> & { id: string })[]>;
  all(callback: SessionCallback): void;
  all(callback?: SessionCallback) {
    return answer(this.#readAll(), callback);
  }

  /** How many sessions there are, counted in bounded steps over all keys of the store. */
  length(): Promise<number>;
  length(callback: StoreCallback<number>): void;
  length(callback?: StoreCallback<number>) {
    return answer(this.#count(), callback);
  }

  /** Ends all sessions, in bounded steps: each that is there when it is called is gone after it. */
  clear(): Promise<void>;
  clear(callback: (error?: unknown) => void): void;
  clear(callback?: (error?: unknown) => void) {
    return answer(this.#saved.endAll(), callback);
  }

  /**
   * The sessions with one value of a reference: `by("user_id", 1)`.
   *
   * @throws SessionError ERR_SESSION_CONFIG for what is no declared reference; ERR_SESSION_VALUE for
   * what is no value of one.
   */
  by(reference: Reference, value: ReferenceValue): StoreSessionSet<StoredData<Data>> {
    const { core, references } = this.#config;
    const field = [...references].find(([, { name }]) => name === reference)?.[0];
    if (field === undefined) throw createUndeclaredError(reference, references);
    if (!isReferenceValue(value)) {
      throw new SessionError(
        "ERR_SESSION_VALUE",
        `Sessions are found by one value of ${quote(reference)}: a string, a finite number or a boolean`,
        { field: reference },
      );
    }
    const set = new SessionSet<StoredData<Data>>(
      core,
      core.createReference(field, value, reference),
    );
    return new StoreSessionSet(set, {
      plain: (values) => core.toPlainValues(values),
      toSavedSession: (session) => toSavedSession(session, references),
      check: (verb, fields) => checkFields(verb, fields, references),
      isId: (id) => core.isId(id),
    });
  }

  /**
   * Moves all sessions that another store has kept, in bounded steps, while both are in use. It can
   * be ended at any time, and started again. Sets have only what was moved.
   *
   * @throws SessionError ERR_SESSION_CONFIG without the option `migrate`, or for a wrong cursor.
   */
  moveSessions(options: MoveOptions = {}): AsyncGenerator<MoveProgress, void> {
    return this.#saved.migrateAll(parseCursor(options));
  }

  /**
   * The public id of a session, as session sets have it, by its sid: "sign out my other devices" is
   * `by("user_id", 1).clear({ except: store.idOf(req.sessionID) })`.
   */
  idOf(sid: string): string {
    return this.#saved.deriveId(sid);
  }

  /** Frees what the store itself has opened: a memory store's sessions, never a client. */
  async close(): Promise<void> {
    await this.#config.store.close();
  }

  /** @internal express-session puts it here. */
  get generate(): Generate | undefined {
    return this.#generate;
  }

  /** @internal */
  set generate(generate: Generate | undefined) {
    this.#generate = generate;
    this.#classes = undefined;
  }

  /** Ends a request's session and gives the request a new one: `req.session.regenerate` is this. */
  regenerate(req: object, callback: (error?: unknown) => void): void {
    const sessionID = findSid("regenerate", req);
    checkCallback("regenerate", callback);
    this.destroy(sessionID, (error) => {
      this.#generate?.(req);
      callback(error);
    });
  }

  /** The session with this sid, with the methods of express-session, but without a request. */
  load(sid: string, callback: SessionCallback): void {
    checkCallback("load", callback);
    void answer(this.#load(sid), (error, session) => callback(error ?? undefined, session));
  }

  /** Makes the session of a request of what `get` gave: express-session calls it. */
  createSession<Session>(req: object, session: object): Session {
    if (!this.#generate) {
      throw createConfigError(
        "This store makes sessions for express-session alone: give it to session({ store }) first, or use get",
      );
    }
    refuseNoRequest(req);
    const stored = readSafely("ERR_SESSION_VALUE", "The session", () => {
      checkSession(session);
      return { ...session };
    });
    this.#classes ??= learnClasses(this.#generate, req);
    const restored = restoreSession(this.#classes, req, stored);
    this.#saved.follow(session, restored);
    return Object.assign(req, { session: restored }).session as Session;
  }

  async #load(sid: string): Promise<StoredData<Data> | undefined> {
    const session = await this.get(sid);
    return session
      ? this.createSession<StoredData<Data>>({ sessionID: sid, sessionStore: this }, session)
      : undefined;
  }

  async #readAll(): Promise<(StoredData<Data> & { id: string })[]> {
    const sessions: (StoredData<Data> & { id: string })[] = [];
    for await (const page of this.#saved.iterate({ withFields: true })) {
      for (const session of page) {
        sessions.push({ ...this.#saved.toData<StoredData<Data>>(session), id: session.id });
      }
    }
    return sessions;
  }

  async #count(): Promise<number> {
    let length = 0;
    for await (const page of this.#saved.iterate()) length += page.length;
    return length;
  }
}

/** A session is made for a request; what it says of its sid, express-session's class reads. */
function refuseNoRequest(req: unknown): void {
  const isRequest = readSafely("ERR_SESSION_CONFIG", "The request", () => {
    return (
      typeof req === "object" &&
      req !== null &&
      !Array.isArray(req) &&
      typeof Reflect.get(req, "sessionID") !== "symbol"
    );
  });
  if (!isRequest) throw createConfigError("createSession takes a request of express-session");
}

/** The sid of a request, as express-session shows it. */
function findSid(method: string, req: object): string {
  const sid = readSafely(
    "ERR_SESSION_CONFIG",
    "The request",
    () => Object(req).sessionID as unknown,
  );
  if (typeof sid === "string") return sid;
  throw createConfigError(`${method} takes a request of express-session, which has a sessionID`);
}

function createUndeclaredError(
  reference: unknown,
  references: StoreConfig["references"],
): SessionError {
  const known = [...references.values()].map(({ name }) => quote(name)).join(", ") || "none";
  return createConfigError(
    `${quote(reference)} is no declared reference (declared: ${known}); add it to the references of SessionSetsStore`,
    { field: toFieldName(reference) },
  );
}

function isReferenceValue(value: unknown): value is ReferenceValue {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}
