/*
 * A session that a sign-in makes between two pages of an operation on its set. The pages may have reached the
 * session that it takes the place of, and go on to reach the new one; or a change reaches neither: the one
 * is gone before its page, and the other comes after it (docs/design.md, "Promises and limits"). A sign-in whose
 * command arrives again answers of the new session as it is by then, so its answer may tell of the later page.
 */
import type { Actor } from "./actors.ts";
import type { Outcome, Plan, Span, Spans } from "./orders.ts";

/** The actor that made the session of this name, where it takes the place of another. */
export function findMaker(name: string): number | null {
  const [, maker] = /^new by (\d+)$/.exec(name) ?? [];
  return maker === undefined ? null : Number(maker);
}

/**
 * The plan with each operation whose pages were under way when the session was made carried out so often:
 * once at least where the other session is known to have been reached.
 */
export function listReaches(
  plan: Plan,
  actors: readonly Actor[],
  spans: Spans,
  maker: number,
  isReached: boolean,
): Plan[] {
  let plans = [plan];
  for (const [i, { pages }] of actors.entries()) {
    if (!pages || !overlap(spans[i] ?? [], spans[maker] ?? [])) continue;
    const reaches = pages === "change" && !isReached ? [[], [0], [0, 0]] : [[0], [0, 0]];
    plans = plans.flatMap((one) =>
      one.steps[i]?.length === 1
        ? reaches.map((steps) => ({ ...one, steps: one.steps.with(i, steps) }))
        : [one],
    );
  }
  return plans.filter((one) => one !== plan);
}

/** What was carried out in another way was called once all the same. */
export function countOnce({ answers, state }: Outcome, actors: readonly Actor[]): Outcome {
  return {
    answers: answers.map((steps, i) => (steps && actors[i]?.pages ? [0] : steps)),
    state,
  };
}

/** One that died has no spans: its commands may arrive at any time. */
function overlap(one: Spans[number], other: Spans[number]): boolean {
  const [a, b] = [toWhole(one), toWhole(other)];
  return !a || !b || (a.first <= b.last && b.first <= a.last);
}

function toWhole(spans: Spans[number]): Span | null {
  const known = spans.filter((span) => span !== undefined);
  if (known.length === 0) return null;
  return {
    first: Math.min(...known.map(({ first }) => first)),
    last: Math.max(...known.map(({ last }) => last)),
  };
}
