import { createServer } from "node:http";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import express4 from "express-4";
import * as entry from "session-sets/express";
import { type Adapter, type AdapterOptions, sharedOptions } from "../app.ts";
import { listen } from "../server.ts";

type Entry = Pick<typeof entry, "expressSessions" | "csrfGuard">;

export const expressAdapter: Adapter = expressAdapterOf(entry);
export const express4Adapter: Adapter = expressAdapterOf(entry, "Express 4", express4);

export function expressAdapterOf(
  functions: Entry,
  name = "Express 5",
  create: typeof express = express,
): Adapter {
  return {
    name,
    hidesMessages: true,
    parsesBodies: true,
    proxySetting: 'app.set("trust proxy", 1)',
    isGiven: (one) => typeof Object(one).app === "function" && "res" in Object(one),
    start: (options) => listen(createServer(createApp(options, create, functions))),
  };
}

function createApp(
  options: AdapterOptions,
  create: typeof express,
  { expressSessions, csrfGuard }: Entry,
): express.Express {
  const { sessions, prefix, keys, guard, findHandler, onError } = options;
  const app = create();
  if (options.production) app.set("env", "production");
  app.set("trust proxy", options.trustProxy ?? false);
  const middleware = expressSessions(sessions, {
    ...sharedOptions(options),
    ...(keys ? { keys } : {}),
  });
  const gate = options.signedIn && middleware.requireSession("user_id", options.signedIn);
  const router = create.Router();
  router.use(middleware);
  if (options.twice) router.use(middleware);
  if (guard) router.use(csrfGuard(guard));
  if (gate) router.use(gate);
  router.use(create.json());
  const answer: RequestHandler = async (req, res) => {
    const handler = findHandler(req.get("x-handler") ?? "");
    const value = await handler({
      session: (req as typeof req & { session: ReturnType<typeof middleware.of> }).session,
      of: () => middleware.of(req),
      found: () => gate?.of(req),
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
  const report: ErrorRequestHandler = (error, _req, res, next) => {
    onError(error);
    if (!options.ownErrors) return next(error);
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    res.status(418).send("teapot");
  };
  app.use(report);
  return app;
}
