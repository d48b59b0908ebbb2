// Not the global ones: under fake timers of an application's test an alarm would never ring.
import { clearTimeout, setTimeout } from "node:timers";

/** A timer of Node fires at once if it is set for longer. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A timer for any length of time. It doesn't keep the process alive. */
export class Alarm {
  #timer: NodeJS.Timeout | undefined;

  /** Calls `ring` after `delay` ms, instead of what it was set for before. */
  set(delay: number, ring: () => void): void {
    this.clear();
    const chunk = Math.min(Math.max(delay, 1), MAX_DELAY_MS);
    const next = () => (delay > chunk ? this.set(delay - chunk, ring) : ring());
    this.#timer = setTimeout(next, chunk).unref();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
