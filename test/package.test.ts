/* The package as users get it: packed, installed with npm, and used from each kind of program. */
import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { compile } from "./support/compile.ts";
import { filesUnder, importsOf, ROOT, read } from "./support/sources.ts";

const run = promisify(execFile);
const { exports: EXPORTS, dependencies: DEPENDENCIES } = JSON.parse(read("package.json"));

const folder = mkdtempSync(join(tmpdir(), "session-sets-package-"));
/** What the tarball holds. */
let packed: string[] = [];
/** A project with the package and what npm installs with it, and nothing else. */
let bare = "";
/** A project with ioredis, the frameworks and the types of all of them and of Node, too. */
let full = "";

beforeAll(async () => {
  refuseOldBuild();
  // Without scripts: `prepack` would build anew under the tests that run beside this one.
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await run("npm", pack, { cwd: ROOT });
  const [{ filename, files }] = JSON.parse(stdout);
  packed = files.map((file: { path: string }) => file.path);
  const tarball = join(folder, filename);
  bare = await project("bare", tarball);
  full = await project("full", tarball);
  const types = ["express", "express-session", "koa", "node"].map((name) => `@types/${name}`);
  const packages = ["express", "express-session", "fastify", "hono", "ioredis", "koa", "redis"];
  for (const name of [...packages, ...types]) {
    mkdirSync(dirname(`${full}/node_modules/${name}`), { recursive: true });
    symlinkSync(`${ROOT}node_modules/${name}`, `${full}/node_modules/${name}`);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The tests are of the package that the sources make, not of one built before they changed. */
function refuseOldBuild(): void {
  for (const source of filesUnder("src", ".ts")) {
    const built = ROOT + source.replace(/^src\/(.+)\.ts$/, "dist/$1.js");
    if (!existsSync(built) || statSync(built).mtimeMs < statSync(ROOT + source).mtimeMs) {
      throw new Error(`${source} is newer than its build: run \`npm run build\`, or \`npm test\`.`);
    }
  }
}

async function project(name: string, tarball: string): Promise<string> {
  const path = join(folder, name);
  mkdirSync(path);
  const dependencies = { "session-sets": `file:${tarball}` };
  writeJson(`${path}/package.json`, { private: true, type: "module", dependencies });
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: path });
  for (const file of readdirSync(`${ROOT}test/consumer`)) {
    copyFileSync(`${ROOT}test/consumer/${file}`, `${path}/${file}`);
  }
  return path;
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value, null, 2));
}

/** Compiles files of a project strictly, the package's own declarations included. */
function compileIn(path: string, files: readonly string[], options: object): Promise<string> {
  const tsconfig = `${path}/tsconfig.json`;
  const compilerOptions = { strict: true, target: "es2023", skipLibCheck: false, ...options };
  writeJson(tsconfig, { compilerOptions, files });
  return compile(tsconfig);
}

/** What a program prints, as JSON. Warnings are refused. */
async function outputOf(path: string, program: string): Promise<unknown> {
  const env = { ...process.env, REDIS_URL: inject("redisUrl"), NODE_OPTIONS: "", NODE_ENV: "test" };
  const { stdout, stderr } = await run(process.execPath, [program], { cwd: path, env });
  // Node 20 says that requiring an ES module is experimental, later ones do not.
  const warnings = stderr.replace(/^.*(?:ExperimentalWarning|--trace-warnings).*\n/gm, "");
  expect(warnings).toBe("");
  return JSON.parse(stdout);
}

describe("the exports", () => {
  const entries = Object.entries(EXPORTS).filter(([name]) => name !== "./package.json");

  test("are the files at the top of src/ and of src/compat/, one each", () => {
    const ground = ["errors.ts", "durations.ts", "settled.ts", "values.ts", "warnings.ts"];
    const sources = ["", "compat/"]
      .flatMap((folder) => readdirSync(`${ROOT}src/${folder}`).map((name) => folder + name))
      .filter((name) => name.endsWith(".ts") && !ground.includes(name))
      .map((name) => (name === "index.ts" ? "." : `./${name.replace(/\.ts$/, "")}`));
    expect(entries.map(([name]) => name).sort()).toEqual(sources.sort());
  });

  test.each(entries)("%s has types first, and both files are in the tarball", (name, files) => {
    const file = name === "." ? "./dist/index" : `./dist/${name.slice(2)}`;
    expect(JSON.stringify(files)).toBe(
      JSON.stringify({ types: `${file}.d.ts`, default: `${file}.js` }),
    );
    for (const path of Object.values(files as object)) expect(packed).toContain(path.slice(2));
  });
});

describe("the tarball", () => {
  test("has the build and what a user reads, and nothing else", () => {
    const others = packed.filter((path) => !/^dist\/.+\.(?:js|d\.ts)$/.test(path));
    const read = ["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "package.json"];
    const scripts = ["generated/scripts.d.ts", "generated/scripts.js"];
    expect(others.sort()).toEqual([...read, ...scripts].sort());
  });

  test("has a file for each source, and none of an older build", () => {
    const built = packed.filter((path) => path.startsWith("dist/"));
    const sources = filesUnder("src", ".ts").map((path) => path.replace(/^src\/(.+)\.ts$/, "$1"));
    const expected = sources.flatMap((path) => [`dist/${path}.js`, `dist/${path}.d.ts`]);
    expect(built.sort()).toEqual(expected.sort());
  });

  test("installs its few dependencies and nothing else", () => {
    const installed = readdirSync(`${bare}/node_modules`).filter((name) => !name.startsWith("."));
    expect(installed.sort()).toEqual(["session-sets", ...Object.keys(DEPENDENCIES)].sort());
  });

  test("declares its types without a package that users may not have", () => {
    // The one whose users have ioredis: its API opens a client.
    const spots = "dist/compat/spots-sessions/spots-sessions.d.ts";
    const foreign = (paths: readonly string[]) =>
      paths
        .flatMap((path) => importsOf(read(path)))
        .map(({ from }) => from)
        .filter((from) => !/^(?:\.|node:)/.test(from));
    expect(foreign(filesUnder("dist", ".d.ts").filter((path) => path !== spots))).toEqual([]);
    expect(foreign([spots])).toEqual(["ioredis"]);
  });
});

describe("a program that uses the package", () => {
  const small = {
    size: 1,
    error: true,
    types: ["function", "function", "function"],
    contract: true,
  };
  const whole = { memory: [2, 0], redis: [2, 0], koa: '200 {"theme":"dark"} 1', contract: true };

  test("in JavaScript, as an ES module, without Koa and ioredis", async () => {
    const adapters = Array(5).fill("function");
    expect(await outputOf(bare, "esm.mjs")).toEqual({ ...small, adapters });
  });

  test("in JavaScript, as a CommonJS module, without Koa and ioredis", async () => {
    expect(await outputOf(bare, "commonjs.cjs")).toEqual(small);
  });

  test.each(["nodenext", "bundler"])(
    "in TypeScript under %s, without any other package's types",
    async (moduleResolution) => {
      const module = moduleResolution === "bundler" ? "esnext" : moduleResolution;
      const options = {
        module,
        moduleResolution,
        noEmit: true,
        types: [],
        lib: ["es2023"],
        exactOptionalPropertyTypes: true,
      };
      expect(await compileIn(bare, ["core.ts"], options)).toBe("");
    },
  );

  test("in TypeScript under nodenext, as an ES module", async () => {
    const options = { module: "nodenext", outDir: "nodenext", types: ["node"] };
    expect(await compileIn(full, ["esm.ts"], options)).toBe("");
    expect(await outputOf(full, "nodenext/esm.js")).toEqual(whole);
  });

  test("in TypeScript, with the sessions typed as each framework's users do it", async () => {
    // The frameworks' own declarations are not this package's to mend.
    const options = {
      module: "nodenext",
      outDir: "frameworks",
      types: ["node"],
      skipLibCheck: true,
    };
    expect(await compileIn(full, ["frameworks.ts"], options)).toBe("");
    const theme = { theme: "dark" };
    expect(await outputOf(full, "frameworks/frameworks.js")).toEqual({
      express: theme,
      fastify: theme,
      hono: theme,
      fetch: theme,
      node: ["function", "function"],
    });
  });

  test("in TypeScript under nodenext, as a CommonJS module", async () => {
    const options = {
      module: "nodenext",
      verbatimModuleSyntax: true,
      outDir: "commonjs",
      types: ["node"],
    };
    expect(await compileIn(full, ["commonjs.cts"], options)).toBe("");
    expect(await outputOf(full, "commonjs/commonjs.cjs")).toEqual(small);
  });

  test("in TypeScript under bundler", async () => {
    const options = {
      module: "esnext",
      moduleResolution: "bundler",
      outDir: "bundler",
      types: ["node"],
    };
    expect(await compileIn(full, ["esm.ts"], options)).toBe("");
    expect(await outputOf(full, "bundler/esm.js")).toEqual(whole);
  });
});

describe("a program that comes from a predecessor", () => {
  const whole = {
    koa: ["id"],
    users: 1,
    spots: { ownerId: "1", data: { a: 1 } },
    same: true,
  };
  const options = { module: "nodenext", skipLibCheck: true, types: ["node"] };

  test("in JavaScript, as a CommonJS module", async () => {
    expect(await outputOf(full, "compat.cjs")).toEqual(whole);
  });

  test("in TypeScript, as an ES module", async () => {
    expect(await compileIn(full, ["compat.ts"], { ...options, outDir: "compat" })).toBe("");
    expect(await outputOf(full, "compat/compat.js")).toEqual(whole);
  });

  test("in TypeScript, as a CommonJS module", async () => {
    const commonJs = { ...options, verbatimModuleSyntax: true, outDir: "compat" };
    expect(await compileIn(full, ["compat-commonjs.cts"], commonJs)).toBe("");
    expect(await outputOf(full, "compat/compat-commonjs.cjs")).toEqual(whole);
  });
});

describe("a program that gives express-session its store", () => {
  test("in JavaScript, as a CommonJS module, without express-session", async () => {
    const output = { before: 2, ended: 2, after: null };
    expect(await outputOf(bare, "express-session.cjs")).toEqual(output);
  });

  test("in TypeScript, with the types of express-session", async () => {
    const options = {
      module: "nodenext",
      outDir: "express-session",
      types: ["node"],
      skipLibCheck: true,
    };
    expect(await compileIn(full, ["express-session.ts"], options)).toBe("");
    const output = { first: 24, mistake: 0, users: [{ id: 1 }], ended: 1 };
    expect(await outputOf(full, "express-session/express-session.js")).toEqual(output);
  });
});
