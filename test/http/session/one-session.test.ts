/* One request, one session: what is asked for twice, what may replace it, and what is refused. */
import express, { Router } from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import Koa from "koa";
import Koa2 from "koa-2";
import { createSessions, SessionError } from "session-sets";
import * as expressed from "session-sets/express";
import * as fastified from "session-sets/fastify";
import { csrfGuard, fetchSessions } from "session-sets/fetch";
import { honoSessions } from "session-sets/hono";
import { csrfGuard as koaGuard, koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { nodeSessions } from "session-sets/node";
import { describe, expect, onTestFinished, test } from "vitest";
import { request, serve } from "../../support/http/apps/ad-hoc.ts";

interface Data {
  user_id?: number;
  theme?: string;
}

const create = () => createSessions<Data>({ references: { user_id: {} }, store: memoryStore() });
const sessions = create();
type Session = ReturnType<ReturnType<typeof nodeSessions<Data, "user_id">>>;
type Options = NonNullable<Parameters<typeof fetchSessions<Data, "user_id">>[1]>;

/**
 * What asks for two sessions of one request, each with options of its own: the work is done with both,
 * and the names of the cookies that the answer sets are given.
 */
type Twice = (
  work: (one: Session, other: Session) => unknown,
  one?: Options,
  other?: Options,
  others?: typeof sessions,
) => Promise<{ value: unknown; cookies: string[]; error: unknown }>;

/** Does the work of a request, and keeps what it has thrown. */
async function kept(work: () => unknown) {
  try {
    return { value: await work(), error: null };
  } catch (error) {
    return { value: null, error };
  }
}

const namesOf = (cookies: readonly string[]) => cookies.map((one) => one.split("=", 1)[0] ?? "");

const ASKED_TWICE: Record<string, Twice> = {
  async "Koa, by two middlewares"(work, one, other, others = sessions) {
    let done: Awaited<ReturnType<typeof kept>> = { value: null, error: "no answer" };
    const [first, second] = [koaSessions(sessions, one), koaSessions(others, other)];
    const app = new Koa().use(async (ctx) => {
      done = await kept(async () => {
        await first(ctx as never, async () => {});
        const session = Reflect.get(ctx, "session");
        await second(ctx as never, async () => {});
        return work(session, Reflect.get(ctx, "session"));
      });
      ctx.body = "";
    });
    const { cookies } = await request(await serve(app.callback()));
    return { ...done, cookies: namesOf(cookies) };
  },
  async "Koa, by of"(work, one, other, others = sessions) {
    let done: Awaited<ReturnType<typeof kept>> = { value: null, error: "no answer" };
    const app = new Koa2().use(async (ctx) => {
      done = await kept(() =>
        work(koaSessions(sessions, one).of(ctx), koaSessions(others, other).of(ctx)),
      );
      ctx.body = "";
    });
    const { cookies } = await request(await serve(app.callback()));
    return { ...done, cookies: namesOf(cookies) };
  },
  async "Express, by two routers"(work, one, other, others = sessions) {
    let done: Awaited<ReturnType<typeof kept>> = { value: null, error: "no answer" };
    const [outer, inner] = [Router(), Router()];
    let session: unknown;
    outer.use(expressed.expressSessions(sessions, one), (req, _res, next) => {
      session = Reflect.get(req, "session");
      next();
    });
    inner.use(async (req, res) => {
      done = await kept(async () => {
        expressed.expressSessions(others, other)(req, res, () => {});
        return work(session as Session, Reflect.get(req, "session") as never);
      });
      res.end();
    });
    const { cookies } = await request(await serve(express().use(outer, inner)));
    return { ...done, cookies: namesOf(cookies) };
  },
  async "Fastify, by two plugins"(work, one, other, others = sessions) {
    let done: Awaited<ReturnType<typeof kept>> = { value: null, error: "no answer" };
    const app = fastify();
    onTestFinished(() => app.close());
    const [first, second] = [
      fastified.fastifySessions(sessions, one),
      fastified.fastifySessions(others, other),
    ];
    app.get("/", async (request, reply) => {
      done = await kept(() => work(first.of(request, reply), second.of(request, reply)));
      return "";
    });
    await app.ready();
    // biome-ignore lint/nursery/useAwaitThenable: it is the overload that gives a promise
    const { cookies } = await app.inject("/");
    return { ...done, cookies: cookies.map(({ name }) => name) };
  },
  async "Hono, under a body limit that replaces the request"(work, one, other, others = sessions) {
    let done: Awaited<ReturnType<typeof kept>> = { value: null, error: "no answer" };
    const app = new Hono<{ Variables: { session: Session } }>();
    let session: Session;
    app.use(honoSessions(sessions, one));
    app.use(async (c, next) => {
      session = c.var.session;
      await next();
    });
    app.use(bodyLimit({ maxSize: 1000 }));
    app.post("/", async (c) => {
      done = await kept(() => work(session, honoSessions(others, other).of(c)));
      return c.text("");
    });
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("{}"));
        controller.close();
      },
    });
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    const answer = await app.fetch(new Request("http://shop.example/", init));
    return { ...done, cookies: namesOf(answer.headers.getSetCookie()) };
  },
  async fetch(work, one, other, others = sessions) {
    const request = new Request("http://shop.example/");
    const done = await kept(() =>
      work(fetchSessions(sessions, one)(request), fetchSessions(others, other)(request)),
    );
    const answer = fetchSessions(sessions, one)(request).commit(new Response());
    return { ...done, cookies: namesOf(answer.headers.getSetCookie()) };
  },
  async "node:http"(work, one, other, others = sessions) {
    let done: Awaited<ReturnType<typeof kept>> = { value: null, error: "no answer" };
    const port = await serve(async (req, res) => {
      done = await kept(() =>
        work(nodeSessions(sessions, one)(req, res), nodeSessions(others, other)(req, res)),
      );
      res.end();
    });
    const { cookies } = await request(port);
    return { ...done, cookies: namesOf(cookies) };
  },
};

describe.each(Object.entries(ASKED_TWICE))("a session of one request under %s", (_, twice) => {
  const same: Parameters<Twice>[0] = async (one, other) => {
    await one.set({ theme: "dark" });
    const seen = await other.get();
    await other.signIn({ user_id: 1 }, { keep: ["theme"] });
    return [one === other, seen, await one.get()];
  };

  test("is one, with one cookie", async () => {
    expect(await twice(same)).toEqual({
      value: [true, { theme: "dark" }, { theme: "dark", user_id: 1 }],
      cookies: ["session"],
      error: null,
    });
  });

  test("is one under the same options by value; a function equals a function", async () => {
    const equal: readonly (readonly [Options, Options])[] = [
      [{ cookie: { name: "sid" } }, { cookie: { name: "sid", path: "/", prefix: true } }],
      [{ cookie: { persistent: () => true } }, { cookie: { persistent: () => true } }],
      [{ cookie: {} }, {}],
      [{ carriers: ["cookie"] }, {}],
      [{ cookie: { formerNames: ["sid"] } }, { cookie: { formerNames: ["sid"] } }],
      [
        { carriers: ["bearer", { header: "X-Token" }, "cookie"] },
        { carriers: ["bearer", { header: "x-token" }, "cookie"] },
      ],
    ];
    for (const [one, other] of equal) {
      const { value, error } = await twice((a, b) => a === b, one, other);
      expect([value, error], JSON.stringify([one, other])).toEqual([true, null]);
    }
  });

  test("is refused under other options for the same cookie, with the way out", async () => {
    const different: readonly (readonly [Options, Options])[] = [
      [{}, { cookie: { sameSite: "strict" } }],
      [{}, { cookie: { prefix: false } }],
      [{}, { cookie: { path: "/shop" } }],
      [{}, { cookie: { domain: "shop.example" } }],
      [{}, { cookie: { persistent: false } }],
      [{ cookie: { persistent: false } }, { cookie: { persistent: () => false } }],
      [{}, { cookie: { cacheable: true } }],
      [{}, { cookie: { formerNames: ["sid"] } }],
      [{ cookie: { formerNames: ["a", "b"] } }, { cookie: { formerNames: ["b", "a"] } }],
      [{}, { cookie: { sameSite: "strict" }, carriers: ["bearer", "cookie"] }],
    ];
    for (const [one, other] of different) {
      const { error } = await twice(() => "two", one, other);
      expect(error, JSON.stringify([one, other])).toMatchObject({ code: "ERR_SESSION_CONFIG" });
      expect(String(error)).toMatch(/the same options|another name/);
    }
  });

  test("is one by other carriers, too, where the cookie carries the token of both", async () => {
    const carriers = ["bearer", "cookie"] as const;
    for (const [one, other] of [
      [{}, { carriers }],
      [{ carriers }, {}],
    ] as const) {
      expect((await twice(same, one, other)).value).toEqual([
        true,
        { theme: "dark" },
        { theme: "dark", user_id: 1 },
      ]);
    }
  });

  test("is another by another cookie, by other carriers, and of other sessions", async () => {
    const apart: Parameters<Twice>[0] = async (one, other) => {
      await one.set({ theme: "dark" });
      return [one === other, await other.get()];
    };
    for (const [one, other, others] of [
      [{}, { cookie: { name: "admin" } }, sessions],
      [{}, { carriers: ["bearer"] }, sessions],
      [{}, { cookie: { name: "admin" } }, create()],
      [{ carriers: ["cookie"] }, { carriers: [{ header: "x-token" }] }, sessions],
    ] as const) {
      const { value, cookies, error } = await twice(apart, one, other, others);
      expect([value, cookies, error], JSON.stringify(other)).toEqual([
        [false, {}],
        ["session"],
        null,
      ]);
    }
  });
});

test("a token that came in a header is not the cookie's session", async () => {
  const [cookie, bearer] = [await sessions.create({}), await sessions.create({ user_id: 1 })];
  const headers = { cookie: `session=${cookie.token}`, authorization: `Bearer ${bearer.token}` };
  const request = new Request("http://shop.example/", { headers });
  const carriers = ["bearer", "cookie"] as const;
  expect(await fetchSessions(sessions)(request).get()).toEqual({});
  expect(await fetchSessions(sessions, { carriers })(request).get()).toEqual({ user_id: 1 });
});

test("Hono's request, the Request and its headers have one session, whichever comes first", async () => {
  const shop = honoSessions(sessions);
  const fetchSession = fetchSessions(sessions);
  for (const first of ["headers", "Request", "context"]) {
    const app = new Hono<{ Variables: { session: Session } }>();
    app.use(async (c, next) => {
      const { raw } = c.req;
      const early =
        first === "headers"
          ? fetchSession({ headers: raw.headers })
          : first === "Request"
            ? fetchSession(raw)
            : shop.of(c);
      await next();
      expect([early === c.var.session, early === fetchSession(raw)]).toEqual([true, true]);
    });
    app.use(shop);
    app.get("/", async (c) => {
      const session = fetchSession({ headers: c.req.raw.headers });
      await session.signIn({ user_id: 1 });
      return c.text(String(session === c.var.session));
    });
    const answer = await app.fetch(new Request("http://shop.example/"));
    expect(await answer.text()).toBe("true");
    expect(namesOf(answer.headers.getSetCookie()), first).toEqual(["session"]);
  }
});

test("a session that was given can be neither deleted from its request nor defined anew", async () => {
  const seen: unknown[] = [];
  const app = new Koa().use(koaSessions(sessions)).use((ctx) => {
    const session = Reflect.get(ctx, "session");
    for (const work of [
      () => Reflect.deleteProperty(ctx, "session"),
      () => Reflect.defineProperty(ctx, "session", { value: {} }),
    ]) {
      seen.push(work());
    }
    seen.push(Reflect.get(ctx, "session") === session);
    ctx.body = "";
  });
  await request(await serve(app.callback()));
  expect(seen).toEqual([false, false, true]);
});

test("options that are off are the same as none, across adapters of one request", async () => {
  const port = await serve(async (req, res) => {
    const one = nodeSessions(sessions)(req, res);
    const all = [
      nodeSessions(sessions, { trustProxy: false })(req, res),
      expressed.expressSessions(sessions).of(req),
    ];
    res.end(String(all.every((session) => session === one)));
  });
  expect((await request(port)).text).toBe("true");

  const app = new Koa().use((ctx) => {
    const one = koaSessions(sessions).of(ctx);
    ctx.body = String(koaSessions(sessions, { signed: false }).of(ctx) === one);
  });
  expect((await request(await serve(app.callback()))).text).toBe("true");
});

test("keys and what a proxy is believed make options differ", () => {
  const asked = new Request("https://shop.example/");
  fetchSessions(sessions)(asked);
  for (const options of [{ keys: ["secret"] }, { trustProxy: true }]) {
    expect(() => fetchSessions(sessions, options)(asked)).toThrow(SessionError);
  }
});

describe("a made-up bearer token", () => {
  const BEARER = { authorization: `Bearer AA${"a".repeat(32)}` };
  const FOREIGN = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };

  /** A request by bearer, and then by cookie, with the guard in between. */
  async function inKoa(headers: Record<string, string>, exempt = () => false) {
    const { token } = await sessions.create({ user_id: 1 });
    const seen: unknown[] = [];
    const app = new Koa()
      .use(koaSessions(sessions, { carriers: ["bearer"] }))
      .use(koaGuard({ exempt }))
      .use(koaSessions(sessions) as never)
      .use(async (ctx) => {
        const session = Reflect.get(ctx, "session") as unknown as Session;
        for (const call of [
          () => session.get(),
          () => session.set({ theme: "dark" }),
          () => session.delete(),
          async () => session.createCSRFToken(),
          async () => session.verifyCSRFToken("x.y"),
        ]) {
          seen.push(
            await call().then(
              () => "done",
              ({ code }) => code,
            ),
          );
        }
        ctx.body = "";
      });
    const port = await serve(app.callback());
    const all = { cookie: `session=${token}`, ...headers };
    const { status } = await request(port, "/", { method: "POST", headers: all });
    const left = await sessions.get(token);
    return { status, seen: [...new Set(seen)], alive: left !== null };
  }

  test("lets a page of another site do nothing with a cookie's session made later", async () => {
    expect(await inKoa({ ...BEARER, ...FOREIGN })).toEqual({
      status: 200,
      seen: ["ERR_CSRF"],
      alive: true,
    });
  });

  test("is no obstacle where the guard lets the request pass for itself, or is exempt", async () => {
    const free = { status: 200, seen: ["done"], alive: false };
    expect(await inKoa({ ...BEARER, "sec-fetch-site": "same-origin" })).toEqual(free);
    expect(await inKoa({ ...BEARER, ...FOREIGN }, () => true)).toEqual(free);
    expect((await inKoa(FOREIGN)).seen).toEqual([]);
  });

  test("is none under fetch either", async () => {
    const { token } = await sessions.create({ user_id: 1 });
    const headers = { ...BEARER, ...FOREIGN, cookie: `session=${token}` };
    const request = new Request("https://shop.example/", { method: "POST", headers });
    const bearer = fetchSessions(sessions, { carriers: ["bearer"] })(request);
    csrfGuard()(request);
    await expect(fetchSessions(sessions)(request).get()).rejects.toMatchObject({
      code: "ERR_CSRF",
      reason: "bearer",
      status: 403,
    });
    expect(await bearer.get()).toEqual({});
  });
});
