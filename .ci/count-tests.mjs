// Reads a vitest JSON report: prints how many tests passed and failed on one line, then a line for
// each that failed: `node .ci/count-tests.mjs <file>`.
import { existsSync, readFileSync } from "node:fs";
import { ROOT, readReport } from "../scripts/run-tests.mjs";

const [file = ""] = process.argv.slice(2);
const { passed, failures } = existsSync(file)
  ? readReport(JSON.parse(readFileSync(file, "utf8")), ROOT)
  : { passed: 0, failures: [] };
console.log(passed, failures.length);
for (const failure of failures) console.log(failure.replaceAll("\n", " "));
