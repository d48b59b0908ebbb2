/* Runs a TypeScript compiler: the project's own, if no other is named. */
import { execFile } from "node:child_process";
import { ROOT } from "../sources.ts";

const OWN = "node_modules/typescript";

/*
 * So little is compiled that doing it well costs more than it saves. The project's own compiler is a program in Go,
 * which would collect garbage and share the work among threads. An older one is JavaScript, which Node would
 * optimize.
 */
const ENVIRONMENT = { GOGC: "off" };
const ONE_THREAD = "--singleThreaded";
const NOT_OPTIMIZED = "--no-opt";

/** Compiles with a tsconfig.json. Gives the compiler's complaints, "" if there are none. */
export function compile(
  tsconfig: string,
  options: readonly string[] = [],
  compiler = OWN,
): Promise<string> {
  const tsc = `${ROOT}${compiler}/bin/tsc`;
  const args = ["--pretty", "false", "-p", tsconfig, ...options];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      compiler === OWN ? [tsc, ONE_THREAD, ...args] : [NOT_OPTIMIZED, tsc, ...args],
      { env: { ...process.env, ...ENVIRONMENT } },
      (error, stdout, stderr) => resolve(error ? (stdout + stderr).trim() || error.message : ""),
    );
  });
}
