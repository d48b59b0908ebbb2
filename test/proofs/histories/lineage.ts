/*
 * One session of a history, as all calls and all that was heard see it: events, each at a moment of its
 * own, which `order.ts` brings into an order.
 */
import { type Call, type History, isRefusal, isSeen, type Of, type Seen } from "./calls.ts";
import { listValues, pickKept, toReplacement, UNKNOWN } from "./data.ts";
import { type Entry, isDisturbed, toLimitEvent } from "./entering.ts";
import type { Event } from "./events.ts";
import { type HeardOf, isTold, listHeardEvents, narrowByHeard, type Sourced } from "./hearing.ts";
import type { Timed } from "./order.ts";
import { findMadeId, listSeen, type Replacing } from "./replacing.ts";

export type SetCall = Extract<
  Call,
  { do: "size" | "ids" | "list" | "change all" | "clear" | "trim" }
>;

export function isOfSet(call: Call): call is SetCall {
  return ["size", "ids", "list", "change all", "clear", "trim"].includes(call.do);
}

/** What is known of a history before its sessions are looked at one by one. */
export interface Known {
  readonly history: History;
  /** By each id, the first id of the session that had it. */
  readonly firsts: ReadonlyMap<string, string>;
  readonly replacing: Replacing;
  readonly entries: readonly Entry[];
  /** What was heard, by the first id of the session. */
  readonly heard: ReadonlyMap<string, readonly HeardOf[]>;
}

/** One session: from its creation over all its ids to its end. */
export interface Lineage {
  readonly first: string;
  readonly ids: ReadonlySet<string>;
  readonly events: readonly Timed[];
  /** The number of the event that stands for a call of a set, or for a session that enters a set. */
  readonly numbers: ReadonlyMap<SetCall | Entry, number>;
  /** The calls that concern it. */
  readonly calls: readonly Call[];
  /** The call that has made it. */
  readonly maker: Call | undefined;
}

/** The events of all calls, as one session sees them. */
export function createLineage(first: string, known: Known): Lineage {
  const { history, firsts, replacing, entries } = known;
  const ids = new Set([...firsts].filter(([, one]) => one === first).map(([id]) => id));
  const isMaker = (call: Call) => {
    const made = findMadeId(call, replacing);
    return made !== null && ids.has(made);
  };
  const maker = history.calls.findLast(isMaker);
  const events: Sourced[] = [];
  const numbers = new Map<SetCall | Entry, number>();
  const calls = new Set<Call>();
  for (const call of history.calls) {
    const own = isMaker(call)
      ? listTimedCreations(call, known)
      : listTimedEvents(call, ids, events.length, known);
    if (own.length === 0) continue;
    calls.add(call);
    const number = own.findIndex(({ event }) => event.is !== "spare");
    if (isOfSet(call)) numbers.set(call, events.length + number);
    events.push(...own.map((one) => ({ ...one, call })));
  }
  const heard = maker?.again ? [] : (known.heard.get(first) ?? []); // it may have been made again
  for (const entry of entries) {
    const event = toLimitEvent(entry, ids, known, heard.some(isTold));
    if (!event) continue;
    calls.add(entry.call);
    numbers.set(entry, events.length);
    events.push({ ...toTimed(entry.call, event), call: entry.call });
  }
  const ordered = orderByClears(narrowByHeard(events, heard, history.slack), history);
  const creation = events.findIndex(({ event }) => event.is === "create");
  const ends = listHeardEvents(heard, ids, entries, creation, history);
  return {
    first,
    ids,
    events: [...ordered, ...ends],
    numbers,
    calls: [...calls].map((call) => restrictTo(call, ids)),
    maker,
  };
}

/** The events of one call, as one session sees them; `number` is that of the first event. */
function listTimedEvents(
  call: Call,
  ids: ReadonlySet<string>,
  number: number,
  known: Known,
): Timed[] {
  const own = isOfSet(call)
    ? listSetEvents(call, ids, number, known.history)
    : listSessionEvents(call, ids, number, known);
  const isPerhaps = isRefusal(call.answer) && (call.do === "sign in" || call.do === "change all");
  const events = own.map((event) => ({
    ...toTimed(call, event, findFirstMoments(event)),
    ...(isPerhaps ? { optional: true } : {}),
  }));
  const again = call.again && own[0] ? removeAnswer(own[0], call) : null;
  return again ? [...events, { ...toTimed(call, again), optional: true }] : events;
}

/** The events of the call that made a session, perhaps in the place of another. */
function listTimedCreations(call: Call, { firsts, history }: Known): Timed[] {
  const [seen] = listSeen(call);
  const answered = seen ? [toTimed(call, toCreation(call, firsts, seen))] : [];
  const mayHaveEntered = call.answer === "full" && !history.isOneShard;
  const mayBeUnanswered = call.again || call.answer === undefined || mayHaveEntered;
  if (!mayBeUnanswered) return answered;
  return [...answered, { ...toTimed(call, toCreation(call, firsts)), optional: true }];
}

function toCreation(call: Call, firsts: ReadonlyMap<string, string>, answer?: Seen): Event {
  const given = answer ? { answer } : {};
  switch (call.do) {
    case "create": {
      const { id, values, idle, absolute } = call;
      return { is: "create", id, values, idle, absolute, ...given };
    }
    case "rotate": {
      const { to: id, idle, absolute } = call;
      return { is: "create", id, values: toReplacement(call.values), idle, absolute, ...given };
    }
    case "sign in": {
      const { to: id, keep, idle, absolute } = call;
      const unknown = Object.fromEntries(keep.map((field) => [field, UNKNOWN]));
      // The old session explains the fields that are kept. Without one, no field is.
      const kept = firsts.has(call.id) ? pickKept(answer?.data ?? unknown, keep, call.values) : {};
      const values = { ...call.values, ...kept };
      return { is: "create", id, values, idle, absolute, ...given };
    }
    default:
      throw new Error(`${call.do} makes no session`);
  }
}

/** A call without its answers about other sessions. */
function restrictTo(call: Call, ids: ReadonlySet<string>): Call {
  if (call.do === "ids" && call.answer) {
    return { ...call, answer: call.answer.filter((id) => ids.has(id)) };
  }
  if (call.do === "list" && call.answer) {
    return { ...call, limit: null, answer: call.answer.filter(({ id }) => ids.has(id)) };
  }
  return call;
}

/** The number of the moment that comes before this one, for a call of two. */
function findFirstMoments(event: Event): number[] {
  if (event.is === "touch") return [event.read];
  return event.is === "end if" && event.clear !== null ? [event.clear] : [];
}

function toTimed(call: Call, event: Event, after: readonly number[] = []): Timed {
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

/** The same event without an answer; null for an event without an effect. */
function removeAnswer(event: Event, call: Call): Event | null {
  if (event.is === "spare" && call.do === "clear") {
    return { is: "end if", of: call.of, except: event.except, clear: null };
  }
  switch (event.is) {
    case "read":
      return { is: "change", id: event.id, values: {}, unset: [], idle: null }; // its touch

    case "change":
    case "rotate":
    case "end":
    case "change if":
    case "trim":
    case "end if": {
      const { answer, ...rest } = event;
      return rest as Event;
    }
    default:
      return null;
  }
}

function listSessionEvents(
  call: Call,
  ids: ReadonlySet<string>,
  number: number,
  { replacing, history }: Known,
): Event[] {
  if (isOfSet(call) || call.do === "create" || !ids.has(call.id)) return [];
  const { by, start, end, notAfter, again, reason, do: is, ...rest } = call;
  const mayEnter = !history.isOneShard && call.answer === "full";
  switch (call.do) {
    case "get":
      return listReadEvents(call, number);
    case "has":
      return call.answer === undefined ? [] : [{ ...rest, is } as Event];
    case "rotate":
      return [{ ...rest, is, mayEnter, replaces: replacing.has(call) } as Event];
    case "change":
      return [{ ...rest, is, mayEnter } as Event];
    case "sign in":
      // One that is refused has ended nothing, but for a moment's place in a full set.
      return isRefusal(call.answer) && !call.again && !mayEnter ? [] : [toSupersede(call)];
    default:
      return [{ ...rest, is } as Event];
  }
}

function listReadEvents(call: Extract<Call, { do: "get" }>, number: number): Event[] {
  const { id, byName, fields, answer, touch } = call;
  if (answer === undefined)
    return touch ? [{ is: "change", id, values: {}, unset: [], idle: null }] : [];
  const read: Event = { is: "read", id, byName, fields, answer, touch: touch ? number : null };
  return touch ? [read, { is: "touch", id, answer, read: number }] : [read];
}

function toSupersede({ id, values, keep, answer, again }: Extract<Call, { do: "sign in" }>): Event {
  // If it was carried out twice, its answer may be of the session as changed in between.
  if (!isSeen(answer) || again) return { is: "supersede", id, values, keep };
  const kept = pickKept(answer.data, keep, values);
  return { is: "supersede", id, values, keep, kept, at: answer.createdAt };
}

function listSetEvents(
  call: SetCall,
  ids: ReadonlySet<string>,
  number: number,
  history: History,
): Event[] {
  const { of } = call;
  switch (call.do) {
    case "size":
      return call.answer === undefined ? [] : [{ is: "count", of }];
    case "ids":
      return call.answer
        ? [
            toGiven(
              of,
              call.answer.find((id) => ids.has(id)),
            ),
          ]
        : [];
    case "list": {
      if (!call.answer) return [];
      const seen = call.answer.find(({ id }) => ids.has(id));
      const full = call.limit !== null && call.answer.length >= call.limit;
      return seen || !full ? [toGiven(of, seen)] : [];
    }
    case "change all":
      // A page may have been changed before there was no room for the next one.
      if (call.answer === "full" && !call.again && !isDisturbed(call, history)) return [];
      return [{ is: "change if", of, values: call.values, unset: call.unset }];
    case "trim":
      return [{ is: "trim", of }];
    default:
      return listClearEvents(call, ids, number);
  }
}

/** A session that is to be left alone is known at one moment, and the end is another. */
function listClearEvents(
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

function toGiven(of: Of, answer: Seen | string | undefined): Event {
  return answer === undefined ? { is: "count", of, answer: false } : { is: "member", of, answer };
}

/** How much earlier a moment counts at which credentials were read than it says (ms). */
const MARGIN = 2000;

/**
 * What was let in though it goes by what was read at `asOf` came before each clear, of one of its sets,
 * that came after that moment: else it was refused.
 */
function orderByClears(events: readonly Sourced[], { slack }: History): Timed[] {
  const entered = events.map(({ call, event }) => listDatedSets(call, event));
  return events.map((one) => {
    const { call } = one;
    if (call.do !== "clear") return one;
    const before = entered.flatMap((sets, i) => {
      const { asOf = Number.POSITIVE_INFINITY, end } = sets?.call ?? {};
      const isSince = call.start - slack >= Math.min(asOf, (end ?? 0) + slack) - MARGIN;
      return isSince && sets?.of.some((of) => isSameSet(of, call.of)) ? [i] : [];
    });
    return { ...one, after: [...one.after, ...before] };
  });
}

/** The sets that a call with `asOf` has certainly let a session into, at this event. */
function listDatedSets(call: Call, event: Event) {
  const isDated = "asOf" in call && call.asOf !== undefined && !call.again && isSeen(call.answer);
  if (!isDated || (event.is !== "create" && event.is !== "rotate")) return null;
  // A session that another one replaces enters nothing.
  if (event.is === "rotate" && event.replaces) return null;
  const data = event.is === "create" ? (call.answer as Seen).data : event.values;
  const of = Object.entries(data).flatMap(([field, value]) =>
    listValues(value).map((one): Of => ({ field, value: one })),
  );
  return { call: call as { readonly asOf: number; readonly end: number }, of };
}

function isSameSet(one: Of, other: Of): boolean {
  return one.field === other.field && one.value === other.value;
}
