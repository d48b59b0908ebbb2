/*
 * One session as a sequence of events sees it: from its creation over all its ids to its end. Where
 * the recorded times leave open whether a deadline had passed, an event has several outcomes.
 */
import { isDeepStrictEqual } from "node:util";
import type { Data, Of, Seen } from "./calls.ts";
import type { Event } from "./events.ts";

/** From one moment to another, both included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

interface Live {
  readonly id: string;
  readonly data: Data;
  readonly created: Span;
  readonly seen: Span;
  readonly idle: number | null;
  readonly absolute: Span | null;
}

/** What a rotation left at an old id: an alias, or, without a target, a tombstone. */
interface Place {
  readonly target: string | null;
  readonly until: Span;
}

export interface State {
  /** No event happens before this any more. */
  readonly from: number;
  readonly live: Live | null;
  readonly places: Readonly<Record<string, Place>>;
  /**
   * The numbers of the calls of two moments, of which the first has found the session: a read, whose
   * answer now depends on its touch, or a clear that has come to know which one to leave alone.
   */
  readonly found: readonly number[];
}

export const NOTHING: State = {
  from: Number.NEGATIVE_INFINITY,
  live: null,
  places: {},
  found: [],
};

/** `hit`: whether the session was in the set. */
export interface Outcome {
  readonly state: State;
  readonly hit: boolean;
}

/** The field whose change is a sign-in. */
const IDENTITY = "user_id";
const HOPS = 3;

/** All that may have become of the session by an event that happened at a moment of `now`. */
export function outcomes(state: State, event: Event, now: Span, slack: number): Outcome[] {
  return new Moment(state, now, slack).outcomes(event);
}

/** What an id led to: the session, over the aliases of `trail`, or nothing. */
interface Lead {
  readonly state: State;
  readonly live: Live | null;
  readonly trail: readonly string[];
}

class Moment {
  readonly #state: State;
  readonly #now: Span;
  /** As the server writes it down: whole milliseconds. */
  readonly #written: Span;
  readonly #slack: number;
  /** A read follows aliases by commands of their own, from its start. */
  readonly #started: Span;

  constructor(state: State, now: Span, slack: number) {
    const from = Math.max(state.from, now.from);
    this.#state = { ...state, from };
    this.#now = { from, to: now.to };
    this.#written = { from: Math.floor(from), to: Math.floor(now.to) };
    this.#started = now;
    this.#slack = slack;
  }

  outcomes(event: Event): Outcome[] {
    if (this.#now.from > this.#now.to) return [];
    switch (event.is) {
      case "create":
        return this.#create(event);
      case "read":
        return this.#read(event);
      case "touch":
        return this.#touch(event);
      case "change":
        return this.#change(event);
      case "rotate":
        return this.#rotate(event);
      case "end":
        return this.#end(event);
      case "has":
        return this.#leads(event.id, this.#now).flatMap(({ state, live }) =>
          (live !== null && holds(live, event.of)) === event.answer ? [miss(state)] : [],
        );
      case "member":
        return this.#member(event);
      case "count":
        return this.#sides(event.of, event.answer, (_, state) => state);
      case "change if":
        return this.#sides(event.of, event.answer, (live, state) =>
          became(state, { ...live, data: changed(live.data, event) }),
        );
      case "spare":
        return this.#leads(event.except, this.#now).map(({ state, live }) =>
          miss(live ? withFound(state, event.clear) : state),
        );
      case "end if":
        return this.#endIf(event);
    }
  }

  #create(event: Extract<Event, { is: "create" }>): Outcome[] {
    const { id, values, idle, absolute, answer } = event;
    const before = this.#state.live;
    const { from, to } = this.#written;
    const live: Live =
      before?.id === id // the same command once more
        ? before
        : {
            id,
            data: changed({}, { values, unset: [] }),
            created: this.#written,
            seen: this.#written,
            idle,
            absolute: absolute === null ? null : { from: from + absolute, to: to + absolute },
          };
    return this.#answered(became(this.#state, live), answer);
  }

  #read({ id, fields, answer, touch }: Extract<Event, { is: "read" }>): Outcome[] {
    return this.#leads(id, this.#started).flatMap(({ state, live }) => {
      const itsTouchDecides = live && touch !== null ? [miss(withFound(state, touch))] : [];
      if (!live || answer === null) return live || answer ? itsTouchDecides : [miss(state)];
      if (!sameData(live.data, answer.data, fields)) return [];
      return [...this.#answered(state, answer, false), ...itsTouchDecides];
    });
  }

  #touch({ id, answer, read }: Extract<Event, { is: "touch" }>): Outcome[] {
    if (!this.#state.found.includes(read)) return [miss(this.#state)];
    return this.#leads(id, this.#now).flatMap((lead) => {
      const state = withoutFound(lead.state, read);
      if (!lead.live || answer === null) return lead.live || answer ? [] : [miss(state)];
      return this.#answered(became(state, { ...lead.live, seen: this.#written }), answer, false);
    });
  }

  #change(event: Extract<Event, { is: "change" }>): Outcome[] {
    return this.#leads(event.id, this.#now).flatMap(({ state, live }) => {
      if (event.answer !== undefined && event.answer !== (live !== null)) return [];
      if (!live) return [miss(state)];
      const idle = event.idle ?? live.idle;
      const data = changed(live.data, event);
      return [miss(became(state, { ...live, data, idle, seen: this.#written }))];
    });
  }

  #rotate(event: Extract<Event, { is: "rotate" }>): Outcome[] {
    const { id, to, values, answer } = event;
    if (this.#state.live?.id === to) {
      return answer === null ? [] : this.#answered(this.#state, answer); // once more
    }
    return this.#leads(id, this.#now).flatMap(({ state, live, trail }) => {
      const signsIn = live !== null && changesIdentity(live.data, values);
      if (!live || (trail.length > 0 && !signsIn)) return answer ? [] : [miss(state)];
      if (answer === null) return [];
      const places = this.#left(state.places, [...trail, live.id], event, signsIn);
      const data = changed(live.data, { values, unset: [] });
      const rotated = became({ ...state, places }, { ...live, id: to, data, seen: this.#written });
      return this.#answered(rotated, answer);
    });
  }

  /** What is at the old ids after a rotation. */
  #left(
    before: State["places"],
    ids: readonly string[],
    { to, grace }: { to: string; grace: number },
    signsIn: boolean,
  ): State["places"] {
    const places = { ...before };
    const until = { from: this.#written.from + grace, to: this.#written.to + grace };
    for (const id of ids) {
      delete places[id];
      if (grace > 0) places[id] = { target: signsIn ? null : to, until };
    }
    return places;
  }

  #end({ id, of, answer }: Extract<Event, { is: "end" }>): Outcome[] {
    return this.#leads(id, this.#now).flatMap(({ state, live, trail }) => {
      const ends = live !== null && (of === null || holds(live, of));
      if (answer !== undefined && answer !== ends) return [];
      if (!ends) return [miss(state)];
      const left = Object.entries(state.places).filter(([old]) => !trail.includes(old));
      return [miss({ ...state, live: null, places: Object.fromEntries(left) })];
    });
  }

  #member({ of, answer }: Extract<Event, { is: "member" }>): Outcome[] {
    const { live } = this.#state;
    if (!live || !holds(live, of) || !this.#mayHold(deadlineOf(live))) return [];
    if (typeof answer === "string") return live.id === answer ? [hit(this.#state)] : [];
    return this.#answered(this.#state, answer).map(({ state }) => hit(state));
  }

  #endIf({ of, except, clear, answer }: Extract<Event, { is: "end if" }>): Outcome[] {
    if (clear !== null && this.#state.found.includes(clear)) {
      return answer ? [] : [miss(withoutFound(this.#state, clear))];
    }
    if (except === null) return this.#ended(of, answer);
    return this.#leads(except, this.#now).flatMap(({ state, live }) => {
      if (!live) return new Moment(state, this.#now, this.#slack).#ended(of, answer);
      return answer ? [] : [miss(state)]; // spared as long as the id leads to it
    });
  }

  #ended(of: Of, answer: boolean | undefined): Outcome[] {
    return this.#sides(of, answer, (_, state) => ({ ...state, live: null }));
  }

  /** Does something to the session if it is in the set. */
  #sides(
    of: Of,
    answer: boolean | undefined,
    work: (live: Live, state: State) => State,
  ): Outcome[] {
    const { live } = this.#state;
    const inSet = live !== null && holds(live, of);
    const all: Outcome[] = [];
    if (inSet && answer !== false && this.#mayHold(deadlineOf(live))) {
      all.push(hit(work(live, this.#state)));
    }
    if (answer === true) return all;
    if (!inSet) all.push(miss(this.#state));
    else if (this.#mayBeOver(deadlineOf(live))) all.push(miss({ ...this.#state, live: null }));
    return all;
  }

  /** What an id may have led to. */
  #leads(id: string, aliasesAt: Span, trail: readonly string[] = []): Lead[] {
    const state = this.#state;
    if (state.live?.id === id) {
      const leads: Lead[] = [];
      const deadline = deadlineOf(state.live);
      if (this.#mayHold(deadline)) leads.push({ state, live: state.live, trail });
      if (this.#mayBeOver(deadline))
        leads.push({ state: { ...state, live: null }, live: null, trail });
      return leads;
    }
    const place = state.places[id];
    if (!place?.target || trail.length === HOPS) return [{ state, live: null, trail }];
    const leads: Lead[] = [];
    if (this.#mayHold(place.until, aliasesAt)) {
      leads.push(...this.#leads(place.target, aliasesAt, [...trail, id]));
    }
    if (this.#mayBeOver(place.until)) leads.push({ state, live: null, trail });
    return leads;
  }

  #mayHold(until: Span, now = this.#now): boolean {
    return Math.floor(now.from) <= until.to;
  }

  #mayBeOver(until: Span, now = this.#now): boolean {
    return Math.floor(now.to) > until.from;
  }

  /** Whether the answer gives the live session as it is; the state is more exact for it. */
  #answered(state: State, answer: Seen | undefined, withData = true): Outcome[] {
    const { live } = state;
    if (!answer) return [miss(state)];
    if (!live || answer.id !== live.id) return [];
    if (withData && !sameData(live.data, answer.data, null)) return [];
    const { lastSeenAt, createdAt, absoluteDeadline, expiresAt } = answer;
    const inside = (moment: number, span: Span) => moment >= span.from && moment <= span.to;
    if (!inside(lastSeenAt, live.seen) || !inside(createdAt, live.created)) return [];
    if ((absoluteDeadline === null) !== (live.absolute === null)) return [];
    if (live.absolute && !inside(absoluteDeadline ?? 0, live.absolute)) return [];
    const at = (moment: number): Span => ({ from: moment, to: moment });
    const exact: Live = {
      ...live,
      created: at(createdAt),
      seen: at(lastSeenAt),
      absolute: absoluteDeadline === null ? null : at(absoluteDeadline),
    };
    if (deadlineOf(exact).from !== expiresAt) return [];
    const from = Math.max(state.from, lastSeenAt - this.#slack);
    return [miss({ ...state, from, live: exact })];
  }
}

function became(state: State, live: Live): State {
  return { ...state, live };
}

function withFound(state: State, number: number): State {
  return { ...state, found: [...state.found, number].sort() };
}

function withoutFound(state: State, number: number): State {
  return { ...state, found: state.found.filter((one) => one !== number) };
}

function hit(state: State): Outcome {
  return { state, hit: true };
}

function miss(state: State): Outcome {
  return { state, hit: false };
}

/** The nearer one of the two deadlines: a session lives up to and with it. */
function deadlineOf({ seen, idle, absolute }: Live): Span {
  const nearer = (lastSeen: number, end: number | undefined) =>
    Math.min(
      idle === null ? Number.POSITIVE_INFINITY : lastSeen + idle,
      end ?? Number.POSITIVE_INFINITY,
    );
  return { from: nearer(seen.from, absolute?.from), to: nearer(seen.to, absolute?.to) };
}

function changed(data: Data, { values, unset }: { values: Data; unset: readonly string[] }): Data {
  const all = Object.entries({ ...data, ...values });
  return Object.fromEntries(all.filter(([field]) => !unset.includes(field)).sort());
}

function valuesOf(value: unknown): unknown[] {
  return [value].flat().filter((element) => element !== null && element !== undefined);
}

function holds({ data }: Live, { field, value }: Of): boolean {
  return valuesOf(data[field]).includes(value);
}

function changesIdentity(data: Data, values: Data): boolean {
  if (!(IDENTITY in values)) return false;
  const [before, after] = [new Set(valuesOf(data[IDENTITY])), new Set(valuesOf(values[IDENTITY]))];
  return !isDeepStrictEqual(before, after);
}

function sameData(data: Data, given: Data, fields: readonly string[] | null): boolean {
  const wanted = Object.entries(data).filter(([field]) => fields?.includes(field) ?? true);
  return isDeepStrictEqual(Object.fromEntries(wanted), { ...given });
}
