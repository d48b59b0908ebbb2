/* Every two of some actors side by side, in every order of the commands that they send. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Actor } from "./actors.ts";
import { Harness } from "./harness.ts";

type Pair = readonly [one: Actor, other: Actor];

/** Each with itself and with those after it. */
export function pairUp(all: readonly Actor[]): Pair[] {
  return all.flatMap((one, i) => all.slice(i).map((other) => [one, other] as const));
}

/** Defines the tests of a file. */
export function testPairs(pairs: readonly Pair[], setting: { readonly shards: number }): void {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.open();
  });
  afterAll(async () => {
    console.log(`${harness.schedules} schedules of ${pairs.length} pairs`);
    await harness.close();
  });
  const named = pairs.map(([one, other]) => [one.name, other.name, one, other] as const);
  test.each(named)("%s beside %s", async (_one, _other, ...actors) => {
    expect(await harness.inEveryOrder(actors, setting)).toBeGreaterThan(1);
  });
}
