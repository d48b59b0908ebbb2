import cookie from "@fastify/cookie";
import fastify, { type FastifyInstance } from "fastify";
import * as entry from "session-sets/fastify";
import { type Adapter, type AdapterOptions, sharedOptions } from "../app.ts";
import { listen } from "../server.ts";

type Entry = Pick<typeof entry, "fastifySessions" | "csrfGuard">;

export const fastifyAdapter: Adapter = fastifyAdapterOf(entry);

export function fastifyAdapterOf(functions: Entry): Adapter {
  return {
    name: "Fastify",
    parsesBodies: true,
    tellsMessages: true,
    proxySetting: "Fastify's option trustProxy",
    isGiven: (one) => "raw" in Object(one) && "server" in Object(one),
    async start(options) {
      const app = createApp(options, functions);
      await app.ready();
      return listen(app.server);
    },
  };
}

function createApp(
  options: AdapterOptions,
  { fastifySessions, csrfGuard }: Entry,
): FastifyInstance {
  const { sessions, prefix, keys, guard, findHandler, onError } = options;
  const app = fastify({ trustProxy: options.trustProxy ?? false, exposeHeadRoutes: false });
  app.register(cookie);
  app.addHook("onError", async (_request, _reply, error) => onError(error));
  const plugin = fastifySessions(sessions, {
    ...sharedOptions(options),
    ...(keys ? { keys } : {}),
  });
  const gate = options.signedIn && plugin.requireSession("user_id", options.signedIn);
  if (options.ownErrors) {
    app.setErrorHandler((_error, _request, reply) =>
      reply.removeHeader("set-cookie").code(418).send("teapot"),
    );
  }
  const routes = (scope: FastifyInstance, _options: object, done: () => void) => {
    scope.register(plugin);
    if (options.twice) scope.register(plugin);
    if (guard) scope.register(csrfGuard(guard));
    if (gate) scope.addHook("preHandler", gate);
    scope.all("/", async (request, reply) => {
      const handler = findHandler(String(request.headers["x-handler"]));
      const session = request.getDecorator<ReturnType<typeof plugin.of>>("session");
      const value = await handler({
        session,
        of: () => plugin.of(request),
        found: () => gate?.of(request),
        setHeader: (name, text) => void reply.header(name, text),
        setCookie: (name, text) => void reply.setCookie(name, text),
        async sendHeaders() {
          reply.hijack();
          reply.raw.flushHeaders();
        },
      });
      if (reply.raw.headersSent) reply.raw.end(JSON.stringify({ value }));
      else reply.send({ value });
    });
    done();
  };
  app.register(routes, { prefix });
  return app;
}
