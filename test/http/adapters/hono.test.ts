/* The session of a request under Hono, over real sockets. */
import { Hono } from "hono";
import { honoSessions, type SessionVariables } from "session-sets/hono";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { describeAdapter } from "../../support/http/adapter.ts";
import { serve, shopSessions } from "../../support/http/apps/ad-hoc.ts";
import { honoAdapter } from "../../support/http/apps/hono.ts";

// Hono prints the errors that it answers with 500.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
afterAll(() => vi.restoreAllMocks());

describeAdapter(honoAdapter);

const sessions = shopSessions();
const shop = honoSessions(sessions);
const open = () => new Hono<{ Variables: SessionVariables<typeof sessions> }>();

describe("the middleware", () => {
  test("needs no server: the URL says whether the connection is secure", async () => {
    const app = open().use(shop);
    app.get("/", async (c) => {
      await c.var.session.set({ theme: "dark" });
      return c.json(await c.var.session.get());
    });
    const plain = await app.request("http://shop.example/");
    expect(await plain.json()).toEqual({ theme: "dark" });
    expect(plain.headers.getSetCookie()[0]).not.toContain("Secure");
    const secure = await app.request("https://shop.example/");
    expect(secure.headers.getSetCookie()[0]).toContain("Secure");
  });

  test("may be used twice, and for one route alone", async () => {
    const app = open();
    app.use("/twice", shop, shop);
    app.get("/twice", shop, async (c) => {
      await c.var.session.set({ theme: "dark" });
      return c.text("ok");
    });
    app.get("/none", (c) => c.text(String(c.var.session)));
    expect((await app.request("/twice")).headers.getSetCookie()).toHaveLength(1);
    expect(await (await app.request("/none")).text()).toBe("undefined");
  });

  test("sends the cookie on a response that a handler got from elsewhere, and keeps the rest", async () => {
    const app = open().use(shop);
    const elsewhere = new URL("data:text/plain,far");
    app.get("/", async (c) => {
      c.header("x-before", "1");
      await c.var.session.set({ theme: "dark" });
      return fetch(elsewhere);
    });
    app.get("/redirect", async (c) => {
      await c.var.session.set({ theme: "dark" });
      return Response.redirect("http://shop.example/", 302);
    });
    const answer = await app.request("/");
    expect([await answer.text(), answer.headers.getSetCookie().length]).toEqual(["far", 1]);
    expect(answer.headers.get("content-type")).toContain("text/plain");
    const redirected = await app.request("/redirect");
    expect([redirected.status, redirected.headers.getSetCookie().length]).toEqual([302, 1]);
    expect(redirected.headers.get("location")).toBe("http://shop.example/");
  });

  test("sends the cookie beside those of a response that came from another server", async () => {
    const port = await serve((_req, res) => res.setHeader("set-cookie", ["a=1", "b=2"]).end());
    const app = open().use(shop);
    app.get("/", async (c) => {
      await c.var.session.set({ theme: "dark" });
      return fetch(`http://127.0.0.1:${port}/`);
    });
    const cookies = (await app.request("/")).headers.getSetCookie();
    expect(cookies.map((cookie) => cookie.split("=")[0])).toEqual(["a", "b", "session"]);
  });

  test("sends the cookie where the application's onError answers, or nothing was found", async () => {
    const app = open().use(shop);
    app.use(async (c, next) => {
      await c.var.session.set({ theme: "dark" });
      await next();
    });
    app.onError((_error, c) => c.text("teapot", 418));
    app.get("/error", () => {
      throw new Error("lost");
    });
    for (const [path, status] of [
      ["/error", 418],
      ["/nowhere", 404],
    ] as const) {
      const answer = await app.request(path);
      expect([answer.status, answer.headers.getSetCookie().length]).toEqual([status, 1]);
    }
  });

  test("an error below 500 says what it is, to the visitor", async () => {
    const app = open().use(shop);
    app.get("/large", (c) =>
      c.var.session.set({ theme: "x".repeat(100_000) }).then(() => c.text("")),
    );
    const large = await app.request("/large");
    expect([large.status, await large.text()]).toEqual([
      413,
      "This could not be saved: there is too much in your session.",
    ]);
  });
});
