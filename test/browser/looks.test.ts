/* The demo's pages can be read by everyone: in the dark and in the light, with motion or without, by name. */
import type { Page } from "playwright-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openMemory } from "../../demo/store/memory.ts";
import { IPHONE } from "../support/http/user-agents.ts";
import { type Demo, openDevice, openLive, signInByRequests, startDemo } from "./devices.ts";

let demo: Demo;

beforeEach(async () => {
  demo = await startDemo({ store: openMemory() });
});

afterEach(() => demo.close());

type Color = readonly number[];

const SCHEMES = ["light", "dark"] as const;
const SIZES = [
  { width: 1280, height: 800 },
  { width: 360, height: 740 },
];

/** What stands in a page: each text, and each border of a field, with its colour and the one behind it. */
async function findColors(page: Page): Promise<{ what: string; ratio: number; least: number }[]> {
  const colors: { what: string; color: string; behind: string[]; least: number }[] =
    await page.evaluate(FIND_COLORS);
  return colors.map(({ what, color, behind, least }) => {
    const white: Color = [255, 255, 255];
    const ground = behind.reduceRight<Color>((below, above) => blend(parse(above), below), white);
    return { what, ratio: contrast(blend(parse(color), ground), ground), least };
  });
}

// As text, because it runs in the page, whose types the tests do not have.
const FIND_COLORS = `Array.from(document.querySelectorAll("body *")).flatMap((element) => {
  const style = getComputedStyle(element);
  if (!element.checkVisibility() || element.closest(".unseen") || element.closest("svg")) return [];
  const behind = [];
  for (let one = element; one; one = one.parentElement) behind.push(getComputedStyle(one).backgroundColor);
  const hasText = Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim());
  const isField = element.matches("input:not([type=checkbox])");
  return [
    ...(hasText ? [{ what: element.textContent, color: style.color, behind, least: 4.5 }] : []),
    ...(isField ? [{ what: element.name, color: style.borderTopColor, behind: behind.slice(1), least: 3 }] : []),
  ];
})`;

/** Red, green, blue (0 to 255) and alpha (0 to 1). */
function parse(text: string): Color {
  const numbers = /^rgba?\((.*)\)$/.exec(text)?.[1]?.split(",").map(Number) ?? [];
  const isColor = numbers.length === 3 || numbers.length === 4;
  if (!isColor) throw new Error(`the colour ${text} is of another form`);
  return numbers.length === 3 ? [...numbers, 1] : numbers;
}

function blend([red = 0, green = 0, blue = 0, alpha = 1]: Color, below: Color): Color {
  return [red, green, blue].map((part, i) => part * alpha + (below[i] ?? 0) * (1 - alpha));
}

/** The ratio of WCAG 2. */
function contrast(one: Color, other: Color): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: Color): number {
  const [red = 0, green = 0, blue = 0] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Takes a page through all that it can show, and calls back at each. */
async function eachView(page: Page, look: (view: string) => Promise<void>): Promise<void> {
  await look("devices");
  const phone = await openDevice({ userAgent: IPHONE });
  await signInByRequests(phone);
  await page.locator("details.new").waitFor();
  await look("a new session");
  await page.getByRole("button", { name: "Sign out Safari on iPhone" }).click();
  await page.locator("details.gone").waitFor();
  await look("a session that was deleted");
  await page.goto("/password");
  await look("password");
  await page.goto("/nowhere");
  await look("error");
  await page.goto("/");
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await page.waitForURL("**/sign-in*"); // the form's answer and the page's script both lead there
  await page.goto("/sign-in?ended=everywhere");
  await look("sign-in");
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await look("sign-in, with a problem");
  await page.goto("/sign-up");
  await look("sign-up");
}

test("the colours are measured right", () => {
  expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 5);
  expect(contrast([119, 119, 119], [255, 255, 255])).toBeCloseTo(4.48, 2);
  expect(blend(parse("rgba(0, 0, 0, 0.5)"), [255, 255, 255])).toEqual([127.5, 127.5, 127.5]);
});

test("everything can be read in the light and in the dark, and fits a desk and a phone", async () => {
  const page = await openLive();
  // An animation would be measured at some moment of it.
  await page.emulateMedia({ reducedMotion: "reduce" });
  const views: string[] = [];
  const texts: string[] = [];
  await eachView(page, async (view) => {
    views.push(view);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      const found = await findColors(page);
      texts.push(...found.map(({ what }) => what));
      const faint = found.filter(({ ratio, least }) => ratio < least);
      expect(faint, `${view}, ${colorScheme}`).toEqual([]);
    }
    for (const size of SIZES) {
      await page.setViewportSize(size);
      const width = await page.locator("html").evaluate((html) => html.scrollWidth);
      expect(width, `${view}, ${size.width} wide`).toBe(size.width);
    }
  });
  expect(views).toHaveLength(8);
  for (const text of [
    "deleted",
    "user_id",
    "Sign out everywhere",
    "The name or the password is wrong.",
  ]) {
    expect(texts).toContain(text);
  }
});

test("nothing in a page is of a kind that a strict Content-Security-Policy forbids", async () => {
  const page = await openLive();
  const problems: string[] = [];
  page.on("console", (message) => {
    // The browser reports every status from 400 on.
    if (!message.text().startsWith("Failed to load resource")) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  await eachView(page, async (view) => {
    const inline = page.locator(
      "[style], style, script:not([src]), [onclick], [onload], [href^=javascript]",
    );
    expect(await inline.count(), view).toBe(0);
  });
  expect(problems).toEqual([]);
});

test("everything that can be used has a name, and the parts of a page do, too", async () => {
  const page = await openLive();
  await eachView(page, async (view) => {
    for (const role of ["button", "link", "textbox", "checkbox", "navigation"] as const) {
      const all = page.getByRole(role);
      expect(await page.getByRole(role, { name: /\S/ }).count(), `${view}: ${role}`).toBe(
        await all.count(),
      );
    }
    expect(await page.locator("input[type=password]").count(), view).toBe(
      await page.getByLabel(/password/i).count(),
    );
    expect(await page.getByRole("heading", { level: 1 }).count(), view).toBe(1);
    expect(await page.getByRole("main").count(), view).toBe(1);
    const ids = await page.locator("[id]").evaluateAll((all) => all.map((one) => one.id));
    expect(new Set(ids).size, `${view}: an id stands once`).toBe(ids.length);
  });
  await page.goto("/sign-in");
  await page.keyboard.press("Tab");
  const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
  expect(outline).toBe("solid");
});

test("nothing moves where less motion is asked for", async () => {
  const page = await openLive();
  await signInByRequests(await openDevice({ userAgent: IPHONE }));
  const isNew = page.locator("details.new");
  await isNew.waitFor();
  const animation = `getComputedStyle(document.querySelector("details.new") ?? document.body).animationName`;
  const moving = await page.evaluate(animation);
  await page.emulateMedia({ reducedMotion: "reduce" });
  expect([moving, await page.evaluate(animation)]).toEqual(["appear", "none"]);
});
