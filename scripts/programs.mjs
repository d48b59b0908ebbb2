/*
 * Finds the programs that tests need, and installs them with the system's package manager where
 * they are missing. A test never skips for want of a program: it runs, or says what to install.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

export interface Program {
  /** What messages call it. */
  readonly what: string;
  /** The environment variable that names the program, which is then the only candidate. */
  readonly variable: string;
  /** Names to look for in PATH, and absolute paths, the best one first. */
  readonly candidates: readonly string[];
  /** The packages to install where none is found; null where a package manager has none. */
  readonly packages: {
    readonly apt: readonly string[] | null;
    readonly brew: readonly string[] | null;
  };
}

/** The path of a program, installed first where that is possible; else throws what to install. */
export function provideProgram(program: Program): string {
  const { what, variable } = program;
  const named = process.env[variable];
  if (named) {
    const found = findProgram([named]);
    if (found) return found;
    throw new Error(`${variable} is set to ${named}, which is not an executable file.`);
  }
  const found = findProgram(program.candidates);
  if (found) return found;
  const failure = install(program);
  const installed = findProgram(program.candidates);
  if (installed) return installed;
  const names = program.candidates.map((name) => `"${name}"`).join(", ");
  throw new Error(
    `The tests need ${what}, and none was found (${names})${failure}. Install it ${advice(program)}, or set ${variable} to the path of one.`,
  );
}

/** The first candidate that is an executable file. */
export function findProgram(candidates: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return candidates
    .flatMap((name) => (isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs the package manager that is there. What went wrong, to be put behind a sentence, or "". */
function install({ what, packages }: Program): string {
  const steps = commands(packages);
  if (!steps) return ", nor a way to install it";
  for (const [command = "", ...args] of steps) {
    console.error(`Installing ${what}: ${command} ${args.join(" ")}`);
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

function commands({ apt, brew }: Program["packages"]): string[][] | null {
  if (apt && findProgram(["apt-get"])) {
    const root = process.getuid?.() === 0;
    if (!root && !findProgram(["sudo"])) return null;
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
  return null;
}

function advice({ packages: { apt, brew } }: Program): string {
  const ways = [
    apt && `with \`apt-get install ${apt.join(" ")}\``,
    brew && `with \`brew install ${brew.join(" ")}\``,
  ];
  return ways.filter(Boolean).join(" or ");
}
