// The API reference: a Markdown page for each export of the package, from its docstrings.
import { readFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));

/** The source of a built entry file. */
const sourceOf = (entry) => entry.replace(/^\.\/dist\/(.+)\.js$/, "../../src/$1.ts");

/** @type {import("typedoc").TypeDocOptions & import("typedoc-plugin-markdown").PluginOptions} */
export default {
  plugin: ["typedoc-plugin-markdown"],
  name: "session-sets",
  entryPoints: Object.values(exports)
    .filter((entry) => typeof entry === "object")
    .map((entry) => sourceOf(entry.default)),
  tsconfig: "../../tsconfig.build.json",
  out: "../../docs/api",
  readme: "none",
  // A module is one page, and nothing in it depends on where and when it was made.
  router: "module",
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  parametersFormat: "table",
  // What users cannot find in it, or find no word about, stops it.
  treatWarningsAsErrors: true,
  validation: { invalidLink: true, notExported: true, notDocumented: true },
  requiredToBeDocumented: ["Class", "Function", "Interface", "TypeAlias", "Method", "Variable"],
};
