/*
 * Makes a refused history as short as it can be said without making a good one bad: what is left out
 * or left open only ever allows more explanations.
 */
import { type Call, type History, isRefusal } from "./calls.ts";
import { check } from "./checker.ts";

/** The least that the checker still refuses, by the same rule. */
export function shrinkHistory(history: History): History {
  const refusal = check(history);
  if (!refusal) throw new Error("the history can be explained");
  const isRefused = (shorter: History) => check(shorter)?.rule === refusal.rule;
  const first = { ...history, calls: refusal.calls };
  let least = isRefused(first) ? first : history;
  for (let shorter: History | undefined = least; shorter; ) {
    shorter = findShorter(least, isRefused);
    least = shorter ?? least;
  }
  return least;
}

function findShorter(
  history: History,
  isRefused: (shorter: History) => boolean,
): History | undefined {
  const { calls, watches } = history;
  for (const call of [...calls].reverse()) {
    const weaker = listWeaker(calls, call).map((some) => ({ ...history, calls: some }));
    const found = weaker.find(isRefused);
    if (found) return found;
  }
  return watches
    .map((watch) => ({ ...history, watches: watches.filter((one) => one !== watch) }))
    .find(isRefused);
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
  if (call.answer === undefined || call.do === "create" || isRefusal(call.answer)) return [];
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
    case "trim":
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
