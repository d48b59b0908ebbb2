/* The package as it is built, in dist/, and as it is installed, once a run: what a program of its user loads. */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { type Installation, packAndInstall } from "../programs/installation.ts";
import { ROOT } from "../sources.ts";
import { once } from "./once.ts";

declare module "vitest" {
  export interface ProvidedContext {
    installation: Installation;
  }
}

/** The compiler is a program in Go. It ends before collecting garbage pays. */
const ENVIRONMENT = { GOGC: "off" };

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const installation = await once("build", async () => {
    const env = { ...process.env, ...ENVIRONMENT };
    await promisify(execFile)("npm", ["run", "build"], { cwd: ROOT, env });
    return packAndInstall();
  });
  provide("installation", installation);
  return () => rm(installation.folder, { recursive: true, force: true });
}
