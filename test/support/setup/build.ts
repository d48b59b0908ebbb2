/* The package as it is built, in dist/, once a run: what a program of the package's user loads. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ROOT } from "../sources.ts";
import { once } from "./once.ts";

export default async function setup(): Promise<void> {
  await once("build", () => promisify(execFile)("npm", ["run", "build"], { cwd: ROOT }));
}
