/*
 * Every order in which the store can carry out the calls of requests that run side by side: each
 * call waits at a turnstile until it is let through, and a scenario is run again and again until
 * every order was seen.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** The choices of one run of a scenario; the next run differs in one of them. */
export class Choices {
  readonly #made: number[] = [];
  readonly #options: number[] = [];
  #at = 0;

  /** One of the numbers from 0 below `options`. */
  pick(options: number): number {
    const choice = this.#made[this.#at] ?? 0;
    this.#made[this.#at] = choice;
    this.#options[this.#at] = options;
    this.#at++;
    return choice;
  }

  /** One of the orders of a list. */
  order<T>(list: readonly T[]): T[] {
    const left = [...list];
    const ordered: T[] = [];
    while (left.length > 0) ordered.push(...left.splice(this.pick(left.length), 1));
    return ordered;
  }

  /** Prepares for the next run; false where all choices were made. */
  next(): boolean {
    this.#made.length = this.#at;
    this.#at = 0;
    for (let last = this.#made.length - 1; last >= 0; last--) {
      const choice = (this.#made[last] ?? 0) + 1;
      this.#made.length = last;
      if (choice < (this.#options[last] ?? 0)) {
        this.#made.push(choice);
        return true;
      }
    }
    return false;
  }

  toString(): string {
    return this.#made.join("");
  }
}

/** Runs a scenario once for all choices that it can make. Resolves to how many there were. */
export async function everyChoice(scenario: (choices: Choices) => Promise<void>): Promise<number> {
  const choices = new Choices();
  let runs = 0;
  do {
    runs++;
    try {
      await scenario(choices);
    } catch (error) {
      throw new Error(`in the order ${choices}`, { cause: error });
    }
  } while (choices.next());
  return runs;
}

interface Request {
  readonly at: Turnstile;
  readonly number: number;
}

/**
 * The request that something is done for. There is one storage for all turnstiles: each that was ever used
 * would have Node do some work for every promise.
 */
const requests = new AsyncLocalStorage<Request>();

/** Lets calls through one at a time. */
export class Turnstile {
  readonly #waiting = new Map<number, () => void>();
  #running = 0;
  #changed = () => {};

  /** A store calls this ahead of an operation; outside of `inEveryOrder` it does not wait. */
  readonly pass = (): Promise<void> | undefined => {
    const request = requests.getStore();
    if (request?.at !== this) return undefined;
    return new Promise((resolve) => {
      this.#waiting.set(request.number, resolve);
      this.#running--;
      this.#changed();
    });
  };

  /** Marks what a request does as that request's; for the handlers of requests. */
  as<T>(request: number, work: () => T): T {
    return requests.run({ at: this, number: request }, work);
  }

  /** Carries requests out side by side, letting their calls through in an order of `choices`. */
  async drive<T>(works: readonly (() => Promise<T>)[], choices: Choices): Promise<T[]> {
    this.#running = works.length;
    const results = works.map((work) =>
      work().finally(() => {
        this.#running--;
        this.#changed();
      }),
    );
    for (const result of results) result.catch(() => {}); // told by Promise.all below
    for (;;) {
      await this.#standstill();
      const waiting = [...this.#waiting].sort(([a], [b]) => a - b);
      if (waiting.length === 0) return Promise.all(results);
      const [request, letThrough] = waiting[choices.pick(waiting.length)] as (typeof waiting)[0];
      this.#waiting.delete(request);
      this.#running++;
      letThrough();
    }
  }

  /** Waits until each request waits or has ended. */
  async #standstill(): Promise<void> {
    while (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}
