/*
 * Makes the compiler's output in dist/ smaller, as the last step of the build:
 *
 * - It removes files that no entry of the package leads to: declarations of internal modules, and the
 *   empty modules that are left of files of types.
 * - JavaScript loses its comments. Editors read those in the declarations. Names and lines stay, so
 *   that the stack of an error is legible.
 * - The contract suite is for tests of stores only, and yet in every installation. It keeps its files,
 *   the names of its tests and its messages. It loses its white space and the names of its variables.
 * - Indentation becomes tabs.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { chdir } from "node:process";
import { fileURLToPath } from "node:url";
import { minifySync } from "rolldown/utils";

chdir(fileURLToPath(new URL("../", import.meta.url)));

const SUITE = "dist/testing/";
const COMMENT = /\/\*[\s\S]*?\*\//g;
/** A path in an import, an export or a type such as `import("./x.ts").X`. */
const RELATIVE = /\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g;

const read = (path) => readFileSync(path, "utf8");

/** Adds a file and all files that it imports. A missing file is an error. */
function follow(file, reached) {
  if (reached.has(file)) return;
  reached.add(file);
  for (const [, path] of read(file).replace(COMMENT, "").matchAll(RELATIVE)) {
    const target = join(dirname(file), path);
    follow(file.endsWith(".d.ts") ? target.replace(/\.[jt]s$/, ".d.ts") : target, reached);
  }
}

function slimJavaScript(file) {
  const isSuite = file.startsWith(SUITE);
  const { code, errors } = minifySync(file, read(file), {
    module: true,
    compress: false,
    mangle: isSuite,
    codegen: { removeWhitespace: isSuite },
  });
  if (errors.length > 0) throw new Error(`${file}: ${errors.map(({ message }) => message)}`);
  return code;
}

function slimDeclarations(file) {
  return read(file).replace(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4));
}

const reached = new Set();
const entries = Object.values(JSON.parse(read("package.json")).exports);
for (const { types, default: code } of entries.filter((entry) => typeof entry === "object")) {
  follow(join(types), reached);
  follow(join(code), reached);
}

for (const path of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
  const file = join("dist", path.replaceAll("\\", "/"));
  if (!/\.(?:js|d\.ts)$/.test(file)) continue;
  if (!reached.has(file)) rmSync(file);
  else writeFileSync(file, file.endsWith(".js") ? slimJavaScript(file) : slimDeclarations(file));
}
