/* Compiles a program of the tests, to be run in processes of its own: Node 20 runs no TypeScript. */
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../sources.ts";
import { compile } from "./compile.ts";

/** The texts of the Lua scripts: JavaScript, which the compiler leaves where it is. */
const SCRIPTS = "generated/scripts.js";
/** What builds them from the Lua files, for programs that break rules in them. */
const BUILD = "scripts/build-lua.mjs";
const LUA = "src/store/redis/scripts";

export interface Program {
  /** The JavaScript file to be run. */
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Compiles a program, such as `test/proofs/leak/filler.ts`, with all that it imports, and the library's
 * sources under the library's name.
 */
export async function buildProgram(file: string): Promise<Program> {
  // Inside the project, so that the packages it depends on are found.
  const cache = join(ROOT, ".cache");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "program-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await compilePackage(folder, ["index", "redis"], [file]);
    return { path: join(folder, file.replace(/\.ts$/, ".js")), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Compiles entries of the library, such as "redis", into a folder, which is then its package; and more
 * files of the project beside it, with all that they import.
 */
export async function compilePackage(
  folder: string,
  entries: readonly string[],
  more: readonly string[] = [],
): Promise<void> {
  const files = [...entries.map((entry) => `src/${entry}.ts`), ...more];
  const tsconfig = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      noCheck: true, // `npm run types` has checked
      allowImportingTsExtensions: false,
      rootDir: ROOT,
      outDir: folder,
      typeRoots: [join(ROOT, "node_modules/@types")],
    },
    files: files.map((one) => join(ROOT, one)),
    include: [],
  };
  const exports = entries.map((entry) => [
    entry === "index" ? "." : `./${entry}`,
    `./src/${entry}.js`,
  ]);
  const manifest = {
    name: "session-sets",
    type: "module",
    exports: Object.fromEntries(exports),
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  const said = await compile(join(folder, "tsconfig.json"));
  if (said) throw new Error(`${files.join(", ")} could not be compiled:\n${said}`);
  await mkdir(join(folder, "generated"));
  await copyFile(join(ROOT, SCRIPTS), join(folder, SCRIPTS));
  await mkdir(join(folder, "scripts"));
  await copyFile(join(ROOT, BUILD), join(folder, BUILD));
  const filter = (path: string) => !path.endsWith(".ts");
  await cp(join(ROOT, LUA), join(folder, LUA), { recursive: true, filter });
}
