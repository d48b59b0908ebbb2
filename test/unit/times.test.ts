/*
 * No test is bounded by the wall clock: on a busy machine such a one fails for what is right. What ends
 * in time is measured by test/support/loop-time.ts; what hangs is found by the limit of all tests.
 */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { filesUnder, ROOT, read } from "../support/sources.ts";

/** Not those of a command of their own, which measure, or have a browser. */
const FILES = filesUnder("test", ".ts").filter(
  (file) => !/^test\/(bench|browser|examples|fuzz|lua54|luacheck)\/|\/node_modules\//.test(file),
);

/** One for each command that runs tests. */
const CONFIGS = readdirSync(ROOT).filter((name) => /^vitest\.(.+\.)?config\.ts$/.test(name));

interface Limits {
  readonly testTimeout?: number;
  readonly hookTimeout?: number;
}

/** The lines of the tests that match, each with its file. */
function find(pattern: RegExp): string[] {
  return FILES.flatMap((file) =>
    read(file)
      .split("\n")
      .filter((line) => pattern.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
}

test("no elapsed time is compared with a limit", () => {
  expect(find(/expect\(.*performance\.now\(\).*(toBeLess|toBeCloseTo)/)).toEqual([]);
  expect(find(/expect\(Date\.now\(\) - .*toBeLess/)).toEqual([]);
});

test("no test or hook has a limit of its own that is shorter than that of all", () => {
  expect(find(/^\s*\}, ?[\d_]{4,}\);$/)).toEqual([]);
  expect(find(/\b(testTimeout|hookTimeout): (?!600_000)/)).toEqual([]);
});

test.each(CONFIGS)(
  "%s gives each test and hook five minutes: the defaults are seconds",
  async (name) => {
    const { default: config } = (await import(ROOT + name)) as {
      default: { test: Limits & { projects?: readonly { test: Limits }[] } };
    };
    const all = config.test.projects?.map((project) => project.test) ?? [config.test];
    expect(all.length).toBeGreaterThan(0);
    for (const { testTimeout, hookTimeout } of all) {
      expect(testTimeout).toBeGreaterThanOrEqual(300_000);
      expect(hookTimeout).toBeGreaterThanOrEqual(300_000);
    }
  },
);

test("what is waited for has time: the default of vi.waitUntil and vi.waitFor is a second", () => {
  expect(find(/vi\.wait(Until|For)\((?!.*\d0_000\)).*\);$/)).toEqual([]);
  expect(find(/\.poll\(.*\btimeout: \d/)).toEqual([]);
});
