import { createHash } from "node:crypto";

/** What is counted of an attempt, and how many may fail within WINDOW. */
const LIMITS = [
  { of: (name: string, address: string) => `${address} ${name}`, max: 5 },
  // Many names from one address, and one name from many addresses: higher, for others may be there, too.
  { of: (_: string, address: string) => address, max: 50 },
  { of: (name: string) => ` ${name}`, max: 100 },
] as const;

/** In ms. */
const WINDOW_MS = 15 * 60_000;

/** So many counters are kept; the oldest go first. */
const MAX_COUNTERS = 10_000;

interface Counter {
  failures: number;
  readonly until: number;
}

/** Counts who has shown a wrong password how often, in memory; several processes count apart. */
export class Attempts {
  readonly #counters = new Map<string, Counter>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * Whether a password may be tried. It counts as a failure at once, so that attempts at the same time
   * are counted, too: `succeeded` takes that back.
   */
  mayTry(name: string, address: string): boolean {
    const counters = LIMITS.map(({ of, max }) => ({ key: hashKey(of, name, address), max }));
    if (counters.some(({ key, max }) => (this.#counter(key)?.failures ?? 0) >= max)) return false;
    for (const { key } of counters) this.#add(key, 1);
    return true;
  }

  /** The password was right. */
  succeeded(name: string, address: string): void {
    const [both, ...others] = LIMITS.map(({ of }) => hashKey(of, name, address));
    this.#counters.delete(both as string);
    for (const key of others) this.#add(key, -1);
  }

  #counter(key: string): Counter | undefined {
    const counter = this.#counters.get(key);
    return counter && counter.until > this.#now() ? counter : undefined;
  }

  #add(key: string, failures: number): void {
    const counter = this.#counter(key);
    if (counter) {
      counter.failures += failures;
    } else if (failures > 0) {
      this.#counters.delete(key); // so that the new one is the youngest
      this.#counters.set(key, { failures, until: this.#now() + WINDOW_MS });
      const [oldest] = this.#counters.keys();
      if (this.#counters.size > MAX_COUNTERS && oldest !== undefined) {
        this.#counters.delete(oldest);
      }
    }
  }
}

/** A name counts in any case, as it does for the users. Hashed, because both may be of any length. */
function hashKey(of: (name: string, address: string) => string, name: string, address: string) {
  return createHash("sha256").update(of(name.toLowerCase(), address)).digest("base64url");
}
