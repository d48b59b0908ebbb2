/* The servers of the matrix: the machine's own where it is of the version, else one from Debian. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fetchFromDebian } from "./debian.mjs";

/** By the name that `--only` takes, and the Debian releases that have, or had, that version. */
export const SERVERS = {
  "redis-7.0": { program: "redis-server", version: "7.0", releases: ["bookworm"] },
  "redis-8.0": { program: "redis-server", version: "8.0", releases: ["trixie", "forky", "sid"] },
  "valkey-8.1": { program: "valkey-server", version: "8.1", releases: ["trixie", "forky", "sid"] },
  "valkey-9.1": { program: "valkey-server", version: "9.1", releases: ["forky", "sid"] },
};

/** As a server prints its version, in short: "Redis 7.0.15"; undefined where it does not start. */
export function serverVersion(program) {
  try {
    const printed = execFileSync(program, ["--version"], { encoding: "utf8", timeout: 10_000 });
    const [, name, version] = /^(\w+) server v=(\S+)/.exec(printed) ?? [];
    return name && `${name} ${version}`;
  } catch {
    return undefined;
  }
}

/**
 * The program of a server and the version that it prints; throws why it cannot be had. What is
 * fetched stays, such as `<folder>/valkey-9.1/valkey-server`.
 */
export function provideServer(name, folder) {
  const { program, version, releases } = SERVERS[name];
  const fetched = join(folder, name, program);
  const candidates = [program, ...(existsSync(fetched) ? [fetched] : [])];
  const had = candidates.find((path) =>
    serverVersion(path)?.split(" ")[1].startsWith(`${version}.`),
  );
  const path =
    had ?? fetchFromDebian({ program, version, releases, folder, target: join(folder, name) });
  const printed = serverVersion(path);
  if (!printed) throw new Error(`${path} does not start`);
  return { path: had === program ? which(program) : path, version: printed };
}

function which(program) {
  return execFileSync("which", [program], { encoding: "utf8" }).trim();
}
