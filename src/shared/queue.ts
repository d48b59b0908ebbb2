/** Runs calls one after the other, in the order in which they were made. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when all work before it has ended. Resolves or rejects as `work` does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined); // the caller is told; the next call starts anyway
    return result;
  }
}
