/*
 * `npm run test:matrix` runs the tests that depend on the server on each server of servers.mjs, with
 * the first available Node. It runs the tests that depend on Node with each Node of nodes.mjs, on the
 * last available server. (Requirement 12 in docs/design.md, "Requirements".)
 *
 *   npm run test:matrix -- --only valkey-9.1 --only node-26    one cell: only the named versions
 *   npm run test:matrix -- --minutes 5 test/proofs/model/      at most 5 minutes a cell, other tests
 *   npm run test:matrix -- --fetch                             fetches all, says where, runs nothing
 *
 * Versions that this machine lacks are fetched into .cache/servers and .cache/nodes, each into a
 * folder of its name. Each is announced first, and SESSION_SETS_INSTALL=0 forbids it. To run any test
 * on one of the servers, name its program:
 *
 *   REDIS_SERVER_BIN=$PWD/.cache/servers/valkey-9.1/valkey-server npx vitest run test/proofs/model/
 *
 * A version that isn't available is named, also in the table, and makes the run fail. The table of a
 * run of all cells with the usual tests goes into docs/compatibility.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { exitOnSignals, ROOT, runTests } from "../run-tests.mjs";
import { NODES, provideNode } from "./nodes.mjs";
import { provideServer, SERVERS } from "./servers.mjs";
import { formatTable, insertTable, listCells } from "./table.mjs";

/** The tests that depend on the server, as beginnings of paths, which vitest takes. */
const SERVER_TESTS = ["store/", "proofs/"];
/** The tests that depend on Node: of the stores, the clients and HTTP. */
const NODE_TESTS = [
  "unit/",
  "store/contract",
  "store/redis/contract/single",
  "proofs/model/",
  "http/",
  "compat/",
];
/** Fewer random histories and schedules than in a run of all tests. */
const ENVIRONMENT = { HISTORIES: "300", SCHEDULES: "500" };

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

exitOnSignals();

const missing = [];

/** Provides all of `known`, or those that `--only` names. Notes and prints those it can't provide. */
function provideAll(known, provide, folder) {
  mkdirSync(folder, { recursive: true });
  const named = options.only.filter((name) => name in known);
  const provided = [];
  for (const name of named.length > 0 ? named : Object.keys(known)) {
    try {
      const one = provide(name, folder);
      provided.push(one);
      console.log(`${name}: ${one.version}, ${one.path}`);
    } catch (error) {
      missing.push(name);
      const reason = String(error.stderr || error.message).trim();
      console.error(`\n*** ${name} IS NOT AVAILABLE, so it is not tested: ${reason}\n`);
    }
  }
  return provided;
}

const servers = provideAll(SERVERS, provideServer, `${CACHE}/servers`);
const nodes = provideAll(NODES, provideNode, `${CACHE}/nodes`);
if (options.fetch) process.exit(missing.length > 0 ? 1 : 0);

/** Each server gets its tests with the first Node, and each Node gets its own on the last server. */
function listTests(server, node) {
  if (positionals.length > 0) return positionals;
  const names = [
    ...(node === nodes[0] ? SERVER_TESTS : []),
    ...(server === servers.at(-1) ? NODE_TESTS : []),
  ];
  return [...new Set(names)].map((name) => `test/${name}`);
}

const folder = `${CACHE}/matrix`;
mkdirSync(folder, { recursive: true });
const results = [];
for (const { server, node } of listCells(servers, nodes)) {
  const minutes = Number(options.minutes);
  const env = { ...ENVIRONMENT, REDIS_SERVER_BIN: server.path };
  const files = listTests(server, node);
  const result = await runTests({ node: node.path, files, env, folder, minutes });
  const { passed, failures, seconds, stopped } = result;
  if (stopped) failures.push(`did not end within ${minutes} minutes`);
  results.push({ server: server.version, node: node.version, ...result });
  console.log(
    `${server.version}, Node ${node.version}: ${passed} passed, ${failures.length} failed, ${seconds} s`,
  );
  for (const failure of failures) console.log(`  ${failure}`);
}

const text = formatTable(results, missing);
console.log(`\n${text}`);
if (options.only.length + positionals.length === 0 && results.length > 0) {
  const page = `${ROOT}/docs/compatibility.md`;
  const day = new Date().toISOString().slice(0, 10);
  const [serverTests, nodeTests] = [SERVER_TESTS, NODE_TESTS].map((names) =>
    names.map((name) => `\`${name}\``).join(", "),
  );
  const heading = `On ${day}, ${process.platform} ${process.arch}. For each server, the tests that begin with ${serverTests}; for each Node, with ${nodeTests}:`;
  writeFileSync(page, insertTable(readFileSync(page, "utf8"), `\n${heading}\n\n${text}\n`));
}
if (missing.length > 0) console.error(`\n*** NOT AVAILABLE: ${missing.join(", ")}`);
const ok = missing.length === 0 && results.every(({ failures }) => failures.length === 0);
process.exitCode = ok && results.length > 0 ? 0 : 1;
