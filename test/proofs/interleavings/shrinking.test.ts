/* What a failure tells: the smallest case that fails, which can be repeated. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { mutations } from "../../support/proofs/mutations.ts";
import {
  attempt,
  type Failure,
  groupOf,
  Recorded,
  randomFrom,
  randomGroup,
  shrink,
} from "./cases.ts";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.open();
});
afterAll(() => harness.close());

/** The first random schedule that fails. */
async function firstFailure(tried: Harness): Promise<Failure> {
  const random = randomFrom(7);
  for (;;) {
    const failure = await attempt(tried, await randomGroup(random), Recorded.random(random));
    if (failure) return failure;
  }
}

test("the same seed finds the same failure", async () => {
  const mutated = await harness.mutated(mutations["login that leaves an alias"]);
  const [first, second] = [await firstFailure(mutated), await firstFailure(mutated)];
  expect(second.case).toEqual(first.case);
});

test("a failure of several operations shrinks to a few, and is repeated by what it is told as", async () => {
  const mutated = await harness.mutated(mutations["upsert in set"]);
  const { case: least } = await shrink(mutated, await firstFailure(mutated));
  console.log(JSON.stringify(least));
  expect(least.actors.length).toBeLessThanOrEqual(2);
  expect(least).toMatchObject({ shards: 1, crowded: false });
  const { choices, ...group } = JSON.parse(JSON.stringify(least));
  expect(await attempt(mutated, await groupOf(group), Recorded.of(choices))).not.toBeNull();
  expect(await attempt(harness, await groupOf(group), Recorded.of(choices))).toBeNull();
});
