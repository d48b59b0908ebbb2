// Timers and clocks are imported: see failures.ts.
import { performance } from "node:perf_hooks";
import { setImmediate, setTimeout } from "node:timers";
import { createLateError, toUnavailableError } from "./failures.ts";

/**
 * The calls that wait for the server, with one time limit and one timer for all of them. As they all have
 * the same limit, the call that began first is late first.
 */
export class Calls {
  readonly #timeout: number;
  #first: Call<never> | null = null;
  #last: Call<never> | null = null;
  /** Rings when the call that was the first at that time would be late. It keeps no process alive without calls. */
  #timer: NodeJS.Timeout | null = null;

  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /**
   * Begins a call, which `work` settles. It rejects if that hasn't happened `timeout` ms after `start`,
   * which is now on `performance.now()`.
   */
  begin<T>(operation: string, start: number, work: (call: Call<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const call = new Call<T>(this, operation, start, resolve, reject);
      this.#append(call as Call<never>);
      work(call);
    });
  }

  #append(call: Call<never>): void {
    if (this.#last === null) this.#first = call;
    else this.#last.next = call;
    call.previous = this.#last;
    this.#last = call;
    // Without a timer, all others are late already.
    if (this.#timer === null) this.#setTimer(this.#timeout);
    else if (this.#first === call) this.#timer.ref();
  }

  /** @internal */
  remove(call: Call<never>): void {
    const { previous, next } = call;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    // A client may hold a call for long that was given up: it must not hold all that came after it.
    call.previous = null;
    call.next = null;
    if (this.#first === null) this.#timer?.unref();
  }

  #setTimer(ms: number): void {
    this.#timer = setTimeout(() => this.#ring(), ms);
  }

  #ring(): void {
    this.#timer = null;
    const now = performance.now();
    const late: Call<never>[] = [];
    let call = this.#first;
    while (call !== null && call.start + this.#timeout <= now) {
      late.push(call);
      call = call.next;
    }
    // Timers ring in whole milliseconds, and may ring a fraction of one early.
    if (call !== null) this.#setTimer(Math.max(1, Math.ceil(call.start + this.#timeout - now)));
    // If this process was busy until now, the answers may be waiting to be read.
    if (late.length > 0) setImmediate(() => this.#stop(late));
  }

  #stop(late: readonly Call<never>[]): void {
    for (const call of late) {
      if (!call.isOver) call.reject(call.refusal ?? createLateError(call.operation, this.#timeout));
    }
  }
}

/** One call that waits for the server. */
export class Call<T> {
  readonly operation: string;
  /** When it began, on `performance.now()`. */
  readonly start: number;
  /** The error of the last refusal, if the call is being tried again. */
  refusal: unknown = undefined;
  isOver = false;
  /** @internal */
  previous: Call<never> | null = null;
  /** @internal */
  next: Call<never> | null = null;
  readonly #calls: Calls;
  readonly #resolve: (answer: T) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    calls: Calls,
    operation: string,
    start: number,
    resolve: (answer: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.operation = operation;
    this.start = start;
    this.#calls = calls;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  resolve(answer: T): void {
    if (this.#end()) this.#resolve(answer);
  }

  /** Rejects with ERR_STORE_UNAVAILABLE for any error that isn't a SessionError. */
  reject(error: unknown): void {
    if (this.#end()) this.#reject(toUnavailableError(this.operation, error));
  }

  #end(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.#calls.remove(this as Call<never>);
    return true;
  }
}
