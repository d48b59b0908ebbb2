/*
 * Calls about one session take effect in the order in which they were made, awaited or not. A read
 * waits for the changes before it; a change waits for everything before it. Reads run side by side, a
 * change may be about two ids, and some calls are about all sessions. So this is not the `Queue` of a
 * request, in which each call waits for the one before it.
 */

interface QueueTail {
  /** Settled when the last change is done. */
  readonly changed: Promise<unknown>;
  /** Settled when everything so far is done. */
  readonly done: Promise<unknown>;
}

export class CallQueue {
  readonly #tails = new Map<string, QueueTail>();
  /** Settled when the last change of all sessions is done. */
  #all: Promise<unknown> = Promise.resolve();

  /** Reads a session, after all changes of it that were called before. */
  read<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(id);
    const changed = before?.changed ?? this.#all;
    const result = changed.then(work);
    const done = before ? Promise.allSettled([before.done, result]) : ignoreResult(result);
    this.#keepTail(id, { changed, done });
    return result;
  }

  /** Changes a session, after all that was called before about any of the ids. */
  change<T>(ids: readonly string[], work: () => Promise<T>): Promise<T> {
    const [first = this.#all, ...others] = ids.map((id) => this.#tails.get(id)?.done ?? this.#all);
    const before = others.length === 0 ? first : Promise.all([first, ...others]);
    const result = before.then(work);
    const done = ignoreResult(result);
    for (const id of ids) this.#keepTail(id, { changed: done, done });
    return result;
  }

  /** Changes all sessions, after all that was called before. */
  changeAll<T>(work: () => Promise<T>): Promise<T> {
    const before = [...this.#tails.values()].map(({ done }) => done);
    const result = Promise.all([this.#all, ...before]).then(work);
    this.#tails.clear();
    this.#all = ignoreResult(result);
    return result;
  }

  /** Resolves when all changes that were called before are done. */
  async waitForChanges(): Promise<void> {
    await Promise.all([this.#all, ...[...this.#tails.values()].map(({ changed }) => changed)]);
  }

  #keepTail(id: string, tail: QueueTail): void {
    this.#tails.set(id, tail);
    void tail.done.then(() => {
      if (this.#tails.get(id) === tail) this.#tails.delete(id);
    });
  }
}

function ignoreResult(work: Promise<unknown>): Promise<unknown> {
  return work.catch(() => {});
}
