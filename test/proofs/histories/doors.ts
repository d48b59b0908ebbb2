/* The rules of a history about who may enter a set, and who is ended for that or by a trim. */
import { computeBounds, mayBe, putFirst, type Window } from "./bounds.ts";
import { type Call, type History, isRefusal, isSeen, type Of } from "./calls.ts";
import type { Refusal } from "./checker.ts";
import { listValues } from "./data.ts";
import { type Entry, isCounted, isDisturbed, isOwn } from "./entering.ts";
import { type HeardOf, listEntriesAt } from "./hearing.ts";
import type { Known, Lineage, SetCall } from "./lineage.ts";

const HOUR = 3_600_000;
/** How much earlier a moment counts at which credentials were read than it says (ms). */
const MARGIN = 2000;

type Dated = Extract<Call, { do: "create" | "sign in" | "rotate" }>;

/** Each refusal of what goes by `asOf` has a clear that explains it, and what is too old is refused. */
export function checkCleared({ calls, slack }: History): Refusal | null {
  for (const call of calls) {
    if (call.do !== "create" && call.do !== "sign in" && call.do !== "rotate") continue;
    const { asOf, answer, start } = call;
    const isOld = asOf !== undefined && asOf - MARGIN < start - HOUR - slack;
    if (isOld && isSeen(answer)) {
      return { rule: "cleared", about: "it goes by what is too old", calls: putFirst(call, calls) };
    }
    const mayBeOld = asOf !== undefined && asOf - MARGIN < call.end - HOUR + slack;
    if (answer !== "cleared" || mayBeOld) continue;
    if (!calls.some((other) => other.do === "clear" && mayHinder(other, call, slack))) {
      const about = "no set that it would enter was cleared";
      return { rule: "cleared", about, calls: putFirst(call, calls) };
    }
  }
  return null;
}

/** Whether a clear may be why a session was not let in. */
function mayHinder(clear: Extract<Call, { do: "clear" }>, call: Dated, slack: number): boolean {
  if (call.asOf === undefined || clear.start - slack > call.end + slack) return false;
  const { field, value } = clear.of;
  const end = clear.answer === undefined ? clear.notAfter : clear.end;
  const isSince = end + slack >= Math.min(call.asOf, call.start - slack) - MARGIN - 1;
  // What a sign-in would have kept isn't known.
  const mayKeep = call.do === "sign in" && call.keep.includes(field);
  return isSince && (mayKeep || listValues(call.values[field]).includes(value));
}

/** All rules about limits and trims, where an order explains each session. */
export function checkLimits(
  known: Known,
  lineages: readonly Lineage[],
  hits: ReadonlyMap<SetCall | Entry, number>,
): Refusal | null {
  return (
    checkReads(known) ??
    checkEntries(known, lineages, hits) ??
    checkChangesOfAll(known, lineages) ??
    checkTrims(known, lineages) ??
    checkEnded(known, lineages)
  );
}

/** No read of a set gives more than its limit allows. */
function checkReads({ history, entries }: Known): Refusal | null {
  const { calls, limits } = history;
  for (const call of calls) {
    if (call.do !== "size" && call.do !== "ids" && call.do !== "list") continue;
    const limit = limits[call.of.field]?.limit;
    if (limit === undefined || call.answer === undefined) continue;
    const found = typeof call.answer === "number" ? call.answer : call.answer.length;
    const most = limit + countMore(call, entries, history);
    if (found > most) {
      return {
        rule: "limit",
        about: `${found} are more than ${most}`,
        calls: putFirst(call, calls),
      };
    }
  }
  return null;
}

/** How many sessions more than its limit allows a read of a set may have found. */
function countMore(
  call: Extract<Call, { do: "size" | "ids" | "list" }>,
  entries: readonly Entry[],
  history: History,
): number {
  const isOneStep = call.do === "size" || (call.do === "list" && call.limit !== null);
  if (history.isOneShard && isOneStep) return 0;
  const into = entries.filter(({ of }) => isSameSet(of, call.of));
  if (into.some((one) => isBeside(one, call, history))) return Number.POSITIVE_INFINITY;
  const hasAll = history.calls.some(
    (other) =>
      other.do === "change all" &&
      listValues(other.values[call.of.field]).includes(call.of.value) &&
      other.start <= call.end &&
      isDisturbed(other, history),
  );
  if (hasAll && !history.isOneShard) return Number.POSITIVE_INFINITY;
  // What failed may have let one in, and not have come to end another one for it.
  return history.isOneShard ? 0 : into.filter((one) => isUnfinished(one, call)).length;
}

/** Whether an entry may be under way while another call is. */
function isBeside({ call }: Entry, other: Call, { slack }: History): boolean {
  const end = call.answer === undefined ? call.notAfter : call.end;
  return call.start <= other.end + 2 * slack && end >= other.start - 2 * slack;
}

function isUnfinished({ call }: Entry, before: Call): boolean {
  return (call.answer === undefined || call.again) && call.start <= before.end;
}

/** A set that has refused a session was full, and one that has let it in was not. */
function checkEntries(
  { history, entries }: Known,
  lineages: readonly Lineage[],
  hits: ReadonlyMap<SetCall | Entry, number>,
): Refusal | null {
  const { calls, slack } = history;
  const refused = new Map<Call, boolean>();
  for (const entry of entries) {
    const { call, limit, of } = entry;
    if (!isCounted(entry, history)) continue;
    const found = hits.get(entry) ?? 0;
    const bounds = () => computeBounds(entry, lineages, slack);
    if (call.answer === "full") {
      const mayBeFull = found >= limit.limit || bounds()[1] >= limit.limit;
      refused.set(call, (refused.get(call) ?? false) || mayBeFull);
    } else if (
      found >= limit.limit &&
      bounds()[0] >= limit.limit &&
      !wasIn(entry, lineages, slack)
    ) {
      const about = `the set of ${of.field} was full`;
      return { rule: "limit", about, calls: putFirst(call, calls) };
    }
  }
  const wrong = [...refused].find(([, mayBeFull]) => !mayBeFull);
  if (!wrong) return null;
  return { rule: "limit", about: "no set was full", calls: putFirst(wrong[0], calls) };
}

/** Whether the session that enters may have been in the set before. */
function wasIn({ call, of }: Entry, lineages: readonly Lineage[], slack: number): boolean {
  const own = lineages.find((one) => isOwn({ call } as Entry, one.ids) && one.maker !== call);
  return own !== undefined && mayBe(own, of, { from: call.start, to: call.end }, true, slack);
}

/** A change of all sessions of a set was refused where a value would have had too many. */
function checkChangesOfAll({ history }: Known, lineages: readonly Lineage[]): Refusal | null {
  const { calls, limits, slack } = history;
  for (const call of calls) {
    if (call.do !== "change all" || call.answer !== "full" || call.again) continue;
    const window = { from: call.start, to: call.end };
    const isFull = Object.entries(limits).some(([field, { limit }]) =>
      listValues(call.values[field]).some((value) => {
        const mayBeIn = (one: Lineage, of: Of) => mayBe(one, of, window, true, slack);
        const found = lineages.filter(
          (one) => mayBeIn(one, { field, value }) || mayBeIn(one, call.of),
        );
        return found.length > limit;
      }),
    );
    if (!isFull) return { rule: "limit", about: "no set was full", calls: putFirst(call, calls) };
  }
  return null;
}

/** Of those that were there before a trim, no more stay than it keeps. */
function checkTrims({ history }: Known, lineages: readonly Lineage[]): Refusal | null {
  const { calls, slack } = history;
  for (const call of calls) {
    if (call.do !== "trim" || call.answer === undefined || call.again) continue;
    const stayed = lineages.filter((one) => hasStayed(one, call, slack)).length;
    if (stayed > call.keep) {
      const about = `${stayed} were there before and after, not ${call.keep}`;
      return { rule: "trim", about, calls: putFirst(call, calls) };
    }
  }
  return null;
}

/** Whether a session must have been in the set of a call all the time. */
function hasStayed(one: Lineage, { of, start, end }: SetCall, slack: number): boolean {
  const isChanged = one.calls.some(
    (call) =>
      call.start <= end + slack &&
      (call.answer === undefined ? call.notAfter : call.end) >= start - slack &&
      changes(call, of.field),
  );
  if (isChanged) return false;
  return [start, end].every((at) => !mayBe(one, of, { from: at, to: at }, false, slack));
}

function changes(call: Call, field: string): boolean {
  const { values = {}, unset = [] } = call as Partial<Extract<Call, { do: "change" }>>;
  return field in values || unset.includes(field);
}

/** What a limit or a trim has ended has left as many as may stay, and those were younger. */
function checkEnded(known: Known, lineages: readonly Lineage[]): Refusal | null {
  const { calls } = known.history;
  for (const one of lineages) {
    const told = known.heard
      .get(one.first)
      ?.find(({ heard }) => ENDED_FOR_OTHERS.includes(heard.how));
    if (!told || one.maker?.again) continue;
    const wanted = told.heard.how === "limit" ? listLimited(known, told) : listTrimmed(told);
    const isRight = wanted.some(({ of, window, most, anyAge }) => {
      const others = lineages.filter(
        (other) => other !== one && (anyAge || mayBeYounger(other, one)),
      );
      let count = 0;
      for (const other of others) {
        if (mayBe(other, of, window, true, known.history.slack) && ++count >= most) return true;
      }
      return false;
    });
    if (!isRight) {
      const about = `too few younger ones were left when ${one.first} ended`;
      return { rule: told.heard.how === "limit" ? "limit" : "trim", about, calls };
    }
  }
  return null;
}

const ENDED_FOR_OTHERS = ["limit", "trim"];

/** How many others a set must have had when a session was ended for them. */
interface Wanted {
  readonly of: Of;
  readonly window: Window;
  readonly most: number;
  /** Whether they need not be younger. */
  readonly anyAge: boolean;
}

function listLimited({ history, entries }: Known, { heard: { at } }: HeardOf): Wanted[] {
  const { isOneShard, slack } = history;
  const ending = listEntriesAt(entries, at, slack).filter(
    ({ limit }) => !isOneShard || limit.whenFull === "end-oldest",
  );
  return ending.map(({ call, of, limit }) => ({
    of,
    window: { from: isOneShard ? at : call.start, to: at + 1 },
    most: limit.limit,
    anyAge: limit.whenFull === "reject",
  }));
}

function listTrimmed({ heard: { at }, cause }: HeardOf): Wanted[] {
  if (cause?.do !== "trim") return [];
  const { of, start, keep } = cause;
  return [{ of, window: { from: start, to: at + 1 }, most: keep, anyAge: false }];
}

/** Whether one session may have been created after another one. */
function mayBeYounger(one: Lineage, other: Lineage): boolean {
  const [from, to] = [findCreation(other)[0], findCreation(one)[1]];
  return to >= from;
}

/** When a session was created, at the earliest and at the latest. */
function findCreation({ maker }: Lineage): [from: number, to: number] {
  if (!maker) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const { answer, start, notAfter } = maker;
  if (isSeen(answer) && !maker.again) return [answer.createdAt, answer.createdAt];
  return [start - 2, isRefusal(answer) ? maker.end + 2 : notAfter + 2];
}

function isSameSet(one: Of, other: Of): boolean {
  return one.field === other.field && one.value === other.value;
}
