/* Questions to the orders that are possible: whether a session must, or may, have been in a set. */
import type { Call, Of } from "./calls.ts";
import type { Event } from "./events.ts";
import type { Lineage } from "./lineage.ts";
import { explain, type Timed } from "./order.ts";

/** From one moment to another, both included. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

type Numbered = Lineage["numbers"] extends ReadonlyMap<infer Key, number> ? Key : never;

/**
 * How many sessions must and may have been in the set of a call, each at a moment of its own. One that was
 * made again meanwhile may count twice.
 */
export function computeBounds(
  call: Numbered,
  lineages: readonly Lineage[],
  slack: number,
): [least: number, most: number] {
  let [least, most] = [0, 0];
  for (const { events, numbers, maker } of lineages) {
    const number = numbers.get(call);
    if (number === undefined) continue;
    if (isPossible(events, number, true, slack)) most += mayCountTwice(call, maker, slack) ? 2 : 1;
    if (!isPossible(events, number, false, slack)) least++;
  }
  return [least, most];
}

/**
 * Whether a call that goes from page to page may have counted a session twice: the command that made it
 * arrived once more, after the session had ended.
 */
function mayCountTwice(call: Numbered, maker: Call | undefined, slack: number): boolean {
  if (!("do" in call) || !COUNT_BY_PAGES.includes(call.do) || !maker?.again) return false;
  return maker.start <= call.end + slack && maker.end >= call.start - slack;
}

const COUNT_BY_PAGES: readonly Call["do"][] = ["change all", "clear"];

/** Whether an event may have had this answer. */
export function isPossible(
  events: readonly Timed[],
  number: number,
  answer: boolean,
  slack: number,
): boolean {
  const answered = events.map((one, i) =>
    i === number ? { ...one, event: { ...one.event, answer } as Event } : one,
  );
  return explain(answered, slack) !== null;
}

/** Whether a session may have been in a set, or outside of it, at some moment of a window. */
export function mayBe(
  { events }: Lineage,
  of: Of,
  { from, to }: Window,
  answer: boolean,
  slack: number,
): boolean {
  const event: Event = { is: "count", of, answer };
  const probe = { event, start: from, end: to, notAfter: to, optional: false, after: [] };
  return explain([...events, probe], slack) !== null;
}

/** The calls with this one first. */
export function putFirst(call: Call, calls: readonly Call[]): Call[] {
  return [call, ...calls.filter((other) => other !== call)];
}
