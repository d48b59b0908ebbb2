/*
 * docs/security.md has a row for each requirement of OWASP ASVS 5.0 that is about sessions, with its level,
 * and each names tests that exist. The list was taken from the text of the standard (v5.0.0_release).
 */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ROOT, read } from "../support/sources.ts";

const PAGE = "docs/security.md";

/** All of chapter V7 and of the sections V3.3 and V3.5, and 4.4.2 and 14.3.2, by level. */
const REQUIREMENTS: Readonly<Record<number, readonly string[]>> = {
  1: [
    ...["3.3.1", "3.5.1", "3.5.2", "3.5.3"],
    ...["7.2.1", "7.2.2", "7.2.3", "7.2.4", "7.4.1", "7.4.2"],
  ],
  2: [
    ...["3.3.2", "3.3.3", "3.3.4", "3.5.4", "3.5.5", "4.4.2"],
    ...["7.1.1", "7.1.2", "7.1.3", "7.3.1", "7.3.2", "7.4.3", "7.4.4", "7.4.5"],
    ...["7.5.1", "7.5.2", "7.6.1", "7.6.2", "14.3.2"],
  ],
  3: ["3.3.5", "3.5.6", "3.5.7", "3.5.8", "7.5.3"],
};

const VERDICTS = ["Met", "With a call", "Partly", "The application's"];

/** Requirements that no library can meet by default, and why. At L1 all others must be met. */
const OF_THE_APPLICATION: Readonly<Record<string, string>> = {
  "3.5.3": "it does not know what a route does",
  "7.4.2": "it does not know when an account is closed",
};

/** Requirements that have nothing to do with sessions, so that no test of a library can show them. */
const WITHOUT_TESTS = ["3.5.5", "3.5.6", "3.5.7", "7.1.3"];

interface Row {
  readonly number: string;
  readonly level: number;
  readonly verdict: string;
  readonly cells: readonly string[];
  readonly tests: readonly { readonly file: string; readonly name: string }[];
}

/** The rows of the page's tables that begin with the number of a requirement. */
function parseRows(page: string): Row[] {
  const lines = page.split("\n").filter((line) => /^\| *\d+(?:\.\d+)+ *\|/.test(line));
  return lines.map((line) => {
    const cells = line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim());
    const [number = "", level = "", , byDefault = "", shown = ""] = cells;
    const tests = shown.matchAll(/\[`([^`]+)`\]\(\.\.\/([^)]+)\): "((?:[^"\\]|\\.)*)"/g);
    return {
      number,
      level: Number(/^L([123])$/.exec(level)?.[1]),
      verdict: /^\*\*(.+?)\.\*\* \S/.exec(byDefault)?.[1] ?? "",
      cells,
      tests: Array.from(tests, ([, file = "", link = "", name = ""]) => {
        return { file: file === link ? file : `${file}, which links to ${link}`, name };
      }),
    };
  });
}

/** The titles of the tests of a file, as they are written: a quote stands for itself. */
function listTitles(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const plain = /\b(?:test|it)\(\s*(["'`])((?:(?!\1)[^\\\n]|\\.)*)\1/g;
  // The table of `test.each` may have brackets and texts of its own: the title follows its last one.
  const each = /\)\(\s*(["'`])((?:(?!\1)[^\\\n]|\\.)*)\1,\s*(?:async\s*)?\(/g;
  return [...code.matchAll(plain), ...code.matchAll(each)].map(([, , title = ""]) =>
    title.replace(/\\(["'`])/g, "$1"),
  );
}

type ReadFile = (path: string) => string | undefined;

const WANTED = Object.values(REQUIREMENTS).flat();

/** The faults of a page. */
function findFaults(page: string, readFile: ReadFile): string[] {
  const rows = parseRows(page);
  const missing = WANTED.flatMap((number) => {
    const count = rows.filter((row) => row.number === number).length;
    return count === 1 ? [] : [`${number} has ${count} rows`];
  });
  const faults = rows.flatMap((row) =>
    [...findRowFaults(row), ...findTestFaults(row, readFile)].map(
      (what) => `${row.number} ${what}`,
    ),
  );
  return [...missing, ...faults];
}

function findRowFaults({ number, level, verdict, cells }: Row): string[] {
  const isOfLevel = REQUIREMENTS[level]?.includes(number) ?? false;
  const isMet = level !== 1 || verdict === "Met" || number in OF_THE_APPLICATION;
  const checks: readonly (readonly [boolean, string])[] = [
    [WANTED.includes(number), "is not on the list"],
    [isOfLevel || !WANTED.includes(number), `is not of level ${level}`],
    [cells.length === 6 && cells.every((cell) => cell !== ""), "has not six cells"],
    [VERDICTS.includes(verdict), `has the verdict ${JSON.stringify(verdict)}`],
    [isMet, "is L1, and not met by default though a library can meet it"],
  ];
  return checks.filter(([holds]) => !holds).map(([, what]) => what);
}

function findTestFaults({ number, tests }: Row, readFile: ReadFile): string[] {
  if (tests.length === 0) return WITHOUT_TESTS.includes(number) ? [] : ["names no test"];
  if (WITHOUT_TESTS.includes(number)) return ["names a test after all"];
  return tests.flatMap(({ file, name }) => {
    const source = readFile(file);
    if (source === undefined) return [`names ${file}, which does not exist`];
    return listTitles(source).includes(name) ? [] : [`names a test that ${file} has not: ${name}`];
  });
}

const readTest = (path: string) =>
  path.startsWith("test/") && existsSync(ROOT + path) ? read(path) : undefined;

test("every requirement has its row, and every row the tests that show it", () => {
  expect(findFaults(read(PAGE), readTest)).toEqual([]);
});

test("the rows are in the order of the standard, in each table", () => {
  for (const part of read(PAGE).split(/^## /m)) {
    const numbers = parseRows(part).map(({ number }) => number);
    const inOrder = numbers.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
    expect(numbers).toEqual(inOrder);
  }
});

test.each(["README.md", "SECURITY.md"])("%s leads to the page", (from) => {
  expect(read(from)).toContain("(docs/security.md)");
});

describe("the checks themselves", () => {
  const page = read(PAGE);
  const line = (number: string) => page.split("\n").find((one) => one.startsWith(`| ${number} |`));
  const files = (path: string) => readTest(path);

  test.each<[what: string, change: (page: string) => string, fault: RegExp]>([
    ["a row that is missing", (it) => it.replace(`${line("7.3.1")}\n`, ""), /^7\.3\.1 has 0 rows$/],
    [
      "a row that is there twice",
      (it) => it.replace(`${line("7.3.1")}`, `${line("7.3.1")}\n${line("7.3.1")}`),
      /^7\.3\.1 has 2 rows$/,
    ],
    ["a row of another number", (it) => it.replace("| 7.3.1 |", "| 7.3.3 |"), /^7\.3\.3 is not on/],
    ["a wrong level", (it) => it.replace("| 3.3.1 | L1 |", "| 3.3.1 | L2 |"), /^3\.3\.1 is not of/],
    ["no level", (it) => it.replace("| 3.3.1 | L1 |", "| 3.3.1 | 1 |"), /^3\.3\.1 is not of level/],
    [
      "an L1 that is not met",
      (it) => it.replace(/(\| 7\.2\.4 .*?)\*\*Met\.\*\*/, "$1**Partly.**"),
      /^7\.2\.4 is L1, and not met/,
    ],
    [
      "a verdict of its own",
      (it) => it.replace(/(\| 7\.2\.4 .*?)\*\*Met\.\*\*/, "$1**Not met by default.**"),
      /^7\.2\.4 has the verdict/,
    ],
    [
      "a test that was renamed",
      (it) => it.replace('"is gone, and its cookie with it"', '"is gone, and its cookie too"'),
      /^7\.4\.1 names a test that .* has not/,
    ],
    [
      "a file that was moved",
      (it) => it.replaceAll("test/proofs/requirements/2-to-6.test.ts", "test/requirement.test.ts"),
      /^7\.4\.1 names test\/requirement\.test\.ts, which does not exist$/,
    ],
    [
      "a row without a test",
      (it) => it.replace(/(\| 7\.2\.1 \|.*?\*\*Met\.\*\*[^|]*\|)[^|]*\|/, "$1 none |"),
      /^7\.2\.1 names no test$/,
    ],
    [
      "an empty cell",
      (it) => it.replace(/(\| 7\.2\.1 \|.*\|)[^|]*\|$/m, "$1 |"),
      /^7\.2\.1 has not six cells$/,
    ],
  ])("find %s", (_, change, fault) => {
    const changed = change(page);
    expect(changed).not.toBe(page);
    expect(findFaults(changed, files)).toContainEqual(expect.stringMatching(fault));
  });

  test("read the titles of tests as they are written", () => {
    const source = [
      'test("plain", () => {});',
      `test(\n  'with a "quote"',\n  async () => {});`,
      'test.each([["a", "b"]])("each %s", (_, one) => {});',
      'test.each<[string]>([\n  ["a"],\n])("typed %s", async (_) => {});',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a title as it is written
      "test(`of ${kind}`, () => {});",
      '// test("not a test", () => {});',
      'describe("not a test either", () => {});',
      'expect(call("nor this")).toBe(1);',
    ].join("\n");
    expect(listTitles(source)).toEqual([
      "plain",
      'with a "quote"',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the same
      "of ${kind}",
      "each %s",
      "typed %s",
    ]);
  });
});
