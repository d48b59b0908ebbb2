/* A copy of the example for Next.js, installed with the packed tarball and built, before any test's clock runs. */
import { execFile } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { promisify } from "node:util";
import { announceInstall } from "../../scripts/installing.mjs";
import { ROOT } from "../support/sources.ts";

const SOURCE = `${ROOT}examples/nextjs`;
export const APP = `${ROOT}.cache/examples/nextjs`;
export const QUIET = { NODE_OPTIONS: "", NEXT_TELEMETRY_DISABLED: "1" };
const INSTALL = ["install", "--prefer-offline", "--no-audit", "--no-fund"];

export default async function setup(): Promise<() => void> {
  announceInstall({
    what: "the packages of the example for Next.js",
    how: `\`npm ${INSTALL.join(" ")}\` in ${APP}`,
    missing: "The example for Next.js needs packages of its own",
    advice: "Unset it for `npm run test:examples`",
  });
  rmSync(APP, { recursive: true, force: true });
  // What a reader made there is no part of the example.
  const made = ["node_modules", ".next", "next-env.d.ts"];
  cpSync(SOURCE, APP, { recursive: true, filter: (path) => !made.includes(basename(path)) });
  // Without scripts: `npm run test:examples` has built what is packed.
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", APP];
  const [{ filename }] = JSON.parse(await npm(pack, ROOT));
  const manifest = JSON.parse(readFileSync(`${APP}/package.json`, "utf8"));
  manifest.dependencies["session-sets"] = `file:./${filename}`;
  writeFileSync(`${APP}/package.json`, JSON.stringify(manifest, null, 2));
  await npm(INSTALL, APP);
  await npm(["run", "build"], APP);
  return () => rmSync(APP, { recursive: true, force: true });
}

/** What npm prints. It fails with all that npm says: there is no test without the example. */
async function npm(args: readonly string[], cwd: string): Promise<string> {
  // Next.js and npm have meanings of their own for NODE_ENV, which vitest sets.
  const { NODE_ENV: _, ...variables } = process.env;
  const env = { ...variables, ...QUIET };
  try {
    return (await promisify(execFile)("npm", args, { cwd, env })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = Object(error);
    const said = `npm ${args.join(" ")} failed in ${cwd}:\n${stdout}${stderr}`;
    throw new Error(said, { cause: error });
  }
}
