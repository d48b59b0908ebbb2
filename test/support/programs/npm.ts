/* npm, for what the tests install: the packed library in an application of its own. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ROOT } from "../sources.ts";

/** The output of npm. It fails with all that npm says, because the tests need its work. */
export async function npm(
  args: readonly string[],
  cwd: string,
  own: { readonly [name: string]: string } = {},
): Promise<string> {
  // npm and the programs that it runs have meanings of their own for what vitest sets.
  const { NODE_ENV: _, ...variables } = process.env;
  const env = { ...variables, NODE_OPTIONS: "", NEXT_TELEMETRY_DISABLED: "1", ...own };
  try {
    return (await promisify(execFile)("npm", args, { cwd, env })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = Object(error);
    const said = `npm ${args.join(" ")} failed in ${cwd}:\n${stdout}${stderr}`;
    throw new Error(said, { cause: error });
  }
}

/** Packs what `npm run test:examples` has built, without building it again. The name of the file in the folder. */
export async function packInto(folder: string): Promise<string> {
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const [{ filename }] = JSON.parse(await npm(pack, ROOT));
  return filename;
}
