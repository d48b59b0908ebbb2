/**
 * What the library keeps about objects of others, such as requests. Nobody sees it on them.
 *
 * It is a property of the object and not an entry of a WeakMap, which is costly for objects that come and
 * go: with one for each request, Node 20 spent more time on collecting garbage than the library on the
 * requests.
 */
export class Note<Value> {
  readonly #key = Symbol("session-sets");
  /** For objects that take no property. */
  readonly #others = new WeakMap<object, Value>();

  /** Finds the note of this very object, not of one that it inherits from. */
  get(owner: object): Value | undefined {
    return this.#read(owner) ?? this.#others.get(owner);
  }

  set(owner: object, value: Value): void {
    const property = { configurable: true, enumerable: false, writable: true, value };
    try {
      if (Reflect.defineProperty(owner, this.#key, property) && this.#read(owner) === value) return;
    } catch {
      // It is a Proxy that allows no property.
    }
    this.#others.set(owner, value);
  }

  #read(owner: object): Value | undefined {
    try {
      return Object.hasOwn(owner, this.#key) ? Reflect.get(owner, this.#key) : undefined;
    } catch {
      return undefined; // a Proxy that cannot be read
    }
  }
}
