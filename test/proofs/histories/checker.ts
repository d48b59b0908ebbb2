/*
 * Decides whether a history can be explained. Rules:
 *
 * - order: for each session there is an order of the calls, each at one moment between its start and
 *   its end, that explains all answers. A call of a set is, to each session, one such
 *   moment: it was given, changed or ended if it was in the set then (I5), and so a session that
 *   was in the set all the time is never passed over. I4, I6 and I7 follow from the model.
 * - count: a number of sessions lies between those that must and those that may have been meant.
 * - twice: a set gives no session twice.
 * - sorted: `list` gives the most recently seen first, a page of it the latest deadline, and no more than
 *   its limit.
 * - stranger: a call of the history has made each session that was given.
 * - lineage: a session is given with its first id.
 *
 * A sign-in, and a rotation that names another user, is two things: it ends one session and makes
 * another. Each is explained by itself; both at the moment at which the other one was created.
 */
import type { Call, History, Of, Seen } from "./calls.ts";
import { pickKept, toReplacement, UNKNOWN } from "./data.ts";
import type { Event } from "./events.ts";
import { explain, type Timed } from "./order.ts";
import { findMadeId, listChoices, listSeen, type Replacing } from "./replacing.ts";

export interface Refusal {
  readonly rule: "order" | "count" | "twice" | "sorted" | "stranger" | "lineage";
  readonly about: string;
  /** The calls that it is about, in no order. */
  readonly calls: readonly Call[];
}

type SetCall = Extract<Call, { do: "size" | "ids" | "list" | "change all" | "clear" }>;

/** Why a history cannot be explained, or null. */
export function check(history: History): Refusal | null {
  let refusal: Refusal | null = null;
  for (const replacing of listChoices(history.calls)) {
    refusal = checkAs(history, replacing);
    if (!refusal) return null;
  }
  return refusal;
}

/** Where the rotations in `replacing` have put other sessions in the place of those they came to. */
function checkAs(history: History, replacing: Replacing): Refusal | null {
  const lineages = mapLineages(history.calls, replacing);
  return (
    checkStrangers(history.calls, lineages) ??
    checkGiven(history.calls, lineages) ??
    checkOrders(history, lineages, replacing)
  );
}

/** By each id, the first id of the session that had it. */
function mapLineages(calls: readonly Call[], replacing: Replacing): Map<string, string> {
  const firsts = new Map<string, string>();
  for (const call of calls) {
    const made = findMadeId(call, replacing);
    if (made !== null) firsts.set(made, made);
  }
  // Rotations are known by their old ids, in whatever order they were recorded.
  for (let known = -1; known < firsts.size; ) {
    known = firsts.size;
    for (const call of calls) {
      const renews = call.do === "rotate" && !replacing.has(call);
      const first = renews ? firsts.get(call.id) : undefined;
      if (renews && first !== undefined) firsts.set(call.to, first);
    }
  }
  return firsts;
}

function checkStrangers(calls: readonly Call[], lineages: Map<string, string>): Refusal | null {
  for (const call of calls) {
    const stranger = listGivenIds(call).find((id) => !lineages.has(id));
    if (stranger) {
      return { rule: "stranger", about: `nobody made ${stranger}`, calls: [call] };
    }
    const wrong = listSeen(call).find(({ id, lineage }) => lineages.get(id) !== lineage);
    if (wrong) {
      const about = `${wrong.id} was ${lineages.get(wrong.id)} first, not ${wrong.lineage}`;
      return { rule: "lineage", about, calls: [call] };
    }
  }
  return null;
}

/** The ids of the sessions that a call gave. */
function listGivenIds(call: Call): readonly string[] {
  return call.do === "ids" ? (call.answer ?? []) : listSeen(call).map(({ id }) => id);
}

function checkGiven(calls: readonly Call[], lineages: Map<string, string>): Refusal | null {
  for (const call of calls) {
    if (call.do !== "list" && call.do !== "ids") continue;
    const firsts = listGivenIds(call).map((id) => lineages.get(id));
    if (new Set(firsts).size < firsts.length) {
      return { rule: "twice", about: "a session was given twice", calls: [call] };
    }
    if (call.do !== "list" || call.limit === null || !call.answer) continue;
    const { order = "lastSeenAt" } = call;
    const times = call.answer.map((seen) => seen[order]);
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

function checkOrders(
  { calls, slack }: History,
  firsts: Map<string, string>,
  replacing: Replacing,
): Refusal | null {
  const hits = new Map<SetCall, number>();
  const lineages = [...new Set(firsts.values())].map((first) =>
    listEvents(first, calls, firsts, replacing),
  );
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
    const counted = readCount(call);
    if (counted === null || !isOfSet(call) || counted === (hits.get(call) ?? 0)) continue;
    const [least, most] = computeBounds(call, lineages, slack);
    if (counted < least || counted > most) {
      const about = `${counted} is not between ${least} and ${most}`;
      return { rule: "count", about, calls: [call, ...calls.filter((other) => other !== call)] };
    }
  }
  return null;
}

/** How many sessions must and may have been in the set, each at a moment of its own. */
function computeBounds(
  call: SetCall,
  lineages: readonly Lineage[],
  slack: number,
): [number, number] {
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
function readCount(call: Call): number | null {
  const counts = call.do === "size" || call.do === "change all" || call.do === "clear";
  return counts && !call.again ? (call.answer ?? null) : null;
}

function isOfSet(call: Call): call is SetCall {
  return ["size", "ids", "list", "change all", "clear"].includes(call.do);
}

/** The events of all calls, as one session sees them. */
function listEvents(
  first: string,
  all: readonly Call[],
  firsts: Map<string, string>,
  replacing: Replacing,
): Lineage {
  const ids = new Set([...firsts].filter(([, one]) => one === first).map(([id]) => id));
  const events: Timed[] = [];
  const numbers = new Map<SetCall, number>();
  const calls: Call[] = [];
  for (const call of all) {
    const made = findMadeId(call, replacing);
    const own =
      made !== null && ids.has(made)
        ? listTimedCreations(call, firsts)
        : listTimedEvents(call, ids, events.length, replacing);
    if (own.length === 0) continue;
    calls.push(restrictTo(call, ids));
    const number = own.findIndex(({ event }) => event.is !== "spare");
    if (isOfSet(call)) numbers.set(call, events.length + number);
    events.push(...own);
  }
  return { first, events, numbers, calls };
}

/** The events of one call, as one session sees them; `number` is that of the first event. */
function listTimedEvents(
  call: Call,
  ids: ReadonlySet<string>,
  number: number,
  replacing: Replacing,
): Timed[] {
  const own = isOfSet(call)
    ? listSetEvents(call, ids, number)
    : listSessionEvents(call, ids, number, replacing);
  const events = own.map((event) => toTimed(call, event, findFirstMoment(event)));
  const again = call.again && own[0] ? removeAnswer(own[0], call) : null;
  return again ? [...events, { ...toTimed(call, again, -1), optional: true }] : events;
}

/** The events of the call that made a session, perhaps in the place of another. */
function listTimedCreations(call: Call, firsts: ReadonlyMap<string, string>): Timed[] {
  const [seen] = listSeen(call);
  const answered = seen ? [toTimed(call, toCreation(call, firsts, seen), -1)] : [];
  const mayBeUnanswered = call.again || !seen;
  if (!mayBeUnanswered) return answered;
  return [...answered, { ...toTimed(call, toCreation(call, firsts), -1), optional: true }];
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

/** The number of the moment that comes before this one, for a call of two; else -1. */
function findFirstMoment(event: Event): number {
  if (event.is === "touch") return event.read;
  return event.is === "end if" ? (event.clear ?? -1) : -1;
}

function toTimed(call: Call, event: Event, after: number): Timed {
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
  replacing: Replacing,
): Event[] {
  if (isOfSet(call) || call.do === "create" || !ids.has(call.id)) return [];
  const { by, start, end, notAfter, again, do: is, ...rest } = call;
  switch (call.do) {
    case "get":
      return listReadEvents(call, number);
    case "has":
      return call.answer === undefined ? [] : [{ ...rest, is } as Event];
    case "rotate":
      return [{ ...rest, is, replaces: replacing.has(call) } as Event];
    case "sign in":
      return [toSupersede(call)];
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
  if (!answer || again) return { is: "supersede", id, values, keep };
  const kept = pickKept(answer.data, keep, values);
  return { is: "supersede", id, values, keep, kept, at: answer.createdAt };
}

function listSetEvents(call: SetCall, ids: ReadonlySet<string>, number: number): Event[] {
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
      return [{ is: "change if", of, values: call.values, unset: call.unset }];
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
