/* Short words for the calls of a history, for tests of the checker. */
import { describe, expect, test } from "vitest";
import type {
  Action,
  Call,
  Data,
  Heard,
  History,
  Limit,
  Of,
  Refused,
  Seen,
  Watch,
} from "./calls.ts";
import { check } from "./checker.ts";
import { shrinkHistory } from "./shrink.ts";

export const IDLE = 1000;
export const ABSOLUTE = 5000;
export const USER = { field: "user_id", value: 1 };
export const TEAM = { field: "team_ids", value: "a" };

export type When = readonly [start: number, end: number];

/** A call of one process: as long as nothing else is said, its effect was at its start. */
export function call([start, end]: When, action: Action, more: Partial<Call> = {}): Call {
  return { by: 1, start, end, notAfter: end, again: false, ...action, ...more } as Call;
}

/** The ids that the session `s` was rotated to. */
const LATER = ["t", "u", "v", "w"];

/** A session as it is given, last seen at a moment. */
export function as(id: string, data: Data, lastSeenAt = 0, more: Partial<Seen> = {}): Seen {
  const lineage = LATER.includes(id) ? "s" : id;
  const expiresAt = Math.min(lastSeenAt + IDLE, ABSOLUTE);
  const times = { createdAt: 0, lastSeenAt, expiresAt, absoluteDeadline: ABSOLUTE };
  return { id, lineage, data, ...times, ...more };
}

/** A session that has taken the place of another one at a moment. */
export function fresh(id: string, data: Data, createdAt: number): Seen {
  const absoluteDeadline = createdAt + ABSOLUTE;
  return { ...as(id, data, createdAt), lineage: id, createdAt, absoluteDeadline };
}

export const DATA = { user_id: 1, team_ids: ["a", "b"] };

export function created(id = "s", data: Data = DATA): Call {
  const times = { idle: IDLE, absolute: ABSOLUTE };
  return call([0, 0.9], { do: "create", id, values: data, ...times, answer: as(id, data) });
}

export function got(when: When, answer: Seen | null, id = "s"): Call {
  return call(when, { do: "get", id, fields: null, touch: false, byName: false, answer });
}

/** By a name: an id or the first one. */
export function gotNamed(when: When, answer: Seen | null, id = "s"): Call {
  return call(when, { do: "get", id, fields: null, touch: false, byName: true, answer });
}

export function set(when: When, values: Data, answer = true, id = "s"): Call {
  return call(when, { do: "change", id, values, unset: [], idle: null, answer });
}

export function rotated(
  when: When,
  to: string,
  answer: Seen | "ended" | Refused | null,
  values: Data = {},
  grace = 50,
  id = "s",
): Call {
  const times = { idle: IDLE, absolute: ABSOLUTE };
  return call(when, { do: "rotate", id, to, values, grace, ...times, answer });
}

export function signedIn(
  when: When,
  to: string,
  answer: Seen | Refused,
  values: Data = { user_id: 1 },
  keep: string[] = [],
  id = "s",
): Call {
  const times = { idle: IDLE, absolute: ABSOLUTE };
  return call(when, { do: "sign in", id, to, values, keep, ...times, answer });
}

export function ended(when: When, answer = true, id = "s"): Call {
  return call(when, { do: "end", id, of: null, byName: false, answer });
}

export function cleared(
  when: When,
  answer: number,
  except: string | null = null,
  of = USER as Of,
): Call {
  return call(when, { do: "clear", of, except, answer });
}

export function listed(when: When, ...answer: Seen[]): Call {
  return call(when, { do: "list", of: USER, limit: null, answer });
}

export function history(...calls: Call[]): History {
  return { calls, watches: [], limits: {}, isOneShard: true, slack: 0 };
}

/** A history of sessions of users who may have so many. */
export function limited(whenFull: Limit["whenFull"], limit: number, ...calls: Call[]): History {
  return { ...history(...calls), limits: { user_id: { limit, whenFull } } };
}

/** The same, over several shards. */
export function overShards(one: History): History {
  return { ...one, isOneShard: false };
}

/** The same, heard by those who watch. */
export function watchedBy(one: History, ...watches: Watch[]): History {
  return { ...one, watches };
}

/** A session `id` that is watched, and heard to have ended at a moment: soon after, if nothing else is said. */
export function heard(id: string, how: string, at: number, more: Partial<Heard> = {}): Watch {
  const names = { id, lineage: LATER.includes(id) ? "s" : id };
  const ending = { ...names, how, reason: null, at, heardAt: at + 2, ...more };
  return { by: 2, id, start: 1, end: 2, heard: [ending] };
}

/** A call that goes by what was read at a moment. */
export function asOf(moment: number, one: Call): Call {
  return { ...one, asOf: moment } as Call;
}

/** What ends a session with a reason. */
export function because(reason: string, one: Call): Call {
  return { ...one, reason };
}

/** A session was made at a moment, and of the time when credentials were read. */
export function madeAt(when: When, id: string, more: Partial<Call> = {}, data: Data = DATA): Call {
  const times = { idle: IDLE, absolute: ABSOLUTE };
  const answer = fresh(id, data, when[0]);
  return call(when, { do: "create", id, values: data, ...times, answer }, more);
}

/** A session that was not let into a set. */
export function refused(
  when: When,
  answer: "cleared" | "full",
  more: Partial<Call> = {},
  data: Data = DATA,
): Call {
  const times = { idle: IDLE, absolute: ABSOLUTE };
  return call(when, { do: "create", id: "refused", values: data, ...times, answer }, more);
}

export function trimmed(when: When, keep: number, answer: number, reason?: string): Call {
  return call(when, { do: "trim", of: USER, keep, answer }, reason === undefined ? {} : { reason });
}

/** All sessions of the team become those of user 1. */
export function movedAll(when: When, answer: number | "full"): Call {
  return call(when, { do: "change all", of: TEAM, values: { user_id: 1 }, unset: [], answer });
}

export function sized(when: When, answer: number): Call {
  return call(when, { do: "size", of: USER, answer });
}

/** A call that failed: it may be carried out until a moment. */
export function failed({ answer, ...rest }: Call, notAfter: number): Call {
  return { ...rest, notAfter } as Call;
}

/** Histories that can be explained, and those that break a rule. */
export type Good = Record<string, History>;
export type Bad = Record<string, readonly [rule: string, bad: History]>;

/** Tests that the checker accepts the good ones and refuses the bad ones, also made short. */
export function testChecker(good: Good, bad: Bad): void {
  describe("The checker accepts", () => {
    test.each(Object.entries(good))("%s", (_, history) => {
      expect(check(history)).toBeNull();
    });
  });

  describe("The checker refuses", () => {
    test.each(Object.entries(bad))("%s", (_, [rule, history]) => {
      expect(check(history)?.rule).toBe(rule);
    });
  });

  describe("Shrinking a refused history", () => {
    test.each(Object.entries(bad))("keeps %s", (_, [rule, history]) => {
      const least = shrinkHistory(history);
      expect(check(least)?.rule).toBe(rule);
      expect(least.calls.length).toBeLessThanOrEqual(history.calls.length);
    });
  });
}
