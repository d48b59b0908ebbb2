/* The projects of the tests: every test is in one, and what needs no server needs none. */
import { dirname, join } from "node:path/posix";
import { describe, expect, test } from "vitest";
import config from "../../vitest.config.ts";
import { filesUnder, listImports, read } from "../support/sources.ts";

const PROJECTS = (config.test?.projects ?? []).map((one) =>
  typeof one === "object" && "test" in one ? String(one.test?.name) : "",
);
/** Folders with tests of a command of their own: see the files vitest.*.config.ts. */
const OTHERS = ["browser", "examples", "lua54", "luacheck"];

const FILES = new Set(filesUnder("test", ".ts").filter((file) => !file.includes("/node_modules/")));
const TESTS = [...FILES].filter((file) => file.endsWith(".test.ts"));

/** All files of the tests that a file needs at run time, itself among them. */
function collectImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const { from, typeOnly } of listImports(read(file))) {
    const target = join(dirname(file), from);
    if (from.startsWith(".") && !typeOnly && FILES.has(target)) collectImports(target, seen);
  }
  return seen;
}

test("every test is in a folder that a command runs", () => {
  const folders = new Set(TESTS.map((file) => file.split("/")[1]));
  expect([...folders].sort()).toEqual([...PROJECTS, ...OTHERS].sort());
});

test.each(OTHERS)("the tests in %s have a command of their own", (name) => {
  expect(read(`vitest.${name}.config.ts`)).toContain(`test/${name}/`);
  expect(read("package.json")).toContain(`vitest.${name}.config.ts`);
});

test.each(PROJECTS)("docs/design.md and CONTRIBUTING.md tell of %s", (name) => {
  expect(read("docs/design.md")).toContain(`\n| \`${name}\` |`);
  expect(read("CONTRIBUTING.md")).toContain(`\`${name}\``);
});

describe.each(TESTS.filter((file) => file.startsWith("test/unit/")))("%s", (file) => {
  test("needs no server", () => {
    const sources = [...collectImports(file)].map(read);
    for (const source of sources) {
      expect(source).not.toMatch(/\binject\(|\bcreateServer\(|\.listen\(/);
      expect(
        listImports(source)
          .map(({ from }) => from)
          .join(" "),
      ).not.toMatch(/support\/redis\//);
    }
  });
});
