import { EventEmitter } from "node:events";
import type { MoveProgress } from "../../migrate/migrator.ts";
import { type MoveOptions, parseCursor } from "../../migrate/options.ts";
import type { EndingCallback } from "../../sessions/endings/ending.ts";
import { SessionSet } from "../../sessions/session-set.ts";
import type { ReferenceValue } from "../../sessions/types.ts";
import {
  asCause,
  createConfigError,
  quote,
  SessionError,
  toFieldName,
} from "../../shared/errors.ts";
import { readSafely } from "../../shared/given.ts";
import { checkRecord, refusePromise } from "../shared/json-record.ts";
import { answer, checkCallback, type SessionCallback, type StoreCallback } from "./callback.ts";
import {
  parseStoreConfig,
  type SessionData,
  type SessionSetsStoreOptions,
  type StoreConfig,
  type StoredData,
} from "./options.ts";
import { toSavedSession } from "./saving/record.ts";
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
 * A store for express-session and @fastify/session, whose sessions can be found by their values:
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
 * A save writes only the fields that the request has changed. So requests that change different fields
 * at the same time do not undo each other, and no save brings back a session that has ended. A field is
 * a property of the session, with everything in it. Options of the cookie, and with them the deadline,
 * are written if the request has changed them. Otherwise a save or a touch pushes the deadline forward
 * as the stored options say.
 *
 * Calls about one session take effect in the order in which they are made, awaited or not.
 *
 * Each method takes a callback, and returns a promise without one. Errors are SessionErrors:
 * ERR_STORE_UNAVAILABLE (or ERR_STORE_FULL) if the store fails, ERR_SESSION_VALUE and
 * ERR_SESSION_TOO_LARGE for a session that cannot be saved.
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
   * The session with this sid; null (or undefined) where there is none. Its deadline stays.
   *
   * @throws SessionError ERR_SESSION_CONFIG for the public id of a session, which gives no access.
   */
  get(sid: string): Promise<StoredData<Data> | null>;
  get(sid: string, callback: SessionCallback): void;
  get(sid: string, callback?: SessionCallback) {
    return answer(this.#saved.find<StoredData<Data>>(sid), callback);
  }

  /**
   * Saves the changes to a session since `get` returned it or it was last saved. Pushes its deadline
   * forward, or sets it as the cookie says if that has changed. An object that the store has not returned
   * is a new session: it is made, or replaces the session that is there. One that the store has returned,
   * or a copy of it (`{ ...session }`), stays ended once it has ended, and that is no error.
   */
  set(sid: string, session: object): Promise<void>;
  set(sid: string, session: object, callback: (error?: unknown) => void): void;
  set(sid: string, session: object, callback?: (error?: unknown) => void) {
    return answer(this.#saved.save(sid, session), callback);
  }

  /** Ends the session of a sid, or of a public id as `all` returns it. No session is no error. */
  destroy(sid: string): Promise<void>;
  destroy(sid: string, callback: (error?: unknown) => void): void;
  destroy(sid: string, callback?: (error?: unknown) => void) {
    return answer(this.#saved.end(sid), callback);
  }

  /**
   * Pushes a session's deadline forward, or sets it as the cookie says if that has changed. No session
   * is no error. Nothing is sent if the same was done within a twentieth of the timeout or a minute.
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

  /** Ends all sessions, in bounded steps. Each that exists at the call has ended when this resolves. */
  clear(): Promise<void>;
  clear(callback: (error?: unknown) => void): void;
  clear(callback?: (error?: unknown) => void) {
    return answer(this.#saved.endAll(), callback);
  }

  /**
   * The sessions with one value of a reference: `by("user_id", 1)`.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a name that isn't a declared reference;
   * ERR_SESSION_VALUE for a value that no reference can have.
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
      toPlainValues: (values) => core.toPlainValues(values),
      toSavedSession: (session) => toSavedSession(session, references),
      checkFields: (verb, fields) => checkFields(verb, fields, references),
      isId: (id) => core.isId(id),
    });
  }

  /**
   * Migrates all sessions of another store, in bounded steps, while both are in use. It can be stopped
   * at any time, and started again. Session sets have only migrated sessions.
   *
   * @throws SessionError ERR_SESSION_CONFIG without the option `migrate`, or for a wrong cursor.
   */
  moveSessions(options: MoveOptions = {}): AsyncGenerator<MoveProgress, void> {
    return this.#saved.migrateAll(parseCursor(options));
  }

  /**
   * The public id of the session with this sid, as session sets have it: "sign out my other devices" is
   * `by("user_id", 1).clear({ except: store.idOf(req.sessionID) })`.
   */
  idOf(sid: string): string {
    return this.#saved.deriveId(sid);
  }

  /**
   * Calls back once, within milliseconds, when a session has ended, by any process and in any way, such as
   * to close a socket of it: `const off = await store.onEnd(req.sessionID, ({ how }) => …)`.
   *
   * It takes a sid, or a public id as `all` returns it. A session that is not saved yet counts as gone. A
   * `destroy` is told as `delete`. It is otherwise as `onEnd` of `Sessions`, and resolves to what stops it.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a store that tells no endings, and for a user of Redis
   * without the rights to subscribe.
   */
  async onEnd(sid: string, callback: EndingCallback): Promise<() => Promise<void>> {
    return this.#saved.onEnd(sid, callback);
  }

  /**
   * Frees what the store itself opened: a memory store's sessions, and the connections on which it hears of
   * endings, never a client. It ends all watches of `onEnd`, whose callbacks aren't called.
   */
  async close(): Promise<void> {
    await this.#config.core.close();
  }

  /** @internal express-session sets it. */
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

  /**
   * Makes the session of a request from the data that `get` returned. express-session calls it.
   *
   * @throws SessionError ERR_SESSION_VALUE for a cookie that express-session cannot use;
   * ERR_SESSION_CONFIG for a request that cannot be given a session, and before the store was given to
   * express-session.
   */
  createSession<Session>(req: object, session: object): Session {
    if (!this.#generate) {
      throw createConfigError(
        "This store makes sessions for express-session alone: give it to session({ store }) first, or use get",
      );
    }
    checkRequest(req);
    const stored = readSafely("ERR_SESSION_VALUE", "The session", () => {
      checkRecord("The session", session);
      refusePromise("The session", session);
      return { ...session };
    });
    this.#classes ??= learnClasses(this.#generate, req);
    const restored = restoreSession(this.#classes, req, stored);
    setSession(req, restored);
    this.#saved.follow(session, restored);
    return restored as Session;
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

/** Refuses anything but a request, because express-session's class reads its sid. */
function checkRequest(req: unknown): void {
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

function setSession(req: object, session: object): void {
  let cause: unknown;
  try {
    if (Reflect.set(req, "session", session)) return;
  } catch (error) {
    cause = asCause(error);
  }
  throw new SessionError(
    "ERR_SESSION_CONFIG",
    "createSession sets the session of a request, and this request takes none: it is frozen, or has a session that cannot be replaced",
    cause === undefined ? undefined : { cause },
  );
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
    `${quote(reference)} isn't a declared reference (declared: ${known}); add it to the references of SessionSetsStore`,
    { field: toFieldName(reference) },
  );
}

function isReferenceValue(value: unknown): value is ReferenceValue {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}
