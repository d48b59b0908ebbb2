/*
 * Decides whether a history can be explained. Rules:
 *
 * - order: for each session there is an order of the calls, each at one moment between its start and
 *   its end, that explains all answers. A call of a set is, to each session, one such
 *   moment: it was given, changed or ended if it was in the set then (I5), and so a session that
 *   was in the set all the time is never passed over. I4, I6 and I7 follow from the model.
 * - count: a number of sessions lies between those that must and those that may have been meant. One that
 *   was made again meanwhile, by a command that arrived twice, may count twice where it is ended or changed.
 * - twice: a set gives no session twice.
 * - sorted: `list` gives the most recently seen first, a page of it the latest deadline, and no more than
 *   its limit.
 * - stranger: a call of the history has made each session that was given.
 * - lineage: a session is given with its first id.
 * - ending: who watches a session hears of its end, once, and by which call; and when that was heard, the
 *   session had ended, by that call (order).
 * - cleared: who goes by what was read before a clear of a set, and only who does, is not let into it. (A
 *   login that was let in came before each such clear: order.)
 * - limit: a set has no more sessions than its limit allows: on one shard never, on several once parallel
 *   calls have returned. One that is refused was full. What a limit ends leaves as many younger ones.
 * - trim: as many as are to be kept are left, and no more of those that were there before.
 *
 * A sign-in, and a rotation that names another user, is two things: it ends one session and makes
 * another. Each is explained by itself; both at the moment at which the other one was created.
 */
import { computeBounds, putFirst } from "./bounds.ts";
import type { Call, History } from "./calls.ts";
import { checkCleared, checkLimits } from "./doors.ts";
import { type Entry, listEntries } from "./entering.ts";
import { findUnheard, groupHeard } from "./hearing.ts";
import { createLineage, isOfSet, type Known, type Lineage, type SetCall } from "./lineage.ts";
import { explain } from "./order.ts";
import { findMadeId, listChoices, listSeen, type Replacing } from "./replacing.ts";

export interface Refusal {
  readonly rule:
    | ("order" | "count" | "twice" | "sorted" | "stranger" | "lineage")
    | ("ending" | "cleared" | "limit" | "trim");
  readonly about: string;
  /** The calls that it is about, in no order. */
  readonly calls: readonly Call[];
}

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
  const { calls } = history;
  return (
    checkStrangers(calls, lineages) ??
    checkGiven(calls, lineages) ??
    checkHeard(history, lineages) ??
    checkCleared(history) ??
    checkOrders({
      history,
      firsts: lineages,
      replacing,
      entries: listEntries(history),
      heard: groupHeard(history, lineages),
    })
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
      const renews = call.do === "rotate" && call.to !== "" && !replacing.has(call);
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

/** Each watch has heard of one ending, by a call that there is. */
function checkHeard(history: History, firsts: Map<string, string>): Refusal | null {
  const about = findUnheard(history, firsts);
  return about === null ? null : { rule: "ending", about, calls: history.calls };
}

function checkOrders(known: Known): Refusal | null {
  const { history, firsts } = known;
  const { calls, slack } = history;
  const hits = new Map<SetCall | Entry, number>();
  const lineages = [...new Set(firsts.values())].map((first) => createLineage(first, known));
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
  return checkCounts(calls, lineages, hits, slack) ?? checkLimits(known, lineages, hits);
}

function checkCounts(
  calls: readonly Call[],
  lineages: readonly Lineage[],
  hits: ReadonlyMap<SetCall | Entry, number>,
  slack: number,
): Refusal | null {
  for (const call of calls) {
    const counted = readCount(call);
    if (counted === null || !isOfSet(call) || counted === (hits.get(call) ?? 0)) continue;
    const [least, most] = computeBounds(call, lineages, slack);
    if (counted < least || counted > most) {
      const about = `${counted} is not between ${least} and ${most}`;
      return { rule: "count", about, calls: putFirst(call, calls) };
    }
  }
  return null;
}

/** A number that says how many; not where parts of the call may have been done before. */
function readCount(call: Call): number | null {
  switch (call.do) {
    case "size":
    case "change all":
    case "clear":
    case "trim":
      return !call.again && typeof call.answer === "number" ? call.answer : null;
    default:
      return null;
  }
}
