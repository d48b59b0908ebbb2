/*
 * The cases of endings find faults of `onEnd` and `endings`: each one is planted in a copy of the sources,
 * and the case that is about it fails. Without a fault the same copies pass every case.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { listCases } from "../../support/cases.ts";
import { endingCases } from "../../support/endings/cases.ts";
import { open } from "../../support/endings/steps.ts";
import { createEventually, eventually } from "../../support/eventually.ts";
import { endingMutations, type SourceMutation } from "../../support/proofs/ending-mutations.ts";
import { importMutated } from "../../support/proofs/mutated-sources.ts";

/** How long a case waits for what a fault may have hidden (ms), and how long it may take in all. */
const FAULT_TIMEOUT_MS = 1500;
const CASE_TIMEOUT_MS = 10_000;

/** The cases, on a library of which a source was edited. */
async function casesOf(edited: Pick<SourceMutation, "file" | "edits">, wait: typeof eventually) {
  const module = await importMutated("src/index.ts", edited, onTestFinished);
  const { createSessions } = module as typeof import("session-sets");
  return listCases(({ describe, test }) =>
    endingCases({ describe, test, open: (over) => open(over, createSessions), eventually: wait }),
  );
}

/** Rejects where a case waits for ever. */
async function hang(): Promise<never> {
  await sleep(CASE_TIMEOUT_MS, undefined, { ref: false });
  throw new Error("the case hangs");
}

test("without a fault a copy passes every case", async () => {
  const cases = await casesOf({ file: "src/sessions/endings/alarm.ts", edits: [] }, eventually);
  expect(cases.size).toBeGreaterThan(40);
  for (const run of cases.values()) await run();
});

describe("a fault is found:", () => {
  test.each(endingMutations)("$about ($file)", async (mutation) => {
    const cases = await casesOf(mutation, createEventually(FAULT_TIMEOUT_MS));
    const found = [...cases].filter(([name]) => name.includes(mutation.foundBy));
    expect(found, mutation.foundBy).not.toEqual([]);
    const failures: unknown[] = [];
    for (const [, run] of found) {
      await Promise.race([run(), hang()]).catch((error: unknown) => failures.push(error));
    }
    expect(failures, `"${mutation.foundBy}" passes`).not.toEqual([]);
  });
});
