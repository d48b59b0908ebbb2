/*
 * The cases of endings find faults of `onEnd` and `endings`: each one is planted in a copy of the sources,
 * and the case that is about it fails. Without a fault the same copies pass every case.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, type TestContext, test } from "vitest";
import { listCases } from "../../support/cases.ts";
import { endingCases } from "../../support/endings/cases.ts";
import { open } from "../../support/endings/steps.ts";
import { createEventually } from "../../support/eventually.ts";
import { loopTime } from "../../support/loop-time.ts";
import { endingMutations, type SourceMutation } from "../../support/proofs/ending-mutations.ts";
import { importMutated } from "../../support/proofs/mutated-sources.ts";

/**
 * How long a case waits for what a fault may have hidden, and how long it may take in all (ms). Both are
 * time of the event loop, so that a busy machine isn't taken for a fault.
 */
const FAULT_TIMEOUT_MS = 1500;
const CASE_TIMEOUT_MS = 10_000;

const eventually = createEventually(FAULT_TIMEOUT_MS, loopTime);

/** The cases, on a library of which a source was edited. */
async function casesOf(
  edited: Pick<SourceMutation, "file" | "edits">,
  { onTestFinished }: TestContext,
) {
  const module = await importMutated("src/index.ts", edited, onTestFinished);
  const { createSessions } = module as typeof import("session-sets");
  return listCases(({ describe, test }) =>
    endingCases({
      describe,
      test,
      open: (over) => open(over, createSessions, onTestFinished),
      eventually,
    }),
  );
}

/** Runs a case, and rejects where it waits for ever. */
async function judge(run: () => Promise<void>): Promise<void> {
  let goesOn = true;
  const hang = async () => {
    const end = loopTime() + CASE_TIMEOUT_MS;
    while (goesOn && loopTime() < end) await sleep(100, undefined, { ref: false });
    throw new Error("the case hangs");
  };
  await Promise.race([run(), hang()]).finally(() => {
    goesOn = false;
  });
}

test("without a fault a copy passes every case", async (context) => {
  const copy = { file: "src/sessions/endings/alarm.ts", edits: [] };
  const cases = await casesOf(copy, context);
  expect(cases.size).toBeGreaterThan(40);
  for (const run of cases.values()) await judge(run);
});

/** How often a fault is looked for: a timer that a busy machine holds up may hide it once. */
const TRIES = 3;

/** Fails where every case that is about the fault passes. */
async function expectFound(mutation: SourceMutation, context: TestContext): Promise<void> {
  const cases = await casesOf(mutation, context);
  const found = [...cases].filter(([name]) => name.includes(mutation.foundBy));
  expect(found, mutation.foundBy).not.toEqual([]);
  const failures: unknown[] = [];
  for (let tries = 0; tries < TRIES && failures.length === 0; tries++) {
    for (const [, run] of found) {
      await judge(run).catch((error: unknown) => failures.push(error));
    }
  }
  expect(failures, `"${mutation.foundBy}" passes`).not.toEqual([]);
}

/** Uncaught errors belong to the whole process, so nothing runs beside a case that waits for one. */
const isUncaught = ({ foundBy }: SourceMutation) => foundBy.includes("uncaught");

describe("a fault of what is uncaught is found:", () => {
  test.for(endingMutations.filter(isUncaught))("$about ($file)", expectFound);
});

// They wait for what a fault hides, so they wait side by side.
describe.concurrent("a fault is found:", () => {
  const others = endingMutations.filter((mutation) => !isUncaught(mutation));
  test.for(others)("$about ($file)", expectFound);
});
