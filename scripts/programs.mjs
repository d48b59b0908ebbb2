/*
 * Finds the programs that tests need, and installs them with the system's package manager where
 * they are missing. A test never skips for want of a program: it runs, or says what to install.
 * (test/support/scripts.d.ts says what a program is.)
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { announceInstall } from "./installing.mjs";

export const REDIS_SERVER = {
  what: "a Redis or Valkey server",
  variable: "REDIS_SERVER_BIN",
  candidates: ["redis-server", "valkey-server"],
  packages: { apt: ["redis-server"], brew: ["redis"] },
};

/** The path of a program, installed first where that is possible; else throws what to install. */
export function provideProgram(program) {
  const { what, variable, candidates } = program;
  const named = process.env[variable];
  if (named) {
    const found = findProgram([named]);
    if (found) return found;
    throw new Error(`${variable} is set to ${named}, which is not an executable file.`);
  }
  const found = findProgram(candidates);
  if (found) return found;
  const names = candidates.map((name) => `"${name}"`).join(", ");
  const missing = `The tests need ${what}, and none was found (${names})`;
  const advice = `Install it ${waysToInstall(program)}, or set ${variable} to the path of one`;
  const failure = install(program, missing, advice);
  const installed = findProgram(candidates);
  if (installed) return installed;
  throw new Error(`${missing}${failure}. ${advice}.`);
}

/** The first candidate that is an executable file. */
function findProgram(candidates) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return candidates
    .flatMap((name) => (isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))))
    .find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs the package manager that is there. What went wrong, to be put behind a sentence, or "". */
function install({ what, packages }, missing, advice) {
  const steps = commandsFor(packages);
  const how = steps.map((step) => `\`${step.join(" ")}\``).join(", then ");
  announceInstall({ what, how, missing, advice });
  if (!how) return ", nor a way to install it";
  for (const [command, ...args] of steps) {
    const { status, stderr, error } = spawnSync(command, args, {
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
      timeout: 300_000,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    if (status !== 0) {
      const reason = (error?.message ?? stderr).trim().split("\n").at(-1) ?? "";
      return `, and \`${command} ${args.join(" ")}\` failed (${reason})`;
    }
  }
  return "";
}

/** The commands of the package manager that is there, in their order; none where there is none. */
function commandsFor({ apt, brew }) {
  if (apt && findProgram(["apt-get"])) {
    const root = process.getuid?.() === 0;
    if (!root && !findProgram(["sudo"])) return [];
    // Without a password to ask for: the tests run with nobody watching.
    const prefix = root ? [] : ["sudo", "-n"];
    // Another apt-get at work is waited for.
    const get = [...prefix, "apt-get", "-o", "DPkg::Lock::Timeout=120"];
    return [
      [...get, "update"],
      [...get, "install", "-y", "--no-install-recommends", ...apt],
    ];
  }
  if (brew && findProgram(["brew"])) return [["brew", "install", ...brew]];
  return [];
}

function waysToInstall({ packages: { apt, brew } }) {
  const ways = [
    apt && `with \`apt-get install ${apt.join(" ")}\``,
    brew && `with \`brew install ${brew.join(" ")}\``,
  ];
  return ways.filter(Boolean).join(" or ");
}
