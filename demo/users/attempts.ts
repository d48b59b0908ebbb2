import { createHash } from "node:crypto";

/** The keys under which an attempt is counted, and how many may fail within WINDOW_MS. */
const LIMITS = [
  { of: (name: string, address: string) => `${address} ${name}`, max: 5 },
  // Limits on one address and on one name are higher, because other users may share the address or the name.
  { of: (_: string, address: string) => address, max: 50 },
  { of: (name: string) => ` ${name}`, max: 100 },
] as const;

const WINDOW_MS = 15 * 60_000;

/** Beyond this number, the oldest counters are dropped. */
const MAX_COUNTERS = 10_000;

interface Counter {
  failures: number;
  readonly until: number;
}

/** Counts wrong passwords by name and address, in memory. Each process counts for itself. */
export class Attempts {
  readonly #counters = new Map<string, Counter>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * Whether a password may be tried. The attempt counts as a failure at once, so that parallel attempts
   * count, too. `succeeded` takes that back.
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

/** Hashes a key, because names and addresses may have any length. Users' names ignore case, and so does it. */
function hashKey(of: (name: string, address: string) => string, name: string, address: string) {
  return createHash("sha256").update(of(name.toLowerCase(), address)).digest("base64url");
}
