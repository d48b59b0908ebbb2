/* A failure is shrunk to the smallest case that fails, which can be repeated. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { mutations } from "../../support/proofs/mutations.ts";
import {
  attempt,
  createGroup,
  createRandom,
  type Failure,
  pickGroup,
  Recorded,
  shrink,
} from "./cases.ts";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.open();
});
afterAll(() => harness.close());

/** The first random schedule that fails. */
async function findFirstFailure(tried: Harness): Promise<Failure> {
  const random = createRandom(7);
  for (;;) {
    const failure = await attempt(tried, await pickGroup(random), Recorded.random(random));
    if (failure) return failure;
  }
}

test("the same seed finds the same failure", async () => {
  const mutated = await harness.mutated(mutations["login that leaves an alias"]);
  const [first, second] = [await findFirstFailure(mutated), await findFirstFailure(mutated)];
  expect(second.case).toEqual(first.case);
});

test("a failure of several operations shrinks to a few, and is repeated by its printed case", async () => {
  const mutated = await harness.mutated(mutations["upsert in set"]);
  const { case: least } = await shrink(mutated, await findFirstFailure(mutated));
  console.log(JSON.stringify(least));
  expect(least.actors.length).toBeLessThanOrEqual(2);
  expect(least).toMatchObject({ shards: 1, crowded: false });
  const { choices, ...group } = JSON.parse(JSON.stringify(least));
  expect(await attempt(mutated, await createGroup(group), Recorded.of(choices))).not.toBeNull();
  expect(await attempt(harness, await createGroup(group), Recorded.of(choices))).toBeNull();
});
