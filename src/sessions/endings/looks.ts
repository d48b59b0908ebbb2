import type { Alarm } from "./alarm.ts";

/** How many sessions are looked up at once. */
const MAX_LOOKS = 16;
const MIN_RETRY_DELAY_MS = 100;
const MAX_RETRY_DELAY_MS = 30_000;

/** A session that is looked up. */
interface Watched {
  readonly alarm: Alarm;
  /** Looks it up. It rejects if the store doesn't answer. */
  readonly look: () => Promise<void>;
  /** Whether nobody wants to know any more. */
  readonly isOver: boolean;
}

/**
 * Looks sessions up, a few at once. A look that fails is made again, later each time, until it answers:
 * while the store is down nobody knows whether a session is alive.
 */
export class Looks {
  readonly #waiting = new Set<Watched>();
  readonly #running = new Set<Watched>();
  /** How often in a row a look has failed. */
  readonly #failures = new WeakMap<Watched, number>();

  /** Has it looked up. If it is being looked up, it is looked up again, because that look may be early. */
  add(watch: Watched): void {
    watch.alarm.clear();
    this.#waiting.add(watch);
    this.#start();
  }

  #start(): void {
    for (const watch of this.#waiting) {
      if (this.#running.size >= MAX_LOOKS) return;
      if (this.#running.has(watch)) continue;
      this.#waiting.delete(watch);
      if (!watch.isOver) void this.#run(watch);
    }
  }

  async #run(watch: Watched): Promise<void> {
    this.#running.add(watch);
    try {
      await watch.look();
      this.#failures.delete(watch);
    } catch {
      // The callback isn't told: it is for endings, and whether this is one is still to be found.
      this.#retry(watch);
    }
    this.#running.delete(watch);
    this.#start();
  }

  #retry(watch: Watched): void {
    if (watch.isOver) return;
    const failures = this.#failures.get(watch) ?? 0;
    this.#failures.set(watch, failures + 1);
    const delay = Math.min(MIN_RETRY_DELAY_MS * 2 ** failures, MAX_RETRY_DELAY_MS);
    watch.alarm.set(delay, () => this.add(watch));
  }
}
