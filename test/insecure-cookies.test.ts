/* Secure that is missing behind a proxy which the framework was not told of: one warning names it. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Adapter, AppOptions, Browser } from "./support/http-app.ts";

const ADAPTERS: Record<string, readonly [() => Promise<Adapter>, setting: string]> = {
  Koa: [async () => (await import("./support/koa-app.ts")).koaAdapter, "app.proxy = true"],
  Express: [
    async () => (await import("./support/express-app.ts")).expressAdapter,
    'app.set("trust proxy", 1)',
  ],
  Fastify: [
    async () => (await import("./support/fastify-app.ts")).fastifyAdapter,
    "Fastify's option trustProxy",
  ],
  Hono: [async () => (await import("./support/hono-app.ts")).honoAdapter, "trustProxy: true"],
  fetch: [async () => (await import("./support/fetch-app.ts")).fetchAdapter, "trustProxy: true"],
  "node:http": [
    async () => (await import("./support/node-app.ts")).nodeAdapter,
    "trustProxy: true",
  ],
};

const HTTPS = { "x-forwarded-proto": "https" };
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
    const { TestApp } = await import("./support/http-app.ts");
    const { openMemory } = await import("./support/stores.ts");
    const app = await TestApp.start(await load(), "", openMemory(), options);
    onTestFinished(() => app.close());
    vi.stubEnv("NODE_ENV", environment);
    return app;
  }
  const visit = (browser: Browser, headers: Record<string, string>) =>
    browser.send(({ session }) => session.set({ theme: "dark" }), { headers, take: false });

  test("a browser on HTTPS is one warning that names the setting, and gets its cookie", async () => {
    const app = await start("production");
    for (const headers of [HTTPS, { "x-forwarded-proto": "HTTPS, http" }, HTTPS] as const) {
      const { setCookies } = await visit(app.browser(), headers);
      expect(setCookies.map(({ attributes }) => attributes.secure)).toEqual([undefined]);
    }
    expect(told).toEqual([expect.stringContaining(setting)]);
    expect(told[0]).toContain("secure: true");
  });

  test("so is an Origin of HTTPS, and so is a form's cookie", async () => {
    const app = await start("production");
    await app.browser().send(({ session }) => session.createCSRFToken(), {
      headers: { origin: "https://shop.example" },
    });
    expect(told).toHaveLength(1);
  });

  test("is none over HTTP, nor where no cookie is set", async () => {
    const app = await start("production");
    for (const headers of [
      {},
      { "x-forwarded-proto": "http" },
      { "x-forwarded-proto": "http, https" },
      { origin: "http://shop.example" },
      { origin: "null" },
    ] as Record<string, string>[]) {
      await visit(app.browser(), headers);
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
