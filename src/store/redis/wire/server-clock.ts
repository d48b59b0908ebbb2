import { performance } from "node:perf_hooks";

/** The wall clock of this machine. It stays real if a test replaces the global one later. */
const WallClock = Date;
/** If the wall clock jumps against the monotonic one by more than this, the machine slept. */
const MAX_DRIFT_MS = 1000;

/**
 * An estimate of the server's time, in ms, from its replies. It is never ahead of the server, unless
 * the server's clock was set back since; then it is ahead by that much at most.
 */
export class ServerClock {
  /** Server time minus monotonic time; undefined before the first reply. */
  #offset: number | undefined;
  /** The wall clock minus the monotonic one, which stands still while the machine sleeps. */
  #drift = 0;

  /**
   * Learns from a reply: it was `now` on the server at some moment between `sent` and this one. An
   * estimate that agrees with the reply stays, because a reply that was read late says little.
   */
  learn(now: number, sent: number): void {
    const read = performance.now();
    const least = now - read;
    const most = now - sent;
    const agrees = this.#offset !== undefined && this.#offset >= least && this.#offset <= most;
    if (!agrees) this.#offset = least;
    this.#drift = WallClock.now() - read;
  }

  /** Whether a command may rely on the estimate: it may not before the first reply, nor after a sleep. */
  get isKnown(): boolean {
    const drift = WallClock.now() - performance.now();
    return this.#offset !== undefined && Math.abs(drift - this.#drift) < MAX_DRIFT_MS;
  }

  /** The server's time at a moment of `performance.now()`. */
  estimateAt(moment: number): number {
    return Math.floor(moment + (this.#offset ?? 0));
  }
}
