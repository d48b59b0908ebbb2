/* The examples as programs: started, and used as browsers use them. All of them are one small shop. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, onTestFinished } from "vitest";
import { CookieJar } from "../http/cookie-jar.ts";

/** Where a program is, and with which variables of its own it runs. */
export interface ExampleOptions {
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
}

/** Starts an example under Node on a free port, until the test ends. Its address, which it prints. */
export async function startExample(args: readonly string[], options: ExampleOptions = {}) {
  const child = spawn(process.execPath, args, {
    ...options,
    env: { ...process.env, NODE_OPTIONS: "", REDIS_URL: "", PORT: "0", ...options.env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.kill()) await once(child, "exit");
  });
  const printed = createInterface(child.stdout);
  return new Promise<string>((resolve, reject) => {
    printed.on("line", (line) => {
      const [address] = /http:\/\/localhost:\d+/.exec(line) ?? [];
      if (address) resolve(address);
    });
    child.on("exit", (code) => {
      reject(new Error(`the example ended with ${code} before it said where it is`));
    });
  });
}

/** A browser that follows redirections, and sends each form with the page's token. */
class Browser {
  readonly #address: string;
  readonly #name: string;
  readonly #jar = new CookieJar();
  /** The page that it shows. */
  page = "";

  constructor(address: string, name: string) {
    this.#address = address;
    this.#name = name;
  }

  async open(path: string, form?: Record<string, string>, headers = {}): Promise<string> {
    const _csrf = /name="_csrf" value="([^"]*)"/.exec(this.page)?.[1] ?? "";
    const response = await fetch(this.#address + path, {
      redirect: "manual",
      headers: { "user-agent": this.#name, cookie: this.#jar.header ?? "", ...headers },
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
export async function expectDevices(address: string, another = address): Promise<void> {
  const [phone, tablet] = [new Browser(address, "Safari"), new Browser(address, "Chrome")];
  const desk = new Browser(another, "Firefox");
  const ada = { name: "ada", password: "correct horse" };

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

  expect(await phone.open("/sign-out", { _csrf: "forged" })).toMatch(/^403/);
  const evil = { origin: "https://evil.example" };
  await phone.open("/");
  expect(await phone.open("/sign-out", {}, evil)).toMatch(/^403/);
  await phone.open("/");
  expect(await phone.open("/devices/end", phone.readForm("Chrome"))).toBe("200 Your devices");
  expect(phone.devices).toEqual(["Firefox", "Safari"]);
  expect(await tablet.open("/")).toBe("200 Sign in");

  expect(await tablet.open("/sign-in", ada)).toBe("200 Your devices");
  await phone.open("/");
  expect(await tablet.open("/devices/end", phone.readForm("Chrome"))).toBe("200 Sign in");
  await phone.open("/");
  expect(phone.devices).toEqual(["Firefox", "Safari"]);

  expect(await desk.open("/sign-out", {})).toBe("200 Sign in");
  expect(await desk.open("/sign-in", ada)).toBe("200 Your devices");
  expect(desk.devices).toEqual(["Firefox", "Safari"]);
  expect(await desk.open("/sign-out-everywhere", {})).toBe("200 Sign in");
  expect(await phone.open("/")).toBe("200 Sign in");
  expect(await desk.open("/")).toBe("200 Sign in");
}
