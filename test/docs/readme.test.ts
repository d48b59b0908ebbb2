/*
 * README.md is short, its table of tasks is the one that the site shows, and no other table stands twice. Pages
 * about a task begin with an example, and say what goes wrong.
 */
import { expect, test } from "vitest";
import { PAGES } from "../support/docs/blocks.ts";
import { findSection, listHeadings } from "../support/docs/pages.ts";
import { read } from "../support/sources.ts";

// The script is plain JavaScript.
const ROOMS = "../../scripts/site/rooms.mjs";
const { listRooms } = await import(/* @vite-ignore */ ROOMS);

interface Room {
  readonly room: string;
  readonly pages: readonly { readonly page: string }[];
}

test("no row of a table stands on two pages", () => {
  const places = new Map<string, string[]>();
  for (const page of PAGES) {
    const rows = new Set(read(page).match(/^\| .{40,} \|$/gm));
    for (const row of rows) places.set(row, [...(places.get(row) ?? []), page]);
  }
  expect(places.size).toBeGreaterThan(200);
  expect([...places].filter(([, pages]) => pages.length > 1)).toEqual([]);
});

/** What a reader of a task looks up. The page on errors is about nothing else. */
const TASKS = (listRooms() as Room[])
  .filter(({ room }) => ["Sessions", "On the web", "Recipes"].includes(room))
  .flatMap(({ pages }) => pages.map(({ page }) => page))
  .filter((page) => page !== "errors");

test.each(TASKS)("the page %s begins with an example, and says what goes wrong", (page) => {
  const [beginning = ""] = read(`docs/${page}.md`).split(/^## /m);
  expect(beginning).toMatch(/^```/m);
  expect(listHeadings(read(`docs/${page}.md`))).toContain("What goes wrong");
});

test("the README has at most 250 lines", () => {
  expect(read("README.md").split("\n").length).toBeLessThanOrEqual(250);
});

test("the site's first page has the README's table of tasks, and no other table", () => {
  const section = findSection(read("docs/index.md"), "I want to …");
  expect(section).toContain("<!--@include: ../README.md#i-want-to-->");
  expect(read("docs/index.md")).not.toMatch(/^\|/m);
  const [, region = ""] =
    /<!-- #region i-want-to -->([\s\S]*)<!-- #endregion i-want-to -->/.exec(read("README.md")) ??
    [];
  expect(region.match(/^\| .* \|$/gm)?.length).toBeGreaterThan(10);
});
