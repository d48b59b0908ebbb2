/* The package as users get it: packed, installed with npm in a project, and used by its programs. */
import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { redisUrl } from "../redis/shared.ts";
import { filesUnder, ROOT } from "../sources.ts";
import { compile } from "./compile.ts";

const run = promisify(execFile);

export interface Packed {
  /** The files in the tarball. */
  readonly files: readonly string[];
  /** How long each of these files is. */
  readonly bytes: ReadonlyMap<string, number>;
  /** A new project with the package and what npm installs with it, and nothing else. */
  project(name: string, manifest?: object): string;
  remove(): void;
}

/** Packs the project, and installs the tarball, without a registry and without npm's cache. */
export async function packAndInstall(dependencies: readonly string[]): Promise<Packed> {
  refuseOldBuild();
  const folder = mkdtempSync(join(tmpdir(), "session-sets-package-"));
  // Without scripts: `prepack` would build anew under the tests that run beside this one.
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const inNodeModules = dependencies.map((name) => `${ROOT}node_modules/${name}`);
  const { stdout } = await run("npm", [...pack, ROOT, ...inNodeModules]);
  const packed: { name: string; filename: string; files: { path: string; size: number }[] }[] =
    JSON.parse(stdout);
  const tarballs = packed.map(({ name, filename }) => [name, `file:${folder}/${filename}`]);
  const [[own = "", tarball] = [], ...others] = tarballs;
  const installed = {
    private: true,
    dependencies: { [own]: tarball },
    overrides: Object.fromEntries(others), // where what it depends on is taken from
  };
  mkdirSync(`${folder}/installed`);
  writeJson(`${folder}/installed/package.json`, installed);
  const install = ["install", "--offline", "--cache", `${folder}/cache`, "--ignore-scripts"];
  await run("npm", [...install, "--no-audit", "--no-fund"], { cwd: `${folder}/installed` });
  const files = packed[0]?.files ?? [];
  return {
    files: files.map(({ path }) => path),
    bytes: new Map(files.map(({ path, size }) => [path, size])),
    project(name, manifest = { type: "module" }) {
      const path = join(folder, name);
      cpSync(`${folder}/installed`, path, { recursive: true });
      writeJson(`${path}/package.json`, { ...installed, ...manifest });
      const isOfProject = (file: string) =>
        !["node_modules", "package.json"].includes(basename(file));
      cpSync(`${ROOT}test/package/consumer`, path, { recursive: true, filter: isOfProject });
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The tests are of the package that the sources make, not of one built before they changed. */
function refuseOldBuild(): void {
  // A build writes every file anew, that of this entry among them.
  const entry = `${ROOT}dist/index.js`;
  const built = existsSync(entry) ? statSync(entry).mtimeMs : 0;
  for (const source of filesUnder("src", ".ts")) {
    if (built < statSync(ROOT + source).mtimeMs) {
      throw new Error(`${source} is newer than its build: run \`npm run build\`, or \`npm test\`.`);
    }
  }
}

export function writeJson(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value, null, 2));
}

/** Puts packages into a project, from those that this project has. */
export function addPackages(path: string, names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(dirname(`${path}/node_modules/${name}`), { recursive: true });
    symlinkSync(realpathSync(`${ROOT}node_modules/${name}`), `${path}/node_modules/${name}`);
  }
}

/** The compilers: that of this project, and the oldest that the README tells to use for CommonJS. */
export type Compiler = "typescript" | "typescript 5.8";
const COMPILERS: Readonly<Record<Compiler, string>> = {
  typescript: "node_modules/typescript",
  "typescript 5.8": "test/package/consumer/commonjs/node_modules/typescript",
};

/** Compiles files of a project strictly, the package's own declarations included. */
export function compileIn(
  path: string,
  files: readonly string[],
  options: object,
  compiler: Compiler = "typescript",
): Promise<string> {
  const tsconfig = `${path}/tsconfig.json`;
  const compilerOptions = { strict: true, target: "es2023", skipLibCheck: false, ...options };
  writeJson(tsconfig, { compilerOptions, files });
  return compile(tsconfig, [], COMPILERS[compiler]);
}

/** The output of a program, read as JSON. Warnings are refused. */
export async function readOutput(
  path: string,
  program: string,
  ...args: readonly string[]
): Promise<unknown> {
  const env = { ...process.env, REDIS_URL: redisUrl(), NODE_OPTIONS: "", NODE_ENV: "test" };
  const { stdout, stderr } = await run(process.execPath, [program, ...args], { cwd: path, env });
  // Node 20 says that requiring an ES module is experimental, later ones do not.
  const warnings = stderr.replace(/^.*(?:ExperimentalWarning|--trace-warnings).*\n/gm, "");
  expect(warnings).toBe("");
  return JSON.parse(stdout);
}

/** The version of a package of this project, such as "7.29.14". */
export function readVersion(name: string): string {
  return JSON.parse(readFileSync(`${ROOT}node_modules/${name}/package.json`, "utf8")).version;
}
