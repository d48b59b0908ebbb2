/* Packs the project and installs it with npm, as a user of the package does. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT, read } from "../sources.ts";

const run = promisify(execFile);

/** The packed and installed package. It is handed from the set-up to the tests, so it is plain data. */
export interface Installation {
  /** Has the tarballs, and the project, in `installed`. */
  readonly folder: string;
  readonly tarball: string;
  /** What is in the tarball. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** The package.json of the project. */
  readonly manifest: object;
}

/** Packs what is built, and installs the tarball, without a registry and without npm's cache. */
export async function packAndInstall(): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), "session-sets-package-"));
  try {
    // Without scripts: `prepack` would build anew.
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    const dependencies = Object.keys(JSON.parse(read("package.json")).dependencies);
    const inNodeModules = dependencies.map((name) => `${ROOT}node_modules/${name}`);
    const { stdout } = await run("npm", [...pack, ROOT, ...inNodeModules]);
    const packed: (Pick<Installation, "files"> & { name: string; filename: string })[] =
      JSON.parse(stdout);
    const tarballs = packed.map(({ name, filename }) => [name, `file:${folder}/${filename}`]);
    const [[own = "", tarball = ""] = [], ...others] = tarballs;
    const manifest = {
      private: true,
      dependencies: { [own]: tarball },
      overrides: Object.fromEntries(others), // where what it depends on is taken from
    };
    mkdirSync(`${folder}/installed`);
    writeFileSync(`${folder}/installed/package.json`, JSON.stringify(manifest));
    const install = ["install", "--offline", "--cache", `${folder}/cache`, "--ignore-scripts"];
    await run("npm", [...install, "--no-audit", "--no-fund"], { cwd: `${folder}/installed` });
    return {
      folder,
      tarball: tarball.slice("file:".length),
      files: packed[0]?.files ?? [],
      manifest,
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
