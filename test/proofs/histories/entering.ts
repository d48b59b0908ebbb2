/*
 * Sessions that enter sets with limits, as a history shows them: which calls may have let one in, and
 * what that means for each session of the set.
 */
import type { Call, History, Limit, Of } from "./calls.ts";
import { listValues } from "./data.ts";
import type { Event } from "./events.ts";

/** A call that lets a session into a set with a limit, or was refused because the set is full. */
export interface Entry {
  readonly call: Call;
  readonly of: Of;
  readonly limit: Limit;
}

/** The entries of all calls that may have let a session in. */
export function listEntries({ calls, limits }: History): Entry[] {
  return calls.flatMap((call) => {
    if (!mayEnter(call)) return [];
    return Object.entries(limits).flatMap(([field, limit]) =>
      listValues(call.values[field]).map((value) => ({ call, of: { field, value }, limit })),
    );
  });
}

type Entering = Extract<Call, { do: "create" | "sign in" | "rotate" | "change" }>;

function mayEnter(call: Call): call is Entering {
  switch (call.do) {
    case "create":
    case "sign in":
    case "rotate":
    case "change":
      if (call.again) return true;
      return ![false, null, "ended", "cleared"].includes(call.answer as never);
    default:
      return false;
  }
}

/**
 * Whether sessions may have come into sets while all sessions of one are changed. It is counted before
 * whether there is room for those that are there.
 */
export function isDisturbed(
  call: Extract<Call, { do: "change all" }>,
  { calls, slack }: History,
): boolean {
  const findEnd = ({ answer, end, notAfter }: Call) => (answer === undefined ? notAfter : end);
  return calls.some(
    (other) =>
      other !== call &&
      ENTERING.includes(other.do) &&
      other.start <= findEnd(call) + 2 * slack &&
      findEnd(other) >= call.start - 2 * slack,
  );
}

const ENTERING: readonly Call["do"][] = ["create", "sign in", "rotate", "change", "change all"];

/** Whether a call enters the set with one of the sessions that have had these ids, or ends that. */
export function isOwn({ call }: Entry, ids: ReadonlySet<string>): boolean {
  const { id = "", to = "" } = call as { readonly id?: string; readonly to?: string };
  return ids.has(id) || ids.has(to);
}

/** Whether the number of sessions that the set has matters: it is full, or was not. */
export function isCounted({ call, limit }: Entry, { isOneShard }: History): boolean {
  if (call.again || call.answer === undefined) return false;
  return call.answer === "full" || (isOneShard && limit.whenFull === "reject");
}

/**
 * What one entry means for a session: it was in the set or not, and may have ended. Null where it means
 * nothing.
 *
 * @param isTold whether it was heard how the session ended: then no other limit has ended it.
 */
export function toLimitEvent(
  entry: Entry,
  ids: ReadonlySet<string>,
  { history }: { readonly history: History },
  isTold: boolean,
): Event | null {
  const { call, of, limit } = entry;
  const { isOneShard } = history;
  // By a token that leads nowhere any more a sign-in doesn't end the session that once had it.
  const isOld = call.do === "sign in" && ids.has(call.id);
  const isOther = isOld || !isOwn(entry, ids);
  const endsOldest = limit.whenFull === "end-oldest" && call.answer !== "full" && isOther;
  const mayEnd = (!isOneShard || endsOldest) && !isTold;
  const leaving = isOld && isOneShard ? { leaving: call.id } : {};
  const counts = isOther && isCounted(entry, history);
  return mayEnd || counts ? { is: "at limit", of, mayEnd, ...leaving } : null;
}
