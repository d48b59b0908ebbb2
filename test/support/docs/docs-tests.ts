/* Runs the test files that the documentation shows, by the runner of which they are. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { ROOT } from "../sources.ts";
import type { CodeBlock } from "./docs.ts";

export interface RunFile {
  readonly file: string;
  /** The names of its tests that passed. */
  readonly passed: readonly string[];
  /** Its fault; "" if there is none. */
  readonly fault: string;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/**
 * Runs blocks under vitest, all at once and each as two files, as in an application that has several. They
 * share two processes, so what one of them leaves behind is in the way of the next.
 *
 * @param folder an empty one inside the project.
 * @param variables of the environment.
 */
export async function runUnderVitest(
  blocks: readonly CodeBlock[],
  folder: string,
  variables: NodeJS.ProcessEnv,
): Promise<RunFile[]> {
  for (const { file, line, language, source } of blocks) {
    for (const copy of ["one", "two"]) {
      writeFileSync(`${folder}/${toName(file)}-${line}-${copy}.test.${language}`, source);
    }
  }
  const config = `${folder}/vitest.config.ts`;
  writeFileSync(
    config,
    `import { defineConfig } from "vitest/config";
    import { alias } from ${JSON.stringify(`${ROOT}vitest.config.ts`)};
    export default defineConfig({
      root: ${JSON.stringify(folder)},
      resolve: { alias },
      test: {
        include: ["*.test.{ts,js}"],
        maxWorkers: 2,
        isolate: false,
        testTimeout: 600_000,
      },
    });`,
  );
  const report = `${folder}/report.json`;
  const vitest = `${ROOT}node_modules/vitest/vitest.mjs`;
  // The environment of the vitest that runs this isn't for the other one.
  const own = Object.entries(process.env).filter(
    ([name]) => !/^VITEST|^NODE_ENV$|^TEST$/.test(name),
  );
  const args = [vitest, "run", "--config", config, "--reporter=json", `--outputFile=${report}`];
  const said = await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    env: { ...Object.fromEntries(own), ...variables },
  }).catch(({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr);
  const files = parseReport(report, said);
  if (files.length === 2 * blocks.length) return files;
  throw new Error(`vitest ran ${files.length} files of ${2 * blocks.length}: ${said}`);
}

/** Each file's result in the JSON reports of vitest and Jest. */
export function parseReport(path: string, said: unknown): RunFile[] {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new Error(`There is no report: ${JSON.stringify(said)}`, { cause });
  }
  return report.testResults.map(({ name, message, assertionResults: tests }) => {
    const bad = tests.filter(({ status }) => status !== "passed");
    const faults = bad.map((one) => `${one.fullName}: ${one.status} ${one.failureMessages}`);
    const none = tests.length === 0 ? ["there is no test"] : [];
    return {
      file: name.slice(name.lastIndexOf("/") + 1),
      passed: tests.filter(({ status }) => status === "passed").map(({ fullName }) => fullName),
      fault: [message, ...faults, ...none].filter(Boolean).join("\n"),
    };
  });
}

function toName(file: string): string {
  return file.replace(/\W+/g, "-");
}
