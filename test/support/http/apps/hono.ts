import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { setCookie } from "hono/cookie";
import type { Sessions } from "session-sets";
import * as entry from "session-sets/hono";
import { type Adapter, type AdapterOptions, type Data, sharedOptions } from "../app.ts";
import { answerEarly } from "../early-response.ts";
import { listen } from "../server.ts";

type Entry = Pick<typeof entry, "honoSessions" | "csrfGuard">;

export const honoAdapter: Adapter = honoAdapterOf(entry);

export function honoAdapterOf(functions: Entry): Adapter {
  return {
    name: "Hono",
    answersErrorsOnly: true,
    proxySetting: "trustProxy: true",
    isGiven: (one) => "req" in Object(one) && "var" in Object(one),
    start: (options) =>
      listen(createAdaptorServer({ fetch: createApp(options, functions).fetch }) as Server),
  };
}

type Env = { Variables: entry.SessionVariables<Sessions<Data>> & { sent: Promise<void> } };

function createApp(options: AdapterOptions, { honoSessions, csrfGuard }: Entry): Hono<Env> {
  const { sessions, prefix, keys, guard, findHandler, onError, trustProxy } = options;
  const proxied = trustProxy === undefined ? {} : { trustProxy };
  const middleware = honoSessions(sessions, {
    ...sharedOptions(options),
    ...proxied,
    ...(keys ? { keys } : {}),
  });
  const gate = options.signedIn && middleware.requireSession("user_id", options.signedIn);
  const routes = new Hono<Env>();
  routes.use(middleware);
  if (options.twice) routes.use(middleware);
  if (guard) routes.use(csrfGuard({ ...guard, ...proxied }));
  if (gate) routes.use(gate);
  routes.all("/", async (c) => {
    const handler = findHandler(c.req.header("x-handler") ?? "");
    return answerEarly(
      async (sendHead) =>
        handler({
          session: c.var.session,
          of: () => middleware.of(c),
          found: () => gate?.of(c),
          setHeader: (name, text) => c.header(name, text),
          setCookie: (name, text) => setCookie(c, name, text),
          async sendHeaders() {
            sendHead();
            await c.var.sent;
          },
        }),
      (body) => c.body(body as string),
    );
  });

  const app = new Hono<Env>();
  app.use(async (c, next) => {
    let send = () => {};
    c.set(
      "sent",
      new Promise<void>((resolve) => {
        send = resolve;
      }),
    );
    await next();
    send(); // the response is out of the hands of the middleware
    if (c.error) onError(c.error);
  });
  if (options.ownErrors) app.onError((_error, c) => c.text("teapot", 418));
  app.route(`${prefix}/`, routes);
  return app;
}
