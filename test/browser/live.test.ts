/* The pages of signed-in users are live: a browser with JavaScript needs no reload to see an end. */
import type { Browser, Page } from "playwright-core";
import { memoryStore } from "session-sets/memory";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { IPHONE } from "../support/http/user-agents.ts";
import { launchBrowser } from "../support/programs/chromium.ts";
import { type Demo, listedDevices, openDevice, signIn, startDemo } from "./devices.ts";

let browser: Browser;
let demo: Demo;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
});

beforeEach(async () => {
  demo = await startDemo({ store: memoryStore() });
});

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await demo.close();
});

/** Opens a device with JavaScript, signs it in, and waits until its page listens. */
async function openLive(userAgent?: string): Promise<Page> {
  const options = { javaScriptEnabled: true, ...(userAgent ? { userAgent } : {}) };
  const page = await openDevice(browser, demo, options);
  const listening = page.waitForResponse((response) => response.url().endsWith("/events"));
  await signIn(page);
  expect((await listening).status()).toBe(200);
  return page;
}

test("a browser that is signed out elsewhere lands on the sign-in page by itself", async () => {
  const phone = await openLive(IPHONE);
  const desk = await openLive();
  await desk.getByRole("button", { name: "Sign out Safari on iPhone" }).click();
  await phone.waitForURL("**/sign-in");
  expect(await listedDevices(desk)).toEqual(["Firefox on Linux This device"]);
});

test("a browser lands there when the server ends its session, and when it expires", async () => {
  for (const end of ["clear", "expire"] as const) {
    const page = await openLive();
    if (end === "clear") await demo.sessions.by("user_id", (await userOf()) ?? "").clear();
    else {
      const [cookie] = await page.context().cookies();
      await demo.sessions.touch(cookie?.value, { idleTimeout: 1500 });
      await page.reload();
    }
    await page.waitForURL("**/sign-in");
  }
});

test("the list of devices loses a device that signs out, without a reload by hand", async () => {
  const phone = await openLive(IPHONE);
  const desk = await openLive();
  expect(await listedDevices(desk)).toHaveLength(2);
  await phone.getByRole("button", { name: "Sign out", exact: true }).click();
  await desk.waitForFunction("document.querySelectorAll('main li').length === 1");
  expect(await listedDevices(desk)).toEqual(["Firefox on Linux This device"]);
});

/** The id of the only user. */
async function userOf(): Promise<string | undefined> {
  return (await demo.users.authenticate("ada", "correct horse"))?.id;
}
