/* The demo app on a free port, and the devices of its users. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { type AppOptions, createApp } from "../../demo/app.ts";
import { FIREFOX } from "../support/http/user-agents.ts";

export const NAME = "ada";
export const PASSWORD = "correct horse";

export interface Demo extends ReturnType<typeof createApp> {
  readonly origin: string;
  close(): Promise<void>;
}

/** Starts the app with one user. */
export async function startDemo(options: AppOptions): Promise<Demo> {
  const demo = createApp(options);
  await demo.users.add(NAME, PASSWORD);
  const server = demo.app.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    ...demo,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await demo.sessions.close();
    },
  };
}

/** A device: a browser with cookies of its own, and without JavaScript. At the app's first page. */
export async function openDevice(
  browser: Browser,
  { origin }: Demo,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    baseURL: origin,
    javaScriptEnabled: false,
    userAgent: FIREFOX,
    ...options,
  });
  const page = await context.newPage();
  await page.goto("/");
  return page;
}

export async function signIn(page: Page, password = PASSWORD, remember = false): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("Name").fill(NAME);
  await page.getByLabel("Password").fill(password);
  if (remember) await page.getByLabel("Remember me").check();
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Signs in right after the user's sessions were ended: for two seconds that is refused. */
export async function signInAgain(page: Page, password = PASSWORD): Promise<void> {
  const signedIn = async () => {
    await signIn(page, password);
    return heading(page);
  };
  await expect.poll(signedIn, { timeout: 60_000, interval: 500 }).toBe("Your devices");
}

export async function changePassword(page: Page, current: string, next: string): Promise<void> {
  await page.goto("/password");
  await page.getByLabel("Current password").fill(current);
  await page.getByLabel("New password").fill(next);
  await page.getByRole("button", { name: "Change password" }).click();
}

/** The heading of the page that a device sees now. */
export async function heading(page: Page): Promise<string> {
  return text(page.getByRole("heading", { level: 1 }));
}

/** The page's message: a thing that was done, or is wrong. */
export async function message(page: Page): Promise<string> {
  return text(page.locator("[role=status], [role=alert]"));
}

async function text(element: Locator): Promise<string> {
  return (await element.textContent()) ?? "";
}

/** The heading of the page that a device sees when it asks again. */
export async function headingAtNextRequest(page: Page): Promise<string> {
  await page.goto("/");
  return heading(page);
}

/** The names of the devices on the page, this one with its badge. */
export async function listedDevices(page: Page): Promise<string[]> {
  await page.goto("/");
  return page.getByRole("listitem").getByRole("heading").allTextContents();
}

/** Each device as the page describes it: its name, and each term with its description. */
export async function describedDevices(page: Page): Promise<Record<string, string>[]> {
  await page.goto("/");
  const items = await page.getByRole("listitem").all();
  return Promise.all(
    items.map(async (item) => {
      const terms = await item.locator("dt").allTextContents();
      const details = await item.locator("dd").allTextContents();
      const name = await text(item.getByRole("heading"));
      return { name, ...Object.fromEntries(terms.map((term, i) => [term, details[i] ?? ""])) };
    }),
  );
}

/** The cookie of the session, if the browser has one. */
export async function sessionCookie(page: Page) {
  const cookies = await page.context().cookies();
  return cookies.find(({ name }) => name === "demo");
}
