/*
 * The demo app on a free port, and the devices of its users. Windows cost more than tests do, so a test gets
 * those of the tests before it, without their cookies.
 */
import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { expect, inject } from "vitest";
import { type AppOptions, createApp } from "../../demo/app.ts";
import { FIREFOX } from "../support/http/user-agents.ts";

export const NAME = "ada";
export const PASSWORD = "correct horse";

/** Passwords here need no protection, and a good hash of one takes as long as a page. */
const HASHING = { N: 2, r: 1, p: 1 };

export interface Demo extends ReturnType<typeof createApp> {
  /** All that the app has answered: bodies, streams among them, and headers but for the cookies that it sets. */
  readonly answers: readonly string[];
  /** Stops the app, and takes all devices back. */
  close(): Promise<void>;
}

let serve: RequestListener = (_, response) => response.writeHead(503).end();
// One address for all apps, so that windows can be used again.
const server = createServer((request, response) => serve(request, response));
server.unref();

/** The address of the app. There is one app at a time. */
async function findOrigin(): Promise<string> {
  if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts the app with one user. */
export async function startDemo(options: AppOptions): Promise<Demo> {
  const demo = createApp({ hashing: HASHING, ...options });
  await demo.users.addSample(NAME, PASSWORD, "demo-user");
  const answers: string[] = [];
  const handle = demo.app.callback();
  serve = (request, response) => {
    record(response, answers);
    void handle(request, response);
  };
  return {
    ...demo,
    answers,
    async close() {
      await takeDevicesBack();
      server.closeAllConnections();
      await demo.sessions.close();
    },
  };
}

/** Adds all that is written to a response. */
function record(response: ServerResponse, answers: string[]): void {
  const { write, end } = response;
  const keep = (chunk: unknown) => {
    if (typeof chunk === "string" || chunk instanceof Uint8Array) answers.push(String(chunk));
  };
  Object.assign(response, {
    write(...args: unknown[]) {
      keep(args[0]);
      return Reflect.apply(write, response, args);
    },
    end(...args: unknown[]) {
      const { "set-cookie": _, ...headers } = response.getHeaders();
      answers.push(JSON.stringify(headers));
      keep(args[0]);
      return Reflect.apply(end, response, args);
    },
  });
}

/** What Playwright takes by default, too. */
const WINDOW = { width: 1280, height: 720 };

let browser: Promise<Browser> | undefined;
const used: { readonly kind: string; readonly page: Page }[] = [];
const unused = new Map<string, Page[]>();

/** A device: a browser with cookies of its own, and without JavaScript. It is at no page yet. */
export async function openDevice(options: BrowserContextOptions = {}): Promise<Page> {
  const kind = JSON.stringify(options);
  const page = unused.get(kind)?.pop() ?? (await openPage(options));
  used.push({ kind, page });
  return page;
}

async function openPage(options: BrowserContextOptions): Promise<Page> {
  browser ??= chromium.connect(inject("browser"));
  const context = await (await browser).newContext({
    baseURL: await findOrigin(),
    javaScriptEnabled: false,
    userAgent: FIREFOX,
    ...options,
  });
  return context.newPage();
}

async function takeDevicesBack(): Promise<void> {
  await Promise.all(
    used.splice(0).map(async ({ kind, page }) => {
      page.removeAllListeners();
      await page.goto("about:blank");
      await page.context().clearCookies();
      await page.emulateMedia({ colorScheme: null, reducedMotion: null });
      await page.setViewportSize(WINDOW);
      unused.set(kind, [...(unused.get(kind) ?? []), page]);
    }),
  );
}

/** Opens a device with JavaScript, signs it in, and waits until its page listens. */
export async function openLive(
  options: BrowserContextOptions = {},
  password = PASSWORD,
): Promise<Page> {
  const page = await openDevice({ javaScriptEnabled: true, ...options });
  const listening = page.waitForResponse((response) => response.url().endsWith("/events"));
  await signInAgain(page, password);
  expect((await listening).status()).toBe(200);
  return page;
}

export async function signIn(page: Page, password = PASSWORD, remember = false): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("Name").fill(NAME);
  await page.getByLabel("Password").fill(password);
  if (remember) await page.getByLabel("Remember me").check();
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Signs in without the window, which stays where it is: for tests that are about what follows. */
export async function signInByRequests(page: Page): Promise<void> {
  const { request } = page.context();
  const form = await (await request.get("/sign-in")).text();
  const [, csrf = ""] = /name="csrf" value="([^"]+)"/.exec(form) ?? [];
  const fields = { csrf, name: NAME, password: PASSWORD };
  const answer = await request.post("/sign-in", { form: fields, maxRedirects: 0 });
  expect(answer.status()).toBe(303);
}

/** Signs in right after the user's sessions were ended: for two seconds that is refused. */
export async function signInAgain(page: Page, password = PASSWORD): Promise<void> {
  const signedIn = async () => {
    await signIn(page, password);
    return heading(page);
  };
  await expect.poll(signedIn, { timeout: 60_000, interval: 1000 }).toBe("Your devices");
}

export async function signUp(page: Page, name: string, password: string): Promise<void> {
  await page.goto("/sign-up");
  await page.getByLabel("Name").fill(name);
  // The browser would not send a short one.
  await page.getByLabel("Password").evaluate((input) => input.removeAttribute("minlength"));
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
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

/** The heading of the page that a device is sent when it asks again. The window stays where it is. */
export async function headingAtNextRequest(page: Page): Promise<string> {
  const answer = await page.context().request.get("/", { headers: { accept: "text/html" } });
  return /<h1>(.*)<\/h1>/.exec(await answer.text())?.[1] ?? "";
}

/** The names of the devices on the page, this one with its badge. */
export async function listedDevices(page: Page): Promise<string[]> {
  await page.goto("/");
  return page.locator(".devices li").getByRole("heading").allTextContents();
}

/** Each device as the page describes it: its name, and each term with its description. */
export async function describedDevices(page: Page): Promise<Record<string, string>[]> {
  await page.goto("/");
  const items = await page.locator(".devices li").all();
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
