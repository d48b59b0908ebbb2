/*
 * Comments and pages refer only to things that exist: a file, its heading of that name, an invariant or a
 * requirement of docs/design.md.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { describe, expect, test } from "vitest";
import { findSection, listHeadings } from "../support/docs/pages.ts";
import { filesUnder, ROOT, read } from "../support/sources.ts";

const DESIGN = read("docs/design.md");
const INVARIANTS = listNumbers(findSection(DESIGN, "Invariants"), /^\| I(\d+), /gm);
const REQUIREMENTS = listNumbers(findSection(DESIGN, "Requirements"), /^\| (\d+) \|/gm);

const ROOT_PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
const SKILL = "skills/session-sets/SKILL.md";
// docs/api is made from the docstrings, which are comments of sources.
const PAGES = [...ROOT_PAGES, "examples/README.md", SKILL, ...filesUnder("docs", ".md")].filter(
  (page) => !page.startsWith("docs/api/"),
);
const FOLDERS = ["src", "test", "bench", "scripts", "docs", "demo", "examples"];
/** Everything but what is built or installed. */
const ALL = FOLDERS.flatMap((folder) => filesUnder(folder, "")).filter(
  (file) => !/(?:^|\/)(?:node_modules|dist|\.next)\/|^docs\/api\//.test(file),
);
const SOURCES = ALL.filter((file) => /\.(?:[cm]?[jt]sx?|lua)$/.test(file));
const FILES = [...PAGES, ...SOURCES].filter((file) => file !== "test/docs/references.test.ts");

function listNumbers(text: string, pattern: RegExp): number[] {
  return Array.from(text.matchAll(pattern), ([, number]) => Number(number));
}

/** A text without the line breaks of its comments, so that what it refers to is in one piece. */
function unwrap(text: string): string {
  return text.replace(/\s*\n[ \t]*(?:\*(?!\/)|\/\/|--)?\s*/g, " ");
}

/** The faults of the references in a file. */
function findFaults(file: string, text: string): string[] {
  return [
    ...findPageFaults(file, unwrap(text)),
    ...findPathFaults(file, text),
    ...findNumberFaults(unwrap(text)),
  ];
}

/** Pages by their path, and their headings in quotes: docs/design.md, "Invariants". */
function findPageFaults(file: string, text: string): string[] {
  // Text in quotes is a value or a name, and pages.test.ts follows links.
  const mentions = text.matchAll(
    /(?<![\w./"'`[-]|\]\()((?:[\w-]+\/)*[\w-]+\.md)\b(?!["'`#])(?:, "([^"]+)")?( section)?/g,
  );
  return [...mentions].flatMap(([, path = "", heading, section]) => {
    const page = [path, join(dirname(file), path)].find((one) => existsSync(ROOT + one));
    if (!page) return [`${path} does not exist`];
    if (section) return [`${path} has headings, whose names do not change with their order`];
    if (heading === undefined || listHeadings(read(page)).includes(heading)) return [];
    return [`${page} has no heading "${heading}"`];
  });
}

/** Files and folders of the project by their path, where a star stands for anything in a name. */
function findPathFaults(file: string, text: string): string[] {
  const before = PAGES.includes(file) ? "[\\s(`]" : "[\\s(]";
  const mentions = text.matchAll(
    new RegExp(`(?<=${before})(?:${FOLDERS.join("|")})/(?!dist/|api\\b)[\\w./*-]*\\w[\\w*]*`, "g"),
  );
  return [...mentions].flatMap(([path]) => {
    const pattern = new RegExp(`^${path.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}(?:/|$)`);
    return path.endsWith(".md") || ALL.some((one) => pattern.test(one))
      ? []
      : [`${path} does not exist`];
  });
}

/** Invariants, such as the fifth, and requirements, alone or as "2 to 6". */
function findNumberFaults(text: string): string[] {
  const invariants = Array.from(text.matchAll(/\bI(\d+)\b/g), ([, number]) => Number(number));
  return [
    ...invariants.filter((one) => !INVARIANTS.includes(one)).map((one) => `there is no I${one}`),
    ...requirementsIn(text)
      .filter((one) => !REQUIREMENTS.includes(one))
      .map((one) => `there is no requirement ${one}`),
  ];
}

/** All requirements that a text names. */
function requirementsIn(text: string): number[] {
  const mentions = text.matchAll(/\brequirements? (\d+)(?: to (\d+))?/gi);
  return [...mentions].flatMap(([, from, to = from]) => {
    const length = Number(to) - Number(from) + 1;
    return Array.from({ length }, (_, i) => Number(from) + i);
  });
}

test.each(FILES)("what %s refers to is there", (file) => {
  expect(findFaults(file, read(file))).toEqual([]);
});

describe("docs/design.md", () => {
  test("has the seven invariants and the requirements, each once and in order", () => {
    expect(INVARIANTS).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(REQUIREMENTS).toEqual(REQUIREMENTS.map((_, i) => i + 1));
    expect(REQUIREMENTS.length).toBeGreaterThanOrEqual(12);
  });

  const rows = findSection(DESIGN, "Requirements").matchAll(/^\| (\d+) \|.*\| (.*) \|$/gm);
  test.each(Array.from(rows, ([, number = "", tests = ""]) => [number, tests]))(
    "names tests of requirement %s that name it, too: %s",
    (number, tests) => {
      const paths = Array.from(tests.matchAll(/`([^`]+)`/g), ([, path = ""]) => path);
      const files = FILES.filter((file) => paths.some((path) => file.startsWith(path)));
      const named = files.filter((file) =>
        requirementsIn(unwrap(read(file))).includes(Number(number)),
      );
      expect(named).not.toEqual([]);
    },
  );
});

describe("the checks themselves", () => {
  const findCommentFaults = (comment: string) => findFaults("test/a.test.ts", comment);

  test.each([
    ['// docs/design.md, "Costs": what it takes', []],
    ['/* It is so (docs/design.md,\n * "The look"). */', []],
    ['// docs/design.md, "No such thing"', ['docs/design.md has no heading "No such thing"']],
    [
      '-- docs/design.md,\n-- "No such\n-- thing"',
      ['docs/design.md has no heading "No such thing"'],
    ],
    ['// Why (docs/design.md, "Layout")?', ['docs/design.md has no heading "Layout"']],
    ["// Here [it](docs/missing.md) is, or `docs/missing.md`", []],
    ["/* DESIGN.md section 5 */", ["DESIGN.md does not exist"]],
    ["// docs/plan.md says why", ["docs/plan.md does not exist"]],
    ["// docs/design.md section 3", ["docs/design.md has headings"]],
    ["// I1 to I7, in test/proofs/leak/ and test/store/redis/*.test.ts", []],
    ["// I8 holds", ["there is no I8"]],
    ["// requirements 2 to 13", ["there is no requirement 13"]],
    ["// see test/no-such.test.ts.", ["test/no-such.test.ts does not exist"]],
  ])("see in %j what is wrong", (comment, faults) => {
    expect(findCommentFaults(comment)).toEqual(
      faults.map((fault) => expect.stringContaining(fault)),
    );
  });
});
