import type { Fields } from "../../store/contract.ts";

/*
 * A middleware gives the store whole sessions to save. To write what a request has changed, and
 * nothing else, the store remembers what each session object was when it was handed out; a weak map
 * has that, so nothing is to be seen in the sessions. An object that is not in it is new, or a copy.
 */

/** What the store knows of one session object. */
export class Copy {
  readonly id: string;
  /** The fields when it was read or last saved; null where the store has not seen it before. */
  base: Fields | null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(id: string, base: Fields | null) {
    this.id = id;
    this.base = base;
  }

  /** Does one piece of work after the other, as each begins with what the one before has written. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

/** The session objects that a store has seen. */
export class Seen {
  readonly #copies = new WeakMap<object, Copy>();

  /** The copy that an object is of the session with this id. */
  of(session: object, id: string): Copy {
    const known = this.#copies.get(session);
    if (known?.id === id) return known;
    const copy = new Copy(id, null);
    this.#copies.set(session, copy);
    return copy;
  }

  /** Says that `session` is the same as `handedOut`, which a middleware makes its sessions of. */
  follow(handedOut: object, session: object): void {
    const known = this.#copies.get(handedOut);
    if (known) this.#copies.set(session, new Copy(known.id, known.base));
  }

  /**
   * The data of a session, as an object to hand out.
   *
   * express-session lets its store make a session of it (`createSession`). @fastify/session makes
   * one by itself, of all that `for … in` gives, and at once has a hash made of its JSON. So the
   * object inherits a `toJSON`, which comes along, is called on the new session, notes it, and takes
   * itself away. It changes nothing of the JSON.
   */
  handOut<Data extends object>(id: string, base: Fields, data: Data): Data {
    const copies = this.#copies;
    function toJSON<Session extends object>(this: Session): Session {
      Reflect.deleteProperty(this, "toJSON");
      if (!copies.has(this)) copies.set(this, new Copy(id, base));
      return this;
    }
    const hook = { value: toJSON, enumerable: true, configurable: true, writable: true };
    const handedOut = { ...data };
    Object.setPrototypeOf(handedOut, Object.create(Object.prototype, { toJSON: hook }));
    copies.set(handedOut, new Copy(id, base));
    return handedOut;
  }
}
