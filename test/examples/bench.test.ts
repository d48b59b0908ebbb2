/* The benchmark runs: a short one of each kind, with the packages that it compares. Nothing is timed. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Results } from "../../bench/measure-all.ts";
import { compile } from "../support/programs/compile.ts";
import { ROOT } from "../support/sources.ts";

const folder = mkdtempSync(join(tmpdir(), "session-sets-bench-"));
const TIMEOUT = 1_200_000; // only for what hangs

/** Runs it after `npm run build`, as `npm run bench` does. What it prints, and the results in its file. */
async function run(...args: string[]) {
  const json = join(folder, "results.json");
  const svg = args.includes("--kindness") ? [] : ["--svg", join(folder, "chart.svg")];
  const main = join(ROOT, "scripts/bench/main.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[main, "--quick", ...args, "--json", json],
    ...svg,
  ]);
  return { printed: stdout, results: JSON.parse(readFileSync(json, "utf8")).results };
}

beforeAll(async () => {
  expect(await compile(join(ROOT, "bench/tsconfig.json"))).toBe("");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(
  "each subject does each workload on a store, and what it sends is counted",
  async () => {
    const only = "create,get,set,sign-in,list-10,clear-10,traffic,memory";
    const { printed, results } = await run("--only", only);
    const { measured, memory } = results as Results;
    expect(measured.map(({ workload }) => workload)).toEqual(only.split(",").slice(0, -1));
    const count = (workload: string, subject: string) =>
      measured
        .find((one) => one.workload === workload)
        ?.results.find((one) => one.subject === subject)?.counts;
    expect(count("get", "bare commands")).toEqual({ commands: 1, scripted: 0, roundTrips: 1 });
    expect(count("get", "session-sets")).toEqual({ commands: 1, scripted: 0, roundTrips: 1 });
    expect(count("create", "session-sets")).toMatchObject({ commands: 1, roundTrips: 1 });
    expect(count("create", "bare commands")).toEqual({ commands: 3, scripted: 0, roundTrips: 1 });
    expect(count("create", "koa-redis-session-sets")).toMatchObject({ commands: 5, roundTrips: 1 });
    expect(count("set", "connect-redis")).toEqual({ commands: 1, scripted: 0, roundTrips: 1 });
    expect(count("list-10", "bare commands")).toEqual({ commands: 11, scripted: 0, roundTrips: 2 });
    for (const { workload, results } of measured) {
      for (const { subject, clientSamples, serverSamples } of results) {
        for (const { operations } of clientSamples) {
          expect(operations, `${subject}, ${workload}`).toBeGreaterThan(0);
        }
        for (const { bytesIn, bytesOut } of serverSamples) {
          expect(Math.min(bytesIn, bytesOut), `${subject}, ${workload}`).toBeGreaterThan(0);
        }
      }
    }
    for (const { subject, bytes } of memory) expect(bytes, subject).toBeGreaterThan(100);
    expect(printed).toContain("| get, 64 | session-sets | ioredis |");
    expect(printed).toContain("| get, 64 in flight, to bare commands | ioredis |");
    expect(readFileSync(join(folder, "chart.svg"), "utf8")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  },
  TIMEOUT,
);

test(
  "every app answers with the session of its cookie",
  async () => {
    const { results } = await run(
      "--only",
      "http-koa,http-express,http-fastify,http-hono,http-node",
    );
    const counted = (results as Results).measured.flatMap(({ workload, results }) =>
      results.map(({ subject, counts }) => [workload, subject, counts.roundTrips]),
    );
    expect(counted).toHaveLength(15);
    const ours = counted.filter(([, subject]) => subject === "session-sets");
    expect(ours.map(([, , roundTrips]) => roundTrips)).toEqual([1, 1, 1, 1, 1]);
  },
  TIMEOUT,
);

test(
  "growth and kindness are measured, too",
  async () => {
    const growth = await run("--growth");
    expect(growth.results).toHaveLength(3);
    for (const { points } of growth.results) expect(points.length).toBeGreaterThan(0);
    const { results, printed } = await run("--kindness");
    expect(results.clears).toHaveLength(2);
    expect(printed).toContain("another client's GET, without the clear");
  },
  TIMEOUT,
);
