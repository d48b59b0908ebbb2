/*
 * Makes a refused history as short as it can be said without making a good one bad: what is left out
 * or left open only ever allows more explanations.
 */
import type { Call, History } from "./calls.ts";
import { check } from "./checker.ts";

/** The least that the checker still refuses, by the same rule. */
export function shrinkHistory(history: History): History {
  const refusal = check(history);
  if (!refusal) throw new Error("the history can be explained");
  const refused = (calls: readonly Call[]) => check({ ...history, calls })?.rule === refusal.rule;
  let least = refused(refusal.calls) ? { ...history, calls: refusal.calls } : history;
  for (let again = true; again; ) {
    again = false;
    for (const call of [...least.calls].reverse()) {
      for (const calls of listWeaker(least.calls, call)) {
        if (!refused(calls)) continue;
        least = { ...least, calls };
        again = true;
        break;
      }
    }
  }
  return least;
}

/** The calls with one of them left out, or its answer, where that cannot make them worse. */
function listWeaker(calls: readonly Call[], call: Call): Call[][] {
  if (!calls.includes(call)) return [];
  const others = calls.filter((one) => one !== call);
  const isLast = others.every(
    ({ end, answer, notAfter }) => call.start > (answer === undefined ? notAfter : end),
  );
  const makes = call.do === "create" || call.do === "sign in"; // else others' ids are a stranger's
  if (isLast || !hasEffect(call)) return makes ? [] : [others];
  if (call.answer === undefined || call.do === "create") return [];
  const { answer, ...rest } = call;
  const open = { ...rest, notAfter: call.end } as Call;
  return [calls.map((one) => (one === call ? open : one))];
}

/** Whether a call may explain the answers of others. */
function hasEffect(call: Call): boolean {
  switch (call.do) {
    case "create":
    case "sign in":
    case "clear":
    case "change all":
      return true;
    case "get":
      return call.touch && (call.again || call.answer !== null);
    case "change":
    case "rotate":
    case "end":
      return call.again || (call.answer !== false && call.answer !== null);
    default:
      return false;
  }
}
