/*
 * Whether what was seen is explained by some order of the calls: an order is carried out on a memory
 * store, one call after the other, and one of them must give the same answers and leave the same
 * sessions. A call that had sent its last command before another sent its first comes before it.
 */
import assert from "node:assert/strict";
import { memoryStore } from "session-sets/memory";
import type { Actor } from "./actors.ts";
import {
  inOrder,
  me,
  type Outcome,
  ordersOf,
  ordersOfAll,
  type Plan,
  plansFor,
  type Spans,
} from "./orders.ts";
import { canonical, setScene } from "./scene.ts";
import type { Fault } from "./scheduler.ts";

/** What the actors are tried in. */
export interface Setting {
  readonly shards: number;
  /** What may have happened. */
  readonly fault?: Fault | null;
  /** Whether user 1 has two more sessions. */
  readonly crowded?: boolean;
}

/** Explains what the actors may do. */
export class Oracle {
  readonly #actors: readonly Actor[];
  readonly #crowded: boolean;
  readonly #plans: readonly Plan[];
  /** Whether sessions may have orders of their own: operations on sets go session by session. */
  readonly #bySession: boolean;
  readonly #requests: boolean;
  /** By plan and order. */
  readonly #outcomes = new Map<string, Outcome>();
  /** How many orders there are of all calls. */
  readonly orders: number;

  private constructor(
    actors: readonly Actor[],
    lengths: readonly number[],
    { fault = null, crowded = false }: Setting,
  ) {
    this.#actors = actors;
    this.#crowded = crowded;
    this.#requests = actors.some((actor) => actor.request);
    this.#plans = plansFor(actors, lengths, fault);
    this.orders = ordersOfAll(lengths);
    const sets = actors.filter((actor) => actor.ofSet).length;
    const two = lengths.length === 2 && lengths.every((length) => length === 1);
    this.#bySession = sets > 1 || (sets === 1 && (fault !== null || !two));
  }

  static async of(actors: readonly Actor[], setting: Setting): Promise<Oracle> {
    const store = memoryStore();
    const scene = await setScene(store, store);
    const lengths = actors.map((actor, i) => actor.start(scene, me(i)).length);
    return new Oracle(actors, lengths, setting);
  }

  /** Asserts that what was seen is explained. */
  async assertExplained(all: Outcome, spans: Spans): Promise<void> {
    const seen = this.#requests ? vague(all) : all;
    const text = canonical(seen);
    const outcomes: Outcome[] = [];
    for (const [number, plan] of this.#plans.entries()) {
      if ((plan.dead === null) !== seen.answers.every((answers) => answers !== null)) continue;
      for (const order of ordersOf(plan, spans)) {
        const outcome = await this.#inOrder(number, plan, order);
        if (canonical(outcome) === text) return;
        outcomes.push(outcome);
      }
    }
    const expected = () => [...new Set(outcomes.map(canonical))].join("\n");
    assert.ok(this.#bySession, `no order explains ${text}, but\n${expected()}`);
    assertExplainedByPart(seen, outcomes);
  }

  async #inOrder(number: number, plan: Plan, order: readonly number[]): Promise<Outcome> {
    const key = `${number}: ${order.join()}`;
    const known = this.#outcomes.get(key);
    if (known) return known;
    const told = await inOrder(this.#actors, plan, order, this.#crowded);
    const outcome = this.#requests ? vague(told) : told;
    this.#outcomes.set(key, outcome);
    return outcome;
  }
}

/**
 * A request that reads, and touches when another one has rotated the session, goes on with the new
 * id. So its sign-in may leave an alias where one before the rotation would have left a tombstone,
 * and of tokens that are more than three aliases away it is not known that there was no identity.
 */
function vague({ answers, state }: Outcome): Outcome {
  const tokens = state.tokens.map(([name, what]) => {
    return [name, /^t[012]$/.test(name) ? (what.split(" ")[0] ?? "") : what] as const;
  });
  return { answers, state: { ...state, tokens } };
}

/** For each session some order explains what became of it. */
function assertExplainedByPart(seen: Outcome, outcomes: readonly Outcome[]): void {
  const parts = new Map<string, Set<string>>();
  for (const outcome of outcomes) {
    for (const [name, part] of partsOf(outcome)) {
      parts.set(name, (parts.get(name) ?? new Set()).add(part));
    }
  }
  for (const [name, part] of partsOf(seen)) {
    const known = parts.get(name) ?? new Set();
    assert.ok(known.has(part), `no order explains ${name}: ${part}, but\n${[...known].join("\n")}`);
  }
  const all = parts.size - 1; // O is of another user
  for (const [actor, steps] of seen.answers.entries()) {
    for (const [step, answer] of (steps ?? []).entries()) {
      const counts = outcomes.map((outcome) => outcome.answers[actor]?.[step]);
      if (typeof answer === "number") assertCounted(answer, counts, seen.answers.length, all);
    }
  }
}

/** Of two, what the one counts and the other not is known; of more, that nothing counts twice. */
function assertCounted(answer: number, counts: readonly unknown[], actors: number, all: number) {
  if (actors > 2) assert.ok(answer <= all, `${answer} were counted, but there are ${all}`);
  else {
    const numbers = counts.filter((count) => typeof count === "number");
    const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
    assert.ok(
      least <= answer && answer <= most,
      `${answer}, not ${least} to ${most}, were counted`,
    );
  }
}

/** An outcome, session by session. */
function partsOf({ answers, state }: Outcome): Map<string, string> {
  const names = new Set(["T", "P", "Q", "O", "R", "S"]);
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
