/* requireSession under each adapter: who is let in, and what the others are answered. */
import { Buffer } from "node:buffer";
import express from "express";
import express4 from "express-4";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import Koa2 from "koa-2";
import { createSessions } from "session-sets";
import { expressSessions } from "session-sets/express";
import { fastifySessions } from "session-sets/fastify";
import { fetchSessions } from "session-sets/fetch";
import { honoSessions } from "session-sets/hono";
import { koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { nodeSessions } from "session-sets/node";
import { describe, expect, onTestFinished, test } from "vitest";
import { request, serve } from "../support/http/apps/ad-hoc.ts";
import { listen } from "../support/http/server.ts";

interface Data {
  user_id?: number;
  account_ids?: number[];
  team_id?: number;
  theme?: string;
}

const store = memoryStore();
const sessions = createSessions<Data>({
  references: { user_id: {}, account_ids: {}, team_id: { identity: false } },
  store,
});

type Options = Parameters<ReturnType<typeof nodeSessions<Data, "user_id">>["requireSession"]>[1];
type Field = "user_id" | "account_ids";

interface Shown {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, unknown>;
}
/** A route for signed-in users, which answers with who it is; gives what asks for it. */
type Gate = (
  field: Field,
  options?: Options,
) => Promise<(headers: Record<string, string>, method?: string) => Promise<Shown>>;

const bySocket =
  (port: number) =>
  (headers: Record<string, string>, method = "GET") =>
    request(port, "/", { headers, method });

const carriers = ["bearer", "cookie"] as const;
const as = (data: Data, field: Field) => `let in: ${JSON.stringify(data[field])}`;

const koaGate =
  (Application: typeof Koa): Gate =>
  async (field, options) => {
    const shop = koaSessions(sessions, { carriers });
    const gate = shop.requireSession(field, options);
    const app = new Application().use(gate).use((ctx) => {
      ctx.body = as(gate.of(ctx).data, field);
    });
    return bySocket(await serve(app.callback()));
  };

const expressGate =
  (application: typeof express): Gate =>
  async (field, options) => {
    const shop = expressSessions(sessions, { carriers });
    const gate = shop.requireSession(field, options);
    const app = application().use(gate, (req, res) => void res.send(as(gate.of(req).data, field)));
    return bySocket(await serve(app));
  };

const fastifyGate =
  (hook: "preHandler" | "onRequest"): Gate =>
  async (field, options) => {
    const shop = fastifySessions(sessions, { carriers });
    const gate = shop.requireSession(field, options);
    const app = fastify();
    onTestFinished(() => app.close());
    app.register(shop);
    app.get("/", { [hook]: gate }, async (asked) => as(gate.of(asked).data, field));
    await app.ready();
    const { port, close } = await listen(app.server);
    onTestFinished(close);
    return bySocket(port);
  };

/** What answers a Request, as the server of such an application. */
const byFetch =
  (answer: (asked: Request) => Promise<Response>) =>
  async (headers: Record<string, string>, method = "GET"): Promise<Shown> => {
    const answered = await answer(new Request("http://shop.example/", { headers, method }));
    const text = Buffer.from(await answered.arrayBuffer()).toString();
    return { status: answered.status, text, headers: Object.fromEntries(answered.headers) };
  };

const GATES: Record<string, Gate> = {
  "Koa 3": koaGate(Koa),
  "Koa 2": koaGate(Koa2),
  "Express 5": expressGate(express),
  "Express 4": expressGate(express4),
  "Fastify, before the handler": fastifyGate("preHandler"),
  "Fastify, at the request's beginning": fastifyGate("onRequest"),
  async Hono(field, options) {
    const shop = honoSessions(sessions, { carriers });
    const gate = shop.requireSession(field, options);
    const app = new Hono().use(shop).get("/", gate, (c) => c.text(as(gate.of(c).data, field)));
    return byFetch(async (asked) => app.fetch(asked));
  },
  async fetch(field, options) {
    const gate = fetchSessions(sessions, { carriers }).requireSession(field, options);
    return byFetch(async (asked) => {
      const session = await gate(asked);
      return session instanceof Response ? session : new Response(as(session.data, field));
    });
  },
  async "node:http"(field, options) {
    const gate = nodeSessions(sessions, { carriers }).requireSession(field, options);
    const port = await serve(async (req, res) => {
      const session = await gate(req, res);
      if (session) res.end(as(session.data, field));
    });
    return bySocket(port);
  },
};

const PAGE = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

describe.each(Object.entries(GATES))("requireSession under %s", (_, gateOf) => {
  const cookieOf = async (data: Data) => {
    const { token } = await sessions.create(data);
    return { cookie: `session=${token}` };
  };

  test("lets in every user who has the field, by cookie and by bearer", async () => {
    const ask = await gateOf("user_id");
    const { token } = await sessions.create({ user_id: 7 });
    for (const headers of [
      { cookie: `session=${token}` },
      { authorization: `Bearer ${token}` },
      { ...PAGE, cookie: `session=${token}` },
    ] as Record<string, string>[]) {
      const { status, text } = await ask(headers);
      expect([status, text]).toEqual([200, "let in: 7"]);
    }
  });

  test("lets in a user whose value is 0, and one of several values", async () => {
    const ask = await gateOf("user_id");
    expect((await ask(await cookieOf({ user_id: 0 }))).text).toBe("let in: 0");
    const several = await gateOf("account_ids");
    expect((await several(await cookieOf({ account_ids: [1, 2] }))).text).toBe("let in: [1,2]");
    for (const data of [{ account_ids: [] }, { user_id: 1 }]) {
      expect((await several(await cookieOf(data))).status).toBe(401);
    }
  });

  test("answers 401 with WWW-Authenticate to everybody else, and stores nothing of it", async () => {
    const ask = await gateOf("user_id");
    const { token } = await sessions.create({ user_id: 1 });
    await sessions.delete(token);
    const none: Record<string, string>[] = [
      {},
      PAGE,
      { accept: "application/json" },
      await cookieOf({ theme: "dark" }),
      { cookie: `session=${token}` },
    ];
    for (const headers of none) {
      const { status, text, headers: told } = await ask(headers);
      expect([status, told["www-authenticate"]], JSON.stringify(headers)).toEqual([401, "Bearer"]);
      expect(told).toMatchObject({
        "cache-control": "no-store",
        "content-type": "text/plain; charset=utf-8",
      });
      expect(told).not.toHaveProperty("set-cookie");
      expect([text.includes("let in"), text === ""]).toEqual([false, false]);
    }
  });

  test("says what is wrong with a token that a program has sent", async () => {
    const ask = await gateOf("user_id");
    const { token } = await sessions.create({ theme: "dark" });
    for (const authorization of [`Bearer ${token}`, "Bearer x", "Basic x"]) {
      const { status, headers } = await ask({ authorization });
      expect([status, headers["www-authenticate"]]).toEqual([401, 'Bearer error="invalid_token"']);
    }
  });

  test("sends pages to sign in, and no programs", async () => {
    const ask = await gateOf("user_id", { redirect: "/sign-in?from=%2F" });
    for (const accept of [PAGE.accept, "text/html", "application/json, TEXT/HTML;q=0.1"]) {
      const { status, headers, text } = await ask({ accept });
      expect([status, headers.location, text]).toEqual([303, "/sign-in?from=%2F", ""]);
      expect(headers["cache-control"]).toBe("no-store");
    }
    const programs: Record<string, string>[] = [
      {},
      { accept: "*/*" },
      { accept: "application/json" },
      { accept: "text/htmlx" },
      { accept: "" },
    ];
    for (const headers of programs) {
      const { status, headers: told } = await ask(headers);
      expect([status, told["www-authenticate"], told.location]).toEqual([401, "Bearer", undefined]);
    }
    expect((await ask({ ...PAGE, ...(await cookieOf({ user_id: 7 })) })).text).toBe("let in: 7");
  });

  test("takes for a page, or for a program, what it is told is one", async () => {
    const page = await gateOf("user_id", { redirect: "/sign-in", answer: "page" });
    expect((await page({ accept: "application/json" })).status).toBe(303);
    const program = await gateOf("user_id", { redirect: "/sign-in", answer: "program" });
    expect((await program(PAGE)).status).toBe(401);
  });

  test("counts as use", async () => {
    let now = Date.now();
    const moved = createSessions<Data>({
      references: { user_id: {} },
      store: memoryStore({ now: () => now }),
    });
    const gate = fetchSessions(moved).requireSession("user_id");
    const { token } = await moved.create({ user_id: 1 });
    now += 120_000;
    const headers = { cookie: `session=${token}` };
    const session = await gate(new Request("http://shop.example/", { headers }));
    expect(session).toMatchObject({ lastSeenAt: new Date(now) });
    const asking = fetchSessions(moved).requireSession("user_id", { touch: false });
    now += 120_000;
    const seen = await asking(new Request("http://shop.example/", { headers }));
    expect(seen).toMatchObject({ lastSeenAt: new Date(now - 120_000) });
  });

  test("refuses what it cannot ask for, before any request", async () => {
    for (const [field, options] of [
      ["", {}],
      ["theme", {}],
      ["team_id", {}],
      ["user_id", { answer: "html" }],
      ["user_id", { touch: "no" }],
      [undefined, {}],
      [["user_id"], {}],
      ["user_id", { redirect: "" }],
      ["user_id", { redirect: 1 }],
      ["user_id", { to: "/sign-in" }],
    ] as const) {
      await expect(gateOf(field as never, options as never)).rejects.toMatchObject({
        code: "ERR_SESSION_CONFIG",
      });
    }
  });
});

test("the session of a requirement is there for what comes after it, and for nothing else", async () => {
  const shop = koaSessions(sessions);
  const [gate, other] = [shop.requireSession("user_id"), shop.requireSession("user_id")];
  const { token } = await sessions.create({ user_id: 1 });
  const seen: unknown[] = [];
  const app = new Koa()
    .use((ctx, next) => {
      expect(() => gate.of(ctx)).toThrow(expect.objectContaining({ code: "ERR_SESSION_CONFIG" }));
      return next();
    })
    .use(gate)
    .use((ctx) => {
      seen.push(gate.of(ctx).data.user_id);
      expect(() => other.of(ctx)).toThrow("put that before this route");
      ctx.body = "";
    });
  const port = await serve(app.callback());
  expect((await request(port, "/", { headers: { cookie: `session=${token}` } })).status).toBe(200);
  expect(seen).toEqual([1]);
});

test("a store that fails is the framework's error, and lets nobody in", async () => {
  const failing = createSessions<Data>({
    references: { user_id: {} },
    store: new Proxy(store, {
      get(target, name) {
        if (name === "find") return () => Promise.reject(new Error("out of order"));
        const member = Reflect.get(target, name, target);
        return typeof member === "function" ? member.bind(target) : member;
      },
    }),
  });
  const { token } = await sessions.create({ user_id: 1 });
  const headers = { cookie: `session=${token}` };
  for (const create of [express, express4]) {
    const gate = expressSessions(failing).requireSession("user_id");
    const app = create().use(gate, (_req, res) => void res.send("let in"));
    app.use(((_error, _req, res, _next) => {
      res.status(503).send("sorry");
    }) as express.ErrorRequestHandler);
    const { status, text } = await request(await serve(app), "/", { headers });
    expect([status, text]).toEqual([503, "sorry"]);
  }
  const gate = fetchSessions(failing).requireSession("user_id");
  await expect(gate(new Request("http://shop.example/", { headers }))).rejects.toThrow(
    "out of order",
  );
});
