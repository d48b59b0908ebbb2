/* Behind a proxy which the framework was not told of: Secure where the browser shows HTTPS, and a warning. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Adapter, AppOptions, Browser } from "../../support/http/app.ts";

const ADAPTERS: Record<string, readonly [() => Promise<Adapter>, setting: string]> = {
  Koa: [
    async () => (await import("../../support/http/apps/koa.ts")).koaAdapter,
    "app.proxy = true",
  ],
  Express: [
    async () => (await import("../../support/http/apps/express.ts")).expressAdapter,
    'app.set("trust proxy", 1)',
  ],
  Fastify: [
    async () => (await import("../../support/http/apps/fastify.ts")).fastifyAdapter,
    "Fastify's option trustProxy",
  ],
  Hono: [
    async () => (await import("../../support/http/apps/hono.ts")).honoAdapter,
    "trustProxy: true",
  ],
  fetch: [
    async () => (await import("../../support/http/apps/fetch.ts")).fetchAdapter,
    "trustProxy: true",
  ],
  "node:http": [
    async () => (await import("../../support/http/apps/node.ts")).nodeAdapter,
    "trustProxy: true",
  ],
};

const HTTPS = { "x-forwarded-proto": "https" };
const ORIGIN = { origin: "https://shop.example" };
/** Each shows that the browser is on HTTPS; it sends the last to trustworthy addresses only. */
const SHOWN: Record<string, string>[] = [
  { origin: "https://shop.example" },
  { host: "shop.example", "sec-fetch-site": "none" },
  { host: "localhost.shop.example:8080", "sec-fetch-site": "same-origin" },
  { host: "127.0.0.1.shop.example", "sec-fetch-site": "cross-site" },
];
const told: string[] = [];

beforeEach(() => {
  // The warnings of a process are given once: each test has the modules anew.
  vi.resetModules();
  told.length = 0;
  vi.spyOn(process, "emitWarning").mockImplementation((message, options) => {
    expect(options).toMatchObject({ type: "SessionSetsWarning" });
    if (Object(options).code === "SESSION_SETS_INSECURE_COOKIE") told.push(String(message));
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe.each(Object.entries(ADAPTERS))("under %s", (_, [load, setting]) => {
  async function start(environment: string, options: AppOptions = {}) {
    const { TestApp } = await import("../../support/http/app.ts");
    const { openMemory } = await import("../../support/stores/stores.ts");
    const app = await TestApp.start(await load(), "", openMemory(), options);
    onTestFinished(() => app.close());
    vi.stubEnv("NODE_ENV", environment);
    return app;
  }
  const visit = (browser: Browser, headers: Record<string, string>) =>
    browser.send(({ session }) => session.set({ theme: "dark" }), { headers, take: false });

  test("a browser that shows HTTPS gets a Secure cookie with its prefix, and one warning", async () => {
    const app = await start("production");
    for (const headers of SHOWN) {
      const { setCookies } = await visit(app.browser(), headers);
      expect(setCookies, JSON.stringify(headers)).toMatchObject([
        { name: "__Host-session", attributes: { secure: "", httponly: "", path: "/" } },
      ]);
    }
    expect(told).toEqual([expect.stringContaining(setting)]);
    expect(told[0]).toContain("secure: true");
  });

  test("a proxy that is not trusted is not believed, and one warning names the setting", async () => {
    const app = await start("production");
    for (const headers of [HTTPS, { "x-forwarded-proto": "HTTPS, http" }, HTTPS] as const) {
      const { setCookies } = await visit(app.browser(), headers);
      expect(setCookies.map(({ attributes }) => attributes.secure)).toEqual([undefined]);
    }
    expect(told).toEqual([expect.stringContaining(setting)]);
  });

  test("a form's cookie is Secure likewise, and the session is found, changed, renewed and ended", async () => {
    const app = await start("production");
    const browser = app.browser();
    const form = await browser.send(({ session }) => session.createCSRFToken(), {
      headers: ORIGIN,
    });
    expect(form.setCookies).toMatchObject([
      { name: expect.stringMatching(/^__Host-session-csrf-/), attributes: { secure: "" } },
    ]);
    expect(told).toHaveLength(1);
    await browser.send(({ session }) => session.signIn({ user_id: 1 }), { headers: ORIGIN });
    // One request after the other, as a proxy sends them that says nothing of GETs.
    expect(await browser.data()).toEqual({ user_id: 1 });
    await browser.send(({ session }) => session.rotate(), { headers: ORIGIN });
    expect(await browser.data()).toEqual({ user_id: 1 });
    await browser.send(({ session }) => session.rotate());
    expect(await browser.data()).toEqual({ user_id: 1 });
    await browser.send(({ session }) => session.rotate(), { headers: ORIGIN });
    expect(await browser.data()).toEqual({ user_id: 1 });
    await browser.send(({ session }) => session.delete(), { headers: ORIGIN });
    expect(browser.jar.header ?? "").not.toMatch(/session=/);
    expect(await app.sessions.by("user_id", 1).size()).toBe(0);
  });

  test("is not Secure over HTTP, and nobody is warned, nor where no cookie is set", async () => {
    const app = await start("production");
    for (const headers of [
      {},
      { "x-forwarded-proto": "http" },
      { "x-forwarded-proto": "http, https" },
      { origin: "http://shop.example" },
      { origin: "null" },
      ...["localhost", "localhost:3000", "shop.localhost", "127.0.0.1:80", "[::1]:3000"].map(
        (host) => ({ host, "sec-fetch-site": "same-origin" }),
      ),
    ] as Record<string, string>[]) {
      const { setCookies } = await visit(app.browser(), headers);
      expect(setCookies, JSON.stringify(headers)).toMatchObject([{ name: "session" }]);
      expect(setCookies[0]?.attributes.secure).toBeUndefined();
    }
    await app.browser().send(({ session }) => session.get(), { headers: HTTPS });
    expect(told).toEqual([]);
  });

  test("is none in development, where the proxy is known, and where secure says it", async () => {
    for (const environment of ["development", "test", ""]) {
      await visit((await start(environment)).browser(), HTTPS);
    }
    const known = await visit((await start("production", { trustProxy: true })).browser(), HTTPS);
    expect(known.setCookies[0]?.attributes.secure).toBe("");
    await visit((await start("production", { cookie: { secure: false } })).browser(), HTTPS);
    const refused = await visit(
      (await start("production", { cookie: { secure: true } })).browser(),
      HTTPS,
    );
    expect(refused.error).toMatchObject({ code: "ERR_COOKIE" });
    expect(Object(refused.error).message + Object(refused.error).hint).toContain(setting);
    expect(told).toEqual([]);
  });
});
