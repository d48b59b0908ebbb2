/* The benchmark's arithmetic and what it prints, on samples whose answers are known. */
import { describe, expect, test } from "vitest";
import { median, percentile } from "../../../bench/measure/statistics.ts";
import type { Measured, Results } from "../../../bench/measure-all.ts";
import { readOptions } from "../../../bench/options.ts";
import { drawBars } from "../../../bench/report/bars-chart.ts";
import {
  compareCosts,
  compareRates,
  findOurs,
  formatNumber,
  toFigures,
} from "../../../bench/report/figures.ts";
import { formatGoals } from "../../../bench/report/goals.ts";
import { drawGrowth, formatGrowth } from "../../../bench/report/growth.ts";
import { formatTables } from "../../../bench/report/tables.ts";
import type { Result } from "../../../bench/rounds/rounds.ts";

/** A result whose rounds did these numbers of operations a second. */
function makeResult(subject: string, client: string, rates: readonly number[]): Result {
  return {
    subject,
    client,
    counts: { commands: 1, scripted: 2, roundTrips: 1 },
    clientSamples: rates.map((operations) => ({
      operations,
      seconds: 1,
      p50: 100,
      p99: 200,
      cpu: 1e6 / operations,
      writes: 1,
    })),
    serverSamples: rates.map(() => ({ cpu: 10, commands: 5, bytesIn: 60, bytesOut: 300 })),
  };
}

const OURS = makeResult("session-sets", "ioredis", [100, 300, 200]);
const OURS_ON_NODE_REDIS = makeResult("session-sets", "node-redis", [90, 90, 90]);
const FLOOR = makeResult("bare commands", "ioredis", [200, 300, 1000]);
const FLOOR_ON_NODE_REDIS = makeResult("bare commands", "node-redis", [100, 100, 100]);
const PEER = makeResult("connect-redis", "node-redis", [50, 100, 50]);
const results = [OURS, OURS_ON_NODE_REDIS, FLOOR, FLOOR_ON_NODE_REDIS, PEER];

function measured(workload: string): Measured {
  return { workload, title: `the title of <${workload}>`, inFlight: 64, results };
}

test("a median is in the middle, and a percentile is one of the values", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  const sorted = Array.from({ length: 100 }, (_, i) => i + 1);
  expect([percentile(sorted, 0.5), percentile(sorted, 0.99)]).toEqual([50, 99]);
  expect(percentile([7], 0.99)).toBe(7);
});

describe("ratios", () => {
  test("are the median of the rounds' own, and not the ratio of the medians", () => {
    expect(compareRates(OURS, FLOOR)).toBe(0.5); // of 0.5, 1 and 0.2
    expect(toFigures(OURS).perSecond / toFigures(FLOOR).perSecond).toBeCloseTo(2 / 3);
  });

  test("by CPU are those of the busier process", () => {
    const busy = {
      ...OURS,
      serverSamples: FLOOR.serverSamples.map((one) => ({ ...one, cpu: 20_000 })),
    };
    expect(compareCosts(OURS, FLOOR)).toBeCloseTo(0.5); // of the clients, at 10,000 µs and less
    expect(compareCosts(busy, FLOOR)).toBeCloseTo(1 / 6); // 3,333 µs to the server's 20,000
  });

  test("are to this library with the same client, or with ioredis for those with one client", () => {
    expect(findOurs(results, FLOOR)).toBe(OURS);
    expect(findOurs(results, FLOOR_ON_NODE_REDIS)).toBe(OURS_ON_NODE_REDIS);
    expect(findOurs(results, PEER)).toBe(OURS);
    expect(findOurs(results, OURS_ON_NODE_REDIS)).toBe(OURS);
  });
});

test("numbers are short", () => {
  const values = [0.0156, 3, 4.56, 46.34, 338.4, 1234, 45_678, 2_345_678, Number.NaN];
  const texts = ["0.016", "3", "4.6", "46.3", "338", "1.2 k", "46 k", "2.3 M", ""];
  expect(values.map(formatNumber)).toEqual(texts);
});

test("the table has a row for each, with the ratio to this library", () => {
  const memory = [1, 3].map((references) => ({
    subject: "session-sets",
    references: references as 1 | 3,
    bytes: 400 + references,
  }));
  const text = formatTables({ measured: [measured("get")], memory });
  expect(text).toContain("| get, 64 | session-sets | ioredis | 200 |  |  | 100 / 200 |");
  expect(text).toContain("|  | bare commands | ioredis | 300 | 0.50 × | 0.50 × |");
  expect(text).toContain("|  | connect-redis | node-redis | 50 | 3.00 × | 3.00 × |");
  expect(text).toContain("| session-sets | 401 | 403 |");
});

test("goals say what was wanted, what was measured, and whether that is enough", () => {
  const rows = formatGoals([measured("get"), measured("set")]).split("\n");
  expect(rows).toContain(
    "| get, 64 in flight, to bare commands | ioredis | 0.75 × | 0.50 × | 0.50 × | no |",
  );
  expect(rows).toContain(
    "| get, 64 in flight, to bare commands | node-redis | 0.64 × | 0.90 × | 0.90 × | yes |",
  );
  expect(rows).toContain(
    "| set, 64 in flight, to connect-redis | ioredis | 1.10 × | 3.00 × | 3.00 × | yes |",
  );
  expect(formatGoals([measured("clear-10k")])).toBe("");
});

/** Whether every tag is closed, in order. */
function isWellFormed(svg: string): boolean {
  const open: string[] = [];
  for (const [, end, name = "", alone] of svg.matchAll(/<(\/?)([\w]+)[^>]*?(\/?)>/g)) {
    if (alone) continue;
    if (!end) open.push(name);
    else if (open.pop() !== name) return false;
  }
  return open.length === 0;
}

describe("charts", () => {
  const all: Results = { measured: [measured("get"), measured("set")], memory: [] };

  test("have a bar for each subject, and no text that would be markup", () => {
    const svg = drawBars(all);
    expect(svg.match(/<rect /g)).toHaveLength(2 * 3);
    expect(svg.match(/class="ours"/g)).toHaveLength(2);
    expect(svg).toContain("the title of &lt;get>");
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(isWellFormed(svg)).toBe(true);
  });

  test("of growth have a curve for each verb, flat where the cost is the same", () => {
    const points = [10, 1000].flatMap((count) => [
      { verb: "get" as const, count, perSecond: 1, serverCpu: 8, clientCpu: 20 },
      { verb: "list" as const, count, perSecond: 1, serverCpu: count, clientCpu: 30 },
    ]);
    const growth = [{ title: "By size", unit: "sessions", points }];
    const svg = drawGrowth(growth);
    expect(isWellFormed(svg)).toBe(true);
    const curves = [...svg.matchAll(/points="([\d.]+),([\d.]+) ([\d.]+),([\d.]+)"/g)];
    expect(curves).toHaveLength(2);
    const [get = [], list = []] = curves.map(([, ...numbers]) => numbers.map(Number));
    expect(get[1]).toBe(get[3]);
    expect(list[1]).toBeGreaterThan(list[3] ?? Number.NaN); // upwards is less
    expect(formatGrowth(growth)).toContain("| list | 10 + 30 | 1.0 k + 30 | 100.00 × |");
  });
});

describe("the command line", () => {
  const read = (...args: string[]) => readOptions(args, ["get", "set"]);

  test("takes workloads by their names, and refuses others", () => {
    expect(read("--quick", "--only", "get,set")).toMatchObject({
      quick: true,
      only: ["get", "set"],
    });
    expect(read().only).toEqual([]);
    expect(() => read("--only", "get,sett")).toThrow("There is no sett; --only takes get, set.");
  });

  test("refuses what would do nothing", () => {
    expect(() => read("--growth", "--kindness")).toThrow("one of");
    expect(() => read("--kindness", "--svg", "x.svg")).toThrow("no chart");
    expect(() => read("--growth", "--only", "get")).toThrow("--only");
  });
});
