import type { Cause, FeedEvent, FeedListener, StoredEndingKind } from "../feed.ts";
import type { Session } from "./entry.ts";

/** What ends sessions, and why. */
export interface EndingKind {
  readonly how: StoredEndingKind;
  readonly cause: Cause | undefined;
}

const NO_CAUSE: Cause = { initiator: null, reason: null };

/** Tells listeners what has happened, in order, after the call in which it happened. */
export class Feed {
  readonly #now: () => number;
  /** One object for each call of `subscribe`: a listener may be given twice. */
  readonly #subscriptions = new Set<{ readonly listener: FeedListener }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Returns what stops it. From then on nothing is told, not even what has happened before. */
  subscribe(listener: FeedListener): () => void {
    const subscription = { listener };
    this.#subscriptions.add(subscription);
    return () => this.#subscriptions.delete(subscription);
  }

  tellEnded({ how, cause = NO_CAUSE }: EndingKind, ended: readonly Session[]): void {
    if (ended.length === 0) return;
    const sessions = ended.map(({ id, lineage }) => ({ id, lineage }));
    this.#tell(() => ({ type: "ended", at: this.#now(), how, cause, sessions }));
  }

  tellRotated(from: string, { id: to, lineage }: Session): void {
    this.#tell(() => ({ type: "rotated", at: this.#now(), from, to, lineage }));
  }

  tellShortened({ id, lineage, expiresAt }: Session): void {
    this.#tell(() => ({ type: "shortened", at: this.#now(), id, lineage, expiresAt }));
  }

  #tell(createEvent: () => FeedEvent): void {
    if (this.#subscriptions.size === 0) return;
    const event = createEvent();
    for (const subscription of this.#subscriptions) {
      // Not queueMicrotask, which fake timers replace.
      void Promise.resolve().then(() => {
        if (this.#subscriptions.has(subscription)) subscription.listener.onEvent(event);
      });
    }
  }

  clear(): void {
    this.#subscriptions.clear();
  }
}
