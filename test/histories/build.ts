/* Compiles what the processes of the histories run: Node 20 runs no TypeScript. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compile } from "../support/compile.ts";
import { ROOT } from "../support/sources.ts";

export interface Program {
  /** The JavaScript file to be run. */
  readonly path: string;
  remove(): Promise<void>;
}

/** The program of a process, with the library's sources under the library's name. */
export async function buildProgram(): Promise<Program> {
  // Inside the project, so that the packages it depends on are found.
  const cache = join(ROOT, ".cache");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "histories-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
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
      files: ["src/index.ts", "src/redis.ts", "test/histories/process.ts"].map((file) =>
        join(ROOT, file),
      ),
      include: [],
    };
    const manifest = {
      name: "session-sets",
      type: "module",
      exports: { ".": "./src/index.js", "./redis": "./src/redis.js" },
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
    await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
    const said = await compile(join(folder, "tsconfig.json"));
    if (said) throw new Error(`The program of the histories was not compiled:\n${said}`);
    return { path: join(folder, "test/histories/process.js"), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
