import cookie from "@fastify/cookie";
import fastify, { type FastifyInstance } from "fastify";
import { csrfGuard, fastifySessions } from "session-sets/fastify";
import { type Adapter, type AdapterOptions, sharedOptions } from "../app.ts";
import { listen } from "../server.ts";

export const fastifyAdapter: Adapter = {
  name: "Fastify",
  parsesBodies: true,
  async start(options) {
    const app = createApp(options);
    await app.ready();
    return listen(app.server);
  },
};

function createApp(options: AdapterOptions): FastifyInstance {
  const { sessions, prefix, keys, guard, findHandler, onError } = options;
  const app = fastify({ trustProxy: options.trustProxy ?? false, exposeHeadRoutes: false });
  app.register(cookie);
  app.addHook("onError", async (_request, _reply, error) => onError(error));
  const plugin = fastifySessions(sessions, {
    ...sharedOptions(options),
    ...(keys ? { keys } : {}),
  });
  const routes = (scope: FastifyInstance, _options: object, done: () => void) => {
    scope.register(plugin);
    if (guard) scope.register(csrfGuard(guard));
    scope.all("/", async (request, reply) => {
      const handler = findHandler(String(request.headers["x-handler"]));
      const session = request.getDecorator<ReturnType<typeof plugin.of>>("session");
      const value = await handler({
        session,
        of: () => plugin.of(request),
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
