/* Runs as many histories as asked for, prints counts, and shrinks a failure. */
import type { AnyMutationName } from "../../support/proofs/all-mutations.ts";
import { print } from "./calls.ts";
import { type Crew, PROCESSES } from "./crew.ts";
import { createPlan, type Kind, type Plan } from "./plan.ts";
import { type Outcome, Runner, type Servers } from "./runner.ts";
import { shrinkHistory } from "./shrink.ts";

export interface Campaign {
  /** Of the first history; each one after it has the next number. */
  readonly seed: number;
  /** How many histories. */
  readonly count: number;
  /**
   * How many histories have the same seed, and so the same plan.
   * @default 1
   */
  readonly copies?: number;
  readonly mutation?: AnyMutationName;
  /** What is mostly done in all of them. Left out: that differs. */
  readonly kind?: Kind | undefined;
  /**
   * Whether a failure is made short.
   * @default true
   */
  readonly shrink?: boolean;
}

export interface Report {
  readonly histories: number;
  readonly calls: number;
  /** Calls that had no answer. */
  readonly unanswered: number;
  /** Calls of a session or set during which another process made one. */
  readonly overlapping: number;
  readonly seconds: number;
  /** The failure, and how to repeat it; null if there was none. */
  readonly failure: string | null;
}

/** How many histories run side by side. */
const BATCH = 100;
/** The first are fewer: a store that breaks a rule is found soon. */
const FIRST_BATCH = 25;
/** How often a shorter plan is tried, in as many worlds at once, before it counts as good. */
const COPIES = 60;
const MOST_TRIES = 40;

/** Runs histories until one fails. */
export async function runHistories(
  crew: Crew,
  servers: Servers,
  campaign: Campaign,
): Promise<Report> {
  const { seed, count, copies = 1, mutation, kind, shrink = true } = campaign;
  const start = performance.now();
  const totals = { histories: 0, calls: 0, unanswered: 0, overlapping: 0 };
  const runner = await Runner.start(crew, servers, mutation ? { mutation } : {});
  let failure: string | null = null;
  try {
    while (totals.histories < count && !failure) {
      const from = totals.histories;
      const batch = Math.min(Math.max(FIRST_BATCH, from), BATCH, count - from);
      const plans = Array.from({ length: batch }, (_, i) =>
        createPlan(seed + Math.floor((from + i) / copies), PROCESSES, kind),
      );
      const failed = await runBatch(runner, plans, totals);
      failure = failed && (await explainFailure(failed, shrink ? runner : null));
    }
    if (!failure) await runner.checkNothingLeft();
  } catch (error) {
    const last = seed + Math.floor((totals.histories - 1) / copies);
    failure = `Before or at SEED=${last}, the last of ${totals.histories}: ${(error as Error).stack}`;
  } finally {
    runner.stop();
  }
  return { ...totals, seconds: (performance.now() - start) / 1000, failure };
}

async function runBatch(
  runner: Runner,
  plans: readonly Plan[],
  totals: { histories: number; calls: number; unanswered: number; overlapping: number },
): Promise<Outcome | null> {
  totals.histories += plans.length;
  const outcomes = await runner.run(plans);
  for (const { history } of outcomes) {
    totals.calls += history.calls.length;
    for (const call of history.calls) {
      if (call.answer === undefined) totals.unanswered++;
      const beside = history.calls.some(
        ({ by, start, end }) => by !== call.by && start < call.end && end > call.start,
      );
      if (beside) totals.overlapping++;
    }
  }
  return outcomes.find(({ refusal }) => refusal !== null) ?? null;
}

async function explainFailure(failed: Outcome, runner: Runner | null): Promise<string> {
  const { plan, refusal, history } = runner
    ? await shrinkPlan(failed, runner).catch(() => failed) // then the first failure is reported
    : failed;
  return [
    `${refusal?.rule}: ${refusal?.about}`,
    `SEED=${plan.seed} HISTORIES=1000 COPIES=1000 repeats its plan in a thousand worlds.`,
    "Answers that cannot be explained:",
    print(shrinkHistory(history)),
    "The plan, as short as it still fails:",
    JSON.stringify(plan, null, 1),
  ].join("\n\n");
}

/** Leaves out parts of a plan that still fails without them. Each try runs many worlds: timing varies. */
export async function shrinkPlan(failed: Outcome, runner: Runner): Promise<Outcome> {
  let least = failed;
  let tries = 0;
  for (let again = true; again; ) {
    again = false;
    for (const plan of listShorterPlans(least.plan)) {
      if (++tries > MOST_TRIES) return least;
      const outcomes = await runner.run(
        Array.from({ length: COPIES }, () => plan),
        { checksKeys: false },
      );
      const worse = outcomes.find(({ refusal }) => refusal?.rule === failed.refusal?.rule);
      if (!worse) continue;
      least = worse;
      again = true;
      break;
    }
  }
  return least;
}

/** The plan without one of its processes' programs, or one step, or one session. */
export function listShorterPlans(plan: Plan): Plan[] {
  const without = <T>(list: readonly T[], i: number) => list.filter((_, at) => at !== i);
  const programs = plan.programs.map((program, by) => ({ program, by }));
  const replaced = (by: number, program: Plan["programs"][number]): Plan => ({
    ...plan,
    programs: plan.programs.map((one, i) => (i === by ? program : one)),
  });
  return [
    ...programs.filter(({ program }) => program.length > 0).map(({ by }) => replaced(by, [])),
    ...programs
      .filter(({ program }) => program.length > 1)
      .flatMap(({ program, by }) => program.map((_, i) => replaced(by, without(program, i)))),
    ...(plan.sessions.length > 1
      ? plan.sessions.map((_, i) => ({ ...plan, sessions: without(plan.sessions, i) }))
      : []),
  ];
}
