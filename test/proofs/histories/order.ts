/*
 * Looks for an order in which the events of one session explain all that was answered: each event
 * happened at one moment between its start and its end (linearizability, as Wing and Gong test it,
 * keeping in mind what was tried, as Lowe does).
 */
import type { Event } from "./events.ts";
import { listOutcomes, NOTHING, type Span, type State } from "./model.ts";

export interface Timed {
  readonly event: Event;
  readonly start: number;
  /** Infinity where there was no answer. */
  readonly end: number;
  /** It happened by then, or never. */
  readonly notAfter: number;
  /** Whether it may never have happened. */
  readonly optional: boolean;
  /** When it happened by the server's clock, where that was told. */
  readonly told?: Span;
  /** The numbers of the events that come before this one. */
  readonly after: readonly number[];
}

/** More than this is not tried for one session. */
const MOST_STEPS = 300_000;

/** Whether each event found the session in its set, by number; null where no order explains it. */
export function explain(events: readonly Timed[], slack: number): Map<number, boolean> | null {
  return new Search(events, slack).run();
}

class Search {
  readonly #events: readonly Timed[];
  readonly #slack: number;
  readonly #byEnd: readonly number[];
  readonly #done: boolean[];
  readonly #hits = new Map<number, boolean>();
  readonly #tried = new Set<string>();
  #steps = 0;

  constructor(events: readonly Timed[], slack: number) {
    this.#events = events;
    this.#slack = slack;
    this.#done = events.map(() => false);
    this.#byEnd = events.map((_, i) => i).sort((a, b) => this.#at(a).end - this.#at(b).end);
  }

  run(): Map<number, boolean> | null {
    return this.#from(NOTHING) ? this.#hits : null;
  }

  #from(state: State): boolean {
    const first = this.#byEnd.find((i) => !this.#done[i] && !this.#at(i).optional);
    if (first === undefined) return true;
    const place = `${this.#done.map(Number).join("")}${JSON.stringify(state)}`;
    if (this.#tried.has(place)) return false;
    this.#tried.add(place);
    if (++this.#steps > MOST_STEPS) throw new Error("a history is too long to be decided");
    const latest = this.#at(first).end;
    return this.#byEnd.some((i) => this.#mayBeNext(i, latest) && this.#take(i, state));
  }

  /** Only what began before the first of those to come had ended. */
  #mayBeNext(i: number, latest: number): boolean {
    const { start, after } = this.#at(i);
    return !this.#done[i] && start <= latest && after.every((one) => this.#done[one] === true);
  }

  #take(i: number, state: State): boolean {
    const { event, start, end, notAfter, told } = this.#at(i);
    const { from, to } = told ?? { from: start, to: Math.min(end, notAfter) };
    const now = { from: from - this.#slack, to: to + this.#slack };
    this.#done[i] = true;
    for (const { state: next, hit } of listOutcomes(state, event, now, this.#slack)) {
      this.#hits.set(i, hit);
      if (this.#from(next)) return true;
    }
    this.#hits.delete(i);
    this.#done[i] = false;
    return false;
  }

  #at(i: number): Timed {
    return this.#events[i] as Timed;
  }
}
