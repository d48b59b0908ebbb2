/*
 * `npm run bench` runs the benchmark in bench/, whose main.ts says what it takes. Before, it finds a
 * server, and installs the packages that this one is compared with. They have a manifest and a lockfile
 * of their own, so that installing this project does not download them.
 */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { announceInstall } from "../installing.mjs";
import { provideProgram, REDIS_SERVER } from "../programs.mjs";

const SOURCE = fileURLToPath(new URL("./peers", import.meta.url));
const CACHE = fileURLToPath(new URL("../../.cache/bench", import.meta.url));
const PEERS = `${CACHE}/peers`;
const INSTALL = ["ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];

/** Installs what the lockfile names, unless that was done before. */
function installPeers() {
  const lockfile = readFileSync(`${SOURCE}/package-lock.json`, "utf8");
  const installed = `${PEERS}/installed.json`;
  if (existsSync(installed) && readFileSync(installed, "utf8") === lockfile) return;
  announceInstall({
    what: "the packages that session-sets is compared with",
    how: `\`npm ${INSTALL.join(" ")}\` in ${PEERS}`,
    missing: "The benchmark compares session-sets with other packages",
    advice: "Unset it for `npm run bench`",
  });
  mkdirSync(PEERS, { recursive: true });
  cpSync(SOURCE, PEERS, { recursive: true });
  execFileSync("npm", INSTALL, { cwd: PEERS, stdio: ["ignore", "ignore", "inherit"] });
  // A module in that folder finds the packages that are installed there.
  writeFileSync(`${PEERS}/load.js`, "export const load = (name) => import(name);\n");
  writeFileSync(installed, lockfile);
}

const program = provideProgram(REDIS_SERVER);
installPeers();
const child = spawn(process.execPath, [`${CACHE}/build/bench/main.js`, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, REDIS_SERVER_BIN: program },
});
process.once("SIGTERM", () => child.kill());
child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
