/*
 * `npm run test:matrix`: the tests that face a server, on each server of servers.mjs with the first
 * Node to be had, and on each Node of nodes.mjs with the last server to be had.
 *
 *   npm run test:matrix -- --server valkey-9.1 --node 26     one cell; both can be repeated
 *   npm run test:matrix -- --all                             every server with every Node
 *   npm run test:matrix -- --quick                           without the contracts that take minutes
 *   npm run test:matrix -- --minutes 5 test/model.test.ts    at most 5 minutes a cell, other tests
 *
 * What is not on this machine is fetched into .cache/matrix. What cannot be had is named, and not
 * run. The table of a run with the usual cells and tests goes into the README.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runCell } from "./cell.mjs";
import { NODES, provideNode } from "./nodes.mjs";
import { provideServer, SERVERS } from "./servers.mjs";
import { cellsOf, placeIn, table } from "./table.mjs";

/** What vitest takes: beginnings of paths. */
const TESTS = [
  "store-contract",
  "model",
  "requirements",
  "redis-",
  "server-clock",
  "large-sets",
  "limits",
  "pages",
  "costs",
  "koa",
].map((name) => `test/${name}`);

/** What `--quick` leaves out: the contracts of Koa, and of each client on a server and a cluster. */
const LONG = ["test/koa.test.ts", "test/redis-*contract*"];

const ROOT = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
const FOLDER = `${ROOT}/.cache/matrix`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: "string", multiple: true, default: [] },
    node: { type: "string", multiple: true, default: [] },
    all: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    minutes: { type: "string", default: "15" },
  },
});
const usual = options.server.length + options.node.length + positionals.length === 0;
const files = positionals.length > 0 ? positionals : TESTS;
const without = options.quick ? LONG : [];
mkdirSync(FOLDER, { recursive: true });

// Through "exit", at which the running cell is ended.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const missing = [];

/** All of them that can be had, by what was chosen; the others are named. */
function provideAll(what, known, chosen, provide) {
  const unknown = chosen.find((name) => !known.includes(name));
  if (unknown) throw new Error(`There is no ${what} ${unknown}, but ${known.join(", ")}.`);
  const had = [];
  for (const name of chosen.length > 0 ? chosen : known) {
    try {
      had.push(provide(name, FOLDER));
      console.log(`${what} ${name}: ${had.at(-1).version}`);
    } catch (error) {
      missing.push(`${what} ${name}`);
      const reason = String(error.stderr || error.message).trim();
      console.error(`\n*** ${what} ${name} COULD NOT BE HAD, so it is not tested: ${reason}\n`);
    }
  }
  return had;
}

const servers = provideAll("server", Object.keys(SERVERS), options.server, provideServer);
const nodes = provideAll("Node", NODES, options.node, provideNode);

const results = [];
for (const { server, node } of cellsOf(servers, nodes, options.all)) {
  const minutes = Number(options.minutes);
  const result = await runCell({
    node: node.path,
    server: server.path,
    files,
    without,
    root: ROOT,
    folder: FOLDER,
    minutes,
  });
  const { passed, failures, seconds } = result;
  results.push({ server: server.version, node: node.version, ...result });
  console.log(
    `${server.version}, Node ${node.version}: ${passed} passed, ${failures.length} failed, ${seconds} s`,
  );
  for (const failure of failures) console.log(`  ${failure}`);
}

const text = table(results, missing);
console.log(`\n${text}`);
if (usual && results.length > 0) {
  const readme = `${ROOT}/README.md`;
  const day = new Date().toISOString().slice(0, 10);
  const but = options.quick ? `, without ${namesOf(without)}` : "";
  const tests = `the tests that begin with ${namesOf(files)}${but}`;
  const heading = `On ${day}, ${process.platform} ${process.arch}, ${tests}:`;
  writeFileSync(readme, placeIn(readFileSync(readme, "utf8"), `\n${heading}\n\n${text}\n`));
}
if (missing.length > 0) console.error(`\n*** COULD NOT BE HAD: ${missing.join(", ")}`);
process.exitCode = results.length > 0 && results.every(({ failures }) => !failures[0]) ? 0 : 1;

function namesOf(paths) {
  return paths.map((path) => `\`${path.replace("test/", "")}\``).join(", ");
}
