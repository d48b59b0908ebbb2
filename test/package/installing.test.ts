/*
 * The project's commands install what they need on a machine that lacks it: they say so before
 * the installer is called, and SESSION_SETS_INSTALL=0 forbids it. The installers here write down how
 * they are called and what had been said by then, and fail.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { serverProgram } from "../support/redis/server.ts";
import { ROOT, read } from "../support/sources.ts";

/** Something that a command needs and that is missing. */
interface Missing {
  readonly what: string;
  /** Its name in the documentation. */
  readonly documented: string;
  /** The sentence that says so. */
  readonly need: string;
  /** The end of the sentence that says what to do instead. */
  readonly advice: string;
}

interface Command {
  /** As package.json names it. */
  readonly script: string;
  readonly args: readonly string[];
  /** Files that are there already. */
  readonly env?: Readonly<Record<string, string>>;
  readonly missing: readonly Missing[];
}

const vitest = (...args: string[]) => [`${ROOT}node_modules/vitest/vitest.mjs`, "run", ...args];
/** A Node that is not this one. */
const OTHER_NODE = process.versions.node.startsWith("22.") ? "24" : "22";

function program(what: string, variable: string): Missing {
  const need = `The tests need ${what}, and none was found`;
  return { what, documented: what, need, advice: `or set ${variable} to the path of one.` };
}
const SERVER = program("a Redis or Valkey server", "REDIS_SERVER_BIN");
const NAME_OTHERS = "or name other cells with --only.";

const COMMANDS: readonly Command[] = [
  { script: "test", args: vitest("test/store/redis/layout/names.test.ts"), missing: [SERVER] },
  { script: "test:quick", args: vitest("test/store/contract.test.ts"), missing: [SERVER] },
  { script: "coverage", args: vitest("--project", "compat"), missing: [SERVER] },
  { script: "fuzz", args: vitest("--config", "vitest.fuzz.config.ts"), missing: [SERVER] },
  {
    script: "test:lua54",
    args: vitest("--config", "vitest.lua54.config.ts"),
    missing: [program("Lua 5.4", "LUA54_BIN")],
  },
  {
    script: "lint:lua",
    args: vitest("--config", "vitest.luacheck.config.ts"),
    missing: [program("luacheck", "LUACHECK_BIN")],
  },
  {
    script: "test:browser",
    args: vitest("--config", "vitest.browser.config.ts"),
    missing: [program("Chromium", "CHROMIUM_BIN")],
  },
  {
    script: "test:browser",
    args: vitest("--config", "vitest.browser.config.ts"),
    env: { CHROMIUM_BIN: process.execPath },
    missing: [SERVER],
  },
  {
    script: "test:examples",
    args: vitest("--config", "vitest.examples.config.ts"),
    env: { REDIS_SERVER_BIN: serverProgram() },
    missing: [
      {
        what: "the packages of the examples for Next.js, React Router and SvelteKit and of the tests for Jest, and Bun and Deno",
        documented:
          "the packages of the examples for Next.js, React Router and SvelteKit and of the tests for Jest, and Bun and Deno, from npm",
        need: "The examples for Next.js, React Router and SvelteKit, the tests for Jest, and those on Bun and Deno need packages of their own",
        advice: "Unset it for `npm run test:examples`.",
      },
    ],
  },
  {
    script: "test:matrix",
    args: ["main.mjs", "--fetch", "--only", "valkey-9.1", "--only", `node-${OTHER_NODE}`],
    missing: [
      {
        what: "valkey-server 9.1",
        documented: "the servers, from Debian's packages",
        need: "The matrix needs valkey-server 9.1, and none was found",
        advice: `Install it, ${NAME_OTHERS}`,
      },
      {
        what: `Node ${OTHER_NODE}`,
        documented: "the Nodes, from npm",
        need: `The matrix needs Node ${OTHER_NODE}, and this is Node ${process.versions.node}`,
        advice: `Run it with Node ${OTHER_NODE}, ${NAME_OTHERS}`,
      },
    ],
  },
  { script: "bench", args: ["main.mjs"], missing: [SERVER] },
  {
    script: "bench",
    args: ["main.mjs"],
    env: { REDIS_SERVER_BIN: serverProgram() },
    missing: [
      {
        what: "the packages that session-sets is compared with",
        documented: "the packages that session-sets is compared with, from npm",
        need: "The benchmark compares session-sets with other packages",
        advice: "Unset it for `npm run bench`.",
      },
    ],
  },
  { script: "soak", args: ["main.mjs"], missing: [SERVER] },
];

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "session-sets-installing-"));
  mkdirSync(`${folder}/bin`);
  for (const name of ["apt-get", "sudo", "brew", "npm"]) writeInstaller(name);
  writeProgram("sh", `PATH="${process.env.PATH}" exec /bin/sh "$@"`); // the watchdog of a server
  // The matrix keeps its downloads beside its scripts: a copy of them has none.
  const filter = (path: string) => !path.endsWith("/node_modules");
  cpSync(`${ROOT}scripts`, `${folder}/scripts`, { recursive: true, filter });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writeProgram(name: string, script: string): void {
  writeFileSync(`${folder}/bin/${name}`, `#!/bin/sh\n${script}\n`);
  chmodSync(`${folder}/bin/${name}`, 0o755);
}

function writeInstaller(name: string): void {
  writeProgram(
    name,
    `[ -e "${folder}/${name}" ] || /bin/cat "${folder}/output" > "${folder}/${name}"
    echo "${name} $*" >> "${folder}/calls"
    exit 1`,
  );
}

/** Runs a command where nothing is but the installers. Its exit code and all that it printed. */
async function run({ script, args, env }: Command, variable: Readonly<Record<string, string>>) {
  const output = openSync(`${folder}/output`, "a");
  const [program = "", ...rest] = args;
  const isScript = program === "main.mjs";
  const path = isScript ? `${folder}/scripts/${script.replace("test:", "")}/${program}` : program;
  // It ends before it pays to optimize it.
  const child = spawn(process.execPath, ["--no-opt", path, ...rest], {
    cwd: ROOT,
    stdio: ["ignore", output, output],
    env: {
      PATH: `${folder}/bin`,
      HOME: folder,
      NO_COLOR: "1",
      // On a terminal vitest holds back what is printed until it has time to draw.
      NODE_OPTIONS: "--import=data:text/javascript,process.stdout.isTTY=true",
      ...env,
      ...variable,
    },
  });
  onTestFinished(() => void child.kill("SIGKILL")); // where the test was given up
  const [code] = await once(child, "exit");
  closeSync(output);
  return { code, printed: readFileSync(`${folder}/output`, "utf8") };
}

/** Each call of an installer, as a line. */
function calls(): string[] {
  const path = `${folder}/calls`;
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
}

test("all commands that run tests are here, and in the documentation with what they install", () => {
  const scripts: Record<string, string> = JSON.parse(read("package.json")).scripts;
  const tests = Object.keys(scripts).filter((name) => /vitest|main\.mjs/.test(scripts[name] ?? ""));
  expect([...new Set(COMMANDS.map(({ script }) => script))].sort()).toEqual(tests.sort());
  const rows = read("docs/design.md").split("\n");
  for (const { script, missing } of COMMANDS) {
    const name = script === "test" ? "`npm test`" : `\`npm run ${script}\``;
    const [row] = rows.filter((line) => line.startsWith("|") && line.includes(name));
    for (const { documented } of missing) expect(row).toContain(documented);
  }
  expect(read("README.md")).toMatch(/^npm ci && npm test +# .*installs redis-server/m);
  for (const page of ["README.md", "docs/design.md", "examples/README.md"]) {
    expect(read(page)).toContain("SESSION_SETS_INSTALL=0");
  }
});

for (const command of COMMANDS) {
  const names = command.missing.map(({ what }) => what).join(" and ");

  describe(`npm run ${command.script}, where ${names} is missing`, () => {
    test("says what it installs, and how, before it does", async () => {
      const { code, printed } = await run(command, {});
      for (const { what } of command.missing) {
        const announcement = new RegExp(
          `Installing ${what}: \`(\\S+) .*\\. SESSION_SETS_INSTALL=0 forbids it\\.$`,
          "m",
        );
        const [, installer = ""] = announcement.exec(printed) ?? [];
        expect(calls().map((call) => call.split(" ")[0])).toContain(installer);
        expect(readFileSync(`${folder}/${installer}`, "utf8")).toMatch(announcement);
      }
      expect(code).toBe(1);
    });

    test("installs nothing where that is forbidden, and says what to do instead", async () => {
      const { code, printed } = await run(command, { SESSION_SETS_INSTALL: "0" });
      for (const { need, advice } of command.missing) {
        const line = printed.split("\n").find((line) => line.includes(need));
        expect(line).toContain(", and SESSION_SETS_INSTALL=0 forbids installing anything. ");
        expect(line).toContain(advice);
      }
      expect(printed).not.toContain("Installing ");
      expect([code, calls()]).toEqual([1, []]);
    });
  });
}
