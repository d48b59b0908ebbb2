/* The Nodes of the matrix: the one that runs this if it has the version, otherwise one from npm. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { announceInstall } from "../installing.mjs";

/** By the name that `--only` takes. */
export const NODES = { "node-20": "20", "node-22": "22", "node-24": "24", "node-26": "26" };

/** A Node's version, as it prints it: "v20.20.2"; undefined if it doesn't start. */
export function readNodeVersion(path) {
  try {
    return execFileSync(path, ["--version"], { encoding: "utf8", timeout: 10_000 }).trim();
  } catch {
    return undefined;
  }
}

/** Provides the program of a Node, and its version; throws why it isn't available. */
export function provideNode(name, folder) {
  const major = NODES[name];
  if (process.versions.node.startsWith(`${major}.`)) {
    return { path: process.execPath, version: process.version };
  }
  const project = join(folder, name);
  const path = join(project, "node_modules", "node", "bin", "node");
  if (!readNodeVersion(path)) install(major, project);
  const version = readNodeVersion(path);
  if (!version?.startsWith(`v${major}.`)) throw new Error(`npm brought ${version ?? "no program"}`);
  return { path, version };
}

/** The package `node` fetches the program for this system when npm installs it. */
function install(major, project) {
  const args = ["install", "--no-audit", "--no-fund", "--no-package-lock", `node@${major}`];
  announceInstall({
    what: `Node ${major}`,
    how: `\`npm ${args.join(" ")}\` in ${project}`,
    missing: `The matrix needs Node ${major}, and this is Node ${process.versions.node}`,
    advice: `Run it with Node ${major}, or name other cells with --only`,
  });
  mkdirSync(project, { recursive: true });
  const manifest = { private: true, allowScripts: { node: true } };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  execFileSync("npm", args, {
    cwd: project,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 5 * 60_000,
  });
}
