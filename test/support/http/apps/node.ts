import { createServer, IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import * as entry from "session-sets/node";
import { type Adapter, type AdapterOptions, sharedOptions } from "../app.ts";
import { listen } from "../server.ts";

type Entry = Pick<typeof entry, "nodeSessions" | "csrfGuard">;

export const nodeAdapter: Adapter = nodeAdapterOf(entry);

export function nodeAdapterOf(functions: Entry): Adapter {
  return {
    name: "node:http",
    proxySetting: "trustProxy: true",
    isGiven: (one) => one instanceof IncomingMessage,
    start: (options) => listen(createServer(createListener(options, functions))),
  };
}

function createListener(options: AdapterOptions, { nodeSessions, csrfGuard }: Entry) {
  const { sessions, prefix, keys, guard, findHandler, onError, trustProxy } = options;
  const proxied = trustProxy === undefined ? {} : { trustProxy };
  const check = guard ? csrfGuard({ ...guard, ...proxied }) : () => {};
  const sessionOf = nodeSessions(sessions, {
    ...sharedOptions(options),
    ...proxied,
    ...(keys ? { keys } : {}),
  });

  const gate = options.signedIn && sessionOf.requireSession("user_id", options.signedIn);

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.url !== `${prefix}/`) return void res.writeHead(404).end();
    if (options.twice) sessionOf(req, res);
    const session = sessionOf(req, res);
    check(req);
    const found = await gate?.(req, res);
    if (gate && !found) return;
    const handler = findHandler(String(req.headers["x-handler"]));
    const cookies: string[] = [];
    const value = await handler({
      session,
      of: () => sessionOf.of(req, res),
      found: () => found,
      setHeader: (name, text) => void res.setHeader(name, text),
      setCookie: (name, text) => void cookies.push(`${name}=${text}`),
      sendHeaders: async () => void res.writeHead(200).flushHeaders(),
    });
    // A requirement that has answered and still lets the request in is a fault that tests plant.
    if (res.writableEnded) throw new Error("The request was answered, and its handler was called");
    // The application's cookies come with the head, as is usual where there is no framework.
    if (!res.headersSent) res.writeHead(200, cookies.length > 0 ? { "Set-Cookie": cookies } : {});
    res.end(JSON.stringify({ value }));
  }

  return (req: IncomingMessage, res: ServerResponse): void => {
    answer(req, res).catch((error) => {
      onError(error);
      if (res.writableEnded) return;
      if (options.ownErrors) {
        for (const name of res.getHeaderNames()) res.removeHeader(name);
        return void res.writeHead(418).end("teapot");
      }
      const { status = 500, expose = false, message } = Object(error);
      res.writeHead(status).end(expose ? message : STATUS_CODES[status]);
    });
  };
}
