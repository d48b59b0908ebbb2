/* The package as users get it, installed with npm in projects, and used by their programs. */
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import { expect, inject } from "vitest";
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
  project(manifest?: object): string;
  /** Removes the projects. */
  remove(): void;
}

/** What the set-up has packed and installed, for a test file and projects of its own. */
export function openPacked(): Packed {
  const { folder, tarball, files, manifest: installed } = inject("installation");
  refuseOldBuild(tarball);
  const projects = mkdtempSync(`${folder}/projects-`);
  return {
    files: files.map(({ path }) => path),
    bytes: new Map(files.map(({ path, size }) => [path, size])),
    project(manifest = { type: "module" }) {
      const path = mkdtempSync(`${projects}/project-`);
      cpSync(`${folder}/installed`, path, { recursive: true });
      writeJson(`${path}/package.json`, { ...installed, ...manifest });
      const isOfProject = (file: string) =>
        !["node_modules", "package.json"].includes(basename(file));
      cpSync(`${ROOT}test/package/consumer`, path, { recursive: true, filter: isOfProject });
      return path;
    },
    remove: () => rmSync(projects, { recursive: true, force: true }),
  };
}

/** The tests are of the package that the sources make, not of one packed before they changed. */
function refuseOldBuild(tarball: string): void {
  const packed = statSync(tarball).mtimeMs;
  for (const source of filesUnder("src", ".ts")) {
    if (packed < statSync(ROOT + source).mtimeMs) {
      throw new Error(`${source} is newer than the packed build: start the tests anew.`);
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

/** Compiles files of a project strictly, the package's own declarations included, but not TypeScript's. */
export function compileIn(
  path: string,
  files: readonly string[],
  options: object,
  compiler: Compiler = "typescript",
): Promise<string> {
  const tsconfig = `${path}/tsconfig.json`;
  const checked = { strict: true, skipLibCheck: false, skipDefaultLibCheck: true };
  const compilerOptions = { target: "es2023", ...checked, ...options };
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
  const all = ["--no-opt", program, ...args]; // it ends before it pays to optimize it
  const { stdout, stderr } = await run(process.execPath, all, { cwd: path, env });
  // Node 20 says that requiring an ES module is experimental, later ones do not.
  const warnings = stderr.replace(/^.*(?:ExperimentalWarning|--trace-warnings).*\n/gm, "");
  expect(warnings).toBe("");
  return JSON.parse(stdout);
}

/** The version of a package of this project, such as "7.29.14". */
export function readVersion(name: string): string {
  return JSON.parse(readFileSync(`${ROOT}node_modules/${name}/package.json`, "utf8")).version;
}
