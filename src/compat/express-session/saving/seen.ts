import { hash } from "node:crypto";
import { Note } from "../../../shared/note.ts";
import type { Fields, Times } from "../../../store/contract.ts";
import { computeTouchDelay } from "../../../store/touch-delay.ts";
import { type Cookie, type Moments, toSnapshot } from "./cookie.ts";

/*
 * A middleware gives the store whole sessions to save. To write only the changes of a request, the store
 * remembers each session object as it was handed out, in a note that no copy of the object has.
 *
 * A copy of such an object (`{ ...req.session }`) has the same cookie object, which identifies it. A copy
 * made by way of JSON has a cookie that expires in the same millisecond, which a new session's does not.
 * If that cookie ends with the browser, the fields identify the copy. An unknown object is a new session.
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

/** The state of one session object, as the store knows it. */
export class Copy {
  readonly id: string;
  /**
   * The fields when it was read or last saved, without the cookie; null where the store has not seen
   * it before.
   */
  base: Fields | null = null;
  /** The cookie then. */
  cookie: Cookie = {};
  /** Whether it is a new session, as far as is known. It counts only while `base` is null. */
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

  static create({ id, fields, times, now }: HandedOut, session: object): Copy {
    const copy = new Copy(id);
    copy.base = fields;
    copy.cookie = toSnapshot(session);
    copy.noteUse(times, now);
    return copy;
  }

  /** The same state for another object. */
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

  /** Whether the session was used so recently that another touch is not needed. */
  get isFresh(): boolean {
    return performance.now() - this.#used < this.#touchAfter;
  }
}

/** The session objects that a store has seen. */
export class SeenSessions {
  readonly #copies = new Note<Copy>();
  /** The copies that were handed out, by their cookie objects. */
  readonly #cookies = new Note<Copy>();
  /** The cookies of new sessions. A program may use one for another session. */
  readonly #newCookies = new Note<true>();
  /**
   * When (ms) a session was last seen, by its id and either the expiry of its cookie or the hash of its
   * fields. The oldest is first.
   */
  readonly #remembered = new Map<string, number>();
  /** What all objects inherit from that are handed out: see `handOut`. */
  readonly #prototype = this.#createPrototype();

  /** The fields of an object that the store knows, without the cookie; null of any other. */
  findBase(session: object, id: string): Fields | null {
    const known = this.#copies.get(session);
    return known?.id === id ? known.base : null;
  }

  /** Finds or makes the state of an object, as a copy of the session with this id. */
  findCopy(session: object, id: string): Copy {
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
    const isCopy = !this.#newCookies.get(cookie) && this.#isRemembered(id, what);
    if (!isCopy) this.#newCookies.set(cookie, true);
    return new Copy(id, { isNew: !isCopy });
  }

  /** Remembers when the cookie of a session that was handed out expires. */
  remember(id: string, { expires }: Cookie): void {
    if (typeof expires === "string") this.#remember(id, expires);
  }

  /** Remembers the fields of a session that is handed out or saved, if its cookie names no moment. */
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

  /** Notes that a middleware has made `session` from `handedOut`. */
  follow(handedOut: object, session: object): void {
    const known = this.#copies.get(handedOut);
    if (known) this.#follow(known, session);
  }

  #follow(known: Copy, session: object): void {
    const copy = known.clone();
    copy.cookie = toSnapshot(session);
    this.#note(session, copy);
  }

  /**
   * The data of a session, as an object to hand out.
   *
   * express-session lets its store make a session from it (`createSession`). @fastify/session makes one
   * itself, from all properties that `for … in` gives, and at once hashes its JSON. So the object
   * inherits a `toJSON`, which is copied to the new session. When it is called there, it notes the new
   * session and removes itself. The JSON stays the same.
   */
  handOut<Data extends object>(stored: HandedOut, data: Data): Data {
    const handedOut = { ...data };
    Object.setPrototypeOf(handedOut, this.#prototype);
    const copy = Copy.create(stored, handedOut);
    this.#note(handedOut, copy);
    if (typeof copy.cookie.expires !== "string") {
      const {
        cookie: _,
        toJSON: __,
        ...fields
      } = handedOut as { cookie?: unknown; toJSON?: unknown };
      this.#remember(stored.id, hashPlain(fields));
    }
    return handedOut;
  }

  /** One prototype for all, whose getter makes the function for the object that is copied: engines like few shapes. */
  #createPrototype(): object {
    const store = this;
    return Object.create(Object.prototype, {
      toJSON: {
        enumerable: true,
        configurable: true,
        get(this: object) {
          return store.#createHook(store.#copies.get(this));
        },
        set(this: object, value: unknown) {
          const own = { value, enumerable: true, configurable: true, writable: true };
          Object.defineProperty(this, "toJSON", own);
        },
      },
    });
  }

  #createHook(handedOut: Copy | undefined): () => object {
    const store = this;
    return function toJSON(this: object): object {
      Reflect.deleteProperty(this, "toJSON");
      if (handedOut && !store.#copies.get(this)) store.#follow(handedOut, this);
      return this;
    };
  }

  #note(session: object, copy: Copy): void {
    this.#copies.set(session, copy);
    const { cookie } = session as { cookie?: unknown };
    if (typeof cookie === "object" && cookie !== null) this.#cookies.set(cookie, copy.clone());
    this.remember(copy.id, copy.cookie);
  }
}

/**
 * A hash of a session's fields, without the cookie, whose form differs between classes and their copies.
 * Null if JSON.stringify fails.
 */
function hashSession(session: object): string | null {
  const { cookie: _, toJSON: __, ...data } = session as { cookie?: unknown; toJSON?: unknown };
  try {
    return hashPlain(JSON.parse(JSON.stringify(data)));
  } catch {
    return null;
  }
}

/** The hash of fields that are plain data, as JSON has it. */
function hashPlain(data: object): string {
  const fields = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash("sha256", JSON.stringify(fields), "base64url");
}
