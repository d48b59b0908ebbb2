/*
 * One session as a sequence of events sees it: from its creation over all its ids to its end. Where
 * the recorded times leave open whether a deadline had passed, an event has several outcomes. A
 * session whose place another one takes has ended; that one is made in an event of its own.
 */
import { type Data, isRefusal, isSeen, type Of, type Seen } from "./calls.ts";
import { applyChange, compareOwner, listValues, mergeKnown, pickKept, UNKNOWN } from "./data.ts";
import type { Event } from "./events.ts";

/** From one moment to another, both included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

interface Live {
  readonly id: string;
  /** Its first id. */
  readonly lineage: string;
  readonly data: Data;
  readonly created: Span;
  readonly seen: Span;
  readonly idle: number | null;
  readonly absolute: Span | null;
}

/** An alias that a renewal left at an old id. A tombstone leads nowhere, so it counts as nothing. */
interface Alias {
  readonly target: string;
  readonly until: Span;
}

export interface State {
  /** No event happens before this any more. */
  readonly from: number;
  readonly live: Live | null;
  readonly aliases: Readonly<Record<string, Alias>>;
  /**
   * The numbers of the calls of two moments, of which the first has found the session: a read, whose
   * answer now depends on its touch, or a clear that has come to know which one to leave alone.
   */
  readonly found: readonly number[];
}

export const NOTHING: State = {
  from: Number.NEGATIVE_INFINITY,
  live: null,
  aliases: {},
  found: [],
};

/** `hit`: whether the session was in the set. */
export interface Outcome {
  readonly state: State;
  readonly hit: boolean;
}

/** Over how many aliases an id is a way in; an ending follows them all. */
const WAY_IN = 3;
const ALL = Number.POSITIVE_INFINITY;

/** All that may have become of the session by an event that happened at a moment of `now`. */
export function listOutcomes(state: State, event: Event, now: Span, slack: number): Outcome[] {
  return new Moment(state, now, slack).outcomes(event);
}

/** The result of following an id: the session, over the aliases of `trail`, or nothing. */
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
      case "supersede":
        return this.#supersede(event);
      case "end":
        return this.#end(event);
      case "has":
        return this.#named(event.id, this.#now, ALL).flatMap(({ state, live }) =>
          mayBe(live, event.of, { isIn: event.answer }) ? [miss(state)] : [],
        );
      case "member":
        return this.#member(event);
      case "count":
        return this.#sides(event.of, event.answer, (_, state) => state);
      case "change if":
        return this.#sides(event.of, event.answer, (live, state) =>
          setLive(state, { ...live, data: applyChange(live.data, event) }),
        );
      case "spare":
        return this.#named(event.except, this.#now, ALL).map(({ state, live }) =>
          miss(live ? addFound(state, event.clear) : state),
        );
      case "end if":
        return this.#endIf(event);
      case "trim":
        return this.#trim(event);
      case "at limit":
        return this.#atLimit(event);
      case "limited":
        return this.#limited(event);
      case "over":
        return this.#over();
    }
  }

  /** Once more, while its session is there, it changes nothing; after that it makes another. */
  #create(event: Extract<Event, { is: "create" }>): Outcome[] {
    const before = this.#state.live;
    if (before?.id !== event.id) return this.#make(event, this.#written);
    const deadline = computeDeadline(before);
    const { from, to } = this.#written;
    return [
      ...(this.#mayHold(deadline) ? this.#answered(this.#state, event.answer) : []),
      ...(this.#mayBeOver(deadline)
        ? this.#make(event, { from: Math.max(from, deadline.from + 1), to })
        : []),
    ];
  }

  #make(
    { id, values, idle, absolute, answer }: Extract<Event, { is: "create" }>,
    at: Span,
  ): Outcome[] {
    const live: Live = {
      id,
      lineage: id,
      data: applyChange({}, { values, unset: [] }),
      created: at,
      seen: at,
      idle,
      absolute: absolute === null ? null : { from: at.from + absolute, to: at.to + absolute },
    };
    return this.#answered(setLive(this.#state, live), answer);
  }

  #read({ id, byName, fields, answer, touch }: Extract<Event, { is: "read" }>): Outcome[] {
    const leads = byName
      ? this.#named(id, this.#started, ALL)
      : this.#leads(id, this.#started, WAY_IN);
    return leads.flatMap(({ state, live }) => {
      const itsTouchDecides = live && touch !== null ? [miss(addFound(state, touch))] : [];
      if (!live || answer === null) return live || answer ? itsTouchDecides : [miss(state)];
      const data = mergeKnown(live.data, answer.data, fields);
      if (!data) return [];
      const told = setLive(state, { ...live, data });
      const decides = touch === null ? [] : [miss(addFound(told, touch))];
      return [...this.#answered(told, answer, { withData: false }), ...decides];
    });
  }

  #touch({ id, answer, read }: Extract<Event, { is: "touch" }>): Outcome[] {
    if (!this.#state.found.includes(read)) return [miss(this.#state)];
    return this.#leads(id, this.#now, WAY_IN).flatMap((lead) => {
      const state = removeFound(lead.state, read);
      if (!lead.live || answer === null) return lead.live || answer ? [] : [miss(state)];
      return this.#answered(setLive(state, { ...lead.live, seen: this.#written }), answer, {
        withData: false,
      });
    });
  }

  #change(event: Extract<Event, { is: "change" }>): Outcome[] {
    const { answer, mayEnter = false } = event;
    return this.#leads(event.id, this.#now, WAY_IN).flatMap(({ state, live }) => {
      const isRefused = answer === "full" && (live !== null || mayEnter);
      if (answer !== undefined && !isRefused && answer !== (live !== null)) return [];
      if (!live || (isRefused && !mayEnter)) return [miss(state)];
      const idle = event.idle ?? live.idle;
      const data = applyChange(live.data, event);
      const writes = Object.keys(event.values).length + event.unset.length > 0;
      const spans = writes && event.idle === null ? this.#listSeen(live) : [this.#written];
      const changed = spans.map((seen) => miss(setLive(state, { ...live, data, idle, seen })));
      return isRefused ? [miss(state), ...changed] : changed;
    });
  }

  /** When a session may be seen last after a write to its fields: it counts as use where that is due. */
  #listSeen({ seen, idle }: Live): Span[] {
    const delay = Math.min((idle ?? Number.POSITIVE_INFINITY) / 20, 60_000);
    const { from, to } = this.#written;
    return [
      ...(to - seen.from >= delay ? [this.#written] : []),
      ...(from - seen.to < delay ? [seen] : []),
    ];
  }

  #rotate(event: Extract<Event, { is: "rotate" }>): Outcome[] {
    const { to, answer } = event;
    if (this.#state.live?.id === to) {
      if (answer === null || answer === "ended" || isRefusal(answer)) return [];
      return this.#answered(this.#state, answer); // once more
    }
    return this.#leads(event.id, this.#now, WAY_IN).flatMap((lead) => {
      const turn = decideTurn(lead, event);
      if (isRefusal(answer)) return this.#refused(turn, lead, event);
      if (!mayAnswer(turn, event)) return [];
      if (turn === "nothing") return [miss(lead.state)];
      if (turn === "ended") return [miss(endLead(lead))];
      return this.#turned(turn, lead, event, isSeen(answer) ? answer : undefined);
    });
  }

  #refused(turn: Turn, lead: Lead, event: Extract<Event, { is: "rotate" }>): Outcome[] {
    const { answer, mayEnter = false } = event;
    const stays = mayRefuse(turn, lead, event) ? [miss(lead.state)] : [];
    const enters = answer === "full" && mayEnter && turn !== "nothing" && turn !== "ended";
    return enters ? [...stays, ...this.#turned(turn, lead, event)] : stays;
  }

  #turned(
    turn: Turn,
    lead: Lead,
    event: Extract<Event, { is: "rotate" }>,
    seen?: Seen | undefined,
  ): Outcome[] {
    if (turn === "replaced") return this.#since(endLead(lead), seen?.createdAt);
    return this.#answered(this.#renewed(lead, event, { leavesAlias: turn === "renewed" }), seen);
  }

  /** The session with its new id. Its old id becomes an alias, or all ids that led to it lead nowhere. */
  #renewed(
    { state, live, trail }: Lead,
    { to, values, grace }: Extract<Event, { is: "rotate" }>,
    { leavesAlias }: { readonly leavesAlias: boolean },
  ): State {
    if (!live) return state;
    const { from, to: latest } = this.#written;
    const until = { from: from + grace, to: latest + grace };
    const aliases = leavesAlias
      ? { ...state.aliases, [live.id]: { target: to, until } }
      : removeAliases(state.aliases, trail);
    const data = applyChange(live.data, { values, unset: [] });
    return { ...state, aliases, live: { ...live, id: to, data, seen: this.#written } };
  }

  #supersede(event: Extract<Event, { is: "supersede" }>): Outcome[] {
    return this.#leads(event.id, this.#now, ALL).flatMap((lead) => {
      if (event.ends && !lead.live) return [];
      if (event.kept && !mergeKnown(pickTakenOver(lead, event), event.kept, null)) return [];
      return this.#since(lead.live ? endLead(lead) : lead.state, event.at);
    });
  }

  #end({ id, of, byName, answer }: Extract<Event, { is: "end" }>): Outcome[] {
    const leads = byName ? this.#named(id, this.#now, ALL) : this.#leads(id, this.#now, ALL);
    return leads.flatMap((lead) => {
      const { state, live } = lead;
      const may = (ends: boolean) =>
        (answer ?? ends) === ends &&
        (of ? mayBe(live, of, { isIn: ends }) : (live !== null) === ends);
      return [...(may(true) ? [miss(endLead(lead))] : []), ...(may(false) ? [miss(state)] : [])];
    });
  }

  #member({ of, answer }: Extract<Event, { is: "member" }>): Outcome[] {
    const { live } = this.#state;
    if (!live || !mayBe(live, of, { isIn: true }) || !this.#mayHold(computeDeadline(live)))
      return [];
    if (typeof answer === "string") return live.id === answer ? [hit(this.#state)] : [];
    return this.#answered(this.#state, answer).map(({ state }) => hit(state));
  }

  #endIf({ of, except, clear, answer }: Extract<Event, { is: "end if" }>): Outcome[] {
    if (clear !== null && this.#state.found.includes(clear)) {
      return answer ? [] : [miss(removeFound(this.#state, clear))];
    }
    if (except === null) return this.#ended(of, answer);
    return this.#named(except, this.#now, ALL).flatMap(({ state, live }) => {
      if (!live) return new Moment(state, this.#now, this.#slack).#ended(of, answer);
      return answer ? [] : [miss(state)]; // spared as long as the id leads to it
    });
  }

  #atLimit(event: Extract<Event, { is: "at limit" }>): Outcome[] {
    const { of, mayEnd, leaving, answer } = event;
    if (leaving !== undefined) {
      return this.#leads(leaving, this.#now, ALL).flatMap(({ state, live }) => {
        if (live) return answer ? [] : [miss(state)];
        const { leaving: _, ...rest } = event;
        return new Moment(state, this.#now, this.#slack).#atLimit(rest);
      });
    }
    const stays = this.#sides(of, answer, (_, state) => state);
    return mayEnd && answer !== false ? [...stays, ...this.#ended(of, true)] : stays;
  }

  #trim({ of, answer }: Extract<Event, { is: "trim" }>): Outcome[] {
    const stays = this.#sides(of, undefined, (_, state) => state).map(({ state }) => miss(state));
    const ended = this.#ended(of, true);
    if (answer === undefined) return [...stays, ...ended];
    return answer ? ended : stays;
  }

  #limited({ sets }: Extract<Event, { is: "limited" }>): Outcome[] {
    const { live } = this.#state;
    const isIn = live && sets.some((of) => mayBe(live, of, { isIn: true }));
    return isIn && this.#mayHold(computeDeadline(live))
      ? [miss({ ...this.#state, live: null })]
      : [];
  }

  #over(): Outcome[] {
    const { live } = this.#state;
    if (live && !this.#mayBeOver(computeDeadline(live))) return [];
    return [miss({ ...this.#state, live: null })];
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
    const inSet = live !== null && mayBe(live, of, { isIn: true });
    const all: Outcome[] = [];
    if (inSet && answer !== false && this.#mayHold(computeDeadline(live))) {
      all.push(hit(work(live, this.#state)));
    }
    if (answer === true) return all;
    if (mayBe(live, of, { isIn: false })) all.push(miss(this.#state));
    if (inSet && this.#mayBeOver(computeDeadline(live)))
      all.push(miss({ ...this.#state, live: null }));
    return all;
  }

  /** Where a name may have led, as an id over this many aliases, or as the session's first id. */
  #named(name: string, aliasesAt: Span, hops: number): Lead[] {
    return this.#leads(name, aliasesAt, hops).flatMap((lead) => {
      const { live } = lead.state;
      if (lead.live || live?.lineage !== name) return [lead];
      return this.#leads(live.id, aliasesAt, hops);
    });
  }

  /** Where an id may have led, over this many aliases at most. */
  #leads(id: string, aliasesAt: Span, hops: number, trail: readonly string[] = []): Lead[] {
    const state = this.#state;
    if (state.live?.id === id) {
      const leads: Lead[] = [];
      const deadline = computeDeadline(state.live);
      if (this.#mayHold(deadline)) leads.push({ state, live: state.live, trail });
      if (this.#mayBeOver(deadline))
        leads.push({ state: { ...state, live: null }, live: null, trail });
      return leads;
    }
    const alias = state.aliases[id];
    if (!alias || trail.length === hops) return [{ state, live: null, trail }];
    const leads: Lead[] = [];
    if (this.#mayHold(alias.until, aliasesAt)) {
      leads.push(...this.#leads(alias.target, aliasesAt, hops, [...trail, id]));
    }
    if (this.#mayBeOver(alias.until)) leads.push({ state, live: null, trail });
    return leads;
  }

  /** The outcome of an event at a known moment, if it may have been then. */
  #since(state: State, moment: number | undefined): Outcome[] {
    if (moment === undefined) return [miss(state)];
    const { from, to } = this.#now;
    if (from > moment + 1 + this.#slack || to < moment - this.#slack) return [];
    return [miss({ ...state, from: Math.max(from, moment - this.#slack) })];
  }

  #mayHold(until: Span, now = this.#now): boolean {
    return Math.floor(now.from) <= until.to;
  }

  #mayBeOver(until: Span, now = this.#now): boolean {
    return Math.floor(now.to) > until.from;
  }

  /** Whether the answer gives the live session as it is; the state is more exact for it. */
  #answered(
    state: State,
    answer: Seen | undefined,
    { withData = true }: { readonly withData?: boolean } = {},
  ): Outcome[] {
    const { live } = state;
    if (!answer) return [miss(state)];
    if (!live || answer.id !== live.id) return [];
    const data = withData ? mergeKnown(live.data, answer.data, null) : live.data;
    if (!data) return [];
    const { lastSeenAt, createdAt, absoluteDeadline, expiresAt } = answer;
    const inside = (moment: number, span: Span) => moment >= span.from && moment <= span.to;
    if (!inside(lastSeenAt, live.seen) || !inside(createdAt, live.created)) return [];
    if ((absoluteDeadline === null) !== (live.absolute === null)) return [];
    if (live.absolute && !inside(absoluteDeadline ?? 0, live.absolute)) return [];
    const at = (moment: number): Span => ({ from: moment, to: moment });
    const exact: Live = {
      ...live,
      data,
      created: at(createdAt),
      seen: at(lastSeenAt),
      absolute: absoluteDeadline === null ? null : at(absoluteDeadline),
    };
    if (computeDeadline(exact).from !== expiresAt) return [];
    const from = Math.max(state.from, lastSeenAt - this.#slack);
    return [miss({ ...state, from, live: exact })];
  }
}

function setLive(state: State, live: Live): State {
  return { ...state, live };
}

function addFound(state: State, number: number): State {
  return { ...state, found: [...state.found, number].sort() };
}

function removeFound(state: State, number: number): State {
  return { ...state, found: state.found.filter((one) => one !== number) };
}

function hit(state: State): Outcome {
  return { state, hit: true };
}

function miss(state: State): Outcome {
  return { state, hit: false };
}

/** The nearer one of the two deadlines: a session lives up to and with it. */
function computeDeadline({ seen, idle, absolute }: Live): Span {
  const nearer = (lastSeen: number, end: number | undefined) =>
    Math.min(
      idle === null ? Number.POSITIVE_INFINITY : lastSeen + idle,
      end ?? Number.POSITIVE_INFINITY,
    );
  return { from: nearer(seen.from, absolute?.from), to: nearer(seen.to, absolute?.to) };
}

/** Whether a session may be in a set, or may not; none is in none. */
function mayBe(
  live: Live | null,
  { field, value }: Of,
  { isIn }: { readonly isIn: boolean },
): boolean {
  const had = live?.data[field];
  return had === UNKNOWN || listValues(had).includes(value) === isIn;
}

/** Ends the session. The ids that led to it lead nowhere. */
function endLead({ state, trail }: Lead): State {
  return { ...state, live: null, aliases: removeAliases(state.aliases, trail) };
}

function removeAliases(aliases: State["aliases"], ids: readonly string[]): State["aliases"] {
  return Object.fromEntries(Object.entries(aliases).filter(([id]) => !ids.includes(id)));
}

type Turn = "nothing" | "ended" | "renewed" | "renewed for good" | "replaced";

/** Decides what a rotation does. (No history renews a session 32 times.) */
function decideTurn(
  { live, trail }: Lead,
  { values, grace }: Extract<Event, { is: "rotate" }>,
): Turn {
  if (!live) return "nothing";
  const owner = compareOwner(live.data, values);
  if (owner === "nobody" || owner === "another") return "replaced";
  if (owner === "same") return "renewed for good";
  if (trail.length > 0) return grace === 0 ? "ended" : "nothing";
  return grace === 0 ? "renewed for good" : "renewed";
}

/** Whether it may be what the answer tells; without one, all that concerns this session. */
function mayAnswer(turn: Turn, { replaces, answer }: Extract<Event, { is: "rotate" }>): boolean {
  if (answer === null) return turn === "nothing";
  if (answer === "ended") return turn === "ended";
  if (turn === "nothing" || turn === "ended") return answer === undefined;
  return replaces === (turn === "replaced");
}

/** Whether it may be refused: what is not there isn't, and in a full set only what would enter it. */
function mayRefuse(
  turn: Turn,
  { live }: Lead,
  { answer, mayEnter = false }: Extract<Event, { is: "rotate" }>,
): boolean {
  if (answer === "cleared") return live !== null;
  return mayEnter || (turn !== "nothing" && turn !== "ended");
}

/** The fields that a sign-in keeps of a session that it ends: none of another user's. */
function pickTakenOver(
  { live, trail }: Lead,
  { values, keep }: Extract<Event, { is: "supersede" }>,
): Data {
  if (!live || trail.length > WAY_IN || compareOwner(live.data, values) === "another") return {};
  return pickKept(live.data, keep, values);
}
