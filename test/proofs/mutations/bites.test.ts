/*
 * It bites: a store in which a rule is broken on purpose fails in the interleavings, and the store as
 * it is passes the very same ones.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mutations } from "../../support/proofs/mutations.ts";
import { findActor } from "../interleavings/cases.ts";
import { Harness } from "../interleavings/harness.ts";
import { type Interleaved, SCENARIOS, type Scenario } from "./scenarios.ts";

/** The errors of the oracle, the invariants and the deadlines. */
const BROKEN =
  /no order explains|is (in|of) \d:|is live|(points to|the pointer) \d:|the last moment of|the names of the sets of/;

let harness: Harness;
const found: string[] = [];
beforeAll(async () => {
  harness = await Harness.open();
});
afterAll(async () => {
  console.log(found.join("\n"));
  await harness.close();
});

function runEveryOrder(tried: Harness, { actors, shards, fault }: Scenario): Promise<number> {
  const setting = { shards, fault: fault ? { actor: 0, kind: fault } : null };
  return tried.inEveryOrder(actors.map(findActor), setting);
}

describe.each(Object.entries(SCENARIOS) as [Interleaved, Scenario][])("%s", (name, scenario) => {
  test("without it, every order is explained", async () => {
    expect(await runEveryOrder(harness, scenario)).toBeGreaterThan(1);
  });

  test("with it, some order is not", async () => {
    const mutated = await harness.mutated(mutations[name]);
    const failure = await runEveryOrder(mutated, scenario).then(
      () => null,
      (error: Error) => error.cause as Error,
    );
    // It fails as a rule that is broken does, not as a script that cannot run.
    expect(failure?.message).toMatch(BROKEN);
    expect(failure?.message).not.toContain("ERR_STORE_UNAVAILABLE");
    found.push(`${name}: ${scenario.actors.join(" beside ")}, by schedule ${mutated.schedules}`);
  });
});
