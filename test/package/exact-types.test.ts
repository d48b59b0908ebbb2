/* The types where optional properties are exact, and what the compiler says of a duration that is none. */
import { createSessions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { expect, test } from "vitest";
import { compile } from "../support/programs/compile.ts";
import { ROOT } from "../support/sources.ts";
import { durations } from "./types/durations.ts";

test("fields that may be undefined compile under exactOptionalPropertyTypes", async () => {
  expect(await compile(`${ROOT}test/package/exact-types/tsconfig.json`)).toBe("");
});

test("a duration that is none does not compile, and the error names the units", async () => {
  const said = await compile(`${ROOT}test/package/exact-types/tsconfig.wrong.json`);
  const lines = said.split("\n").filter((line) => line.startsWith("test"));
  expect(lines).toHaveLength(6);
  for (const unit of ["ms", "seconds", "minutes", "hours", "days", "weeks", "years"]) {
    for (const line of lines) expect(line).toContain(`"${unit}"`);
  }
});

test("durations that compile run", () => {
  for (const idleTimeout of durations) {
    expect(
      () => createSessions({ store: memoryStore(), idleTimeout, absoluteTimeout: null }),
      String(idleTimeout),
    ).not.toThrow();
  }
});
