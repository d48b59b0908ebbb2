/*
 * The code in the documentation, so that tests can check and run it. Every ```ts and ```js block of
 * a Markdown file, and of a docstring in a source, is a module of its own. An HTML comment before a
 * block, which no reader sees, says more about it:
 *
 *   <!-- docs:continue -->       it goes on where the block before it ended; with docs:file, where
 *                                the last block of that file did
 *   <!-- docs:prelude            lines of code that it needs and that would only
 *   const client = …;            bore a reader; may stand beside one of the others
 *   -->
 *   <!-- docs:run -->            a test runs it: it prints exactly the ```text block that follows
 *                                (… stands for any text within a line), or nothing where there is none
 *   <!-- docs:file users.js -->  it is this file of the page's program, which the other blocks import
 *   <!-- docs:test vitest -->    it is a test file, which this runner runs; or docs:test jest
 *   <!-- docs:from PATH -->      its paragraphs stand in this file of an example, which is compiled and run
 *   <!-- docs:skip because … --> it is no code that compiles, for the reason given
 */

export interface CodeBlock {
  /** Such as `README.md`. */
  readonly file: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  readonly language: "ts" | "js";
  /** The module: each line where it is in the file, so that errors name the right one. */
  readonly source: string;
  /** Whether a test runs it. */
  readonly run: boolean;
  /** Its output when it runs, line by line. */
  readonly output: readonly string[];
  /** The program that runs it, if it is a test file of an application. */
  readonly runner: Runner | undefined;
  /** The file of an example that its code is from. */
  readonly from: string | undefined;
  readonly skip: string | undefined;
  /** The file of the page's program that it is, such as `users.js`. */
  readonly name: string | undefined;
}

export type Runner = "vitest" | "jest";
const RUNNERS: readonly string[] = ["vitest", "jest"] satisfies Runner[];

interface Fence {
  readonly kind: "fence";
  /** Where its first line of code is, from 0. */
  readonly start: number;
  readonly language: string;
  readonly code: readonly string[];
  /** The index of its last line. */
  readonly end: number;
}

interface Directive {
  readonly kind: "continue" | "prelude" | "run" | "file" | "test" | "from" | "skip";
  readonly argument: string;
  readonly start: number;
  readonly code: readonly string[];
  readonly end: number;
}

/** Lines of code by their index in the page. */
type Code = ReadonlyMap<number, string>;

/** All code blocks of a Markdown file, in order. Throws on a directive that nothing follows from. */
export function codeBlocks(file: string, text: string): CodeBlock[] {
  const lines = text.split("\n");
  const items = listItems(file, lines);
  const blocks: CodeBlock[] = [];
  let before: Code | undefined;
  const files = new Map<string, Code>();
  let directives: Directive[] = [];
  for (const [index, item] of items.entries()) {
    const at = `${file}:${item.start}`;
    if (item.kind !== "fence") {
      directives.push(item);
      continue;
    }
    const { language } = item;
    if (language === "ts" || language === "js") {
      const has = (kind: Directive["kind"]) => directives.find((one) => one.kind === kind);
      const name = has("file")?.argument;
      before = assembleCode(item, directives, name === undefined ? before : files.get(name), at);
      if (name !== undefined) files.set(name, before);
      blocks.push({
        file,
        line: item.start + 1,
        language,
        source: place(before, lines.length),
        run: has("run") !== undefined,
        output: has("run") ? outputAfter(items.slice(index + 1)) : [],
        runner: has("test")?.argument as Runner | undefined,
        from: has("from")?.argument,
        skip: has("skip")?.argument,
        name,
      });
      directives = [];
    }
    refuseLost(directives, at);
  }
  refuseLost(directives, file);
  return blocks;
}

/** The docstrings of a source as Markdown, each line where it is, all other lines empty. */
export function docstrings(source: string): string {
  let inside = false;
  return source
    .split("\n")
    .map((line) => {
      const starts = /^\s*\/\*\*/.test(line);
      const text = inside ? line.replace(/^\s*\*(?:\/| )?/, "") : "";
      inside = (inside || starts) && !line.includes("*/");
      return text;
    })
    .join("\n");
}

/** The paragraphs of a block that do not stand in a file. */
export function findForeignParagraphs({ source }: CodeBlock, file: string): string[] {
  const paragraphs = source.replace(/export \{\};\n$/, "").split(/\n\n+/);
  return paragraphs.map((one) => one.trim()).filter((one) => !file.includes(one));
}

/** Whether a line that was printed is the one that the docs show. */
export function linesMatch(shown: string, printed: string): boolean {
  const parts = shown.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(printed);
}

/** The code blocks and directives of a page, in order. */
function listItems(file: string, lines: readonly string[]): (Fence | Directive)[] {
  const items: (Fence | Directive)[] = [];
  for (let index = 0; index < lines.length; index++) {
    const at = `${file}:${index + 1}`;
    const item = parseDirective(lines, index, at) ?? parseFence(lines, index, at);
    if (!item) continue;
    items.push(item);
    index = item.end;
  }
  return items;
}

function assembleCode(
  block: Fence,
  directives: readonly Directive[],
  before: Code | undefined,
  at: string,
): Code {
  const code = new Map<number, string>();
  if (directives.some(({ kind }) => kind === "continue")) {
    if (!before) throw new Error(`${at}: docs:continue, and there is no block before it`);
    for (const [index, line] of before) code.set(index, line);
  }
  for (const { start, code: lines } of [...directives, block]) {
    for (const [offset, line] of lines.entries()) code.set(start + offset, line);
  }
  return code;
}

function outputAfter(items: readonly (Fence | Directive)[]): readonly string[] {
  const next = items.find((item) => item.kind === "fence");
  return next?.kind === "fence" && next.language === "text" ? next.code : [];
}

function refuseLost(directives: readonly Directive[], at: string): void {
  const [lost] = directives;
  if (lost) throw new Error(`${at}: docs:${lost.kind}, and no ts or js block follows`);
}

function parseDirective(
  lines: readonly string[],
  index: number,
  at: string,
): Directive | undefined {
  const opening = /^\s*<!--\s*docs:(\w+)\s*(.*?)\s*(-->)?\s*$/.exec(lines[index] ?? "");
  if (!opening) return undefined;
  const [, kind = "", argument = "", closed] = opening;
  if (!isDirective(kind)) throw new Error(`${at}: there is no docs:${kind}`);
  if (kind === "skip" && !argument) throw new Error(`${at}: docs:skip needs a reason`);
  if (kind === "file" && !/^[\w-]+\.[tj]s$/.test(argument)) {
    throw new Error(`${at}: docs:file names a file, such as users.js`);
  }
  if (kind === "from" && !argument) throw new Error(`${at}: docs:from needs a path`);
  if (kind === "test" && !RUNNERS.includes(argument)) {
    throw new Error(`${at}: docs:test names its runner: ${RUNNERS.join(" or ")}`);
  }
  const start = index + 1;
  if (closed) return { kind, argument, start, code: [], end: index };
  if (kind !== "prelude") throw new Error(`${at}: docs:${kind} must end on its line`);
  const end = lines.findIndex((line, later) => later > index && /^\s*-->/.test(line));
  if (end === -1) throw new Error(`${at}: docs:prelude has no end`);
  return { kind, argument, start, code: lines.slice(start, end), end };
}

function isDirective(kind: string): kind is Directive["kind"] {
  return ["continue", "prelude", "run", "file", "test", "from", "skip"].includes(kind);
}

function parseFence(lines: readonly string[], index: number, at: string): Fence | undefined {
  const opening = /^(\s*)(`{3,}|~{3,})\s*(\w*)/.exec(lines[index] ?? "");
  if (!opening) return undefined;
  const [, indent = "", marker = "", language = ""] = opening;
  // No block escapes because its language has another name.
  if (/^(?:typescript|javascript|tsx|jsx|mts|cts|mjs|cjs)$/i.test(language)) {
    throw new Error(`${at}: call the language ts or js, so that it is checked`);
  }
  const end = lines.findIndex((line, later) => later > index && line.trim() === marker);
  if (end === -1) throw new Error(`${at}: this code block has no end`);
  const code = lines
    .slice(index + 1, end)
    .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
  return { kind: "fence", start: index + 1, language, code, end };
}

function place(code: Code, length: number): string {
  const lines = Array.from({ length }, (_, index) => code.get(index) ?? "");
  // A file without imports and exports would be a script, whose names are global.
  return `${lines.join("\n").trimEnd()}\nexport {};\n`;
}
