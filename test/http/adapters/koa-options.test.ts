/* What only Koa's adapter has: its options, Koa's own keys, and the types of its context. */
import { once } from "node:events";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import Koa from "koa";
import { createSessions, SessionError } from "session-sets";
import { csrfGuard, koaSessions, type SessionContext } from "session-sets/koa";
import { describe, expect, expectTypeOf, onTestFinished, test, vi } from "vitest";
import { type AppOptions, type Data, TestApp } from "../../support/http/app.ts";
import { koaAdapterWith } from "../../support/http/apps/koa.ts";
import { exchange } from "../../support/http/client.ts";
import { openMemory } from "../../support/stores/stores.ts";

/** The class that Koa itself signs with. */
const Keygrip: new (keys: string[], algorithm?: string, encoding?: string) => Koa["keys"] =
  createRequire(import.meta.resolve("koa"))("keygrip");

const { store } = openMemory();
const sessions = createSessions<Data>({
  store,
  references: { user_id: {}, team_ids: { identity: false } },
  idleTimeout: "30 minutes",
});

/** An application on the same store each time, with what Koa's `app.keys` are to be. */
async function startWith(keys: unknown, options: AppOptions = {}, under = openMemory()) {
  const adapter = koaAdapterWith((app) => {
    app.keys = keys as Koa["keys"];
  });
  const app = await TestApp.start(adapter, "", under, options);
  onTestFinished(() => app.close());
  return app;
}

describe("options that cannot work are ERR_SESSION_CONFIG at construction", () => {
  const cookies: Record<string, unknown> = {
    "an unknown one": { maxAge: 1 },
    "httpOnly, which is not to choose": { httpOnly: false },
    "an empty name": { name: "" },
    "a name with a semicolon": { name: "a;b" },
    "a name with a space": { name: "a b" },
    "a name outside of ASCII": { name: "séance" },
    "a name that has the prefix __Host-": { name: "__Host-session", secure: true },
    "a name that has the prefix __Secure-": { name: "__secure-session", secure: true },
    "a name that is too long": { name: "a".repeat(129) },
    "a name that is a number": { name: 1 },
    "no SameSite": { sameSite: "" },
    "SameSite in capitals": { sameSite: "Lax" },
    "SameSite that is false": { sameSite: false },
    "SameSite none without secure": { sameSite: "none" },
    "SameSite none that is insecure": { sameSite: "none", secure: false },
    "partitioned without secure": { partitioned: true },
    "hostPrefix, which is how it is": { hostPrefix: true },
    "formerNames that are no list": { formerNames: "sid" },
    "a former name that is none": { formerNames: ["a b"] },
    "secure that is a word": { secure: "auto" },
    "partitioned that is a word": { partitioned: "yes", secure: true },
    "prefix that is a word": { prefix: "yes" },
    "cacheable that is a word": { cacheable: "yes" },
    "persistent that is a number": { persistent: 1 },
    "a path that is relative": { path: "shop" },
    "an empty path": { path: "" },
    "a path with an attribute": { path: "/; Secure" },
    "a path that is a number": { path: 1 },
    "a domain with an attribute": { domain: "example.com; Secure" },
    "a domain with a line feed": { domain: "example.com\nx" },
    "a domain with a scheme": { domain: "https://example.com" },
    "an empty domain": { domain: "" },
  };
  for (const [kind, cookie] of Object.entries(cookies)) {
    test(`of the cookie: ${kind}`, () => {
      expect(() => koaSessions(sessions, { cookie: cookie as object })).toThrow(
        expect.objectContaining({ code: "ERR_SESSION_CONFIG", constructor: SessionError }),
      );
    });
  }

  const others: Record<string, () => unknown> = {
    "an unknown one": () => koaSessions(sessions, { key: "x" } as object),
    "signed that is a list": () => koaSessions(sessions, { signed: ["x"] } as object),
    "rotate, which is no option": () => koaSessions(sessions, { rotate: false } as object),
    "no sessions": () => koaSessions(undefined as unknown as typeof sessions),
    "the options of sessions": () => koaSessions({ store } as unknown as typeof sessions),
    "an unknown one of the guard": () => csrfGuard({ origin: "x" } as object),
    "an origin that is no list": () => csrfGuard({ origins: "https://a.example" } as object),
    "an origin with a path": () => csrfGuard({ origins: ["https://a.example/"] }),
    "an origin without a scheme": () => csrfGuard({ origins: ["a.example"] }),
    "an origin with a pattern": () => csrfGuard({ origins: ["https://*.a.example"] }),
    "an origin that sandboxed pages have": () => csrfGuard({ origins: ["null"] }),
    "an origin that is a number": () => csrfGuard({ origins: [1] as unknown as string[] }),
  };
  for (const [kind, construct] of Object.entries(others)) {
    test(kind, () => {
      expect(construct).toThrow(expect.objectContaining({ code: "ERR_SESSION_CONFIG" }));
    });
  }
});

describe("Koa's keys", () => {
  test("may be a Keygrip, whose algorithm and keys are then used", async () => {
    const under = openMemory();
    const app = await startWith(new Keygrip(["new", "old"], "sha512", "hex"), {}, under);
    const browser = await app.visitor({ theme: "dark" });
    expect(browser.token).toMatch(/^[A-Za-z0-9_-]{34}\.[0-9a-f]{128}$/);
    expect(await browser.data()).toEqual({ theme: "dark" });
    const old = await startWith(new Keygrip(["old"], "sha512", "hex"), {}, under);
    expect(await old.browser(browser.token).data()).toEqual({});
    const { token } = await old.visitor({ theme: "light" });
    expect(await app.browser(token).data()).toEqual({ theme: "light" });
    expect(old.operations).toEqual(["create"]);
  });

  for (const [kind, keys] of Object.entries({
    "an empty list": [],
    "a list of what are no texts": [1, 2],
    "a list of an empty text": [""],
    "a list with an empty text": ["secret", ""],
    "a word": "secret",
    null: null,
  })) {
    test(`that are ${kind} are ERR_SESSION_CONFIG for signed cookies`, async () => {
      const app = await startWith(keys);
      const { status, setCookies } = await app.browser().send(({ session }) => session.get());
      expect([status, setCookies, app.operations]).toEqual([500, [], []]);
      expect(app.errors).toEqual([expect.objectContaining({ code: "ERR_SESSION_CONFIG" })]);
    });
  }
});

test("a session needs no middleware, and ctx.session is typed", async () => {
  const middleware = koaSessions(sessions);
  const app = new Koa<Koa.DefaultState, SessionContext<typeof sessions>>();
  app.use(async (ctx) => {
    const session = middleware.of(ctx);
    await session.set({ user_id: 1 });
    ctx.body = [middleware.of(ctx) === session, ctx.session === undefined];
    expectTypeOf(session).toEqualTypeOf(ctx.session);
    if (!ctx.session) return;
    expectTypeOf(await ctx.session.get()).toEqualTypeOf<Partial<Data>>();
    // @ts-expect-error: no field of the sessions
    await ctx.session.get(["password"]);
    // @ts-expect-error: not the type of the field
    await ctx.session.set({ user_id: "1" });
  });
  const server = app.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { text, headers } = await exchange(port, { method: "GET", path: "/", headers: {} });
  expect(JSON.parse(text)).toEqual([true, true]);
  expect(headers["set-cookie"]).toHaveLength(1);
});

test("what Koa prints of an error holds no token", async () => {
  const printed = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => printed.mockRestore());
  const adapter = koaAdapterWith((app) => void app.on("error", app.onerror));
  const app = await TestApp.start(adapter, "", openMemory(), {});
  onTestFinished(() => app.close());
  const browser = await app.visitor({ theme: "dark" });
  const { error } = await browser.send(async ({ session }) => {
    await session.set({ user_id: 1 });
    await app.sessions.by("user_id", 1).clear();
    await session.set({ theme: "light" });
  });
  expect(error).toMatchObject({ code: "ERR_SESSION_GONE" });
  await browser.send(async ({ session }) => {
    await session.set({ user_id: 2 });
    throw new Error("lost");
  });
  const shown = inspect(printed.mock.calls, { depth: 9 });
  expect(shown).toContain("lost");
  app.expectNoSecretIn("what was printed", shown);
});
