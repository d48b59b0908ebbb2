/*
 * Decides whether a history can be explained. Rules:
 *
 * - order: for each session there is an order of the calls, each at one moment between its start and
 *   its end, that explains all answers. What a call of a set does is, to each session, one such
 *   moment: it was given, changed or ended if it was in the set then (I5), and so a session that
 *   was in the set all the time is never passed over. I4, I6 and I7 follow from the model.
 * - count: a number of sessions lies between those that must and those that may have been meant.
 * - twice: a set gives no session twice.
 * - sorted: `list` gives the most recently seen first, and no more than its limit.
 * - stranger: whatever has an id was made by somebody.
 */
import type { Call, History, Of, Seen } from "./calls.ts";
import type { Event } from "./events.ts";
import { explain, type Timed } from "./order.ts";

export interface Refusal {
  readonly rule: "order" | "count" | "twice" | "sorted" | "stranger";
  readonly about: string;
  /** The calls that it is about, in no order. */
  readonly calls: readonly Call[];
}

type SetCall = Extract<Call, { do: "size" | "ids" | "list" | "change all" | "clear" }>;

/** Why a history cannot be explained, or null. */
export function check(history: History): Refusal | null {
  const lineages = lineagesOf(history.calls);
  return (
    checkStrangers(history.calls, lineages) ??
    checkGiven(history.calls, lineages) ??
    checkOrders(history, lineages)
  );
}

/** By each id, the first id of the session that had it. */
function lineagesOf(calls: readonly Call[]): Map<string, string> {
  const firsts = new Map<string, string>();
  for (const call of calls) if (call.do === "create") firsts.set(call.id, call.id);
  // Rotations are known by their old ids, in whatever order they were recorded.
  for (let known = -1; known < firsts.size; ) {
    known = firsts.size;
    for (const call of calls) {
      const first = call.do === "rotate" ? firsts.get(call.id) : undefined;
      if (call.do === "rotate" && first !== undefined) firsts.set(call.to, first);
    }
  }
  return firsts;
}

function checkStrangers(calls: readonly Call[], lineages: Map<string, string>): Refusal | null {
  for (const call of calls) {
    const stranger = givenBy(call).find((id) => !lineages.has(id));
    if (stranger) {
      return { rule: "stranger", about: `nobody made ${stranger}`, calls: [call] };
    }
  }
  return null;
}

/** The ids of the sessions that a call gave. */
function givenBy(call: Call): readonly string[] {
  switch (call.do) {
    case "create":
    case "get":
    case "rotate":
      return call.answer ? [call.answer.id] : [];
    case "list":
      return (call.answer ?? []).map(({ id }) => id);
    case "ids":
      return call.answer ?? [];
    default:
      return [];
  }
}

function checkGiven(calls: readonly Call[], lineages: Map<string, string>): Refusal | null {
  for (const call of calls) {
    if (call.do !== "list" && call.do !== "ids") continue;
    const firsts = givenBy(call).map((id) => lineages.get(id));
    if (new Set(firsts).size < firsts.length) {
      return { rule: "twice", about: "a session was given twice", calls: [call] };
    }
    if (call.do !== "list" || call.limit === null || !call.answer) continue;
    const times = call.answer.map(({ lastSeenAt }) => lastSeenAt);
    const sorted = times.every((time, i) => i === 0 || time <= (times[i - 1] ?? 0));
    if (!sorted || times.length > call.limit) {
      return { rule: "sorted", about: `a list of at most ${call.limit}`, calls: [call] };
    }
  }
  return null;
}

interface Lineage {
  readonly first: string;
  readonly events: readonly Timed[];
  /** The number of the event that stands for a call of a set. */
  readonly numbers: ReadonlyMap<SetCall, number>;
  /** The calls that concern it. */
  readonly calls: readonly Call[];
}

function checkOrders({ calls, slack }: History, firsts: Map<string, string>): Refusal | null {
  const hits = new Map<SetCall, number>();
  const lineages = [...new Set(firsts.values())].map((first) => eventsOf(first, calls, firsts));
  for (const lineage of lineages) {
    const explained = explain(lineage.events, slack);
    if (!explained) {
      const about = `no order explains the session that was ${lineage.first} first`;
      return { rule: "order", about, calls: lineage.calls };
    }
    for (const [call, number] of lineage.numbers) {
      hits.set(call, (hits.get(call) ?? 0) + Number(explained.get(number)));
    }
  }
  for (const call of calls) {
    const counted = countOf(call);
    if (counted === null || !isOfSet(call) || counted === (hits.get(call) ?? 0)) continue;
    const [least, most] = bounds(call, lineages, slack);
    if (counted < least || counted > most) {
      const about = `${counted} is not between ${least} and ${most}`;
      return { rule: "count", about, calls: [call, ...calls.filter((other) => other !== call)] };
    }
  }
  return null;
}

/** How many sessions must and may have been in the set, each at a moment of its own. */
function bounds(call: SetCall, lineages: readonly Lineage[], slack: number): [number, number] {
  let [least, most] = [0, 0];
  for (const { events, numbers } of lineages) {
    const number = numbers.get(call);
    if (number === undefined) continue;
    const possible = (answer: boolean) =>
      explain(
        events.map((one, i) =>
          i === number ? { ...one, event: { ...one.event, answer } as Event } : one,
        ),
        slack,
      ) !== null;
    if (possible(true)) most++;
    if (!possible(false)) least++;
  }
  return [least, most];
}

/** A number that says how many; not where parts of the call may have been done before. */
function countOf(call: Call): number | null {
  const counts = call.do === "size" || call.do === "change all" || call.do === "clear";
  return counts && !call.again ? (call.answer ?? null) : null;
}

function isOfSet(call: Call): call is SetCall {
  return ["size", "ids", "list", "change all", "clear"].includes(call.do);
}

/** What one session sees of all calls. */
function eventsOf(first: string, all: readonly Call[], firsts: Map<string, string>): Lineage {
  const ids = new Set([...firsts].filter(([, one]) => one === first).map(([id]) => id));
  const events: Timed[] = [];
  const numbers = new Map<SetCall, number>();
  const calls: Call[] = [];
  for (const call of all) {
    const own = timedEvents(call, ids, events.length);
    if (own.length === 0) continue;
    calls.push(only(call, ids));
    const number = own.findIndex(({ event }) => event.is !== "spare");
    if (isOfSet(call)) numbers.set(call, events.length + number);
    events.push(...own);
  }
  return { first, events, numbers, calls };
}

/** What one session sees of one call; `number` is that of the first event. */
function timedEvents(call: Call, ids: ReadonlySet<string>, number: number): Timed[] {
  const own = isOfSet(call) ? ofSet(call, ids, number) : ofSession(call, ids, number);
  const events = own.map((event) => timed(call, event, firstMoment(event)));
  const again = call.again && own[0] ? unanswered(own[0], call) : null;
  return again ? [...events, { ...timed(call, again, -1), optional: true }] : events;
}

/** A call without what it says of other sessions. */
function only(call: Call, ids: ReadonlySet<string>): Call {
  if (call.do === "ids" && call.answer) {
    return { ...call, answer: call.answer.filter((id) => ids.has(id)) };
  }
  if (call.do === "list" && call.answer) {
    return { ...call, limit: null, answer: call.answer.filter(({ id }) => ids.has(id)) };
  }
  return call;
}

/** The number of the moment that comes before this one, for a call of two; else -1. */
function firstMoment(event: Event): number {
  if (event.is === "touch") return event.read;
  return event.is === "end if" ? (event.clear ?? -1) : -1;
}

function timed(call: Call, event: Event, after: number): Timed {
  const { start, end, notAfter, answer } = call;
  const optional = answer === undefined;
  const until = event.is === "spare" && call.do === "clear" ? (call.knownBy ?? end) : end;
  return {
    event,
    start,
    end: optional ? Number.POSITIVE_INFINITY : until,
    notAfter: optional ? notAfter : until,
    optional,
    after,
  };
}

/** The same effect, of which no answer tells; null for what has none. */
function unanswered(event: Event, call: Call): Event | null {
  if (event.is === "spare" && call.do === "clear") {
    return { is: "end if", of: call.of, except: event.except, clear: null };
  }
  switch (event.is) {
    case "read":
      return { is: "change", id: event.id, values: {}, unset: [], idle: null }; // its touch

    case "create":
    case "change":
    case "rotate":
    case "end":
    case "change if":
    case "end if": {
      const { answer, ...rest } = event;
      return rest as Event;
    }
    default:
      return null;
  }
}

function ofSession(call: Call, ids: ReadonlySet<string>, number: number): Event[] {
  if (isOfSet(call) || !ids.has(call.id)) return [];
  const { by, start, end, notAfter, again, do: is, ...rest } = call;
  switch (call.do) {
    case "get": {
      const { id, fields, answer, touch } = call;
      if (answer === undefined)
        return touch ? [{ is: "change", id, values: {}, unset: [], idle: null }] : [];
      const read: Event = { is: "read", id, fields, answer, touch: touch ? number : null };
      return touch ? [read, { is: "touch", id, answer, read: number }] : [read];
    }
    case "has":
      return call.answer === undefined ? [] : [{ ...rest, is } as Event];
    default:
      return [{ ...rest, is } as Event];
  }
}

function ofSet(call: SetCall, ids: ReadonlySet<string>, number: number): Event[] {
  const { of } = call;
  switch (call.do) {
    case "size":
      return call.answer === undefined ? [] : [{ is: "count", of }];
    case "ids":
      return call.answer
        ? [
            given(
              of,
              call.answer.find((id) => ids.has(id)),
            ),
          ]
        : [];
    case "list": {
      if (!call.answer) return [];
      const seen = call.answer.find(({ id }) => ids.has(id));
      const full = call.limit !== null && call.answer.length >= call.limit;
      return seen || !full ? [given(of, seen)] : [];
    }
    case "change all":
      return [{ is: "change if", of, values: call.values, unset: call.unset }];
    default:
      return cleared(call, ids, number);
  }
}

/** A session that is to be left alone is known at one moment, and the end is another. */
function cleared(
  { of, except, knownBy, answer }: Extract<Call, { do: "clear" }>,
  ids: ReadonlySet<string>,
  number: number,
): Event[] {
  if (except === null || !ids.has(except)) return [{ is: "end if", of, except: null, clear: null }];
  if (knownBy === undefined || answer === undefined)
    return [{ is: "end if", of, except, clear: null }];
  return [
    { is: "spare", except, clear: number },
    { is: "end if", of, except: null, clear: number },
  ];
}

function given(of: Of, answer: Seen | string | undefined): Event {
  return answer === undefined ? { is: "count", of, answer: false } : { is: "member", of, answer };
}
