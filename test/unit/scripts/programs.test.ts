import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { provideProgram } from "../../../scripts/programs.mjs";

/** The lines that were said, which aren't among the results of these tests. */
const said = vi.hoisted(() => [] as unknown[]);
vi.mock("node:fs", async (original) => ({
  ...(await original<typeof import("node:fs")>()),
  writeSync: (_: number, text: unknown) => said.push(text),
}));

const WANTED = {
  what: "a tea server",
  variable: "TEA_BIN",
  candidates: ["tea-server", "coffee-server"],
  packages: { apt: ["tea"], brew: ["tea-brew"] },
} as const;

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "session-sets-programs-"));
  mkdirSync(join(folder, "bin"));
  vi.stubEnv("PATH", join(folder, "bin"));
  vi.stubEnv("TEA_BIN", undefined);
  vi.stubEnv("SESSION_SETS_INSTALL", undefined);
  said.length = 0;
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function program(name: string, script = ""): string {
  const path = join(folder, "bin", name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A package manager that writes down how it is called, and "installs" the tea server. */
function packageManager(name: string): void {
  program(
    name,
    `echo "${name} $*" >> "${folder}/calls"
    case "$*" in *install*) echo > "${folder}/bin/tea-server"; /bin/chmod +x "${folder}/bin/tea-server";; esac`,
  );
}

test("takes what is in PATH, the first candidate first", () => {
  program("coffee-server");
  expect(provideProgram(WANTED)).toBe(join(folder, "bin/coffee-server"));
  program("tea-server");
  expect(provideProgram(WANTED)).toBe(join(folder, "bin/tea-server"));
});

test("takes what the environment variable names, and nothing else", () => {
  program("tea-server");
  const other = program("other");
  vi.stubEnv("TEA_BIN", other);
  expect(provideProgram(WANTED)).toBe(other);
  vi.stubEnv("TEA_BIN", join(folder, "missing"));
  expect(() => provideProgram(WANTED)).toThrow(/TEA_BIN is set to .*missing, which is not/);
});

test("installs what is missing with apt-get", () => {
  packageManager("apt-get");
  vi.spyOn(process, "getuid").mockReturnValue(0);
  expect(provideProgram(WANTED)).toBe(join(folder, "bin/tea-server"));
  const calls = readFileSync(join(folder, "calls"), "utf8");
  expect(calls).toMatch(/^apt-get .*update\napt-get .*install -y .*tea\n$/);
  const [first, second] = calls.trim().split("\n");
  expect(said).toEqual([
    `Installing a tea server: \`${first}\`, then \`${second}\`. SESSION_SETS_INSTALL=0 forbids it.\n`,
  ]);
});

test("installs through sudo where the user is not root, asking nothing", () => {
  program("apt-get");
  packageManager("sudo");
  vi.spyOn(process, "getuid").mockReturnValue(1000);
  expect(provideProgram(WANTED)).toBe(join(folder, "bin/tea-server"));
  expect(readFileSync(join(folder, "calls"), "utf8")).toMatch(/^sudo -n apt-get .*update\n/);
});

test.each(["apt-get", "brew"])("does not call %s where that is forbidden", (manager) => {
  packageManager(manager);
  vi.spyOn(process, "getuid").mockReturnValue(0);
  vi.stubEnv("SESSION_SETS_INSTALL", "0");
  expect(() => provideProgram(WANTED)).toThrow(
    'The tests need a tea server, and none was found ("tea-server", "coffee-server"), and SESSION_SETS_INSTALL=0 forbids installing anything. Install it with `apt-get install tea` or with `brew install tea-brew`, or set TEA_BIN to the path of one.',
  );
  expect([existsSync(join(folder, "calls")), said]).toEqual([false, []]);
});

test("refuses any other word of what is forbidden, and installs nothing", () => {
  packageManager("brew");
  vi.stubEnv("SESSION_SETS_INSTALL", "false");
  expect(() => provideProgram(WANTED)).toThrow(
    'SESSION_SETS_INSTALL is set to "false". Set it to 0',
  );
  expect(existsSync(join(folder, "calls"))).toBe(false);
  vi.stubEnv("SESSION_SETS_INSTALL", "1");
  expect(provideProgram(WANTED)).toBe(join(folder, "bin/tea-server"));
});

test("installs with brew", () => {
  packageManager("brew");
  expect(provideProgram(WANTED)).toBe(join(folder, "bin/tea-server"));
  expect(readFileSync(join(folder, "calls"), "utf8")).toBe("brew install tea-brew\n");
});

test("says what to install where nothing can install it", () => {
  expect(() => provideProgram(WANTED)).toThrow(
    'The tests need a tea server, and none was found ("tea-server", "coffee-server"), nor a way to install it. Install it with `apt-get install tea` or with `brew install tea-brew`, or set TEA_BIN to the path of one.',
  );
});

test("says what to install, and what went wrong, where installing fails", () => {
  program("apt-get", `echo "no such package" >&2; exit 100`);
  vi.spyOn(process, "getuid").mockReturnValue(0);
  expect(() => provideProgram(WANTED)).toThrow(
    /update` failed \(no such package\)\. Install it with `apt-get install tea`/,
  );
  expect(existsSync(join(folder, "bin/tea-server"))).toBe(false);
});
