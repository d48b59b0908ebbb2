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
import { measureAll, WORKLOAD_NAMES } from "./measure-all.ts";
import { readOptions } from "./options.ts";
import { drawBars } from "./report/bars-chart.ts";
import { describeMachine } from "./report/machine.ts";
import { formatTables } from "./report/tables.ts";

const options = readOptions(process.argv.slice(2), WORKLOAD_NAMES);

const redis = await startRedis({ args: ["--databases", "64"] });
const server = new Redis(redis.url);
try {
  const machine = await describeMachine(server);
  console.log(`${machine.join("\n")}\n`);
  const results = await measureAll(server, redis.url, options);
  console.log(formatTables(results));
  if (options.json) writeFileSync(options.json, JSON.stringify({ machine, results }, null, 2));
  if (options.svg) writeFileSync(options.svg, drawBars(results));
} finally {
  server.disconnect();
  await redis.stop();
}
