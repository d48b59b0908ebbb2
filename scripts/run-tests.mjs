/* Runs tests and reads their results: a cell of the matrix, or a round of the soak. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the project. */
export const ROOT = fileURLToPath(new URL("../", import.meta.url)).replace(/\/$/, "");

/** Exits when this process is interrupted, which ends the tests that `runTests` runs. */
export function exitOnSignals() {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
}

/**
 * Runs vitest with a Node, on these files and with these variables of the environment. Reads from its
 * report how many tests passed, and which failed and why. Also tells its last output, how long it
 * took, and whether it was stopped because it didn't end within `minutes`.
 */
export async function runTests({ node, files, env, folder, minutes }) {
  const report = join(folder, "report.json");
  rmSync(report, { force: true });
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const started = Date.now();
  const child = spawn(node, [vitest, "run", ...reporters, ...files], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a group of its own, so that its workers end with it
    env: {
      ...process.env,
      PATH: `${dirname(node)}${delimiter}${process.env.PATH}`, // for the programs that tests start
      ...env,
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said = (said + chunk).slice(-20_000);
    });
  }
  const end = () => process.kill(-child.pid, "SIGKILL");
  let stopped = false;
  const timer = setTimeout(() => {
    stopped = true;
    end();
  }, minutes * 60_000);
  process.once("exit", end);
  const [code] = await once(child, "exit");
  process.off("exit", end);
  clearTimeout(timer);
  const result = existsSync(report)
    ? readReport(JSON.parse(readFileSync(report, "utf8")), ROOT)
    : { passed: 0, failures: [] };
  if (!stopped && code !== 0 && result.failures.length === 0) result.failures.push(said.trim());
  return { ...result, said, stopped, seconds: Math.round((Date.now() - started) / 1000) };
}

/** A skipped test is a failure, and so is a file that broke before its tests could run. */
export function readReport({ testResults }, root) {
  let passed = 0;
  const failures = [];
  for (const { name, status, message, assertionResults } of testResults) {
    const file = name.replace(`${root}/`, "");
    const bad = assertionResults.filter((test) => test.status !== "passed");
    passed += assertionResults.length - bad.length;
    for (const { fullName, status, failureMessages } of bad) {
      failures.push(`${file}: ${fullName}: ${takeFirstLine(failureMessages?.[0]) || status}`);
    }
    if (status === "failed" && bad.length === 0)
      failures.push(`${file}: ${takeFirstLine(message)}`);
  }
  return { passed, failures };
}

function takeFirstLine(text = "") {
  return text.split("\n")[0];
}
