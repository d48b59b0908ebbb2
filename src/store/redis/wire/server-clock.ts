import { performance } from "node:perf_hooks";

/** The wall clock of this machine, also where a test has replaced the global one since. */
const WallClock = Date;
/** A jump of the wall clock against the monotonic one by more than this: the machine slept. */
const MAX_DRIFT_MS = 1000;

/**
 * What time it is on the server, in ms, as its last reply told. The estimate is never ahead of the
 * server by more than the server's clock has been set back since.
 */
export class ServerClock {
  /** Server time less monotonic time; undefined before the first reply. */
  #offset: number | undefined;
  #drift = 0;

  /**
   * Takes a reply that says it was `now` on the server, which was between `sent` and this moment. An
   * estimate that agrees stays: a reply that this process came to read late says little.
   */
  learn(now: number, sent: number): void {
    const least = now - performance.now();
    const most = now - sent;
    const agrees = this.#offset !== undefined && this.#offset >= least && this.#offset <= most;
    if (!agrees) this.#offset = least;
    this.#drift = measureDrift();
  }

  /** Whether a command may rely on the estimate: not before the first reply, nor after a sleep. */
  get isKnown(): boolean {
    return this.#offset !== undefined && Math.abs(measureDrift() - this.#drift) < MAX_DRIFT_MS;
  }

  /** The server's time at a moment of `performance.now()`. */
  estimateAt(moment: number): number {
    return Math.floor(moment + (this.#offset ?? 0));
  }
}

/** The wall clock less the monotonic one, which stands still while the machine sleeps. */
function measureDrift(): number {
  return WallClock.now() - performance.now();
}
