import { createServer } from "node:http";
import { bodyParser } from "@koa/bodyparser";
import Koa from "koa";
import Koa2 from "koa-2";
import type { Sessions } from "session-sets";
import { csrfGuard, koaSessions, type SessionContext } from "session-sets/koa";
import { type Adapter, type AdapterOptions, type Data, sharedOptions } from "../app.ts";
import { listen } from "../server.ts";

type App = Koa<Koa.DefaultState, SessionContext<Sessions<Data>>>;

export const koaAdapter: Adapter = koaAdapterWith(() => {});
export const koa2Adapter: Adapter = koaAdapterWith(() => {}, Koa2);

/** Koa, with the application prepared further before the middleware is made. */
export function koaAdapterWith(prepare: (app: App) => void, Application = Koa): Adapter {
  return {
    name: "Koa",
    parsesBodies: true,
    start: (options) => listen(createServer(createApp(options, prepare, Application).callback())),
  };
}

function createApp(
  options: AdapterOptions,
  prepare: (app: App) => void,
  Application: typeof Koa,
): App {
  const { sessions, prefix, keys, guard, findHandler, onError } = options;
  const app: App = new Application({ proxy: options.trustProxy ?? false });
  app.on("error", onError);
  if (keys) app.keys = [...keys];
  prepare(app);
  const middleware = koaSessions(sessions, {
    ...sharedOptions(options),
    signed: app.keys !== undefined,
  });
  app.use((ctx, next) => (ctx.path === `${prefix}/` ? middleware(ctx, next) : next()));
  if (guard) app.use(csrfGuard(guard));
  app.use(bodyParser());
  app.use(async (ctx) => {
    const handler = findHandler(ctx.get("x-handler"));
    const value = await handler({
      session: ctx.session,
      of: () => middleware.of(ctx),
      setHeader: (name, text) => ctx.set(name, text),
      setCookie: (name, text) => void ctx.cookies.set(name, text, { signed: false }),
      sendHeaders: async () => ctx.res.flushHeaders(),
    });
    ctx.body = { value };
  });
  return app;
}
