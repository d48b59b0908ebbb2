// Not the global one, which fake timers of an application's test may replace.
import { setImmediate } from "node:timers";
import type { Lookup } from "../../store/contract.ts";
import type { FeedEvent } from "../../store/feed.ts";
import { Alarm } from "./alarm.ts";
import type { Ending, EndingCallback } from "./ending.ts";
import type { Looks } from "./looks.ts";

type Live = Extract<Lookup, { readonly state: "live" }>;
type Shortened = Extract<FeedEvent, { readonly type: "shortened" }>;

/** A timer may ring a little early, and the store's clock counts whole ms. */
const ALARM_MARGIN_MS = 2;

/** One caller of `onEnd`. It is told once, and not after it has stopped listening. */
export class Listener {
  readonly #callback: EndingCallback;
  #isOver = false;

  constructor(callback: EndingCallback) {
    this.#callback = callback;
  }

  stop(): void {
    this.#isOver = true;
  }

  /**
   * Calls the callback a moment later. What it throws is an uncaught exception, and neither stops the
   * other callbacks nor the store's feed.
   */
  tell(ending: Ending): void {
    setImmediate(() => {
      if (this.#isOver) return;
      this.#isOver = true;
      void this.#callback(ending);
    });
  }
}

/** A live session whose ending is waited for. */
export class Watch {
  readonly lineage: string;
  /** Its id, as far as is known. */
  id: string;
  readonly listeners = new Set<Listener>();
  readonly alarm = new Alarm();
  readonly look: () => Promise<void>;
  readonly #looks: Looks;
  /** Its deadline on the store's clock, as far as is known: each use of the session moves it. */
  #expiresAt = 0;
  /** To when its deadline was brought forward, as was told since the last look began. */
  #shortenedTo = Number.POSITIVE_INFINITY;
  #isDue = false;
  #isOver = false;

  /** @param look finds out whether the session is still alive. */
  constructor({ lineage, id }: Live["session"], looks: Looks, look: () => Promise<void>) {
    this.lineage = lineage;
    this.id = id;
    this.look = look;
    this.#looks = looks;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get expiresAt(): number {
    return this.#expiresAt;
  }

  /** Whether the deadline that is known has passed. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** To be called before the session is looked up: the answer knows all that was told by now. */
  prepareLook(): void {
    this.#shortenedTo = Number.POSITIVE_INFINITY;
  }

  /** Notes that the session is alive, and has it looked up when its deadline has passed. */
  wait({ session, now }: Live): void {
    this.id = session.id;
    // The answer may be from before the deadline was brought forward.
    this.#await(Math.min(session.expiresAt, this.#shortenedTo), now);
  }

  /** Notes that the deadline was brought forward. */
  shorten({ expiresAt, at }: Shortened): void {
    this.#shortenedTo = expiresAt;
    this.#await(expiresAt, at);
  }

  /** Has the session looked up when this deadline has passed. Both times are on the store's clock. */
  #await(expiresAt: number, now: number): void {
    this.#expiresAt = expiresAt;
    this.#isDue = false;
    this.alarm.set(expiresAt - now + ALARM_MARGIN_MS, () => {
      this.#isDue = true;
      this.#looks.add(this);
    });
  }

  /** Ends the watch. With an ending, all listeners are told; without one they are not. */
  end(ending: Ending | null): void {
    this.#isOver = true;
    this.alarm.clear();
    for (const listener of this.listeners) {
      if (ending) listener.tell(ending);
      else listener.stop();
    }
    this.listeners.clear();
  }
}
