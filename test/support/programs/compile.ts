/* Runs a TypeScript compiler: the project's own, if no other is named. */
import { execFile } from "node:child_process";
import { ROOT } from "../sources.ts";

const OWN = "node_modules/typescript";

/**
 * For a compiler that is a program in Go: it compiles so little that to collect garbage, and to share the work
 * among threads that each do a part of it anew, is almost half of what it does.
 */
const ENVIRONMENT = { GOGC: "off" };
const ONE_THREAD = "--singleThreaded";

/** Compiles with a tsconfig.json. Gives the compiler's complaints, "" if there are none. */
export function compile(
  tsconfig: string,
  options: readonly string[] = [],
  compiler = OWN,
): Promise<string> {
  const tsc = `${ROOT}${compiler}/bin/tsc`;
  const threads = compiler === OWN ? [ONE_THREAD] : [];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [tsc, "--pretty", "false", "-p", tsconfig, ...threads, ...options],
      { env: { ...process.env, ...ENVIRONMENT } },
      (error, stdout, stderr) => resolve(error ? (stdout + stderr).trim() || error.message : ""),
    );
  });
}
