/*
 * `npm run bench -- --growth`: what an operation costs this library with more and more sessions, in a
 * larger and larger set, and over more and more shards.
 */
import type { Redis } from "ioredis";
import { watchServer } from "./measure/server.ts";
import { median } from "./measure/statistics.ts";
import { showProgress } from "./report/progress.ts";
import { StoreCompetitor } from "./rounds/store-competitor.ts";
import { OURS } from "./subjects/list.ts";
import { GROWTH_VERBS, type GrowthVerb } from "./workloads/growing.ts";
import { SESSIONS_A_USER } from "./workloads/workload.ts";

/** The cost of one operation, in microseconds of processors. */
export interface Point {
  readonly verb: GrowthVerb;
  /** How many sessions, or shards, there were. */
  readonly count: number;
  readonly perSecond: number;
  readonly serverCpu: number;
  readonly clientCpu: number;
}

export interface Growth {
  readonly title: string;
  /** What `count` counts. */
  readonly unit: string;
  readonly points: readonly Point[];
}

interface Effort {
  readonly totals: readonly number[];
  readonly setSizes: readonly number[];
  readonly shards: readonly number[];
  readonly ms: number;
}

const FULL: Effort = {
  totals: [1000, 10_000, 100_000, 1_000_000],
  setSizes: [1, 10, 100, 1000, 10_000, 100_000],
  shards: [1, 4, 16, 64],
  ms: 500,
};
const QUICK: Effort = {
  totals: [1000, 10_000],
  setSizes: [1, 100, 1000],
  shards: [1, 16],
  ms: 100,
};

const ROUNDS = 3;
const IN_FLIGHT = 64;
const SHARDED_SESSIONS = 3000;

export async function measureGrowth(server: Redis, url: string, quick: boolean): Promise<Growth[]> {
  const effort = quick ? QUICK : FULL;
  const store = new StoreCompetitor(OURS, "ioredis", `${url}/1`, { sessions: 0, consumed: 0 });
  const { totals, setSizes, shards, ms } = effort;
  const progress = showProgress(totals.length + setSizes.length + shards.length);

  async function measure(verb: GrowthVerb, count: number): Promise<Point> {
    await store.process.call("take", verb);
    const points: Omit<Point, "verb" | "count">[] = [];
    if (verb !== "clear") await store.measure(IN_FLIGHT, ms);
    for (let round = 0; round < (verb === "clear" ? 1 : ROUNDS); round++) {
      const stop = await watchServer(server, new Map());
      const { operations, seconds, cpu } = await store.measure(
        IN_FLIGHT,
        verb === "clear" ? HOUR : ms,
      );
      const { cpu: serverCpu } = await stop(operations);
      points.push({ perSecond: operations / seconds, serverCpu, clientCpu: cpu });
    }
    const middle = (name: keyof (typeof points)[number]) => median(points.map((one) => one[name]));
    return {
      verb,
      count,
      perSecond: middle("perSecond"),
      serverCpu: middle("serverCpu"),
      clientCpu: middle("clientCpu"),
    };
  }

  /** Measures the verbs at each number of sessions. Each user has `sessionsEach` of them. */
  async function grow(counts: readonly number[], sessionsEach: number): Promise<Point[]> {
    const points: Point[] = [];
    await store.empty();
    await store.process.call("beginGrowth", sessionsEach);
    for (const count of counts) {
      progress(`${count} sessions`);
      await store.process.call("growTo", count);
      for (const verb of GROWTH_VERBS) points.push(await measure(verb, count));
    }
    return points;
  }

  async function spread(counts: readonly number[]): Promise<Point[]> {
    const points: Point[] = [];
    for (const count of counts) {
      progress(`${count} shards`);
      await store.open(1, count);
      await store.empty();
      await store.process.call("beginGrowth", SESSIONS_A_USER);
      await store.process.call("growTo", SHARDED_SESSIONS);
      for (const verb of ["size", "list", "clear"] as const)
        points.push(await measure(verb, count));
    }
    return points;
  }

  try {
    await store.open(1, 1);
    const growth = [
      {
        title: "By the number of all sessions",
        unit: "sessions",
        points: await grow(totals, SESSIONS_A_USER),
      },
      {
        title: "By the size of the session's set",
        unit: "sessions in the set",
        points: await grow(setSizes, Number.POSITIVE_INFINITY),
      },
      {
        title: "A set of three, by the number of shards",
        unit: "shards",
        points: await spread(shards),
      },
    ];
    progress(null);
    return growth;
  } finally {
    store.close();
  }
}

/** Longer than any run: what uses up its sessions ends with the last one. */
const HOUR = 3_600_000;
