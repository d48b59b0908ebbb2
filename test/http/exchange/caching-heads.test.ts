/* What caches are told where the application writes the head of its response itself, or sends a file. */
import { mkdtemp, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import express4 from "express-4";
import fastify from "fastify";
import { Hono } from "hono";
import { createSessions } from "session-sets";
import { expressSessions } from "session-sets/express";
import { fastifySessions } from "session-sets/fastify";
import { honoSessions } from "session-sets/hono";
import { memoryStore } from "session-sets/memory";
import { nodeSessions } from "session-sets/node";
import { describe, expect, onTestFinished, test } from "vitest";
import { request, serve } from "../../support/http/apps/ad-hoc.ts";

interface Data {
  user_id?: number;
  theme?: string;
}

const sessions = createSessions<Data>({ references: { user_id: {} }, store: memoryStore() });
const sessionOf = nodeSessions(sessions);

/** Ways to write a head that says something of caches and has a cookie of its own. */
const HEADS: Record<string, (res: ServerResponse) => unknown> = {
  "an object": (res) =>
    res.writeHead(200, { "CACHE-CONTROL": "public", vary: "Accept", "Set-Cookie": "own=1" }),
  "an object behind a reason": (res) =>
    res.writeHead(200, "Fine", {
      "Cache-Control": ["public"],
      Vary: "Accept",
      "set-cookie": ["own=1"],
    }),
  "names and values by turns": (res) =>
    res.writeHead(200, ["Cache-Control", "public", "Vary", "Accept", "Set-Cookie", "own=1"]),
  "headers that are set, and a head without any": (res) => {
    res.setHeader("Cache-Control", "public");
    res.setHeader("Vary", ["Accept"]);
    res.setHeader("Set-Cookie", "own=1");
    res.writeHead(200);
  },
  "headers that are set, and no head": (res) => {
    res.setHeaders(
      new Map([
        ["cache-control", "public"],
        ["vary", "Accept"],
        ["set-cookie", "own=1"],
      ]),
    );
  },
  "headers that are set, and sent at once": (res) => {
    res.setHeader("cache-control", "public");
    res.setHeader("vary", "Accept");
    res.appendHeader("set-cookie", "own=1");
    res.flushHeaders();
  },
};

describe.each(Object.entries(HEADS))("a head written by %s", (_, write) => {
  test("has the session's cookie beside its own, and is stored by no cache", async () => {
    const port = await serve(async (req, res) => {
      await sessionOf(req, res).set({ theme: "dark" });
      write(res);
      res.end();
    });
    const { status, headers, cookies } = await request(port);
    expect([status, headers["cache-control"], headers.vary]).toEqual([200, "no-store", "Accept"]);
    expect(cookies.map((cookie) => cookie.split("=", 1)[0])).toEqual(["own", "session"]);
  });

  test("keeps what it says of caches where a session was read", async () => {
    const { token } = await sessions.create({ theme: "dark" });
    const port = await serve(async (req, res) => {
      await sessionOf(req, res).get();
      write(res);
      res.end();
    });
    for (const headers of [{}, { cookie: `session=${token}` }] as Record<string, string>[]) {
      const { headers: told, cookies } = await request(port, "/", { headers });
      expect([told["cache-control"], told.vary, cookies]).toEqual(["public", "Accept", ["own=1"]]);
    }
  });
});

test("a head that says nothing of caches is private for a user, and only varies for nobody", async () => {
  const { token } = await sessions.create({ user_id: 1 });
  const heads: ((res: ServerResponse) => unknown)[] = [
    (res) => res.writeHead(200, { vary: "Accept", "x-own": "1" }),
    (res) => res.writeHead(200, ["Vary", "Accept", "X-Own", "1"]),
    (res) => res.setHeader("vary", "Accept").setHeader("x-own", "1"),
  ];
  for (const write of heads) {
    const port = await serve(async (req, res) => {
      await sessionOf(req, res).get();
      write(res);
      res.end();
    });
    const user = await request(port, "/", { headers: { cookie: `session=${token}` } });
    const nobody = await request(port);
    for (const { headers } of [user, nobody]) {
      expect([headers.vary, headers["x-own"]]).toEqual(["Accept, Cookie", "1"]);
    }
    expect([user.headers["cache-control"], nobody.headers["cache-control"]]).toEqual([
      "private",
      undefined,
    ]);
  }
});

describe("a static file behind a middleware that loads the user", () => {
  async function folder() {
    const path = await mkdtemp(join(tmpdir(), "session-sets-"));
    await writeFile(join(path, "style.css"), "body {}");
    return path;
  }

  test.each([
    ["5", express],
    ["4", express4],
  ])("stays cacheable under Express %s", async (_, create) => {
    const shop = expressSessions(sessions);
    const root = await folder();
    const app = create();
    app.use(shop, (req, _res, next) => {
      shop
        .of(req)
        .load()
        .then(() => next(), next);
    });
    app.use(create.static(root, { maxAge: "1d" }));
    const port = await serve(app);
    const { token } = await sessions.create({ user_id: 1 });
    for (const headers of [{}, { cookie: `session=${token}` }] as Record<string, string>[]) {
      const answer = await request(port, "/style.css", { headers });
      expect([answer.status, answer.headers["cache-control"], answer.headers.vary]).toEqual([
        200,
        "public, max-age=86400",
        undefined,
      ]);
      const again = { ...headers, "if-none-match": String(answer.headers.etag) };
      const cached = await request(port, "/style.css", { headers: again });
      expect([cached.status, cached.headers["cache-control"], cached.headers.vary]).toEqual([
        304,
        "public, max-age=86400",
        undefined,
      ]);
    }
  });

  test("stays cacheable under Fastify and Hono", async () => {
    const plugin = fastifySessions(sessions);
    const app = fastify();
    onTestFinished(() => app.close());
    app.register(plugin);
    app.addHook("preHandler", async (request, reply) => {
      await plugin.of(request, reply).load();
    });
    app.get("/", (_request, reply) => reply.header("cache-control", "public").send("body {}"));
    await app.ready();
    // biome-ignore lint/nursery/useAwaitThenable: it is the overload that gives a promise
    const sent = await app.inject("/");
    expect([sent.headers["cache-control"], sent.headers.vary]).toEqual(["public", undefined]);

    const middleware = honoSessions(sessions);
    const hono = new Hono<{
      Variables: { session: ReturnType<typeof middleware.of> };
    }>();
    hono.use(middleware);
    hono.use(async (c, next) => {
      await c.var.session.load();
      await next();
    });
    hono.get("/", (c) => c.text("body {}", 200, { "cache-control": "public" }));
    const { headers } = await hono.fetch(new Request("http://shop.example/"));
    expect([headers.get("cache-control"), headers.get("vary")]).toEqual(["public", null]);
  });
});
