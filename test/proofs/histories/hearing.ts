/*
 * What was heard of sessions that are watched: each ending once, by a call that there is. It becomes
 * events of the session: it had ended when that was heard, and by that call.
 */
import { type Call, type Heard, type History, type Of, OVER, type Watch } from "./calls.ts";
import { listValues } from "./data.ts";
import type { Entry } from "./entering.ts";
import type { Event } from "./events.ts";
import type { Timed } from "./order.ts";

/** What one watch has heard. */
export interface HeardOf {
  readonly heard: Heard;
  readonly watch: Watch;
  /** The call that has ended the session, as it was told. */
  readonly cause: Call | undefined;
}

/** An event of a session, and the call that it stands for. */
export type Sourced = Timed & { readonly call: Call };

/** Whether it was told how the session ended, and not found out that it is gone. */
export function isTold({ heard }: HeardOf): boolean {
  return isToldHow(heard);
}

function isToldHow({ how }: Heard): boolean {
  return how !== "expire" && how !== "unknown";
}

/** Why what was heard cannot be right whatever the sessions did; null for nothing. */
export function findUnheard(
  { calls, watches, limits }: History,
  firsts: ReadonlyMap<string, string>,
): string | null {
  const told = new Map<string, Heard>();
  for (const watch of watches) {
    const [heard] = watch.heard;
    const who = `${watch.by}, who watches ${watch.id},`;
    if (!heard) return `${who} has not heard of its end`;
    if (watch.heard.length > 1) return `${who} has heard of ${watch.heard.length} endings`;
    if (!isOfWatched(heard, watch, firsts)) return `${who} has heard of ${heard.lineage}`;
    const { how, reason, lineage } = heard;
    if (!isPossible(heard, calls, limits)) return `${who} has heard of ${how} for ${reason}`;
    if (!isToldHow(heard)) continue;
    const other = told.get(lineage) ?? heard;
    if (!isSameEnding(heard, other)) return `${who} has heard of ${how}, others of ${other.how}`;
    told.set(lineage, heard);
  }
  return null;
}

/** Whether it is the session that is watched. One that leads to none is known by that name alone. */
function isOfWatched(
  { how, lineage }: Heard,
  { id }: Watch,
  firsts: ReadonlyMap<string, string>,
): boolean {
  return lineage === firsts.get(id) || (how === "unknown" && lineage === id);
}

function isSameEnding(one: Heard, other: Heard): boolean {
  return one.how === other.how && one.reason === other.reason && one.at === other.at;
}

/** Whether some call gives such endings. */
function isPossible({ how, reason }: Heard, calls: readonly Call[], limits: History["limits"]) {
  switch (how) {
    case "expire":
    case "unknown":
      return reason === null;
    case "limit":
      return reason === null && Object.keys(limits).length > 0;
    default: {
      if (reason === OVER) return how === "delete";
      const cause = findCause(calls, reason);
      return cause !== undefined && listKinds(cause).includes(how);
    }
  }
}

function findCause(calls: readonly Call[], reason: string | null): Call | undefined {
  return calls.find((call) => reason !== null && call.reason === reason);
}

/** How a session may have ended by a call. */
function listKinds(call: Call): string[] {
  switch (call.do) {
    case "end":
      return ["delete"];
    case "clear":
    case "trim":
      return [call.do];
    case "sign in":
      return ["sign-in"];
    case "rotate":
      // Without a user it ends a session by an alias without grace.
      return listValues(call.values.user_id).length > 0 ? ["sign-in"] : ["delete"];
    default:
      return [];
  }
}

/** What was heard, by the first id of the session; not what the end of the history has ended. */
export function groupHeard(
  { calls, watches }: History,
  firsts: ReadonlyMap<string, string>,
): Map<string, HeardOf[]> {
  const groups = new Map<string, HeardOf[]>();
  for (const watch of watches) {
    const first = firsts.get(watch.id);
    for (const heard of watch.heard) {
      if (first === undefined || heard.reason === OVER) continue;
      const one = { heard, watch, cause: findCause(calls, heard.reason) };
      groups.set(first, [...(groups.get(first) ?? []), one]);
    }
  }
  return groups;
}

/**
 * The events, of which the one that has ended the session has done so, and when that was told. That is a
 * time of the server's. It may differ from those of the caller and of who has heard of it by `slack`.
 */
export function narrowByHeard(
  events: readonly Sourced[],
  heard: readonly HeardOf[],
  slack: number,
): Sourced[] {
  const told = heard.find(isTold);
  if (!told?.cause || told.cause.again) return [...events];
  const { at } = told.heard;
  return events.map((one) => {
    if (one.call !== told.cause) return one;
    const event = toEnding(one.event);
    if (!event) return one;
    const { start, end, notAfter } = one;
    return {
      ...one,
      event,
      start: Math.max(start, at - slack),
      end: Math.min(end, at + 1 + slack),
      notAfter: Math.min(notAfter, at + 1 + slack),
      told: { from: at, to: at + 1 },
      optional: false,
    };
  });
}

/** The same event, if it is one that may end a session, as one that has; null for any other. */
function toEnding(event: Event): Event | null {
  switch (event.is) {
    case "end":
    case "end if":
    case "trim":
      return { ...event, answer: true };
    case "supersede":
      return { ...event, ends: true };
    case "rotate":
      return event;
    default:
      return null;
  }
}

/** Events that stand for what was heard. */
export function listHeardEvents(
  heard: readonly HeardOf[],
  ids: ReadonlySet<string>,
  entries: readonly Entry[],
  creation: number,
  history: History,
): Timed[] {
  const after = creation < 0 ? [] : [creation];
  const limited = heard.find((one) => one.heard.how === "limit");
  return [
    ...(limited ? [toLimited(limited.heard, entries, after, history)] : []),
    ...heard.map(({ heard: one, watch }): Timed => {
      const until = { end: one.heardAt, notAfter: one.heardAt, optional: false };
      if (one.how === "unknown" && ids.has(watch.id) && one.lineage !== [...ids][0]) {
        const read = { is: "read", id: watch.id, fields: null, byName: true } as const;
        return {
          event: { ...read, answer: null, touch: null },
          start: watch.start,
          ...until,
          after,
        };
      }
      return { event: { is: "over" }, start: Number.NEGATIVE_INFINITY, ...until, after };
    }),
  ];
}

/** The end of a session at the limit of a set that another one was entering. */
function toLimited(
  { at }: Heard,
  entries: readonly Entry[],
  after: number[],
  { isOneShard, slack }: History,
): Timed {
  const sets = listEntriesAt(entries, at, slack)
    .filter(({ limit }) => !isOneShard || limit.whenFull === "end-oldest")
    .map(({ of }): Of => of);
  const told = { from: at, to: at + 1 };
  const last = told.to + slack;
  const times = { start: at - slack, end: last, notAfter: last, told, optional: false };
  return { event: { is: "limited", sets }, ...times, after };
}

/** The entries that may have been under way at a moment. */
export function listEntriesAt(entries: readonly Entry[], at: number, slack: number): Entry[] {
  return entries.filter(({ call }) => {
    const end = call.answer === undefined ? call.notAfter : call.end;
    return call.start - slack <= at + 1 && at <= end + slack;
  });
}
