/*
 * Writes generated/scripts.js and its types. That file has the text of each script of
 * src/store/redis/scripts/, without comments, after the helpers that it uses. Helpers are the
 * definitions in includes/. A script gets the helpers that it names, those that they name, and no
 * others. Each stands right before the first statement that needs it, inside of the branch of an `if`
 * that alone does: a server makes closures anew at each call, so a call makes only those that it reaches.
 *
 * `npm run lua` does only this. Builds, type checks and every run of vitest do it, too.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);
const SCRIPTS = "src/store/redis/scripts/";
const INCLUDES = `${SCRIPTS}includes/`;
const TARGET = "generated/";

// Dragonfly asks for this flag where keys are computed; for Redis and Valkey it is a comment.
const FLAGS = "--!df flags=allow-undeclared-keys";

const STRING = /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/;
const STRINGS = new RegExp(STRING, "g");
const STRINGS_AND_COMMENTS = new RegExp(`${STRING.source}|--.*`, "g");
/** A word is a name unless it is in a string, or after a dot or a colon. Two dots concatenate. */
const WORDS = new RegExp(`${STRING.source}|\\.\\.|[.:]\\s*[A-Za-z_]\\w*|([A-Za-z_]\\w*)`, "g");
const DEFINITION = /^local (?:function )?([A-Za-z_]\w*)(?:\(| =)/;
/** The beginning of a line that continues a definition. */
const REST = /^(?:\s|end\b|[})])/;

/** Reads the lines of code of a Lua file, without comments, and where they are. */
function readCodeLines(file, text) {
  return text.split("\n").flatMap((line, i) => {
    if (/\[=*\[/.test(line.replace(STRINGS, ""))) {
      throw new Error(`${file}:${i + 1}: the build knows no long strings and no long comments`);
    }
    const code = line.replace(STRINGS_AND_COMMENTS, (part) => (part.startsWith("--") ? "" : part));
    return code.trim() === "" ? [] : [{ file, line: i + 1, code: code.trimEnd() }];
  });
}

function listNames(lines) {
  const words = lines.flatMap(({ code }) => [...code.matchAll(WORDS)].map(([, word]) => word));
  return new Set(words.filter((word) => word !== undefined));
}

/** Parses an include: the definitions in it. */
function parseInclude([file, text]) {
  const definitions = [];
  for (const line of readCodeLines(file, text)) {
    const [, name] = DEFINITION.exec(line.code) ?? [];
    if (name !== undefined) {
      definitions.push({ name, lines: [line] });
    } else if (definitions.length > 0 && REST.test(line.code)) {
      definitions.at(-1).lines.push(line);
    } else {
      throw new Error(
        `${file}:${line.line}: an include only defines, each name by its own \`local\``,
      );
    }
  }
  return definitions;
}

/** Parses all includes: their definitions, by name. */
function indexDefinitions(includes) {
  const definitions = new Map();
  for (const definition of includes.flatMap(parseInclude)) {
    const { name, lines } = definition;
    const [other] = definitions.get(name)?.lines ?? [];
    const [{ file, line }] = lines;
    if (other) throw new Error(`${file}:${line}: ${name} is defined in ${other.file}, too`);
    definitions.set(name, { ...definition, names: listNames(lines) });
  }
  return definitions;
}

/** Finds the definitions that these names need, each after those that it needs itself. */
function findHelpers(names, definitions) {
  const helpers = new Set();
  const add = (wanted, path) => {
    for (const name of wanted) {
      const definition = definitions.get(name);
      if (!definition || helpers.has(definition) || path.at(-1) === name) continue;
      if (path.includes(name)) throw new Error([...path, name].join(" needs "));
      add(definition.names, [...path, name]);
      helpers.add(definition);
    }
  };
  add(names, []);
  return [...helpers];
}

const BRANCH = /^\s*(?:if .* then|elseif .* then|else)$/;

function readIndent({ code }) {
  return code.search(/\S/);
}

/** Splits a block into its statements, each as where it begins and ends. `end` is the line after the last. */
function listStatements(lines, from, end) {
  const indent = readIndent(lines[from]);
  const starts = [];
  for (let at = from; at < end; at++) {
    const rest = /^\s*(?:(?:end|else|elseif|until)\b|[)}\]])/.test(lines[at].code);
    if (readIndent(lines[at]) === indent && !rest) starts.push(at);
  }
  return starts.map((start, i) => ({ start, end: starts[i + 1] ?? end }));
}

/** The branches of an `if` statement, each as where its block begins and ends; none of any other statement. */
function listBranches(lines, { start, end }) {
  const indent = readIndent(lines[start]);
  if (!/^\s*if /.test(lines[start].code)) return [];
  const marks = [];
  for (let at = start; at < end; at++) if (readIndent(lines[at]) === indent) marks.push(at);
  const heads = marks.slice(0, -1);
  if (heads.some((at) => !BRANCH.test(lines[at].code))) return [];
  return heads.map((at, i) => ({ from: at + 1, end: marks[i + 1] }));
}

/** Finds the line before which a helper stands that these lines need: in the innermost block that has them all. */
function findPlace(lines, needing, from, end) {
  const statements = listStatements(lines, from, end);
  const isIn = (block) => needing.every((at) => at >= block.from && at < block.end);
  const first = statements.find((one) => needing.some((at) => at >= one.start && at < one.end));
  const branch = listBranches(lines, first).find(isIn);
  return branch ? findPlace(lines, needing, branch.from, branch.end) : first.start;
}

/** The lines of a script with its helpers among them. */
function placeHelpers(own, definitions) {
  const needs = own.map((line) => new Set(findHelpers(listNames([line]), definitions)));
  const places = new Map();
  for (const helper of findHelpers(listNames(own), definitions)) {
    const needing = [...needs.keys()].filter((at) => needs[at].has(helper));
    const place = findPlace(own, needing, 0, own.length);
    places.set(place, [...(places.get(place) ?? []), helper]);
  }
  return own.flatMap((line, at) => [...(places.get(at) ?? []), line]);
}

/**
 * Links scripts with includes, both given as [file, text]. Each linked script has its file, its text,
 * its parts (helpers and lines of its own), and the origin of each line of the text (null for the line
 * of flags).
 */
export function linkScripts(scripts, includes) {
  const definitions = indexDefinitions(includes);
  const linked = scripts.map(([file, source]) => {
    const own = readCodeLines(file, source);
    const parts = placeHelpers(own, definitions);
    const lines = parts.flatMap((part) => (isDefinition(part) ? part.lines : [part]));
    return { file, text: `${FLAGS}\n${joinLines(lines)}`, parts, origins: [null, ...lines] };
  });
  for (const definition of definitions.values()) {
    if (linked.some(({ parts }) => parts.includes(definition))) continue;
    const [{ file, line }] = definition.lines;
    throw new Error(`${file}:${line}: no script uses ${definition.name}`);
  }
  return linked;
}

function isDefinition(part) {
  return "lines" in part;
}

function joinLines(lines) {
  return lines.map(({ code }) => `${code}\n`).join("");
}

function readLuaFiles(folder) {
  const names = readdirSync(new URL(folder, ROOT)).filter((name) => name.endsWith(".lua"));
  return names
    .sort()
    .map((name) => [folder + name, readFileSync(new URL(folder + name, ROOT), "utf8")]);
}

/** Links all scripts. Each also has the name by which it is called. */
export function buildScripts() {
  return linkScripts(readLuaFiles(SCRIPTS), readLuaFiles(INCLUDES)).map((script) => {
    const [, stem] = /([^/]+)\.lua$/.exec(script.file);
    return { ...script, name: stem.replace(/_(.)/g, (_, letter) => letter.toUpperCase()) };
  });
}

/** Replaces a file at once: another process that reads it sees all of the old one or of the new one. */
function writeIfChanged(name, text) {
  const path = fileURLToPath(new URL(TARGET + name, ROOT));
  try {
    if (readFileSync(path, "utf8") === text) return;
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
}

/** The module that exports the texts. Each helper is in it once, however many scripts use it. */
function formatModule(scripts) {
  const template = (text) => text.replace(/[\\`$]/g, "\\$&");
  const definitions = new Set(scripts.flatMap(({ parts }) => parts.filter(isDefinition)));
  const helpers = [...definitions].map(
    ({ name, lines }) => `  ${name}: \`${template(joinLines(lines))}\`,\n`,
  );
  const texts = scripts.map(({ name, parts }) => {
    const text = parts
      .map((part) => (isDefinition(part) ? `\${lua.${part.name}}` : template(joinLines([part]))))
      .join("");
    return `  ${name}: \`${FLAGS}\n${text}\`,\n`;
  });
  return `const lua = {\n${helpers.join("")}};\n\nexport const sources = {\n${texts.join("")}};\n`;
}

export function writeScripts() {
  const scripts = buildScripts();
  const head = `// Made of the Lua files in ${SCRIPTS} by scripts/build-lua.mjs.\n\n`;
  const types = scripts.map(({ name }) => `  readonly ${name}: string;\n`).join("");
  mkdirSync(new URL(TARGET, ROOT), { recursive: true });
  writeIfChanged("scripts.js", head + formatModule(scripts));
  writeIfChanged("scripts.d.ts", `${head}export declare const sources: {\n${types}};\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeScripts();
