/* The session as a property of what a framework gives its handlers: nothing is assigned to it. */
import express from "express";
import express4 from "express-4";
import fastify, { type FastifyInstance } from "fastify";
import Koa from "koa";
import Koa2 from "koa-2";
import { createSessions, SessionError } from "session-sets";
import * as expressed from "session-sets/express";
import * as fastified from "session-sets/fastify";
import { koaSessions } from "session-sets/koa";
import { memoryStore } from "session-sets/memory";
import { describe, expect, onTestFinished, test } from "vitest";
import { request, serve } from "../../support/http/apps/ad-hoc.ts";

interface Data {
  user_id?: number;
  theme?: string;
}

const create = () => createSessions<Data>({ references: { user_id: {} }, store: memoryStore() });
const sessions = create();

/** What has the session as a property; each is given where a request has been through the middleware. */
const OWNERS: Record<string, (use: (owner: object, name: string) => unknown) => Promise<unknown>> =
  {
    async "ctx of Koa 3"(use) {
      let done: unknown;
      const app = new Koa().use(koaSessions(sessions)).use(async (ctx) => {
        done = await use(ctx, "ctx.session");
        ctx.body = "";
      });
      await request(await serve(app.callback()));
      return done;
    },
    async "ctx of Koa 2"(use) {
      let done: unknown;
      const app = new Koa2().use(koaSessions(sessions)).use(async (ctx) => {
        done = await use(ctx, "ctx.session");
        ctx.body = "";
      });
      await request(await serve(app.callback()));
      return done;
    },
    async "req of Express 5"(use) {
      let done: unknown;
      const app = express().use(expressed.expressSessions(sessions), async (req, res) => {
        done = await use(req, "req.session");
        res.end();
      });
      await request(await serve(app));
      return done;
    },
    async "req of Express 4"(use) {
      let done: unknown;
      const app = express4().use(expressed.expressSessions(sessions), async (req, res) => {
        done = await use(req, "req.session");
        res.end();
      });
      await request(await serve(app));
      return done;
    },
    async "request of Fastify"(use) {
      let done: unknown;
      const app: FastifyInstance = fastify();
      onTestFinished(() => app.close());
      app.register(fastified.fastifySessions(sessions));
      app.get("/", async (request) => {
        done = await use(request, "request.session");
        return "";
      });
      // biome-ignore lint/nursery/useAwaitThenable: it is the overload that gives a promise
      await app.inject("/");
      return done;
    },
  };

describe.each(Object.entries(OWNERS))("the session of %s", (_, under) => {
  const refused = expect.objectContaining({
    code: "ERR_SESSION_CONFIG",
    constructor: SessionError,
  });

  test("cannot be assigned, and what to call is named", async () => {
    const seen = await under(async (owner, name) => {
      const session = Reflect.get(owner, "session");
      for (const value of [null, undefined, {}, { user_id: 1 }, session]) {
        expect(() => Object.assign(owner, { session: value })).toThrow(refused);
        expect(() => Object.assign(owner, { session: value })).toThrow(`await ${name}.delete()`);
      }
      return Reflect.get(owner, "session") === session;
    });
    expect(seen).toBe(true);
  });

  test("has no properties of the application's, and names the calls that write", async () => {
    const seen = await under(async (owner) => {
      const session = Reflect.get(owner, "session");
      const attempts = [
        () => Object.assign(session, { theme: "dark" }),
        () => Object.assign(session, { get: async () => ({}) }),
        () => Object.assign(session, { [Symbol("flash")]: [] }),
        () => Object.defineProperty(session, "flash", { value: [] }),
        () => Object.assign(session, { id: "another" }),
        () => Object.assign(session, { key: null }),
        () => Reflect.deleteProperty(session, "theme"),
        () => {
          session.flash ??= {};
        },
        () => {
          delete session.user_id;
        },
      ];
      for (const attempt of attempts) {
        expect(attempt, String(attempt)).toThrow(refused);
        expect(attempt).toThrow(/await session\.(?:set|unset)\(/);
      }
      return [Object.keys(session), session.theme, await session.get()];
    });
    expect(seen).toEqual([[], undefined, {}]);
  });
});

test("an object that inherits it has the same, and one that its getter is borrowed for has none", async () => {
  const seen: unknown[] = [];
  const app = new Koa().use(koaSessions(sessions)).use(async (ctx) => {
    const session = Reflect.get(ctx, "session");
    const heir: object = Object.create(Object.create(ctx));
    const { get } = Object.getOwnPropertyDescriptor(ctx, "session") ?? {};
    seen.push(Reflect.get(heir, "session") === session, get?.call({}));
    ctx.body = "";
  });
  await request(await serve(app.callback()));
  expect(seen).toEqual([true, undefined]);
});

test("a middleware of the library with other sessions, or carriers, replaces it", async () => {
  const admin = create();
  const seen: unknown[] = [];
  const app = new Koa()
    .use(koaSessions(sessions))
    .use(async (ctx, next) => {
      seen.push(Reflect.get(ctx, "session"));
      await next();
    })
    .use(koaSessions(admin, { cookie: { name: "admin" } }) as never)
    .use(async (ctx, next) => {
      seen.push(Reflect.get(ctx, "session"));
      await next();
    })
    .use(koaSessions(sessions, { carriers: ["bearer"] }) as never)
    .use((ctx) => {
      seen.push(Reflect.get(ctx, "session"));
      expect(() => Object.assign(ctx, { session: null })).toThrow(SessionError);
      ctx.body = "done";
    });
  expect((await request(await serve(app.callback()))).text).toBe("done");
  expect(new Set(seen).size).toBe(3);
});
