/*
 * Every two operations side by side, and every two requests of one browser, in every order of the
 * commands that they send.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { ACTORS, type Actor } from "./actors.ts";
import { Harness } from "./harness.ts";
import { REQUESTS } from "./requests.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.open();
});
afterAll(async () => {
  console.log(`${harness.schedules} schedules of two operations, or two requests`);
  await harness.close();
});

/** Each with itself and with those after it. */
function listPairs(all: readonly Actor[]) {
  return all.flatMap((one, i) =>
    all.slice(i).map((other) => [one.name, other.name, one, other] as const),
  );
}

test.each(listPairs(ACTORS))("%s beside %s", async (_one, _other, ...actors) => {
  expect(await harness.inEveryOrder(actors, { shards: 2 })).toBeGreaterThan(1);
});

test.each(listPairs(REQUESTS))("%s beside %s", async (_one, _other, ...actors) => {
  expect(await harness.inEveryOrder(actors, { shards: 1 })).toBeGreaterThan(1);
});
