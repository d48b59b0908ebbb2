/* A copy of the example for Next.js, installed with the packed tarball and built, before any test's clock runs. */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { announceInstall } from "../../scripts/installing.mjs";
import { npm, packInto } from "../support/programs/npm.ts";
import { ROOT } from "../support/sources.ts";

const SOURCE = `${ROOT}examples/nextjs`;
export const APP = `${ROOT}.cache/examples/nextjs`;
export const QUIET = { NODE_OPTIONS: "", NEXT_TELEMETRY_DISABLED: "1" };
const INSTALL = ["install", "--prefer-offline", "--no-audit", "--no-fund"];

export default async function setup(): Promise<() => void> {
  announceInstall({
    what: "the packages of the example for Next.js and of the tests for Jest",
    how: `\`npm ${INSTALL.join(" ")}\` in ${APP} and beside it`,
    missing: "The example for Next.js and the tests for Jest need packages of their own",
    advice: "Unset it for `npm run test:examples`",
  });
  rmSync(APP, { recursive: true, force: true });
  // Files that a reader made there aren't part of the example.
  const made = ["node_modules", ".next", "next-env.d.ts"];
  cpSync(SOURCE, APP, { recursive: true, filter: (path) => !made.includes(basename(path)) });
  const filename = await packInto(APP);
  const manifest = JSON.parse(readFileSync(`${APP}/package.json`, "utf8"));
  manifest.dependencies["session-sets"] = `file:./${filename}`;
  writeFileSync(`${APP}/package.json`, JSON.stringify(manifest, null, 2));
  await npm(INSTALL, APP);
  await npm(["run", "build"], APP);
  return () => rmSync(APP, { recursive: true, force: true });
}
