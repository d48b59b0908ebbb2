import { createHash } from "node:crypto";
import { computeTouchDelay } from "../../../sessions/session-core.ts";
import type { Fields, Times } from "../../../store/contract.ts";
import { type Cookie, type Moments, toSnapshot } from "./cookie.ts";

/*
 * A middleware gives the store whole sessions to save. To write what a request has changed, and
 * nothing else, the store remembers what each session object was when it was handed out; a weak map
 * has that, so nothing is to be seen in the sessions. A copy that was made of such an object
 * (`{ ...req.session }`) has the same cookie object, and is known by that; one that was made of its
 * JSON has a cookie that expires in the same millisecond, which a new session's does not; where the
 * cookie ends with the browser, it has the same fields. An object that is not known at all is a new
 * session.
 */

/** How many sessions that were handed out are remembered, and how long (ms). */
const MAX_REMEMBERED = 10_000;
const REMEMBERED_MS = 5 * 60_000;

/** A session as it was handed out. */
export interface HandedOut {
  readonly id: string;
  /** Its fields, without the cookie. */
  readonly fields: Fields;
  readonly times: Pick<Times, "idleTimeout" | "lastSeenAt">;
  /** The time on the store's clock. */
  readonly now: number;
}

/** What the store knows of one session object. */
export class Copy {
  readonly id: string;
  /**
   * The fields when it was read or last saved, without the cookie; null where the store has not seen
   * it before.
   */
  base: Fields | null = null;
  /** The cookie then. */
  cookie: Cookie = {};
  /** Whether it is a new session, for all that is known, where `base` is null. */
  readonly isNew: boolean;
  /** When it was read or first saved (ms). */
  #since = Date.now();
  /** When its session was last used, by this process's clock that nothing sets. */
  #used = 0;
  #touchAfter = 0;

  constructor(id: string, { isNew = true }: { readonly isNew?: boolean } = {}) {
    this.id = id;
    this.isNew = isNew;
  }

  static of({ id, fields, times, now }: HandedOut, session: object): Copy {
    const copy = new Copy(id);
    copy.base = fields;
    copy.cookie = toSnapshot(session);
    copy.noteUse(times, now);
    return copy;
  }

  /** The same for another object. */
  clone(): Copy {
    const copy = new Copy(this.id);
    copy.base = this.base;
    copy.cookie = this.cookie;
    copy.#since = this.#since;
    copy.#used = this.#used;
    copy.#touchAfter = this.#touchAfter;
    return copy;
  }

  /** When the times of its cookie can have been set. */
  get moments(): Moments {
    return { from: this.#since, to: Date.now() };
  }

  /** Notes when the session was last used. */
  noteUse(times: HandedOut["times"], now = times.lastSeenAt): void {
    this.#used = performance.now() - (now - times.lastSeenAt);
    this.#touchAfter = computeTouchDelay(times);
  }

  /** Whether the session was used so lately that another touch can be done without. */
  get isFresh(): boolean {
    return performance.now() - this.#used < this.#touchAfter;
  }
}

/** The session objects that a store has seen. */
export class Seen {
  readonly #copies = new WeakMap<object, Copy>();
  /** What was handed out, by the object of its cookie. */
  readonly #cookies = new WeakMap<object, Copy>();
  /** The cookies of new sessions: they may be used for another one. */
  readonly #given = new WeakSet<object>();
  /**
   * When (ms) a session of an id was last seen whose cookie expires at a moment, or whose fields have a
   * hash: the oldest first.
   */
  readonly #remembered = new Map<string, number>();

  /** The fields of an object that the store knows, without the cookie; null of any other. */
  findBase(session: object, id: string): Fields | null {
    const known = this.#copies.get(session);
    return known?.id === id ? known.base : null;
  }

  /** The copy that an object is of the session with this id. */
  of(session: object, id: string): Copy {
    const known = this.#copies.get(session);
    if (known?.id === id) return known;
    const copy = this.#recognize(session, id);
    this.#copies.set(session, copy);
    return copy;
  }

  #recognize(session: object, id: string): Copy {
    const { cookie } = session as { cookie?: unknown };
    if (typeof cookie !== "object" || cookie === null) return new Copy(id);
    const source = this.#cookies.get(cookie);
    if (source?.id === id) return source.clone();
    const { expires } = toSnapshot(session);
    const what = typeof expires === "string" ? expires : hashSession(session);
    const isCopy = !this.#given.has(cookie) && this.#isRemembered(id, what);
    if (!isCopy) this.#given.add(cookie);
    return new Copy(id, { isNew: !isCopy });
  }

  /** Remembers when the cookie of a session expires that was handed out. */
  remember(id: string, { expires }: Cookie): void {
    if (typeof expires === "string") this.#remember(id, expires);
  }

  /** Remembers what is in a session that is handed out or saved, where its cookie says no moment. */
  rememberFields(id: string, session: object): void {
    if (typeof toSnapshot(session).expires === "string") return;
    const hash = hashSession(session);
    if (hash !== null) this.#remember(id, hash);
  }

  #remember(id: string, what: string): void {
    const now = performance.now();
    const key = `${id} ${what}`;
    this.#remembered.delete(key);
    this.#remembered.set(key, now);
    for (const [oldest, at] of this.#remembered) {
      if (this.#remembered.size <= MAX_REMEMBERED && now - at <= REMEMBERED_MS) break;
      this.#remembered.delete(oldest);
    }
  }

  #isRemembered(id: string, what: string | null): boolean {
    const at = this.#remembered.get(`${id} ${what}`);
    return at !== undefined && performance.now() - at <= REMEMBERED_MS;
  }

  /** Says that `session` is the same as `handedOut`, which a middleware makes its sessions of. */
  follow(handedOut: object, session: object): void {
    const known = this.#copies.get(handedOut);
    if (!known) return;
    const copy = known.clone();
    copy.cookie = toSnapshot(session);
    this.#note(session, copy);
  }

  /**
   * The data of a session, as an object to hand out.
   *
   * express-session lets its store make a session of it (`createSession`). @fastify/session makes
   * one by itself, of all that `for … in` gives, and at once has a hash made of its JSON. So the
   * object inherits a `toJSON`, which comes along, is called on the new session, notes it, and takes
   * itself away. It changes nothing of the JSON.
   */
  handOut<Data extends object>(stored: HandedOut, data: Data): Data {
    const note = (session: object) => this.#note(session, Copy.of(stored, session));
    const copies = this.#copies;
    function toJSON<Session extends object>(this: Session): Session {
      Reflect.deleteProperty(this, "toJSON");
      if (!copies.has(this)) note(this);
      return this;
    }
    const hook = { value: toJSON, enumerable: true, configurable: true, writable: true };
    const handedOut = { ...data };
    Object.setPrototypeOf(handedOut, Object.create(Object.prototype, { toJSON: hook }));
    note(handedOut);
    this.rememberFields(stored.id, handedOut);
    return handedOut;
  }

  #note(session: object, copy: Copy): void {
    this.#copies.set(session, copy);
    const { cookie } = session as { cookie?: unknown };
    if (typeof cookie === "object" && cookie !== null) this.#cookies.set(cookie, copy.clone());
    this.remember(copy.id, copy.cookie);
  }
}

/**
 * A hash of what is in a session beside its cookie, whose form differs between classes and their
 * copies; null where JSON cannot have it.
 */
function hashSession(session: object): string | null {
  const { cookie: _, toJSON: __, ...data } = session as { cookie?: unknown; toJSON?: unknown };
  try {
    const fields = Object.entries(JSON.parse(JSON.stringify(data))).sort(([a], [b]) =>
      a < b ? -1 : 1,
    );
    return createHash("sha256").update(JSON.stringify(fields)).digest("base64url");
  } catch {
    return null;
  }
}
