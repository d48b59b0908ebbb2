/*
 * What a request costs, counted and not timed: the library's functions that it passes through, without those
 * of the store, the hashes, and the objects that are costly to make or to collect.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../support/sources.ts";

interface Counted {
  readonly answer: string;
  readonly hashes: number;
  readonly dates: number;
  readonly maps: number;
  readonly sets: number;
  /** Entries of WeakMaps and WeakSets: an entry for each request keeps the garbage collector busy. */
  readonly weakEntries: number;
  readonly functions: readonly { readonly name: string; readonly calls: number }[];
}

type Use = "asks for nothing" | "reads the session";

const FRAMEWORKS = ["node", "koa", "express", "fastify", "hono", "fetch"] as const;
/** At most so many functions, and calls of them: the most that a framework took when this was written, and a tenth. */
const MOST = {
  "asks for nothing": { functions: 39, calls: 67 },
  "reads the session": { functions: 119, calls: 163 },
};

let counted: Record<(typeof FRAMEWORKS)[number], Record<Use, Counted>>;

beforeAll(async () => {
  const program = `${ROOT}test/package/consumer/counting.mjs`;
  const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: ROOT });
  counted = JSON.parse(stdout);
});

describe.each(FRAMEWORKS)("a request under %s", (framework) => {
  test("that asks for nothing makes nothing that reads, and no object that is costly", () => {
    const { functions: _, ...made } = counted[framework]["asks for nothing"];
    expect(made).toEqual({ answer: "", hashes: 0, dates: 0, maps: 0, sets: 0, weakEntries: 0 });
  });

  test("that reads its session hashes the token once, and makes no Date that it does not give", () => {
    const { functions: _, maps, ...made } = counted[framework]["reads the session"];
    const answer = JSON.stringify({ user_id: 1 });
    expect(made).toEqual({ answer, hashes: 1, dates: 0, sets: 0, weakEntries: 0 });
    expect(maps).toBeLessThanOrEqual(1); // the fields that the store returns
  });

  test.each(Object.keys(MOST) as Use[])("that %s passes through few functions", (use) => {
    const { functions } = counted[framework][use];
    const calls = functions.reduce((sum, one) => sum + one.calls, 0);
    const names = functions.map(({ name, calls: times }) => `${name} ${times}`).join("\n");
    expect(functions.length, names).toBeGreaterThan(10);
    expect(functions.length, names).toBeLessThanOrEqual(MOST[use].functions);
    expect(calls, names).toBeLessThanOrEqual(MOST[use].calls);
  });
});
