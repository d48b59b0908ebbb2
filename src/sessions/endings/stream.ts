import type { FeedEvent, FeedListener, FeedStore } from "../../store/feed.ts";
import { createGap, type EndingGap, type ToldEnding, toEndings } from "./ending.ts";

/** How many endings wait for a loop that is behind. */
const MAX_WAITING = 10_000;

/** The endings of all sessions, for one loop. */
export class EndingStream implements FeedListener {
  #waiting: (ToldEnding | EndingGap)[] = [];
  #isClosed = false;
  /** Called when something waits, or the stream is closed. */
  #wake = () => {};
  readonly #running: Set<EndingStream>;

  /** @param running has the streams whose loops have begun. */
  constructor(running: Set<EndingStream>) {
    this.#running = running;
  }

  onEvent(event: FeedEvent): void {
    if (event.type !== "ended") return;
    for (const ending of toEndings(event)) this.#push(ending);
  }

  onGap(): void {
    this.#push(createGap());
  }

  /** Ends the loop. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#wake();
  }

  /** Listens from the first step of the loop to its end. */
  iterate(store: FeedStore): AsyncGenerator<ToldEnding | EndingGap, void> {
    const generator = this.#run(store);
    const finish = generator.return.bind(generator);
    return Object.assign(generator, {
      // A generator alone would return only after the step that it is waiting in.
      return: (value: void | PromiseLike<void>) => {
        this.close();
        return finish(value);
      },
    });
  }

  async *#run(store: FeedStore): AsyncGenerator<ToldEnding | EndingGap, void> {
    this.#running.add(this);
    try {
      const stop = await store.subscribe(null, this);
      try {
        while (!this.#isClosed) {
          const next = this.#waiting.shift();
          if (next) yield next;
          else await this.#waitForNext();
        }
      } finally {
        await stop();
      }
    } finally {
      this.#running.delete(this);
    }
  }

  #waitForNext(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #push(one: ToldEnding | EndingGap): void {
    if (this.#waiting.length >= MAX_WAITING) this.#waiting = [createGap()];
    this.#waiting.push(one);
    this.#wake();
  }
}
