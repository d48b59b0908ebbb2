/*
 * Which calls make sessions. Of a rotation that names a user its answer tells, or what was seen of
 * its new id by others; where nothing does, it is tried both ways.
 */
import { type Call, isSeen, type Seen } from "./calls.ts";
import { mayReplace } from "./data.ts";

/** The rotations that put another session in the place of one. */
export type Replacing = ReadonlySet<Call>;

/** Each set of rotations that may be those. */
export function listChoices(calls: readonly Call[]): Replacing[] {
  const seen = calls.flatMap(listSeen);
  let all: Call[][] = [[]];
  for (const call of calls) {
    if (call.do !== "rotate") continue;
    const replaces = decideReplacing(call, seen);
    if (replaces === true) all = all.map((some) => [...some, call]);
    if (replaces === null) all = [...all, ...all.map((some) => [...some, call])];
  }
  return all.map((some) => new Set(some));
}

/** Whether a rotation replaces the session; null where nobody knows. */
function decideReplacing(
  { to, values, answer, again }: Extract<Call, { do: "rotate" }>,
  seen: readonly Seen[],
): boolean | null {
  const perhapsDone = answer === undefined || again || answer === "full";
  if (!mayReplace(values) || (!isSeen(answer) && !perhapsDone)) return false;
  if (isSeen(answer)) return answer.lineage === to;
  if (seen.some(({ lineage }) => lineage === to)) return true;
  return seen.some(({ id }) => id === to) ? false : null;
}

/** The first id of a session that a call makes, or may have made. */
export function findMadeId(call: Call, replacing: Replacing): string | null {
  if (call.do === "create") return call.id || null;
  const makes = call.do === "sign in" || (call.do === "rotate" && replacing.has(call));
  return (makes && call.to) || null;
}

/** The sessions that a call gave. */
export function listSeen(call: Call): readonly Seen[] {
  switch (call.do) {
    case "create":
    case "get":
    case "rotate":
    case "sign in":
      return isSeen(call.answer) ? [call.answer] : [];
    case "list":
      return call.answer ?? [];
    default:
      return [];
  }
}
