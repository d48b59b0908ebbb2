/* The project's own files, for the tests that police its conventions. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export function read(path: string): string {
  return readFileSync(ROOT + path, "utf8");
}

/** The files under a folder that end so, such as `src/store/contract.ts`, sorted. */
export function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(ROOT + folder, { recursive: true, encoding: "utf8" })
    .map((path) => `${folder}/${path}`)
    .filter((path) => path.endsWith(ending))
    .sort();
}

export interface Import {
  /** The text between the quotes. */
  readonly from: string;
  /** Whether nothing of it is left at run time: `import type`, `export type`. */
  readonly typeOnly: boolean;
}

/** The imports and re-exports of a TypeScript file. */
export function listImports(source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const statements = code.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{](?:[^"';]|\bas\s+"[^"]*")*?\sfrom\s+)?["']([^"']+)["']/gm,
  );
  const calls = code.matchAll(/\b(?:import|require)\s*\(\s*["'`]([^"'`]+)["'`]/g);
  return [
    ...Array.from(statements, ([, type, from = ""]) => ({ from, typeOnly: type !== undefined })),
    ...Array.from(calls, ([, from = ""]) => ({ from, typeOnly: false })),
  ];
}
