/* The examples as programs: started, and used as browsers use them. All of them are one small shop. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { expect, onTestFinished } from "vitest";
import { CookieJar } from "../http/cookie-jar.ts";

/** Where a program is, what runs it, and with which variables of its own. */
export interface ExampleOptions {
  /** The runtime. @default this Node */
  readonly program?: string;
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
}

/** Starts an example on a free port, until the test ends. Its address, which it prints. */
export async function startExample(args: readonly string[], options: ExampleOptions = {}) {
  const { program = process.execPath, ...place } = options;
  const child = spawn(program, args, {
    ...place,
    env: { ...process.env, NODE_OPTIONS: "", REDIS_URL: "", PORT: "0", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(async () => {
    // Some servers end at a gentler signal only when all connections have, such as that to Redis.
    if (child.exitCode === null && child.kill("SIGKILL")) await once(child, "exit");
  });
  child.stderr.pipe(process.stderr);
  return new Promise<string>((resolve, reject) => {
    const read = (line: string) => {
      const [, port] = /http:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0):(\d+)/.exec(line) ?? [];
      if (port) resolve(`http://localhost:${port}`);
    };
    // Deno says it on its standard error.
    for (const output of [child.stdout, child.stderr]) createInterface(output).on("line", read);
    child.on("exit", (code) => {
      reject(new Error(`the example ended with ${code} before it said where it is`));
    });
  });
}

/** A port that was free just now, for a server that does not say which one it took. */
export async function findFreePort(): Promise<string> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = Object(server.address());
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

/** Where a shop has its pages and forms. */
export interface Shop {
  readonly end: string;
  readonly endOthers: string;
  readonly signOut: string;
  readonly signOutEverywhere: string;
  /** Whether its forms have CSRF tokens. All shops refuse the pages of other origins. */
  readonly hasTokens: boolean;
  /** Headers that a proxy before it adds. */
  readonly proxyHeaders: { readonly [name: string]: string };
}

const SHOP: Shop = {
  end: "/devices/end",
  endOthers: "/devices/end-others",
  signOut: "/sign-out",
  signOutEverywhere: "/sign-out-everywhere",
  hasTokens: true,
  proxyHeaders: {},
};

const PASSWORD = "correct horse";
const ada = { name: "ada", password: PASSWORD };

/** A browser that follows redirections, and sends each form with the page's token. */
export class Browser {
  readonly #address: string;
  readonly #headers: { readonly [name: string]: string };
  readonly #jar = new CookieJar();
  /** The page that it shows. */
  page = "";

  constructor(address: string, name: string, proxyHeaders = SHOP.proxyHeaders) {
    this.#address = address;
    this.#headers = { "user-agent": name, accept: "text/html", ...proxyHeaders };
  }

  /** The Cookie header of its next request. */
  get cookie(): string {
    return this.#jar.header ?? "";
  }

  async open(path: string, form?: Record<string, string>, headers = {}): Promise<string> {
    const _csrf = /name="_csrf" value="([^"]*)"/.exec(this.page)?.[1] ?? "";
    const response = await fetch(this.#address + path, {
      redirect: "manual",
      headers: {
        ...this.#headers,
        cookie: this.cookie,
        ...(form ? { origin: this.#address } : {}),
        ...headers,
      },
      ...(form ? { method: "POST", body: new URLSearchParams({ _csrf, ...form }) } : {}),
    });
    this.#jar.take(response.headers.getSetCookie());
    const location = response.headers.get("location");
    if (location) return this.open(location);
    this.page = await response.text();
    return `${response.status} ${/<h1>(.*?)<\/h1>/.exec(this.page)?.[1] ?? ""}`.trim();
  }

  /** The devices on the page. */
  get devices(): string[] {
    return [...this.page.matchAll(/<li>(\w+),/g)].map(([, name]) => name ?? "").sort();
  }

  /** The form that the button beside a device sends. */
  readForm(device: string): { lineage: string } {
    const form = new RegExp(`<li>${device},.*?name="lineage" value="([^"]*)"`, "s");
    return { lineage: form.exec(this.page)?.[1] ?? "" };
  }
}

/**
 * Three browsers sign in, one of them twice, and see each other. They end each other and themselves, and
 * sign out here and everywhere; one of them at another process of the example, if there is one.
 */
export async function expectDevices(
  address: string,
  another = address,
  own: Partial<Shop> = {},
): Promise<void> {
  const shop = { ...SHOP, ...own };
  const [phone, tablet, desk] = openBrowsers(address, another, shop);

  for (const browser of [phone, desk, tablet]) {
    expect(await browser.open("/")).toBe("200 Sign in");
    expect(await browser.open("/sign-in", { ...ada, password: "guess" })).toBe("422 Sign in");
    expect(browser.page).toContain("is wrong");
    expect(await browser.open("/sign-in", ada)).toBe("200 Your devices");
  }
  await phone.open("/");
  expect(phone.devices).toEqual(["Chrome", "Firefox", "Safari"]);
  expect(await phone.open("/sign-in", ada)).toBe("200 Your devices");
  expect(phone.devices).toEqual(["Chrome", "Firefox", "Safari"]);

  if (shop.hasTokens) {
    expect(await phone.open(shop.signOut, { _csrf: "forged" })).toMatch(/^403/);
    await phone.open("/");
  }
  const evil = { origin: "https://evil.example" };
  expect(await phone.open(shop.signOut, {}, evil)).toMatch(/^403/);
  await phone.open("/");
  expect(await phone.open(shop.end, phone.readForm("Chrome"))).toBe("200 Your devices");
  expect(phone.devices).toEqual(["Firefox", "Safari"]);
  expect(await tablet.open("/")).toBe("200 Sign in");

  expect(await tablet.open("/sign-in", ada)).toBe("200 Your devices");
  await phone.open("/");
  expect(await tablet.open(shop.end, phone.readForm("Chrome"))).toBe("200 Sign in");
  await phone.open("/");
  expect(phone.devices).toEqual(["Firefox", "Safari"]);

  expect(await desk.open(shop.signOut, {})).toBe("200 Sign in");
  expect(await desk.open("/sign-in", ada)).toBe("200 Your devices");
  expect(desk.devices).toEqual(["Firefox", "Safari"]);
  expect(await desk.open(shop.signOutEverywhere, {})).toBe("200 Sign in");
  expect(await phone.open("/")).toBe("200 Sign in");
  // A second click, and the buttons of a page that was left open.
  for (const path of [shop.signOutEverywhere, shop.signOut, shop.endOthers]) {
    expect([path, await desk.open(path, {})]).toEqual([path, "200 Sign in"]);
  }
  expect(await desk.open("/")).toBe("200 Sign in");
}

/** One of three browsers signs the others out, by a button for that and by a change of the password. */
export async function expectEndingOthers(
  address: string,
  another = address,
  own: Partial<Shop> = {},
): Promise<void> {
  const shop = { ...SHOP, ...own };
  const [phone, ...others] = openBrowsers(address, another, shop);
  const signInOthers = async () => {
    for (const browser of others) {
      expect(await browser.open("/")).toBe("200 Sign in"); // its form has a token
      expect(await browser.open("/sign-in", ada)).toBe("200 Your devices");
    }
  };
  const expectOthersOut = async () => {
    for (const browser of others) expect(await browser.open("/")).toBe("200 Sign in");
    expect(await phone.open("/")).toBe("200 Your devices");
    expect(phone.devices).toEqual(["Safari"]);
  };

  expect(await phone.open("/password")).toBe("200 Sign in");
  expect(await phone.open("/password", { password: PASSWORD, new_password: "x" })).toBe(
    "200 Sign in",
  );
  expect(await phone.open("/sign-in", ada)).toBe("200 Your devices");
  await signInOthers();
  expect(await phone.open(shop.endOthers, {})).toBe("200 Your devices");
  await expectOthersOut();

  await signInOthers();
  expect(await phone.open("/password")).toBe("200 Change the password");
  const guess = { password: "guess", new_password: "battery staple" };
  const none = { password: PASSWORD, new_password: "" };
  for (const wrong of [guess, none, { password: PASSWORD }]) {
    expect(await phone.open("/password", wrong)).toBe("422 Change the password");
    expect(phone.page).toContain("is wrong, or the new one is missing");
  }
  const old = phone.cookie;
  expect(await phone.open("/password", { ...guess, password: PASSWORD })).toBe("200 Your devices");
  await expectOthersOut();
  // The token before the change is worth nothing, even to a thief of the same moment.
  expect(await others[0].open("/", undefined, { cookie: old })).toBe("200 Sign in");
  expect(await others[0].open("/")).toBe("200 Sign in");
  expect(await others[0].open("/sign-in", ada)).toBe("422 Sign in");
  const now = { ...ada, password: "battery staple" };
  expect(await others[0].open("/sign-in", now)).toBe("200 Your devices");
}

function openBrowsers(address: string, another: string, { proxyHeaders }: Shop) {
  return [
    new Browser(address, "Safari", proxyHeaders),
    new Browser(address, "Chrome", proxyHeaders),
    new Browser(another, "Firefox", proxyHeaders),
  ] as const;
}
