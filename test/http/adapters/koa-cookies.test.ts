/*
 * Koa drops the headers of a response when it answers an error: a session's new cookie is sent all
 * the same, wherever the error comes from.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import Koa from "koa";
import Koa2 from "koa-2";
import { createSessions } from "session-sets";
import { type KoaContext, koaSessions } from "session-sets/koa";
import { describe, expect, onTestFinished, test } from "vitest";
import { exchange } from "../../support/http/client.ts";
import { parseSetCookie } from "../../support/http/cookie-jar.ts";
import { openMemory } from "../../support/stores/stores.ts";

interface Data {
  user_id?: number;
  theme?: string;
}

const sessions = createSessions<Data>({
  store: openMemory().store,
  references: { user_id: {} },
  idleTimeout: "30 minutes",
});
const middleware = koaSessions(sessions);
type Session = ReturnType<typeof middleware.of>;

type Context = Koa.ParameterizedContext<Koa.DefaultState, { session: Session }>;
/** What an application does with its requests: sign the user in, and then fail. */
type Failing = (app: Koa<Koa.DefaultState, { session: Session }>) => void;

const signIn = (ctx: Context) => ctx.session.signIn({ user_id: 1 }, { keep: ["theme"] });

const FAILING: Record<string, Failing> = {
  "a handler throws": (app) =>
    app.use(middleware).use(async (ctx) => {
      await signIn(ctx);
      throw new Error("lost");
    }),
  "a middleware outside of the sessions throws after next()": (app) =>
    app
      .use(async (_, next) => {
        await next();
        throw new Error("lost");
      })
      .use(middleware)
      .use(async (ctx) => {
        await signIn(ctx);
        ctx.body = "never sent";
      }),
  "a middleware outside of the sessions throws another error": (app) =>
    app
      .use(async (ctx, next) => {
        await next().catch(() => ctx.throw(422, "lost"));
      })
      .use(middleware)
      .use(async (ctx) => {
        await signIn(ctx);
        throw new Error("first");
      }),
  "the body cannot be serialised": (app) =>
    app.use(middleware).use(async (ctx) => {
      await signIn(ctx);
      ctx.body = { total: 1n };
    }),
  "ctx.onerror is called by hand": (app) =>
    app.use(middleware).use(async (ctx) => {
      await signIn(ctx);
      ctx.onerror(new Error("lost"));
    }),
  "a handler throws and there is no middleware, but of": (app) =>
    app.use(async (ctx) => {
      const session = middleware.of(ctx as KoaContext);
      await session.signIn({ user_id: 1 }, { keep: ["theme"] });
      throw new Error("lost");
    }),
  "the body cannot be serialised and there is no middleware, but of": (app) =>
    app.use(async (ctx) => {
      const session = middleware.of(ctx as KoaContext);
      await session.signIn({ user_id: 1 }, { keep: ["theme"] });
      ctx.body = { total: 1n };
    }),
  "a handler throws that has rotated the session, too": (app) =>
    app.use(middleware).use(async (ctx) => {
      await signIn(ctx);
      await ctx.session.rotate();
      throw new Error("lost");
    }),
};

/** What an application answers to a request with a cookie; its errors are not printed. */
async function answerOf(Application: typeof Koa, failing: Failing, cookie: string) {
  const app = new Application<Koa.DefaultState, { session: Session }>();
  const errors: unknown[] = [];
  app.on("error", (error) => errors.push(error));
  failing(app);
  const server = app.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const request = { method: "GET", path: "/", headers: { cookie } };
  return { ...(await exchange(port, request)), errors };
}

describe.each([
  ["Koa", Koa],
  ["Koa 2", Koa2],
])("under %s,", (_, Application) => {
  test.each(Object.entries(FAILING))(
    "the cookie of a sign-in is sent although %s",
    async (_, failing) => {
      const before = await sessions.create({ theme: "dark" });
      const { status, headers, text } = await answerOf(
        Application,
        failing,
        `session=${before.token}`,
      );
      expect(status).toBeGreaterThanOrEqual(400);
      expect(text).not.toContain("never sent");
      const setCookies = (headers["set-cookie"] ?? []).map(parseSetCookie);
      expect(setCookies.map(({ name }) => name)).toEqual(["session"]);
      expect(headers["cache-control"]).toBe("no-store");
      const session = await sessions.get(setCookies[0]?.value);
      expect(session?.data).toEqual({ theme: "dark", user_id: 1 });
      expect(await sessions.get(before.token)).toBeNull();
    },
  );

  test("no cookie is sent where none was set", async () => {
    const failing: Failing = (app) =>
      app.use(middleware).use(async (ctx) => {
        await ctx.session.set({ theme: "light" });
        throw new Error("lost");
      });
    const { token } = await sessions.create({ user_id: 1 });
    const { status, headers } = await answerOf(Application, failing, `session=${token}`);
    expect([status, headers["set-cookie"], headers["cache-control"]]).toEqual([
      500,
      undefined,
      undefined,
    ]);
  });
});
