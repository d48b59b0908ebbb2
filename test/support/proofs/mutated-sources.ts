/* Modules with a fault in their sources: copies, beside which everything else is the library as it is. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { filesUnder, listImports, ROOT, read } from "../sources.ts";

export type Edit = readonly [part: string, by: string];

/** The sources that may be copied, with those that each one imports at run time. */
const SOURCES = new Map(
  filesUnder("src", ".ts").map((file) => {
    const source = read(file);
    const imports = listImports(source)
      .filter(({ from, typeOnly }) => from.startsWith(".") && !typeOnly)
      .map(({ from }) => join(dirname(file), from));
    return [file, { source, imports }] as const;
  }),
);

/** A text with one part of it replaced: a part that is not there means that the mutation is stale. */
function replaceOne(file: string, text: string, [part, by]: Edit): string {
  const [before, after, ...more] = text.split(part);
  if (after === undefined || more.length > 0) {
    throw new Error(`${file} has ${more.length > 0 ? "more than one" : "no"}:\n${part}`);
  }
  return `${before}${by}${after}`;
}

/** A file, and all that lead to it: they must be copied, too, to import the copy. */
function listDependents(file: string): ReadonlySet<string> {
  const found = new Set([file]);
  for (const one of found) {
    for (const [other, { imports }] of SOURCES) if (imports.includes(one)) found.add(other);
  }
  return found;
}

/**
 * A module of the library, where a file that it imports, or its own, has been edited.
 *
 * @param module its path, from the root of the project.
 * @param atEnd takes what removes the copies.
 */
export async function importMutated(
  module: string,
  { file, edits }: { readonly file: string; readonly edits: readonly Edit[] },
  atEnd: (remove: () => void) => void,
): Promise<unknown> {
  const copied = listDependents(file);
  if (!copied.has(module)) throw new Error(`${module} does not import ${file}`);
  const folder = mkdtempSync(join(tmpdir(), "session-sets-mutated-"));
  atEnd(() => rmSync(folder, { recursive: true }));
  for (const one of copied) {
    const { source = "" } = SOURCES.get(one) ?? {};
    const text =
      one === file ? edits.reduce((left, edit) => replaceOne(file, left, edit), source) : source;
    const target = join(folder, one);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(
      target,
      text.replace(/(\bfrom ")(\.[^"]+)"/g, (_, start: string, from: string) => {
        const imported = join(dirname(one), from);
        return `${start}${join(copied.has(imported) ? folder : ROOT, imported)}"`;
      }),
    );
  }
  return import(/* @vite-ignore */ join(folder, module));
}
