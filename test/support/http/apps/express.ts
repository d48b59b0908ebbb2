import { createServer } from "node:http";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import express4 from "express-4";
import { csrfGuard, expressSessions } from "session-sets/express";
import { type Adapter, type AdapterOptions, sharedOptions } from "../app.ts";
import { listen } from "../server.ts";

export const expressAdapter: Adapter = createAdapter("Express 5", express);
export const express4Adapter: Adapter = createAdapter("Express 4", express4);

function createAdapter(name: string, create: typeof express): Adapter {
  return {
    name,
    hidesMessages: true,
    parsesBodies: true,
    start: (options) => listen(createServer(createApp(options, create))),
  };
}

function createApp(options: AdapterOptions, create: typeof express): express.Express {
  const { sessions, prefix, keys, guard, findHandler, onError } = options;
  const app = create();
  if (options.production) app.set("env", "production");
  app.set("trust proxy", options.trustProxy ?? false);
  const middleware = expressSessions(sessions, {
    ...sharedOptions(options),
    ...(keys ? { keys } : {}),
  });
  const router = create.Router();
  router.use(middleware);
  if (guard) router.use(csrfGuard(guard));
  router.use(create.json());
  const answer: RequestHandler = async (req, res) => {
    const handler = findHandler(req.get("x-handler") ?? "");
    const value = await handler({
      session: (req as typeof req & { session: ReturnType<typeof middleware.of> }).session,
      of: () => middleware.of(req),
      setHeader: (header, text) => void res.set(header, text),
      setCookie: (cookie, text) => void res.cookie(cookie, text),
      sendHeaders: async () => res.flushHeaders(),
    });
    if (res.headersSent) res.end(JSON.stringify({ value }));
    else res.json({ value });
  };
  // Express 4 does not see what a promise rejects with.
  router.use((req, res, next) => void Promise.resolve(answer(req, res, next)).catch(next));
  app.use(`${prefix}/`, router);
  const report: ErrorRequestHandler = (error, _req, _res, next) => {
    onError(error);
    next(error);
  };
  app.use(report);
  return app;
}
