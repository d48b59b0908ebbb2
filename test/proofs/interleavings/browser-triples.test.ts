/*
 * Every three requests that a browser, or a program with a bearer token, sends at the same time, in
 * every order of their calls: it comes to the same as on a memory store, and the rules hold.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserRequest, KINDS, type Kind, STARTS } from "./browser.ts";
import { BrowserRules } from "./browser-rules.ts";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.open();
});
afterAll(async () => {
  console.log(`${harness.schedules} orders of three requests of one browser`);
  await harness.close();
});

const all: readonly Kind[] = KINDS;
const triples = all.flatMap((one, i) =>
  all.slice(i).flatMap((two, j) =>
    all.slice(i + j).map((three) => {
      return [one.name, two.name, three.name, one, two, three] as const;
    }),
  ),
);

const starts = Object.entries(STARTS).filter(([, { from }]) => from !== "t2");

describe.each(starts)("with %s", (_, start) => {
  test.each(triples)("%s, %s and %s", async (_one, _two, _three, ...kinds) => {
    const actors = kinds.map((kind) => browserRequest(kind, start));
    const setting = { shards: 1, visitor: start.from === "v" };
    const { check } = new BrowserRules(kinds, start);
    expect(await harness.inEveryOrderOfCalls(actors, setting, check)).toBeGreaterThan(1);
  });
});
