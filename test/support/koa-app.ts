import { once } from "node:events";
import type { AddressInfo } from "node:net";
import Koa from "koa";
import Koa2 from "koa-2";
import type { Sessions } from "session-sets";
import { csrfGuard, koaSessions, type SessionContext } from "session-sets/koa";
import type { Adapter, AdapterOptions, Data } from "./http-app.ts";

type App = Koa<Koa.DefaultState, SessionContext<Sessions<Data>>>;

export const koaAdapter: Adapter = koaAdapterWith(() => {});
export const koa2Adapter: Adapter = koaAdapterWith(() => {}, Koa2);

/** Koa, with the application prepared further before the middleware is made. */
export function koaAdapterWith(prepare: (app: App) => void, Application = Koa): Adapter {
  return {
    name: "Koa",
    async start(options) {
      const server = createApp(options, prepare, Application).listen(0, "127.0.0.1");
      await once(server, "listening");
      return {
        port: (server.address() as AddressInfo).port,
        async close() {
          server.close();
          server.closeAllConnections();
        },
      };
    },
  };
}

function createApp(
  options: AdapterOptions,
  prepare: (app: App) => void,
  Application: typeof Koa,
): App {
  const { sessions, prefix, cookie, rotate, keys, guard, handlerOf, onError } = options;
  const app: App = new Application({ proxy: options.trustProxy ?? false });
  app.on("error", onError);
  if (keys) app.keys = [...keys];
  prepare(app);
  if (guard) app.use(csrfGuard(guard));
  const middleware = koaSessions(sessions, {
    ...(cookie ? { cookie } : {}),
    ...(rotate === undefined ? {} : { rotate }),
    signed: app.keys !== undefined,
  });
  app.use((ctx, next) => (ctx.path === `${prefix}/` ? middleware(ctx, next) : next()));
  app.use(async (ctx) => {
    const handler = handlerOf(ctx.get("x-handler"));
    const value = await handler({
      session: ctx.session,
      createSession: () => middleware.createSession(ctx),
      setHeader: (name, text) => ctx.set(name, text),
      setCookie: (name, text) => void ctx.cookies.set(name, text, { signed: false }),
      sendHeaders: () => ctx.res.flushHeaders(),
    });
    ctx.body = { value };
  });
  return app;
}
