/* Runs a TypeScript compiler: the project's own, if no other is named. */
import { execFile } from "node:child_process";
import { ROOT } from "../sources.ts";

const OWN = "node_modules/typescript";

/*
 * What is compiled is so little that much of the work would be to go about it well. The project's own compiler is a
 * program in Go: it would collect garbage, and share the work among threads that each do a part of it anew. An
 * older one is JavaScript, which Node would optimize.
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
