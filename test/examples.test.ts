/* The examples, compiled and started as a reader starts them, and used as browsers use them. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CookieJar } from "./support/cookie-jar.ts";
import { ROOT } from "./support/sources.ts";

const OUT = `${ROOT}.cache/examples`;
const EXAMPLES = readdirSync(`${ROOT}examples`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "dist")
  .map(({ name }) => name);

beforeAll(async () => {
  const tsc = `${ROOT}node_modules/typescript/bin/tsc`;
  const options = ["-p", `${ROOT}examples/tsconfig.json`, "--outDir", OUT];
  await promisify(execFile)(process.execPath, [tsc, ...options]);
});

/** Starts an example on a free port. Its address, which it prints. */
async function start(name: string): Promise<string> {
  const env = { ...process.env, PORT: "0", REDIS_URL: "", NODE_OPTIONS: "" };
  const child = spawn(process.execPath, [`${OUT}/${name}/main.js`], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the example ended with ${code} before it said where it is`);
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.kill()) await once(child, "exit");
  });
  const [address] = await Promise.race([once(createInterface(child.stdout), "line"), ended]);
  return address;
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
}

describe.each(EXAMPLES)("the example for %s", (name) => {
  test("signs in, shows the devices, ends one, and signs out everywhere", async () => {
    const address = await start(name);
    const open = (agent: string) => new Browser(address, agent);
    const [phone, desk, tablet] = [open("Safari"), open("Firefox"), open("Chrome")];
    const ada = { name: "ada", password: "correct horse" };

    for (const browser of [phone, desk, tablet]) {
      expect(await browser.open("/")).toBe("200 Sign in");
      expect(await browser.open("/sign-in", { ...ada, password: "guess" })).toBe("422 Sign in");
      expect(browser.page).toContain("is wrong");
      expect(await browser.open("/sign-in", ada)).toBe("200 Your devices");
    }
    await phone.open("/");
    expect(phone.devices).toEqual(["Chrome", "Firefox", "Safari"]);

    expect(await phone.open("/sign-out", { _csrf: "forged" })).toMatch(/^403/);
    const evil = { origin: "https://evil.example" };
    await phone.open("/");
    expect(await phone.open("/sign-out", {}, evil)).toMatch(/^403/);
    await phone.open("/");
    const id = /<li>Chrome,.*?name="id" value="([^"]*)"/s.exec(phone.page)?.[1] ?? "";
    expect(await phone.open("/devices/end", { id })).toBe("200 Your devices");
    expect(phone.devices).toEqual(["Firefox", "Safari"]);
    expect(await tablet.open("/")).toBe("200 Sign in");

    expect(await desk.open("/sign-out", {})).toBe("200 Sign in");
    expect(await desk.open("/sign-in", ada)).toBe("200 Your devices");
    expect(desk.devices).toEqual(["Firefox", "Safari"]);
    expect(await desk.open("/sign-out-everywhere", {})).toBe("200 Sign in");
    expect(await phone.open("/")).toBe("200 Sign in");
    expect(await desk.open("/")).toBe("200 Sign in");
  });
});
