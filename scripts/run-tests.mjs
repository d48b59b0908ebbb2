/* Runs tests and tells what came of it: for the matrix, a cell; for the soak, a round. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/**
 * Runs vitest with a Node, on these files and with these variables of the environment, and reads its
 * report. How many tests passed, which failed and why, what was said last, whether it had to be
 * stopped because it did not end within `minutes`, and how long it took.
 */
export async function runTests({ node, files, env, root, folder, minutes }) {
  const report = join(folder, "report.json");
  rmSync(report, { force: true });
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const started = Date.now();
  const child = spawn(node, [vitest, "run", ...reporters, ...files], {
    cwd: root,
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
    ? readReport(JSON.parse(readFileSync(report, "utf8")), root)
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
      failures.push(`${file}: ${fullName}: ${firstLine(failureMessages?.[0]) || status}`);
    }
    if (status === "failed" && bad.length === 0) failures.push(`${file}: ${firstLine(message)}`);
  }
  return { passed, failures };
}

function firstLine(text = "") {
  return text.split("\n")[0];
}
