/*
 * CommonJS programs whose tools do not require ES modules as Node does: TypeScript and Jest, each with
 * the settings that docs/compatibility.md shows, and without them. The settings are read from there.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findSection, listBlocks } from "../support/docs/pages.ts";
import {
  addPackages,
  type Compiler,
  compileIn,
  openPacked,
  type Packed,
  readOutput,
  readVersion,
} from "../support/programs/consumer.ts";
import { read } from "../support/sources.ts";

const { exports: EXPORTS } = JSON.parse(read("package.json"));
const ENTRIES = Object.keys(EXPORTS)
  .filter((name) => name !== "./package.json")
  .map((name) => `session-sets${name.slice(1)}`);
const SETTING = findSection(read("docs/compatibility.md"), "Where `require` needs a setting");
/** The settings that docs/compatibility.md shows, by what they are of. */
const SETTINGS: { compilerOptions?: object; jest?: { transformIgnorePatterns: string[] } } =
  Object.assign({}, ...listBlocks(SETTING, "json").map((block) => JSON.parse(block)));
const OLDEST = "typescript 5.8";

let packed: Packed;

beforeAll(() => {
  packed = openPacked();
});

afterAll(() => packed?.remove());

describe("a program that is compiled to CommonJS", () => {
  const output = { answer: { id: 1 }, sessions: 1 };
  let path = "";
  beforeAll(() => {
    path = packed.project({});
    const types = ["express", "express-session", "node"].map((name) => `@types/${name}`);
    addPackages(path, ["express", "express-session", ...types]);
  });

  /** The output of a program that these settings compile. */
  async function outputAfter(settings: object, compiler: Compiler): Promise<unknown> {
    const places = { rootDir: "commonjs", outDir: "built" };
    const options = { types: ["node"], skipLibCheck: true, ...places, ...settings };
    expect(await compileIn(path, ["commonjs/app.ts"], options, compiler)).toBe("");
    expect(readFileSync(`${path}/built/app.js`, "utf8")).toContain("require(");
    return readOutput(path, "built/app.js");
  }

  /** The faults of a program that imports two entries, as TypeScript numbers them. */
  async function faultsUnder(settings: object, compiler: Compiler): Promise<string[]> {
    const options = { types: [], lib: ["es2023"], skipLibCheck: true, noEmit: true, ...settings };
    const said = await compileIn(path, ["commonjs/imports.ts"], options, compiler);
    return Array.from(said.matchAll(/error (TS\d+)/g), ([, fault = ""]) => fault);
  }

  test("by TypeScript 5 needs what docs/compatibility.md says, without moduleResolution", async () => {
    expect(await faultsUnder({ module: "commonjs" }, OLDEST)).toEqual(["TS2307", "TS2307"]);
    const both = { ...SETTINGS.compilerOptions, moduleResolution: "node" };
    expect(await faultsUnder(both, OLDEST)).toContain("TS5109");
    expect(await outputAfter({ ...SETTINGS.compilerOptions }, OLDEST)).toEqual(output);
  });

  test("by TypeScript 7 works under commonjs, too", async () => {
    expect(await outputAfter({ module: "commonjs" }, "typescript")).toEqual(output);
    expect(await outputAfter({ ...SETTINGS.compilerOptions }, "typescript")).toEqual(output);
  });

  test.each([
    ["node16", OLDEST],
    ["node16", "typescript"],
    ["node18", "typescript"],
  ] as const)("under %s is TS1479 with %s", async (module, compiler) => {
    expect(await faultsUnder({ module }, compiler)).toEqual(["TS1479", "TS1479"]);
  });
});

describe("tests that run under Jest", () => {
  /** As that page tells to install them: "@babel/…@7". */
  const wanted = /npm install --save-dev (.+)/.exec(listBlocks(SETTING, "sh").join(""))?.[1] ?? "";
  const [, plugin = "", major = ""] = /^(\S+)@(\d+)$/.exec(wanted) ?? [];
  const [, nodeOptions = ""] = /`NODE_OPTIONS=(\S+)`/.exec(SETTING) ?? [];
  let set = "";
  let plain = "";
  beforeAll(() => {
    set = packed.project({ jest: SETTINGS.jest });
    plain = packed.project({});
    for (const path of [set, plain]) addPackages(path, ["babel-jest", "ioredis", "jest", plugin]);
  });

  /** What Jest says of the tests in commonjs/, those that require the package or those that import it. */
  async function jest(path: string, tests: "require" | "import", ...args: readonly string[]) {
    const env = { ...process.env, NODE_OPTIONS: "", ENTRIES: ENTRIES.join() };
    const jest = `${path}/node_modules/jest/bin/jest.js`;
    const all = [...args, jest, tests, "--json", "--ci", `--cacheDirectory=${path}/cache`];
    const options = { cwd: path, env };
    const run = promisify(execFile)(process.execPath, all, options);
    const { stdout } = await run.catch((error) => error); // which it is where a test fails
    const { numPassedTests, testResults } = JSON.parse(stdout);
    const messages = testResults.map(({ message }: { message: string }) => message);
    return { passed: numPassedTests, said: messages.join("") };
  }
  const whole = { passed: 2 + ENTRIES.length, said: "" };

  test("may require each entry with what docs/compatibility.md says", async () => {
    expect(readVersion(plugin).split(".")[0]).toBe(major);
    expect(await jest(set, "require")).toEqual(whole);
  });

  test("may import entries with what docs/compatibility.md says, and by themselves be translated", async () => {
    expect(await jest(set, "import")).toEqual({ passed: 2, said: "" });
  });

  test("need that where Jest does not require ES modules, and else an option of Node", async () => {
    const [nodeMajor = 0, nodeMinor = 0] = process.versions.node.split(".").map(Number);
    const result = await jest(plain, "require", nodeOptions);
    if (nodeMajor > 24 || (nodeMajor === 24 && nodeMinor >= 9)) expect(result).toEqual(whole);
    else expect(result.said).toContain("Must use import to load ES Module");
  });

  test.each([
    ["npm", "node_modules/session-sets/dist", "node_modules/other/session-sets.js"],
    [
      "pnpm",
      "node_modules/.pnpm/session-sets@0.1.0/node_modules/session-sets/dist",
      "node_modules/.pnpm/session-sets@0.1.0/node_modules/cookie/dist",
    ],
  ])("translate this package alone, where %s has installed it", (_, own, other) => {
    const [ignored = ""] = SETTINGS.jest?.transformIgnorePatterns ?? [];
    const isIgnored = (path: string) => new RegExp(ignored).test(`/home/app/${path}/index.js`);
    expect([isIgnored(own), isIgnored(other)]).toEqual([false, true]);
  });
});
