/*
 * The packages that session-sets is compared with. They have a manifest and a lockfile of their own, so
 * that nobody who installs this project downloads them, and are installed on demand.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { announceInstall } from "../scripts/installing.mjs";

const ROOT = join(import.meta.dirname, "../../../..");
const SOURCE = join(ROOT, "bench/peers");
const FOLDER = join(ROOT, ".cache/bench/peers");
const INSTALL = ["ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
const LOADER = join(FOLDER, "load.js");

/** Installs what the lockfile names, unless that was done before. */
export function installPeers(): void {
  const lockfile = readFileSync(join(SOURCE, "package-lock.json"), "utf8");
  const installed = join(FOLDER, "installed.json");
  if (existsSync(installed) && readFileSync(installed, "utf8") === lockfile) return;
  announceInstall({
    what: "the packages that session-sets is compared with",
    how: `\`npm ${INSTALL.join(" ")}\` in ${FOLDER}`,
    missing: "The benchmark compares session-sets with other packages",
    advice: "Unset it for `npm run bench`",
  });
  mkdirSync(FOLDER, { recursive: true });
  cpSync(SOURCE, FOLDER, { recursive: true });
  execFileSync("npm", INSTALL, { cwd: FOLDER, stdio: ["ignore", "ignore", "inherit"] });
  // A module in that folder finds the packages that are installed there.
  writeFileSync(LOADER, "export const load = (name) => import(name);\n");
  writeFileSync(installed, lockfile);
}

/** Loads an installed peer. `Module` describes what is used of it. */
export async function loadPeer<Module>(name: string): Promise<Module> {
  const { load } = await import(pathToFileURL(LOADER).href);
  return load(name);
}

/** The version of an installed package. */
export function readPeerVersion(name: string): string {
  const manifest = join(FOLDER, "node_modules", name, "package.json");
  return JSON.parse(readFileSync(manifest, "utf8")).version;
}
