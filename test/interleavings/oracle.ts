/*
 * Whether what was seen is explained by some order of the calls: each order is carried out on a
 * memory store, one call after the other, and one of them must give the same answers and leave the
 * same sessions.
 */
import assert from "node:assert/strict";
import { memoryStore } from "session-sets/memory";
import type { Actor, Step } from "./actors.ts";
import { canonical, type Scene, type State, setScene, stateOf } from "./scene.ts";
import type { Fault } from "./scheduler.ts";

/** What was seen: the answers of each actor's calls (null: it died), and what there is in the end. */
export interface Outcome {
  readonly answers: readonly (readonly unknown[] | null)[];
  readonly state: State;
}

export interface Explanations {
  /** The outcomes of all orders. */
  readonly whole: ReadonlySet<string>;
  /** For each session, what becomes of it in the orders. */
  readonly parts: ReadonlyMap<string, ReadonlySet<string>>;
  /** The least and the most that each actor's calls may count. */
  readonly counts: readonly (readonly { least: number; most: number }[])[];
  /** Whether sessions may have orders of their own: operations on sets go session by session. */
  readonly bySession: boolean;
}

export const me = (actor: number) => `by ${actor}`;

/** The answer of one call. */
export async function answerOf(step: Step): Promise<unknown> {
  try {
    return await step();
  } catch (error) {
    return { threw: (error as { code?: unknown }).code ?? String(error) };
  }
}

/** What an actor that died would have been told is known to nobody. */
export function forget(scene: Scene, answers: (unknown[] | null)[], dead: number): void {
  answers[dead] = null;
  scene.tokens.delete(me(dead));
  scene.tokens.delete(`new ${me(dead)}`);
}

/** All explanations of what the actors may do, where `fault` may have happened. */
export async function explain(actors: readonly Actor[], fault: Fault | null) {
  const sets = actors.filter((actor) => actor.ofSet).length;
  const bySession = sets > 1 || (sets === 1 && fault !== null);
  const outcomes: Outcome[] = [];
  const lengths = await stepsOf(actors);
  for (const plan of plansFor(actors, lengths, fault)) {
    for (const order of ordersOf(plan.steps.map((steps) => steps.length))) {
      outcomes.push(await inOrder(actors, plan, order));
    }
  }
  return explanationsOf(outcomes, bySession);
}

/** Which steps each actor does; of one that is done again, the first answer is lost. */
interface Plan {
  readonly steps: readonly (readonly number[])[];
  readonly dead: number | null;
}

function plansFor(
  actors: readonly Actor[],
  lengths: readonly number[],
  fault: Fault | null,
): Plan[] {
  const all = lengths.map((length) => Array.from({ length }, (_, i) => i));
  const plain: Plan = { steps: all, dead: null };
  if (fault === null) return [plain];
  const own = all[fault.actor] ?? [];
  const instead = (steps: readonly number[]) => all.with(fault.actor, [...steps]);
  if (fault.kind === "dies") {
    const parts = [0, ...own.map((i) => i + 1)].map((count) => own.slice(0, count));
    return [plain, ...parts.map((steps) => ({ steps: instead(steps), dead: fault.actor }))];
  }
  if (actors[fault.actor]?.once) return [plain];
  const doubled = own.map((i) => [...own.slice(0, i + 1), i, ...own.slice(i + 1)]);
  return [plain, ...doubled.map((steps) => ({ steps: instead(steps), dead: null }))];
}

async function stepsOf(actors: readonly Actor[]): Promise<number[]> {
  const store = memoryStore();
  const scene = await setScene(store, store);
  return actors.map((actor, i) => actor.start(scene, me(i)).length);
}

/** All orders of so many calls of each actor. */
function ordersOf(left: readonly number[]): number[][] {
  const orders = left.flatMap((count, i) =>
    count === 0 ? [] : ordersOf(left.with(i, count - 1)).map((order) => [i, ...order]),
  );
  return orders.length > 0 ? orders : [[]];
}

async function inOrder(actors: readonly Actor[], plan: Plan, order: readonly number[]) {
  const store = memoryStore();
  const scene = await setScene(store, store);
  const calls = actors.map((actor, i) => actor.start(scene, me(i)));
  const at = actors.map(() => 0);
  const answers: unknown[][] = actors.map(() => []);
  for (const i of order) {
    const step = plan.steps[i]?.[at[i] ?? 0] ?? 0;
    at[i] = (at[i] ?? 0) + 1;
    const answer = await answerOf(calls[i]?.[step] as Step);
    (answers[i] as unknown[])[step] = answer;
  }
  const told: (unknown[] | null)[] = [...answers];
  if (plan.dead !== null) forget(scene, told, plan.dead);
  return { answers: told, state: (await stateOf(scene)).state };
}

function explanationsOf(outcomes: readonly Outcome[], bySession: boolean): Explanations {
  const whole = new Set(outcomes.map(canonical));
  const parts = new Map<string, Set<string>>();
  for (const outcome of outcomes) {
    for (const [name, part] of partsOf(outcome)) {
      parts.set(name, (parts.get(name) ?? new Set()).add(part));
    }
  }
  const counts = (outcomes[0]?.answers ?? []).map((answers, actor) =>
    (answers ?? []).map((_, step) => {
      const numbers = outcomes
        .map((outcome) => outcome.answers[actor]?.[step])
        .filter((answer) => typeof answer === "number");
      return { least: Math.min(...numbers), most: Math.max(...numbers) };
    }),
  );
  return { whole, parts, counts, bySession };
}

/** An outcome, session by session. */
function partsOf({ answers, state }: Outcome): Map<string, string> {
  const names = new Set(["T", "P", "Q", "O"]);
  for (const [name] of state.sessions) names.add(name);
  for (const [token] of state.tokens) names.add(ownerOf(token));
  const parts = new Map<string, string>();
  for (const name of names) {
    const own = <One>(list: readonly One[]) => list.filter((one) => (one as unknown[])[0] === name);
    const part = {
      sessions: own(state.sessions),
      tokens: state.tokens.filter(([token]) => ownerOf(token) === name),
      answers: answers.map((steps) =>
        steps?.map((answer) => {
          if (Array.isArray(answer)) return own(answer);
          // T alone is what the others answer of.
          return typeof answer === "number" || name !== "T" ? "" : answer;
        }),
      ),
    };
    parts.set(name, canonical(part));
  }
  return parts;
}

function ownerOf(token: string): string {
  return token.startsWith("new ") ? token : "T";
}

/** Asserts that what was seen is explained. */
export function assertExplained(outcome: Outcome, explanations: Explanations): void {
  const { whole, parts, counts, bySession } = explanations;
  if (whole.has(canonical(outcome))) return;
  assert.ok(bySession, `no order explains ${canonical(outcome)}, but\n${[...whole].join("\n")}`);
  for (const [name, part] of partsOf(outcome)) {
    const known = parts.get(name) ?? new Set();
    assert.ok(known.has(part), `no order explains ${name}: ${part}, but\n${[...known].join("\n")}`);
  }
  for (const [actor, steps] of outcome.answers.entries()) {
    for (const [step, answer] of (steps ?? []).entries()) {
      if (typeof answer !== "number") continue;
      const { least, most } = counts[actor]?.[step] ?? { least: 0, most: 0 };
      assert.ok(answer <= most, `${me(actor)} counts ${answer}, which is over ${most}`);
      // What the other one ended is not counted by both.
      if (outcome.answers.length === 2) assert.ok(answer >= least, `${answer} is under ${least}`);
    }
  }
}
