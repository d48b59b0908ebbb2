/*
 * Calls about one session take effect in the order in which they were made, awaited or not: a read
 * waits for the changes before it, and a change for all that is before it. Reads go side by side.
 */

interface Line {
  /** Settled when the last change is done. */
  readonly changed: Promise<unknown>;
  /** Settled when everything so far is done. */
  readonly done: Promise<unknown>;
}

export class Turns {
  readonly #lines = new Map<string, Line>();
  /** Settled when the last change of all sessions is done. */
  #all: Promise<unknown> = Promise.resolve();

  /** Reads a session, after all changes of it that were called before. */
  read<T>(id: string, work: () => Promise<T>): Promise<T> {
    const { changed, done } = this.#line(id);
    const result = changed.then(work);
    this.#keep(id, { changed, done: Promise.allSettled([done, result]) });
    return result;
  }

  /** Changes a session, after all that was called before about any of the ids. */
  change<T>(ids: readonly string[], work: () => Promise<T>): Promise<T> {
    const result = Promise.all(ids.map((id) => this.#line(id).done)).then(work);
    const done = settling(result);
    for (const id of ids) this.#keep(id, { changed: done, done });
    return result;
  }

  /** Changes all sessions, after all that was called before. */
  changeAll<T>(work: () => Promise<T>): Promise<T> {
    const before = [...this.#lines.values()].map(({ done }) => done);
    const result = Promise.all([this.#all, ...before]).then(work);
    this.#lines.clear();
    this.#all = settling(result);
    return result;
  }

  /** Resolves when all changes that were called before are done. */
  async changes(): Promise<void> {
    await Promise.all([this.#all, ...[...this.#lines.values()].map(({ changed }) => changed)]);
  }

  #line(id: string): Line {
    return this.#lines.get(id) ?? { changed: this.#all, done: this.#all };
  }

  #keep(id: string, line: Line): void {
    this.#lines.set(id, line);
    void line.done.then(() => {
      if (this.#lines.get(id) === line) this.#lines.delete(id);
    });
  }
}

function settling(work: Promise<unknown>): Promise<unknown> {
  return work.catch(() => {});
}
