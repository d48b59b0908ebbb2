/*
 * Finds the programs that tests need, and installs missing ones with the system's package manager. No
 * test is skipped because a program is missing: it runs, or says what to install.
 * (test/support/scripts.d.ts describes a program.)
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

/** Finds a program, or installs it if possible. Its path; throws what to install if there is none. */
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
  const advice = `Install it ${describeInstallation(program)}, or set ${variable} to the path of one`;
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

/** Runs the package manager of this system. Why that failed, to end a sentence with, or "". */
function install({ what, packages }, missing, advice) {
  const steps = listInstallCommands(packages);
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

/** The commands of this system's package manager, in their order; none if it has no known one. */
function listInstallCommands({ apt, brew }) {
  if (apt && findProgram(["apt-get"])) {
    const root = process.getuid?.() === 0;
    if (!root && !findProgram(["sudo"])) return [];
    // Never asks for a password: tests run unattended.
    const prefix = root ? [] : ["sudo", "-n"];
    // Waits for another apt-get that is running.
    const get = [...prefix, "apt-get", "-o", "DPkg::Lock::Timeout=120"];
    return [
      [...get, "update"],
      [...get, "install", "-y", "--no-install-recommends", ...apt],
    ];
  }
  if (brew && findProgram(["brew"])) return [["brew", "install", ...brew]];
  return [];
}

function describeInstallation({ packages: { apt, brew } }) {
  const ways = [
    apt && `with \`apt-get install ${apt.join(" ")}\``,
    brew && `with \`brew install ${brew.join(" ")}\``,
  ];
  return ways.filter(Boolean).join(" or ");
}
