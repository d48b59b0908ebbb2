/* Runs the project's own TypeScript compiler. */
import { execFile } from "node:child_process";
import { ROOT } from "./sources.ts";

/** Compiles with a tsconfig.json. What the compiler says, "" where all is well. */
export function compile(tsconfig: string): Promise<string> {
  const tsc = `${ROOT}node_modules/typescript/bin/tsc`;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [tsc, "--pretty", "false", "-p", tsconfig],
      (error, stdout, stderr) => resolve(error ? (stdout + stderr).trim() || error.message : ""),
    );
  });
}
