// Prints how many tests of a vitest JSON report passed and failed: `node .ci/count-tests.mjs <file>`.
import { existsSync, readFileSync } from "node:fs";
import { ROOT, readReport } from "../scripts/run-tests.mjs";

const [file = ""] = process.argv.slice(2);
const { passed, failures } = existsSync(file)
  ? readReport(JSON.parse(readFileSync(file, "utf8")), ROOT)
  : { passed: 0, failures: [] };
console.log(passed, failures.length);
