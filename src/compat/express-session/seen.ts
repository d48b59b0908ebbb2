import { touchAfter } from "../../sessions/engine.ts";
import type { Fields, Times } from "../../store/contract.ts";
import { type Cookie, type Moments, snapshotOf } from "./cookie.ts";

/*
 * A middleware gives the store whole sessions to save. To write what a request has changed, and
 * nothing else, the store remembers what each session object was when it was handed out; a weak map
 * has that, so nothing is to be seen in the sessions. A copy that was made of such an object
 * (`{ ...req.session }`) has the same cookie object, and is known by that. An object that is not
 * known at all is a new session.
 */

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
  /** When it was read or first saved (ms). */
  #since = Date.now();
  /** When its session was last used, by this process's clock that nothing sets. */
  #used = 0;
  #touchAfter = 0;

  constructor(id: string) {
    this.id = id;
  }

  static of({ id, fields, times, now }: HandedOut, session: object): Copy {
    const copy = new Copy(id);
    copy.base = fields;
    copy.cookie = snapshotOf(session);
    copy.use(times, now);
    return copy;
  }

  /** The same for another object. */
  again(): Copy {
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
  use(times: HandedOut["times"], now = times.lastSeenAt): void {
    this.#used = performance.now() - (now - times.lastSeenAt);
    this.#touchAfter = touchAfter(times);
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

  /** The copy that an object is of the session with this id. */
  of(session: object, id: string): Copy {
    const known = this.#copies.get(session);
    if (known?.id === id) return known;
    const { cookie } = session as { cookie?: unknown };
    const source = this.#cookies.get(Object(cookie));
    const copy = source?.id === id ? source.again() : new Copy(id);
    this.#copies.set(session, copy);
    return copy;
  }

  /** Says that `session` is the same as `handedOut`, which a middleware makes its sessions of. */
  follow(handedOut: object, session: object): void {
    const known = this.#copies.get(handedOut);
    if (!known) return;
    const copy = known.again();
    copy.cookie = snapshotOf(session);
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
    return handedOut;
  }

  #note(session: object, copy: Copy): void {
    this.#copies.set(session, copy);
    const { cookie } = session as { cookie?: unknown };
    if (typeof cookie === "object" && cookie !== null) this.#cookies.set(cookie, copy.again());
  }
}
