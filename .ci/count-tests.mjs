// Prints how many tests of a vitest JSON report passed and failed: `node .ci/count-tests.mjs <file>`.
// A skipped test counts as failed, and so does a file that broke before its tests could run.
import { existsSync, readFileSync } from "node:fs";

const [file = ""] = process.argv.slice(2);
let passed = 0;
let failed = 0;
if (existsSync(file)) {
  for (const { status, assertionResults } of JSON.parse(readFileSync(file, "utf8")).testResults) {
    const good = assertionResults.filter((test) => test.status === "passed").length;
    const bad = assertionResults.length - good;
    passed += good;
    failed += status === "failed" && bad === 0 ? 1 : bad;
  }
}
console.log(passed, failed);
