/*
 * Every page of the documentation's built site in Chromium, on a phone and on a desk, light and dark: it fits
 * its window, and reports no error. The search finds a page.
 */
import { once } from "node:events";
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../support/programs/chromium.ts";
import { filesUnder, ROOT, read } from "../support/sources.ts";

const SITE = ".cache/site";
const PAGES = filesUnder(SITE, ".html").map((file) => file.slice(SITE.length));

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

let browser: Browser;
let server: Server;
let baseURL = "";

beforeAll(async () => {
  browser = await launchBrowser();
  server = createServer(({ url = "/" }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    const file = ROOT + SITE + pathname.replace(/\/$/, "/index.html");
    if (!existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

/** A tab, and what its console and its pages report. */
async function openTab(context: BrowserContext): Promise<{ page: Page; faults: string[] }> {
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`);
  });
  return { page, faults };
}

/** The elements that are wider than the window, or nothing if the page fits. */
const WIDE = `(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return Array.from(document.querySelectorAll("main *"))
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .map((element) => element.tagName + ": " + element.textContent.slice(0, 60))
    .concat("the page");
})()`;

const WINDOWS = {
  phone: { width: 390, height: 844 },
  desk: { width: 1280, height: 800 },
};

async function show(page: Page, window: keyof typeof WINDOWS, colorScheme: "light" | "dark") {
  await page.setViewportSize(WINDOWS[window]);
  await page.emulateMedia({ colorScheme });
}

/** The elements that are too wide, once the page is light or dark. */
async function listWide(page: Page, colorScheme: "light" | "dark"): Promise<string[]> {
  await page.locator(`html${colorScheme === "dark" ? ".dark" : ":not(.dark)"}`).waitFor();
  const wide = await page.evaluate<string[]>(WIDE);
  return wide.map((element) => `too wide for ${page.viewportSize()?.width}: ${element}`);
}

// Each page is seen in both sizes and in both schemes; in which size it is dark changes from page to page.
test("every page fits a phone and a desk, light and dark, and reports no error", async () => {
  expect(PAGES.length).toBeGreaterThan(50);
  const context = await browser.newContext({ baseURL });
  const { page, faults } = await openTab(context);
  const found: string[] = [];
  for (const [index, path] of PAGES.entries()) {
    const [phone, desk] =
      index % 2 === 0 ? (["light", "dark"] as const) : (["dark", "light"] as const);
    await show(page, "phone", phone);
    await page.goto(path, { waitUntil: "load" });
    faults.push(...(await listWide(page, phone)));
    await show(page, "desk", desk);
    faults.push(...(await listWide(page, desk)));
    if ((await page.locator("h1").count()) !== 1) faults.push("has not one title");
    found.push(...faults.splice(0).map((fault) => `${path}: ${fault}`));
  }
  expect(found).toEqual([]);
  await context.close();
});

test("what is wider than its window is seen", async () => {
  const context = await browser.newContext({ baseURL, viewport: WINDOWS.phone });
  const { page } = await openTab(context);
  await page.goto("/limits.html");
  await page.evaluate(`document.querySelector(".vp-doc h1").style.width = "2000px"`);
  expect(await listWide(page, "light")).toContainEqual(expect.stringContaining("H1: Limits"));
  await context.close();
});

describe.each(Object.entries(WINDOWS))("on a %s", (_, viewport) => {
  test("the search finds a page, and opens it", async () => {
    const context = await browser.newContext({ baseURL, viewport });
    const { page, faults } = await openTab(context);
    await page.goto("/");
    await page.getByRole("button", { name: "Search" }).first().click();
    const box = page.getByRole("searchbox");
    await box.fill("changeCredentials");
    const results = page.locator(".result");
    await results.first().waitFor();
    const titles = await results.allInnerTexts();
    expect(titles.join("\n")).toContain("Signing in and out");
    await box.fill("ERR_SESSION_GONE");
    await results.filter({ hasText: "ERR_SESSION_GONE" }).first().click();
    await page.waitForURL(/\.html#/);
    expect(await page.locator("h1").innerText()).not.toBe("");
    expect(faults).toEqual([]);
    await context.close();
  });
});

test("the search has no code that only tests need", () => {
  const [index = ""] = filesUnder(`${SITE}/assets`, ".js").filter((file) =>
    file.includes("localSearchIndex"),
  );
  const text = read(index);
  expect(text).toContain("changeCredentials");
  expect(text).not.toContain("docs:");
});

test("programs that read find every page as Markdown", async () => {
  const fetchText = async (path: string) => {
    const response = await fetch(baseURL + path);
    expect(response.status, path).toBe(200);
    return response.text();
  };
  const index = await fetchText("/llms.txt");
  const all = await fetchText("/llms-full.txt");
  const links = Array.from(index.matchAll(/\]\((\/[^)]+\.md)\)/g), ([, path = ""]) => path);
  const pages = PAGES.filter((path) => !/^\/(?:api\/|index\.html|404)/.test(path));
  expect(links.length).toBe(pages.length + 1);
  for (const link of links) {
    const text = await fetchText(link);
    expect(text, link).not.toMatch(/<!-- docs:|@include/);
    if (link !== "/SKILL.md") expect(all).toContain(text.trim());
  }
});
