/*
 * `npm run soak` runs the random tests and the leak check again and again, with new seeds, for a
 * given time. It prints the seed of each round, stops at the first failure and says how to repeat it.
 *
 *   npm run soak -- --minutes 60                     the default is 10 minutes
 *   npm run soak -- --runs 500                       sequences for each property; the default is 100
 *   npm run soak -- --minutes 5 test/proofs/model/   other tests
 */
import { randomInt } from "node:crypto";
import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { provideProgram, REDIS_SERVER } from "../programs.mjs";
import { exitOnSignals, ROOT, runTests } from "../run-tests.mjs";

const TESTS = [
  "test/proofs/histories/",
  "test/proofs/model/",
  "test/proofs/interleavings/",
  "test/proofs/leak/",
];

const folder = `${ROOT}/.cache/soak`;
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "10" },
    runs: { type: "string", default: "100" },
  },
});
const files = positionals.length > 0 ? positionals : TESTS;
// Before the first round: an installation takes none of its time, and what it prints is seen.
const server = provideProgram(REDIS_SERVER);
const end = Date.now() + Number(options.minutes) * 60_000;
if (!(end > Date.now())) throw new Error("--minutes takes a number above zero");
mkdirSync(folder, { recursive: true });
exitOnSignals();

for (let round = 1; Date.now() < end; round++) {
  const seed = String(randomInt(1_000_000_000));
  const env = { SEED: seed, FC_SEED: seed, FC_RUNS: options.runs };
  const repeat = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  console.log(`round ${round}: ${repeat.join(" ")}`);
  const minutes = (end - Date.now()) / 60_000;
  const result = await runTests({
    node: process.execPath,
    files,
    env: { ...env, REDIS_SERVER_BIN: server },
    folder,
    minutes,
  });
  const { passed, failures, said, stopped, seconds } = result;
  if (failures.length > 0) {
    console.error(said);
    for (const failure of failures) console.error(`  ${failure}`);
    console.error(`To repeat it: ${repeat.join(" ")} npx vitest run ${files.join(" ")}`);
    process.exit(1);
  }
  console.log(stopped ? `  the time is up` : `  ${passed} passed in ${seconds} s`);
}
