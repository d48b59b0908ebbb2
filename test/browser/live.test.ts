/* The pages of signed-in users are live: a browser with JavaScript needs no reload to see an end. */
import type { Page } from "playwright-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MAX_DEVICES } from "../../demo/context.ts";
import { openMemory } from "../../demo/store/memory.ts";
import { ANDROID, IPHONE } from "../support/http/user-agents.ts";
import {
  changePassword,
  type Demo,
  heading,
  listedDevices,
  message,
  openDevice,
  openLive,
  PASSWORD,
  signInByRequests,
  startDemo,
} from "./devices.ts";

let demo: Demo;

beforeEach(async () => {
  demo = await startDemo({ store: openMemory() });
});

afterEach(async () => {
  await demo.close();
});

test("a browser that is signed out elsewhere lands on the sign-in page by itself", async () => {
  const phone = await openLive({ userAgent: IPHONE });
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
  const first = await openLive({ userAgent: IPHONE });
  const second = await openLive({ userAgent: ANDROID });
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
  const phone = await openLive({ userAgent: IPHONE });
  const desk = await openLive();
  expect(await listedDevices(desk)).toHaveLength(2);
  await phone.getByRole("button", { name: "Sign out", exact: true }).click();
  await desk.getByRole("heading", { name: "Safari on iPhone" }).waitFor({ state: "detached" });
  expect(await listedDevices(desk)).toEqual(["Firefox on Linux This device"]);
});

/** The id of the only user. */
async function userOf(): Promise<string | undefined> {
  return (await demo.users.authenticate("ada", "correct horse"))?.id;
}

test("a browser is told what another did that signed it out", async () => {
  const desk = await openLive();
  const ways = [
    ["others", () => desk.getByRole("button", { name: "Sign out all others" }).click()],
    ["password", () => changePassword(desk, PASSWORD, "battery staple")],
    ["everywhere", () => desk.getByRole("button", { name: "Sign out everywhere" }).click()],
  ] as const;
  const said = {
    others: "This device was signed out, because another one signed out all others.",
    password: "This device was signed out, because the password was changed on another one.",
    everywhere: "This device was signed out, because another one signed out everywhere.",
  };
  for (const [way, end] of ways) {
    const password = way === "everywhere" ? "battery staple" : PASSWORD;
    const phone = await openLive({ userAgent: IPHONE }, password);
    await desk.goto("/");
    await end();
    await phone.waitForURL(`**/sign-in?ended=${way}`);
    expect(await message(phone)).toBe(said[way]);
  }
});

test("a page says what to try next, and lists a device that signs in elsewhere by itself", async () => {
  const desk = await openLive();
  const guide = desk.locator(".guide");
  expect(await guide.textContent()).toMatch(/^Open this page in a second, private window/);
  await openLive({ userAgent: IPHONE });
  await desk.getByRole("button", { name: "Sign out Safari on iPhone" }).waitFor();
  expect(await guide.textContent()).toMatch(/^Now sign the other window out from here/);
  expect(await desk.locator("[aria-live=polite]").textContent()).toBe("2 devices are signed in.");
  for (let i = 2; i < MAX_DEVICES; i++) await signInByRequests(await openDevice());
  await guide.getByText(`${MAX_DEVICES} devices are signed in. Sign in on one more`).waitFor();
});

test("what is open and what has the focus stay so while the page changes", async () => {
  const desk = await openLive();
  const own = desk.locator("details.session summary");
  const set = desk.locator("details.set summary");
  await set.press("Enter"); // it was open
  await own.focus();
  await openLive({ userAgent: IPHONE });
  await desk.getByRole("heading", { name: "Safari on iPhone" }).waitFor();
  const other = desk.locator("details.session:not(.gone):not([open])");
  await other.waitFor();
  expect(await desk.locator("details.set[open]").count()).toBe(0);
  expect(await desk.locator("details.session[open] summary:focus").count()).toBe(1);
});

test("the sign-in page says what to try, and with which password, as long as that is right", async () => {
  const desk = await openDevice();
  await desk.goto("/sign-in");
  const text = () => desk.getByRole("main").textContent();
  expect(await text()).toContain("Sign in here and in a second, private window.");
  expect(await text()).toContain("sign in as ada with the password correct horse");
  await signInByRequests(desk);
  await changePassword(desk, PASSWORD, "battery staple");
  await desk.getByRole("button", { name: "Sign out", exact: true }).click();
  expect(await text()).toContain("Sign in here and in a second, private window.");
  expect(await text()).not.toContain("correct horse");
});
