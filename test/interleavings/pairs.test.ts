/* Every two operations side by side, in every order of the commands that they send. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ACTORS } from "./actors.ts";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.open();
});
afterAll(async () => {
  console.log(`${harness.schedules} schedules of two operations`);
  await harness.close();
});

describe.each(ACTORS.map((one, i) => [one.name, one, ACTORS.slice(i)] as const))(
  "%s",
  (_, one, others) => {
    test.each(others.map((other) => [other.name, other] as const))(
      "beside %s",
      async (_, other) => {
        const runs = await harness.inEveryOrder([one, other], { shards: 2 });
        expect(runs).toBeGreaterThan(1);
      },
    );
  },
);
