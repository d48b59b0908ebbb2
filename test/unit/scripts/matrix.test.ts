/* How `npm run test:matrix` counts tests as passed and failed, and how docs/compatibility.md shows it. */
import { describe, expect, test } from "vitest";
import { read } from "../../support/sources.ts";

// The scripts are plain JavaScript.
const load = (name: string) => import(/* @vite-ignore */ `../../../scripts/${name}.mjs`);
const { formatTable, insertTable, listCells } = await load("matrix/table");
const { readReport } = await load("run-tests");

describe("the cells", () => {
  const servers = ["old", "new"];
  const nodes = ["20", "26"];

  test("are each server with the first Node and each Node with the last server", () => {
    expect(listCells(servers, nodes)).toEqual([
      { server: "old", node: "20" },
      { server: "new", node: "20" },
      { server: "new", node: "26" },
    ]);
  });

  test("are none without a server, or without a Node", () => {
    expect(listCells([], nodes)).toEqual([]);
    expect(listCells(servers, [])).toEqual([]);
  });
});

describe("a report of vitest", () => {
  const passed = { status: "passed", fullName: "adds", failureMessages: [] };
  const failed = { status: "failed", fullName: "subtracts", failureMessages: ["not so\n at 1:1"] };
  const skipped = { status: "pending", fullName: "divides", failureMessages: [] };
  const file = (status: string, assertionResults: object[], message = "") => ({
    testResults: [{ name: "/here/test/a.test.ts", status, message, assertionResults }],
  });

  test("counts what passed, and names what failed or was skipped", () => {
    expect(readReport(file("failed", [passed, failed, skipped]), "/here")).toEqual({
      passed: 1,
      failures: ["test/a.test.ts: subtracts: not so", "test/a.test.ts: divides: pending"],
    });
  });

  test("a file that broke before its tests could run is a failure", () => {
    expect(readReport(file("failed", [], "SyntaxError: no\n at 1:1"), "/here")).toEqual({
      passed: 0,
      failures: ["test/a.test.ts: SyntaxError: no"],
    });
  });
});

describe("the table", () => {
  const cell = { server: "Redis 8.0.2", node: "v26.10.0", passed: 7, failures: ["a", "b"] };

  test("has a line for each cell, and one for each version that is not available", () => {
    expect(formatTable([cell], ["Node 24"]).split("\n").slice(2)).toEqual([
      "| Redis 8.0.2 | v26.10.0 | 7 | 2 |",
      "| Node 24 | not available, so not run | | |",
    ]);
  });

  test("takes its place on its page, again and again", () => {
    const page = read("docs/compatibility.md");
    const once = insertTable(page, "first");
    expect(insertTable(once, "second")).toBe(once.replace("\nfirst\n", "\nsecond\n"));
    expect(once.split("## ")).toHaveLength(page.split("## ").length);
  });

  test("is refused by a page without its place", () => {
    expect(() => insertTable("# session-sets\n", "text")).toThrow(/test:matrix/);
  });
});
