import { createServer } from "node:http";
import { bodyParser } from "@koa/bodyparser";
import Koa from "koa";
import Koa2 from "koa-2";
import type { Sessions } from "session-sets";
import * as koa from "session-sets/koa";
import { type Adapter, type AdapterOptions, type Data, sharedOptions } from "../app.ts";
import { listen } from "../server.ts";

type App = Koa<Koa.DefaultState, koa.SessionContext<Sessions<Data>>>;

type Entry = Pick<typeof koa, "koaSessions" | "csrfGuard">;

export const koaAdapter: Adapter = koaAdapterWith(() => {});
export const koa2Adapter: Adapter = koaAdapterWith(() => {}, { name: "Koa 2", Application: Koa2 });

/** Koa, with the application prepared further before the middleware is made. */
export function koaAdapterWith(
  prepare: (app: App) => void,
  { name = "Koa", Application = Koa, entry = koa as Entry } = {},
): Adapter {
  const create = (options: AdapterOptions) => createApp(options, new Application(), prepare, entry);
  return {
    name,
    parsesBodies: true,
    proxySetting: "app.proxy = true",
    isGiven: (one) => "request" in Object(one) && "req" in Object(one),
    start: (options) => listen(createServer(create(options).callback())),
  };
}

function createApp(
  options: AdapterOptions,
  app: App,
  prepare: (app: App) => void,
  { koaSessions, csrfGuard }: Entry,
): App {
  const { sessions, prefix, keys, guard, findHandler, onError } = options;
  app.proxy = options.trustProxy ?? false;
  app.on("error", onError);
  if (keys) app.keys = [...keys];
  prepare(app);
  const middleware = koaSessions(sessions, {
    ...sharedOptions(options),
    signed: app.keys !== undefined,
  });
  const gate = options.signedIn && middleware.requireSession("user_id", options.signedIn);
  if (options.ownErrors) {
    app.use(async (ctx, next) => {
      try {
        await next();
      } catch (error) {
        onError(error);
        for (const name of ctx.res.getHeaderNames()) ctx.res.removeHeader(name);
        Object.assign(ctx, { status: 418, body: "teapot" });
      }
    });
  }
  for (let uses = options.twice ? 2 : 1; uses > 0; uses--) {
    app.use((ctx, next) => (ctx.path === `${prefix}/` ? middleware(ctx, next) : next()));
  }
  if (guard) app.use(csrfGuard(guard));
  if (gate) app.use(gate);
  app.use(bodyParser());
  app.use(async (ctx) => {
    const handler = findHandler(ctx.get("x-handler"));
    const value = await handler({
      session: ctx.session,
      of: () => middleware.of(ctx),
      found: () => gate?.of(ctx),
      setHeader: (name, text) => ctx.set(name, text),
      setCookie: (name, text) => void ctx.cookies.set(name, text, { signed: false }),
      sendHeaders: async () => ctx.res.flushHeaders(),
    });
    ctx.body = { value };
  });
  return app;
}
