/* The session of a request under Express 5 and 4, over real sockets. */
import express, { type ErrorRequestHandler } from "express";
import express4 from "express-4";
import { csrfGuard, expressSessions } from "session-sets/express";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { describeAdapter } from "../../support/http/adapter.ts";
import { request, serve, shopSessions } from "../../support/http/apps/ad-hoc.ts";
import { express4Adapter, expressAdapter } from "../../support/http/apps/express.ts";

describeAdapter(expressAdapter);
describeAdapter(express4Adapter);

const sessions = shopSessions();

describe.each([
  ["5", express],
  ["4", express4],
])("under Express %s", (_, create) => {
  const shop = expressSessions(sessions);

  test("the middleware may be used twice, and a session needs none", async () => {
    const app = create();
    app.get("/none", (req, res, next) => {
      shop
        .of(req)
        .set({ theme: "dark" })
        .then(() => res.send("none"), next);
    });
    app.use(shop, shop);
    app.get("/twice", (req, res, next) => {
      const session = shop.of(req);
      session
        .set({ theme: "dark" })
        .then(() => res.json(Object.is(Reflect.get(req, "session"), session)), next);
    });
    const port = await serve(app);
    for (const [path, text] of [
      ["/none", "none"],
      ["/twice", "true"],
    ]) {
      const answer = await request(port, path);
      expect([answer.status, answer.text, answer.cookies.length]).toEqual([200, text, 1]);
    }
  });

  test("a redirection, and a head that the handler writes itself, carry the cookie", async () => {
    const app = create();
    app.use(shop);
    app.get("/redirect", (req, res, next) => {
      shop
        .of(req)
        .set({})
        .then(() => res.redirect("/"), next);
    });
    app.get("/head", (req, res, next) => {
      shop
        .of(req)
        .set({})
        .then(
          () => res.writeHead(200, { "set-cookie": "own=1", "cache-control": "private" }).end(),
          next,
        );
    });
    const port = await serve(app);
    const redirected = await request(port, "/redirect");
    expect([redirected.status, redirected.cookies.length]).toEqual([302, 1]);
    const own = await request(port, "/head");
    expect(own.cookies.map((cookie) => cookie.split("=")[0])).toEqual(["own", "session"]);
    expect(own.headers["cache-control"]).toBe("no-store");
  });

  test("a cookie is sent although the application's error handler answers", async () => {
    const app = create();
    app.use(shop);
    app.get("/", (req, _res, next) => {
      shop
        .of(req)
        .set({ user_id: 1 })
        .then(() => next(new Error("lost")), next);
    });
    const answerError: ErrorRequestHandler = (_error, _req, res, _next) => {
      for (const name of res.getHeaderNames()) res.removeHeader(name);
      res.status(418).send("teapot");
    };
    app.use(answerError);
    const { status, cookies } = await request(await serve(app), "/");
    expect([status, cookies.length]).toEqual([418, 1]);
  });

  test.each([
    ["development", true],
    ["test", true],
    ["production", false],
  ])("an error's stack, with the developer's hint, is the answer in %s: %s", async (env, told) => {
    const printed = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const app = create();
    app.set("env", env);
    app.use(shop, (req, _res, next) => {
      shop
        .of(req)
        .set({ theme: "x".repeat(100_000) })
        .catch(next);
    });
    const { status, text } = await request(await serve(app));
    expect([status, text.includes("maxBytes")]).toEqual([413, told]);
    if (!told) expect(text).toContain("Payload Too Large");
  });

  test("a proxy is believed as far as trust proxy says, also by the guard", async () => {
    const forwarded = {
      host: "10.0.0.7:3000",
      origin: "https://shop.example",
      "x-forwarded-host": "shop.example, inner.example",
      "x-forwarded-proto": "https, http",
    };
    for (const [trust, status] of [
      [false, 403],
      ["10.1.2.3", 403],
      ["loopback", 200],
      [1, 200],
      [true, 200],
    ] as const) {
      const app = create();
      app.set("trust proxy", trust);
      app.use(csrfGuard(), (_req, res) => void res.send("done"));
      const port = await serve(app);
      expect((await request(port, "/", { method: "POST", headers: forwarded })).status).toBe(
        status,
      );
    }
  });
});
