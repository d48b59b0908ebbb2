/* Runs an operation again and again, a given number in flight, and measures it. */
import { performance } from "node:perf_hooks";
import type { Run } from "../workloads/workload.ts";
import { readSocketCounts } from "./socket-writes.ts";
import { percentile } from "./statistics.ts";

/** What the process that sends the operations measures. Times are in microseconds. */
export interface ClientSample {
  readonly operations: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  /** Of the process, garbage collection included, for each operation. */
  readonly cpu: number;
  /** Writes to sockets for each operation. */
  readonly writes: number;
}

const MAX_LATENCIES = 1_000_000;

/** Runs for `ms`, or until the run's limit of operations is reached. */
export async function measureOperations(
  run: Run,
  inFlight: number,
  ms: number,
): Promise<ClientSample> {
  const latencies = new Float64Array(MAX_LATENCIES);
  let started = 0;
  let done = 0;
  const { writes } = readSocketCounts();
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const end = begin + ms;

  async function work(): Promise<void> {
    for (;;) {
      const now = performance.now();
      if (now >= end || started >= run.limit) return;
      await run.operate(started++);
      latencies[done++ % MAX_LATENCIES] = performance.now() - now;
    }
  }
  await Promise.all(Array.from({ length: inFlight }, work));

  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const sorted = latencies.subarray(0, Math.min(done, MAX_LATENCIES)).sort();
  return {
    operations: done,
    seconds,
    p50: percentile(sorted, 0.5) * 1000,
    p99: percentile(sorted, 0.99) * 1000,
    cpu: (user + system) / done,
    writes: (readSocketCounts().writes - writes) / done,
  };
}
