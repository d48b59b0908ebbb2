/*
 * Takes a server from the packages of any Debian release. apt gets a list of sources and folders of
 * its own, so that nothing on the machine changes. A small script starts the server with its own
 * libc.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { announceInstall } from "../installing.mjs";

const MINUTE = 60_000;

function run(program, args, timeout = MINUTE) {
  return execFileSync(program, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout,
    killSignal: "SIGKILL",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
  });
}

/** The address from which this machine's apt takes Debian's own packages. */
function findMirror() {
  const format = "$(RELEASE) $(REPO_URI)";
  const lines = run("apt-get", ["indextargets", "--no-release-info", "--format", format]).split(
    "\n",
  );
  // Such as "bookworm <address>/debian/". Updates, security fixes and other projects don't match.
  const own = lines.find((line) => /^[a-z]+ \S+\/debian\/?$/.test(line));
  if (!own) throw new Error("this machine's apt has no Debian mirror");
  return own.split(" ")[1];
}

/** Prepares a folder for apt, with the packages of one release. The options that make apt use it. */
function prepareApt(release, folder) {
  for (const path of ["lists/partial", "archives/partial"]) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  writeFileSync(join(folder, "status"), ""); // as if nothing was installed, so that libc is fetched too
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
  writeFileSync(
    join(folder, "sources.list"),
    `deb [signed-by=${keys}] ${findMirror()} ${release} main\n`,
  );
  return [
    ["Dir::Etc::sourcelist", join(folder, "sources.list")],
    ["Dir::Etc::sourceparts", "/dev/null"],
    ["Dir::State", folder],
    ["Dir::State::lists", join(folder, "lists")],
    ["Dir::State::status", join(folder, "status")],
    ["Dir::Cache", folder],
    ["Dir::Cache::archives", join(folder, "archives")],
    ["APT::Sandbox::User", "root"],
  ].flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

/** The version of a package in a release, without Debian's epoch: "9.1.2-1"; undefined if none. */
function readPackageVersion(apt, name) {
  try {
    run("apt-get", [...apt, "update"], 3 * MINUTE);
  } catch (error) {
    console.error(String(error.stderr || error.message).trim());
    return undefined; // for example, a release that no longer exists
  }
  const [line = ""] = run("apt-cache", [...apt, "madison", name]).split("\n");
  return line.split("|")[1]?.trim().replace(/^\d+:/, "");
}

/** Finds the folders and the loader of the unpacked libc, relative to `root`. */
function findLibc(root) {
  const paths = readdirSync(root, { recursive: true }).map(String);
  const folder = dirname(paths.find((path) => basename(path) === "libc.so.6") ?? "");
  // Links to it elsewhere may lead to the machine's own.
  const loader = paths.find((path) => dirname(path) === folder && /\/ld-linux[^/]*$/.test(path));
  if (!loader) throw new Error("its packages bring no libc");
  const triplet = basename(folder); // such as x86_64-linux-gnu
  return { loader, folders: [`usr/lib/${triplet}`, `lib/${triplet}`] };
}

function writeStarter(path, root, program) {
  const { loader, folders } = findLibc(root);
  const inside = relative(dirname(path), root);
  const libraries = folders.map((folder) => `$root/${folder}`).join(":");
  writeFileSync(
    path,
    `#!/bin/sh
# Starts a server of another Debian release beside that release's own libc.
root=$(dirname "$0")/${inside}
exec "$root/${loader}" --library-path "${libraries}" "$root/usr/bin/${program}" "$@"
`,
  );
  chmodSync(path, 0o755);
}

/**
 * Fetches the package `program`, which has a program of that name, and unpacks it into `target`. It
 * comes from the first of `releases` whose version begins with `version`. apt's files are in
 * `folder`. The path of a script that starts the program.
 */
export function fetchFromDebian({ program, version, releases, folder, target }) {
  announceInstall({
    what: `${program} ${version}`,
    how: `\`apt-get install --download-only ${program}\` from Debian ${releases.join(" or ")}, unpacked in ${target}`,
    missing: `The matrix needs ${program} ${version}, and none was found`,
    advice: `Install it, or name other cells with --only`,
  });
  const seen = [];
  for (const release of releases) {
    const apt = prepareApt(release, join(folder, "apt", release));
    const found = readPackageVersion(apt, program);
    seen.push(`${found ?? "none"} in ${release}`);
    if (!found?.startsWith(`${version}.`)) continue;
    const archives = join(folder, "apt", release, "archives");
    run("apt-get", [...apt, "clean"]); // so that only this package's files are there afterwards
    const wanted = ["install", "--download-only", "--no-install-recommends", "-y", program];
    run("apt-get", [...apt, ...wanted], 5 * MINUTE);
    return unpack(archives, target, program);
  }
  throw new Error(`Debian has ${seen.join(", ")}`);
}

function unpack(archives, target, program) {
  const unfinished = `${target}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  for (const file of readdirSync(archives)) {
    if (file.endsWith(".deb")) run("dpkg", ["-x", join(archives, file), join(unfinished, "root")]);
  }
  writeStarter(join(unfinished, program), join(unfinished, "root"), program);
  rmSync(target, { recursive: true, force: true });
  renameSync(unfinished, target);
  return join(target, program);
}
