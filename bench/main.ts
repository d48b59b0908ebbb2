/*
 * `npm run bench` measures what sessions cost, with this library as it was built, with others, and with
 * the bare commands. docs/performance.md describes the method and keeps the figures.
 *
 *   npm run bench                                 everything: about half an hour
 *   npm run bench -- --quick                      fewer and shorter rounds, under a minute
 *   npm run bench -- --only get,set,http-koa      some workloads
 *   npm run bench -- --json FILE --svg FILE       also writes all that was measured, and a chart
 *   npm run bench -- --growth --svg FILE          cost by the number of sessions, and by the size of a set
 *   npm run bench -- --kindness                   another client, while a large set is cleared
 */
import { writeFileSync } from "node:fs";
import { Redis } from "ioredis";
import { startRedis } from "../test/support/redis/server.ts";
import { measureGrowth } from "./growth.ts";
import { formatKindness, measureKindness } from "./kindness.ts";
import { measureAll, WORKLOAD_NAMES } from "./measure-all.ts";
import { type Options, readOptions } from "./options.ts";
import { drawBars } from "./report/bars-chart.ts";
import { drawGrowth, formatGrowth } from "./report/growth.ts";
import { describeMachine } from "./report/machine.ts";
import { formatTables } from "./report/tables.ts";

/** What a run has measured, as it is printed, kept in a file and drawn. */
interface Report {
  readonly text: string;
  readonly results: unknown;
  readonly draw: () => string;
}

async function measure(server: Redis, url: string, options: Options): Promise<Report> {
  if (options.growth) {
    const results = await measureGrowth(server, url, options.quick);
    return { text: formatGrowth(results), results, draw: () => drawGrowth(results) };
  }
  if (options.kindness) {
    const results = await measureKindness(server, url, options.quick);
    return { text: formatKindness(results), results, draw: () => "" };
  }
  const results = await measureAll(server, url, options);
  return { text: formatTables(results), results, draw: () => drawBars(results) };
}

const options = readOptions(process.argv.slice(2), WORKLOAD_NAMES);
const redis = await startRedis({ args: ["--databases", "64"] });
const server = new Redis(redis.url);
try {
  const machine = await describeMachine(server);
  console.log(`${machine.join("\n")}\n`);
  const { text, results, draw } = await measure(server, redis.url, options);
  console.log(text);
  if (options.json) writeFileSync(options.json, JSON.stringify({ machine, results }, null, 2));
  if (options.svg) writeFileSync(options.svg, draw());
} finally {
  server.disconnect();
  await redis.stop();
}
