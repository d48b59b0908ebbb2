/** A jump of the wall clock against the monotonic one by more than this: the machine slept. */
const DRIFT = 1000;
/**
 * What time it is on the server, in ms, as its last reply told. The estimate is never ahead of the
 * server by more than the server's clock has been set back since.
 */
export class ServerClock {
  /** Server time less monotonic time; undefined before the first reply. */
  #offset;
  #drift = 0;
  /** Takes a reply that says it was `now` on the server: it was that when the reply came, or before. */
  learn(now) {
    this.#offset = now - performance.now();
    this.#drift = drift();
  }
  /** Whether a command may rely on the estimate: not before the first reply, nor after a sleep. */
  get known() {
    return this.#offset !== undefined && Math.abs(drift() - this.#drift) < DRIFT;
  }
  /** The server's time at a moment of `performance.now()`. */
  at(moment) {
    return Math.floor(moment + (this.#offset ?? 0));
  }
}
/** The wall clock less the monotonic one, which stands still while the machine sleeps. */
function drift() {
  return Date.now() - performance.now();
}
