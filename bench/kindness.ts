/*
 * `npm run bench -- --kindness`: how long another client waits for a GET while a large set is cleared,
 * how long one script of the clear holds the server, and the memory of the process that clears.
 */
import { Redis } from "ioredis";
import type { MemoryWatch } from "./measure/memory.ts";
import { median, percentile } from "./measure/statistics.ts";
import { formatNumber } from "./report/figures.ts";
import { formatTable } from "./report/markdown.ts";
import { showProgress } from "./report/progress.ts";
import { StoreCompetitor } from "./rounds/store-competitor.ts";
import { OURS } from "./subjects/list.ts";

/** Microseconds. */
interface Waits {
  readonly p50: number;
  readonly p99: number;
}

export interface Kindness {
  readonly sessions: number;
  /** The other client's GET in the same seconds, without and with the clear. */
  readonly alone: Waits;
  readonly beside: Waits;
  /** One script of the clear, as the server has measured it. */
  readonly script: Waits;
  readonly clears: readonly MemoryWatch[];
}

const USER = 1;
const FULL = { sessions: 100_000, rounds: 5, aloneMs: 2000 };
const QUICK = { sessions: 10_000, rounds: 2, aloneMs: 500 };

export async function measureKindness(
  server: Redis,
  url: string,
  quick: boolean,
): Promise<Kindness> {
  const { sessions, rounds, aloneMs } = quick ? QUICK : FULL;
  const progress = showProgress(rounds);
  const scale = { sessions: 0, consumed: 0 };
  const neighbour = new Redis(url);
  await neighbour.set("key of another program", "a value");
  const [alone, beside, script]: [Waits[], Waits[], Waits[]] = [[], [], []];
  const clears: MemoryWatch[] = [];
  for (let round = 1; round <= rounds; round++) {
    progress(`a clear of ${sessions} sessions`);
    const filler = new StoreCompetitor(OURS, "ioredis", `${url}/1`, scale);
    const clearer = new StoreCompetitor(OURS, "ioredis", `${url}/1`, scale);
    try {
      await filler.open(1, 1);
      await filler.process.call("beginGrowth", Number.POSITIVE_INFINITY);
      await filler.process.call("growTo", sessions);
      await clearer.open(1, 1);
      await clearer.process.call("clearWatched", USER + 1); // an empty set, so that all is loaded
      alone.push(await measureWaits(neighbour, new Promise((r) => setTimeout(r, aloneMs))));
      await server.config("RESETSTAT");
      const clearing = clearer.process.call("clearWatched", USER);
      beside.push(await measureWaits(neighbour, clearing));
      clears.push(await clearing);
      script.push(readLatency(await server.info("latencystats"), "evalsha"));
    } finally {
      filler.close();
      clearer.close();
    }
  }
  neighbour.disconnect();
  progress(null);
  const middle = (waits: readonly Waits[]) => ({
    p50: median(waits.map(({ p50 }) => p50)),
    p99: median(waits.map(({ p99 }) => p99)),
  });
  return { sessions, alone: middle(alone), beside: middle(beside), script: middle(script), clears };
}

/** One GET after the other, until the work is done. */
async function measureWaits(client: Redis, work: Promise<unknown>): Promise<Waits> {
  const waits: number[] = [];
  let done = false;
  const end = work.finally(() => {
    done = true;
  });
  while (!done) {
    const begin = performance.now();
    await client.get("key of another program");
    waits.push((performance.now() - begin) * 1000);
  }
  await end;
  const sorted = Float64Array.from(waits).sort();
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/** What the server says of how long one command took. */
function readLatency(info: string, command: string): Waits {
  const line = new RegExp(`^latency_percentiles_usec_${command}:p50=([\\d.]+),p99=([\\d.]+)`, "m");
  const [, p50, p99] = line.exec(info) ?? [];
  if (!p50 || !p99) throw new Error(`The server has no latency of ${command}.`);
  return { p50: Number(p50), p99: Number(p99) };
}

export function formatKindness({ sessions, alone, beside, script, clears }: Kindness): string {
  const format = ({ p50, p99 }: Waits) => [formatNumber(p50), formatNumber(p99)];
  const times = formatTable(
    ["µs", "p50", "p99"],
    [
      ["another client's GET, without the clear", ...format(alone)],
      [`the same while a set of ${sessions.toLocaleString("en")} is cleared`, ...format(beside)],
      ["one script of the clear", ...format(script)],
    ],
  );
  const rows = clears.map(({ seconds, heap, resident }) => [
    seconds.toFixed(2),
    ...[...heap, ...resident].map((bytes) => (bytes / 2 ** 20).toFixed(1)),
  ]);
  const head = ["a clear, s", "heap before, MiB", "most", "resident before, MiB", "most"];
  return `${times}\n\n${formatTable(head, rows)}`;
}
