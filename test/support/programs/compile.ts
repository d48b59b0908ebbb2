/* Runs a TypeScript compiler: the project's own, if no other is named. */
import { execFile } from "node:child_process";
import { ROOT } from "../sources.ts";

/** Compiles with a tsconfig.json. Gives the compiler's complaints, "" if there are none. */
export function compile(
  tsconfig: string,
  options: readonly string[] = [],
  compiler = "node_modules/typescript",
): Promise<string> {
  const tsc = `${ROOT}${compiler}/bin/tsc`;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [tsc, "--pretty", "false", "-p", tsconfig, ...options],
      (error, stdout, stderr) => resolve(error ? (stdout + stderr).trim() || error.message : ""),
    );
  });
}
