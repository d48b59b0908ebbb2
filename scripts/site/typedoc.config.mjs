// The API reference: a Markdown page for each export of the package, from its docstrings.
import { readFileSync } from "node:fs";
import { Converter, ReflectionKind } from "typedoc";

const root = new URL("../../", import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));

/** Finds the source of a built entry file. */
const findSource = (entry) => entry.replace(/^\.\/dist\/(.+)\.js$/, "../../src/$1.ts");

/** Names each page by what users import. */
function importNames(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      module.name = module.name === "index" ? "session-sets" : `session-sets/${module.name}`;
    }
  });
}

/** @type {import("typedoc").TypeDocOptions & import("typedoc-plugin-markdown").PluginOptions} */
export default {
  plugin: ["typedoc-plugin-markdown", importNames],
  name: "session-sets",
  entryPoints: Object.values(exports)
    .filter((entry) => typeof entry === "object")
    .map((entry) => findSource(entry.default)),
  tsconfig: "../../tsconfig.build.json",
  out: "../../docs/api",
  readme: "none",
  // One page for each module. No page depends on where and when it was made.
  router: "module",
  entryFileName: "index",
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true, // the members that a class has from Node's EventEmitter
  groupOrder: ["Functions", "Variables", "Classes", "*"],
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  parametersFormat: "table",
  // `npm run docs:build` fails on links that lead nowhere, types that are missing, and missing docs.
  validation: { invalidLink: true, notExported: true, notDocumented: true },
  // Each helps one other type, whose own text says everything.
  intentionallyNotExported: ["CheckedEntry", "Cased", "OtherUnit", "NamesIn"],
  requiredToBeDocumented: ["Class", "Function", "Interface", "TypeAlias", "Method", "Variable"],
};
