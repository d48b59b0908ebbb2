/*
 * Every two requests that a browser, or a program with a bearer token, sends at the same time, in
 * every order of their commands: some order of the calls explains each outcome, and the rules hold.
 * With an old cookie, a call that ends other sessions sends so many commands that two of them are tried
 * in the orders of their calls.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserRequest, KINDS, type Kind, STARTS, type StartName } from "./browser.ts";
import { BrowserRules } from "./browser-rules.ts";
import { Harness } from "./harness.ts";

const all: readonly Kind[] = KINDS;
const pairs = all.flatMap((one, i) =>
  all.slice(i).map((other) => [one.name, other.name, one, other] as const),
);

/** Defines the tests of a file. */
export function testBrowserPairs(starts: readonly StartName[]): void {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.open();
  });
  afterAll(async () => {
    console.log(`${harness.schedules} schedules of two requests of one browser`);
    await harness.close();
  });

  describe.each(starts)("with %s", (name) => {
    const start = STARTS[name];
    test.each(pairs)("%s beside %s", async (_one, _other, ...kinds) => {
      const actors = kinds.map((kind) => browserRequest(kind, start));
      const setting = { shards: 1, visitor: start.from === "v", wholeSets: true };
      const { check } = new BrowserRules(kinds, start);
      const tooMany = start.from === "t2" && kinds.every(({ endsOthers }) => endsOthers);
      const orders = tooMany
        ? harness.inEveryOrderOfCalls(actors, setting, check)
        : harness.inEveryOrder(actors, setting, check);
      expect(await orders).toBeGreaterThan(1);
    });
  });
}
