/* The documentation's site: its sidebar, its anchors and links, and how its build finds dead ones. */
import { describe, expect, test } from "vitest";
import { anchors } from "../../support/docs/links.ts";
import { listHeadings } from "../../support/docs/pages.ts";
import { filesUnder, read } from "../../support/sources.ts";

// The scripts are plain JavaScript.
const load = (name: string) => import(/* @vite-ignore */ `../../../scripts/site/${name}.mjs`);
const { findDeadLinks } = await load("dead-links");
const { resolveLink, slugify } = await load("markdown");
const { listRooms } = await load("rooms");

interface Room {
  readonly room: string;
  readonly pages: readonly { readonly page: string; readonly title: string }[];
}

test("each page of docs/ is in one room of the sidebar", () => {
  const pages = filesUnder("docs", ".md")
    .map((file) => file.slice("docs/".length, -".md".length))
    .filter((page) => page !== "index" && !page.startsWith("api/"));
  const shown = (listRooms() as Room[]).flatMap((room) => room.pages.map(({ page }) => page));
  expect(shown.toSorted()).toEqual(pages.toSorted());
});

test("headings have the anchors that code hosts give them", () => {
  const pages = ["docs/errors.md", "docs/design.md", "docs/migrate/index.md"];
  const headings = [...new Set(pages.flatMap((page) => listHeadings(read(page))))];
  const plain = headings.filter((heading) => !heading.includes("["));
  const page = plain.map((heading) => `# ${heading}`).join("\n");
  expect(plain.map(slugify)).toEqual([...anchors(page)]);
  expect(slugify("ERR_SESSION_GONE")).toBe("err_session_gone");
});

test.each([
  ["limits.md", "rotation.md#one", "/rotation.md#one"],
  ["frameworks/koa.md", "../limits.md#one", "/limits.md#one"],
  ["frameworks/koa.md", "express.md", "/frameworks/express.md"],
  ["limits.md", "#one", "#one"],
  ["limits.md", "https://example.com/a.md", "https://example.com/a.md"],
  ["migrate/index.md", "../../README.md#two", "/#two"],
  ["index.md", "docs/limits.md#one", "/limits.md#one"],
  ["limits.md", "../src/index.ts", null],
])("on %s, %s leads to %s", (page, href, target) => {
  expect(resolveLink(page, href)).toBe(target);
});

describe("dead links", () => {
  const files = new Map([
    ["index.html", '<a href="/api/">api</a>'],
    ["b.html", '<h2 id="one&amp;two">b</h2><img alt="a" src="/b.png">'],
    ["b.png", null],
    ["api/index.html", '<a class="x" href="../b.html#one&amp;two">b</a>'],
  ]);

  test("there are none where all lead somewhere", () => {
    expect(findDeadLinks(files)).toEqual([]);
  });

  test.each([
    ['<a href="/c.html">', "/c.html"],
    ['<a class="x" href="./c">', "./c"],
    ['<a href="/b.html#three">', "/b.html#three"],
    ['<a href="#three">', "#three"],
    ['<img src="/c.png">', "/c.png"],
  ])("%s is found", (html, link) => {
    const dead = findDeadLinks(new Map(files).set("api/c/index.html", html));
    expect(dead).toEqual([`api/c/index.html: ${link}`]);
  });

  test.each([
    '<a href="https://example.com/c">',
    '<a href="../index.html">',
    '<a href="/b#one&amp;two">',
  ])("%s is none", (html) => {
    expect(findDeadLinks(new Map(files).set("api/c.html", html))).toEqual([]);
  });
});
