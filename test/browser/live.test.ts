/* The pages of signed-in users are live: a browser with JavaScript needs no reload to see an end. */
import type { Page } from "playwright-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MAX_DEVICES } from "../../demo/context.ts";
import { openMemory } from "../../demo/store/memory.ts";
import { ANDROID, IPHONE } from "../support/http/user-agents.ts";
import {
  type Demo,
  heading,
  listedDevices,
  message,
  openDevice,
  signInAgain,
  startDemo,
} from "./devices.ts";

let demo: Demo;

beforeEach(async () => {
  demo = await startDemo({ store: openMemory() });
});

afterEach(async () => {
  await demo.close();
});

/** Opens a device with JavaScript, signs it in, and waits until its page listens. */
async function openLive(userAgent?: string): Promise<Page> {
  const options = { javaScriptEnabled: true, ...(userAgent ? { userAgent } : {}) };
  const page = await openDevice(options);
  const listening = page.waitForResponse((response) => response.url().endsWith("/events"));
  await signInAgain(page);
  expect((await listening).status()).toBe(200);
  return page;
}

test("a browser that is signed out elsewhere lands on the sign-in page by itself", async () => {
  const phone = await openLive(IPHONE);
  const desk = await openLive();
  await desk.getByRole("button", { name: "Sign out Safari on iPhone" }).click();
  await phone.waitForURL("**/sign-in?ended=one");
  expect(await message(phone)).toBe("This device was signed out from another one.");
  expect(await listedDevices(desk)).toEqual(["Firefox on Linux This device"]);
});

test("a browser lands there when the server ends its session, and when it expires", async () => {
  for (const end of ["clear", "expire"] as const) {
    const page = await openLive();
    if (end === "clear") await demo.sessions.by("user_id", (await userOf()) ?? "").clear();
    else {
      const [cookie] = await page.context().cookies();
      // The page learns of it although its session was to live for half an hour.
      await demo.sessions.touch(cookie?.value, { idleTimeout: 500 });
    }
    await page.waitForURL(`**/sign-in?ended=${end}`);
    const told = end === "clear" ? "This device was signed out." : "Your session has expired.";
    expect(await message(page)).toBe(told);
  }
});

test("a browser that a limit or another device ends is told why, by itself", async () => {
  const first = await openLive(IPHONE);
  const second = await openLive(ANDROID);
  const others: Page[] = [];
  for (let i = 0; i < MAX_DEVICES - 1; i++) others.push(await openLive());
  await first.waitForURL("**/sign-in?ended=limit");
  expect(await message(first)).toContain(`because at most ${MAX_DEVICES} can be signed in`);
  await others.at(-1)?.getByRole("button", { name: "Keep only the 2 newest" }).click();
  await second.waitForURL("**/sign-in?ended=trim");
  expect(await message(second)).toContain("only the newest were kept");
});

test("the sign-in page shows no word of its address that it doesn't know", async () => {
  const page = await openDevice();
  for (const word of ["<b>x</b>", "toString", "gap", "__proto__", ""]) {
    await page.goto(`/sign-in?ended=${encodeURIComponent(word)}`);
    expect(await heading(page)).toBe("Sign in");
    expect(await page.locator("[role=status]").count(), word).toBe(0);
  }
});

test("the list of devices loses a device that signs out, without a reload by hand", async () => {
  const phone = await openLive(IPHONE);
  const desk = await openLive();
  expect(await listedDevices(desk)).toHaveLength(2);
  await phone.getByRole("button", { name: "Sign out", exact: true }).click();
  await desk.waitForFunction("document.querySelectorAll('.devices li').length === 1");
  expect(await listedDevices(desk)).toEqual(["Firefox on Linux This device"]);
});

/** The id of the only user. */
async function userOf(): Promise<string | undefined> {
  return (await demo.users.authenticate("ada", "correct horse"))?.id;
}
