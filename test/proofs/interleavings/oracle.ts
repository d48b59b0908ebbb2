/*
 * Whether what was seen is explained by some order of the calls: an order is carried out on a memory
 * store, one call after the other, and one of them must give the same answers and leave the same
 * sessions. A call that had sent its last command before another sent its first comes before it.
 */
import assert from "node:assert/strict";
import type { Actor } from "./actors.ts";
import { countOnce, findMaker, listReaches } from "./meanwhile.ts";
import {
  countCalls,
  countOrders,
  listOrders,
  listPlans,
  type Outcome,
  type Plan,
  runInOrder,
  type Spans,
} from "./orders.ts";
import { agrees, type PartedRun, runAllParts } from "./parts.ts";
import { type Cast, toCanonical } from "./scene.ts";
import type { Fault } from "./scheduler.ts";

/** The conditions that the actors are tried under. */
export interface Setting extends Cast {
  readonly shards: number;
  /** The outcomes that are possible. */
  readonly fault?: Fault | null;
  /** Whether a set is ended in one command, not one for each of its sessions. */
  readonly wholeSets?: boolean;
}

/** The outcome of an order, and its text. */
interface Told {
  readonly outcome: Outcome;
  readonly text: string;
}

/** Explains outcomes of the actors by orders of their calls. */
export class Oracle {
  readonly #actors: readonly Actor[];
  readonly #cast: Cast;
  readonly #plans: readonly Plan[];
  /** Whether sessions may have orders of their own: operations on sets go session by session. */
  readonly #bySession: boolean;
  readonly #requests: boolean;
  /** How many sessions are made at most: one that is made, ended and made by the same command again is two. */
  readonly #made: number;
  /** All there are, where calls are made in parts. */
  #partedRuns: Promise<(PartedRun & { readonly text: string })[]> | null = null;
  /** The actor that makes a session by a command that arrives twice. */
  readonly #makesAgain: number | null;
  /** By plan and order. */
  readonly #outcomes = new Map<string, Told>();
  /** How many orders there are of all calls. */
  readonly orders: number;

  private constructor(
    actors: readonly Actor[],
    lengths: readonly number[],
    { fault = null, crowded = false, visitor = false }: Setting,
  ) {
    this.#actors = actors;
    this.#cast = { crowded, visitor };
    this.#requests = actors.some((actor) => actor.request);
    const again = fault?.kind === "resends" && (actors[fault.actor]?.makes ?? false);
    this.#makesAgain = again ? fault.actor : null;
    this.#made = actors.filter((actor) => actor.makes).length + Number(again);
    this.#plans = listPlans(actors, lengths, fault);
    this.orders = countOrders(lengths);
    if (fault && actors.some((actor) => actor.inParts)) {
      throw new Error("what a fault does to calls that are made in parts is not known");
    }
    const sets = actors.filter((actor) => actor.ofSet).length;
    const two = lengths.length === 2 && lengths.every((length) => length === 1);
    const plain = two && !actors.some((actor) => actor.makes);
    this.#bySession = sets > 1 || (sets === 1 && (fault !== null || !plain));
  }

  static async of(actors: readonly Actor[], setting: Setting): Promise<Oracle> {
    return new Oracle(actors, await countCalls(actors, setting), setting);
  }

  /** Asserts that the outcome that was seen is explained. */
  async assertExplained(all: Outcome, spans: Spans): Promise<void> {
    const seen = this.#requests ? blurState(all) : all;
    const text = toCanonical(seen);
    if (this.#actors.some((actor) => actor.inParts)) return this.#assertExplainedByRun(text, spans);
    const outcomes: Outcome[] = [];
    for (const plan of this.#listPlansLike(seen)) {
      const number = this.#plans.indexOf(plan);
      for (const order of listOrders(plan, spans)) {
        const told = await this.#inOrder(number, plan, order);
        if (told.text === text) return;
        outcomes.push(told.outcome);
      }
    }
    const expected = () => [...new Set(outcomes.map(toCanonical))].join("\n");
    assert.ok(this.#bySession, `no order explains ${text}, but\n${expected()}`);
    const unexplained = listUnexplained(seen, outcomes);
    for (const one of unexplained) {
      const { name, part, known } = one;
      if (await this.#isOfMadeMeanwhile(name, part, seen, spans)) continue;
      assert.fail(`no order explains ${name}: ${part}, but\n${known.join("\n")}`);
    }
    assertCounts(seen, outcomes, this.#made, Number(this.#makesAgain !== null));
  }

  /** Whether that is a session made between the pages of an operation on its set, or an answer of it. */
  async #isOfMadeMeanwhile(
    name: string,
    part: string,
    seen: Outcome,
    spans: Spans,
  ): Promise<boolean> {
    const maker = this.#findMaker(name);
    if (maker === null) return false;
    for (const plan of this.#listPlansLike(seen)) {
      for (const variant of listReaches(plan, this.#actors, spans, maker, name === "T")) {
        for (const order of listOrders(variant, spans)) {
          const told = await runInOrder(this.#actors, variant, order, this.#cast);
          const outcome = countOnce(this.#requests ? blurState(told) : told, this.#actors);
          if (listParts(outcome).get(name) === part) return true;
        }
      }
    }
    return false;
  }

  /** Who made the session; of T, whose part has the answers of all sessions, who answers of a later moment. */
  #findMaker(name: string): number | null {
    return name === "T" ? this.#makesAgain : findMaker(name);
  }

  /** The plans in which those die who did. */
  #listPlansLike(seen: Outcome): Plan[] {
    const died = seen.answers.some((answers) => answers === null);
    return this.#plans.filter(({ dead }) => (dead !== null) === died);
  }

  async #assertExplainedByRun(seen: string, spans: Spans): Promise<void> {
    this.#partedRuns ??= runAllParts(this.#actors, this.#cast).then((runs) =>
      runs.map((run) => ({ ...run, text: toCanonical(blurState(run.outcome)) })),
    );
    const told = await this.#partedRuns;
    const explained = told.some((run) => run.text === seen && agrees(run.spans, spans));
    const expected = () => [...new Set(told.map(({ text }) => text))].join("\n");
    assert.ok(explained, `no order explains ${seen}, but\n${expected()}`);
  }

  async #inOrder(number: number, plan: Plan, order: readonly number[]): Promise<Told> {
    const key = `${number}: ${order.join()}`;
    const known = this.#outcomes.get(key);
    if (known) return known;
    const all = await runInOrder(this.#actors, plan, order, this.#cast);
    const outcome = this.#requests ? blurState(all) : all;
    const told = { outcome, text: toCanonical(outcome) };
    this.#outcomes.set(key, told);
    return told;
  }
}

/**
 * A request that reads, and touches when another one has rotated the session, goes on with the new
 * id. So its sign-in may leave an alias where one before the rotation would have left a tombstone,
 * and of tokens that are more than three aliases away it is not known that there was no identity.
 */
function blurState({ answers, state }: Outcome): Outcome {
  const tokens = state.tokens.map(([name, what]) => {
    return [name, /^t[012]$/.test(name) ? (what.split(" ")[0] ?? "") : what] as const;
  });
  return { answers, state: { ...state, tokens } };
}

/** The sessions whose end no order explains, and what the orders would have explained. */
function listUnexplained(seen: Outcome, outcomes: readonly Outcome[]) {
  const parts = new Map<string, Set<string>>();
  for (const outcome of outcomes) {
    for (const [name, part] of listParts(outcome)) {
      parts.set(name, (parts.get(name) ?? new Set()).add(part));
    }
  }
  return [...listParts(seen)]
    .map(([name, part]) => ({ name, part, known: [...(parts.get(name) ?? [])] }))
    .filter(({ part, known }) => !known.includes(part));
}

/** Asserts that each operation on a set has counted sessions that there were. */
function assertCounts(
  seen: Outcome,
  outcomes: readonly Outcome[],
  made: number,
  madeAgain: number,
): void {
  const names = new Set(outcomes.flatMap((outcome) => [...listParts(outcome).keys()]));
  const all = names.size - 1 + madeAgain; // O is of another user
  for (const [actor, steps] of seen.answers.entries()) {
    for (const [step, answer] of (steps ?? []).entries()) {
      const counts = outcomes.map((outcome) => outcome.answers[actor]?.[step]);
      if (typeof answer === "number") assertCounted(answer, counts, seen.answers.length, all, made);
    }
  }
}

/**
 * Of two, what the one counts and the other not is known, besides a session that was made meanwhile;
 * of more, that nothing counts twice.
 */
function assertCounted(
  answer: number,
  counts: readonly unknown[],
  actors: number,
  all: number,
  made: number,
) {
  if (actors > 2) assert.ok(answer <= all, `${answer} were counted, but there are ${all}`);
  else {
    const numbers = counts.filter((count) => typeof count === "number");
    const [least, most] = [Math.min(...numbers), Math.max(...numbers) + made];
    assert.ok(
      least <= answer && answer <= most,
      `${answer}, not ${least} to ${most}, were counted`,
    );
  }
}

/** An outcome, session by session. */
function listParts({ answers, state }: Outcome): Map<string, string> {
  const names = new Set(["T", "P", "Q", "O", "R", "S"]);
  for (const [name] of state.sessions) names.add(name);
  for (const [token] of state.tokens) names.add(findOwner(token));
  const parts = new Map<string, string>();
  for (const name of names) {
    const own = <One>(list: readonly One[]) => list.filter((one) => (one as unknown[])[0] === name);
    const part = {
      sessions: own(state.sessions),
      tokens: state.tokens.filter(([token]) => findOwner(token) === name),
      answers: answers.map((steps) =>
        steps?.map((answer) => {
          if (Array.isArray(answer)) return own(answer);
          // T alone is what the others answer of.
          return typeof answer === "number" || name !== "T" ? "" : answer;
        }),
      ),
    };
    parts.set(name, toCanonical(part));
  }
  return parts;
}

function findOwner(token: string): string {
  return token.startsWith("new ") ? token : "T";
}
