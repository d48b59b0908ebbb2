/*
 * `npm run test:matrix`: the tests that depend on the server, on each server of servers.mjs with the
 * first Node to be had, and those that depend on Node, with each Node of nodes.mjs on the last server
 * to be had. (Requirement 12 in docs/design.md, "Requirements".)
 *
 *   npm run test:matrix -- --only valkey-9.1 --only node-26    one cell: of what is named, only that
 *   npm run test:matrix -- --minutes 5 test/proofs/model/           at most 5 minutes a cell, other tests
 *   npm run test:matrix -- --fetch                             fetches all, says where, runs nothing
 *
 * What is not on this machine is fetched into .cache/servers and .cache/nodes, each into a folder of
 * its name, and is announced before; SESSION_SETS_INSTALL=0 forbids it. To run any test on one of the
 * servers, name its program:
 *
 *   REDIS_SERVER_BIN=$PWD/.cache/servers/valkey-9.1/valkey-server npx vitest run test/proofs/model/
 *
 * What cannot be had is named, in the table, too, and makes the run fail. The table of a run of all
 * cells and the usual tests goes into the README.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runTests } from "../run-tests.mjs";
import { NODES, provideNode } from "./nodes.mjs";
import { provideServer, SERVERS } from "./servers.mjs";
import { cellsOf, placeIn, table } from "./table.mjs";

/** What depends on the server, as vitest takes it: beginnings of paths. Run on each server. */
const OF_SERVERS = ["store/", "proofs/"];
/** What depends on Node: the stores, the clients, HTTP. Run with each Node. */
const OF_NODES = [
  "unit/",
  "store/contract",
  "store/redis/contract/single",
  "proofs/model/",
  "http/",
  "compat/",
];
/** Fewer of what is random than in a run of all tests. */
const ENVIRONMENT = { HISTORIES: "300", SCHEDULES: "500" };

const ROOT = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
const CACHE = `${ROOT}/.cache`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", multiple: true, default: [] },
    fetch: { type: "boolean", default: false },
    minutes: { type: "string", default: "15" },
  },
});
const unknown = options.only.find((name) => !(name in SERVERS || name in NODES));
if (unknown) {
  const names = [...Object.keys(SERVERS), ...Object.keys(NODES)].join(", ");
  throw new Error(`There is no ${unknown}; --only takes ${names}.`);
}

// Through "exit", at which the running cell is ended.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const missing = [];

/** All of them that can be had, or those of them that `--only` names; what cannot be had is named. */
function provideAll(known, provide, folder) {
  mkdirSync(folder, { recursive: true });
  const named = options.only.filter((name) => name in known);
  const had = [];
  for (const name of named.length > 0 ? named : Object.keys(known)) {
    try {
      const one = provide(name, folder);
      had.push(one);
      console.log(`${name}: ${one.version}, ${one.path}`);
    } catch (error) {
      missing.push(name);
      const reason = String(error.stderr || error.message).trim();
      console.error(`\n*** ${name} COULD NOT BE HAD, so it is not tested: ${reason}\n`);
    }
  }
  return had;
}

const servers = provideAll(SERVERS, provideServer, `${CACHE}/servers`);
const nodes = provideAll(NODES, provideNode, `${CACHE}/nodes`);
if (options.fetch) process.exit(missing.length > 0 ? 1 : 0);

/** Each server gets its tests with the first Node, and each Node gets its own on the last server. */
function testsOf(server, node) {
  if (positionals.length > 0) return positionals;
  const names = [
    ...(node === nodes[0] ? OF_SERVERS : []),
    ...(server === servers.at(-1) ? OF_NODES : []),
  ];
  return [...new Set(names)].map((name) => `test/${name}`);
}

const folder = `${CACHE}/matrix`;
mkdirSync(folder, { recursive: true });
const results = [];
for (const { server, node } of cellsOf(servers, nodes)) {
  const minutes = Number(options.minutes);
  const env = { ...ENVIRONMENT, REDIS_SERVER_BIN: server.path };
  const files = testsOf(server, node);
  const result = await runTests({ node: node.path, files, env, root: ROOT, folder, minutes });
  const { passed, failures, seconds, stopped } = result;
  if (stopped) failures.push(`did not end within ${minutes} minutes`);
  results.push({ server: server.version, node: node.version, ...result });
  console.log(
    `${server.version}, Node ${node.version}: ${passed} passed, ${failures.length} failed, ${seconds} s`,
  );
  for (const failure of failures) console.log(`  ${failure}`);
}

const text = table(results, missing);
console.log(`\n${text}`);
if (options.only.length + positionals.length === 0 && results.length > 0) {
  const readme = `${ROOT}/README.md`;
  const day = new Date().toISOString().slice(0, 10);
  const [ofServers, ofNodes] = [OF_SERVERS, OF_NODES].map((names) =>
    names.map((name) => `\`${name}\``).join(", "),
  );
  const heading = `On ${day}, ${process.platform} ${process.arch}. For each server, the tests that begin with ${ofServers}; for each Node, with ${ofNodes}:`;
  writeFileSync(readme, placeIn(readFileSync(readme, "utf8"), `\n${heading}\n\n${text}\n`));
}
if (missing.length > 0) console.error(`\n*** COULD NOT BE HAD: ${missing.join(", ")}`);
const ok = missing.length === 0 && results.every(({ failures }) => failures.length === 0);
process.exitCode = ok && results.length > 0 ? 0 : 1;
