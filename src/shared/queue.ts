/** Runs calls one after the other, in the order in which they were made. */
export class Queue {
  #isBusy = false;
  /** What starts the calls that wait. */
  #waiting: (() => void)[] | null = null;

  /** Runs `work` when all work before it has ended. Resolves or rejects as `work` does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isBusy) await new Promise<void>((resolve) => this.#add(resolve));
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      const startNext = this.#waiting?.shift();
      if (startNext)
        startNext(); // the queue stays busy
      else this.#isBusy = false;
    }
  }

  #add(start: () => void): void {
    this.#waiting ??= [];
    this.#waiting.push(start);
  }
}
