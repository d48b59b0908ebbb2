/* The servers of the matrix: this machine's own if it has the version, otherwise one from Debian. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fetchFromDebian } from "./debian.mjs";

/** By the name that `--only` takes, with the Debian releases that have, or had, the version. */
export const SERVERS = {
  "redis-7.0": { program: "redis-server", version: "7.0", releases: ["bookworm"] },
  "redis-8.0": { program: "redis-server", version: "8.0", releases: ["trixie", "forky", "sid"] },
  "valkey-8.1": { program: "valkey-server", version: "8.1", releases: ["trixie", "forky", "sid"] },
  "valkey-9.1": { program: "valkey-server", version: "9.1", releases: ["forky", "sid"] },
};

/** A server's version, as it prints it, in short: "Redis 7.0.15"; undefined if it doesn't start. */
export function readServerVersion(program) {
  try {
    const printed = execFileSync(program, ["--version"], { encoding: "utf8", timeout: 10_000 });
    const [, name, version] = /^(\w+) server v=(\S+)/.exec(printed) ?? [];
    return name && `${name} ${version}`;
  } catch {
    return undefined;
  }
}

/**
 * Provides the program of a server, and its version; throws why it isn't available. A program that
 * was fetched stays, for example as `<folder>/valkey-9.1/valkey-server`.
 */
export function provideServer(name, folder) {
  const { program, version, releases } = SERVERS[name];
  const fetched = join(folder, name, program);
  const candidates = [program, ...(existsSync(fetched) ? [fetched] : [])];
  const known = candidates.find((path) =>
    readServerVersion(path)?.split(" ")[1].startsWith(`${version}.`),
  );
  const path =
    known ?? fetchFromDebian({ program, version, releases, folder, target: join(folder, name) });
  const printed = readServerVersion(path);
  if (!printed) throw new Error(`${path} does not start`);
  return { path: known === program ? findInPath(program) : path, version: printed };
}

function findInPath(program) {
  return execFileSync("which", [program], { encoding: "utf8" }).trim();
}
