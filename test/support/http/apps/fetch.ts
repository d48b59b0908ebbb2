import { type Server, STATUS_CODES } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import * as entry from "session-sets/fetch";
import { type Adapter, type AdapterOptions, sharedOptions } from "../app.ts";
import { answerEarly } from "../early-response.ts";
import { listen } from "../server.ts";

type Entry = Pick<typeof entry, "fetchSessions" | "csrfGuard">;

export const fetchAdapter: Adapter = fetchAdapterOf(entry);

export function fetchAdapterOf(functions: Entry): Adapter {
  return {
    name: "fetch",
    proxySetting: "trustProxy: true",
    isGiven: (one) => one instanceof Request,
    start: (options) =>
      listen(createAdaptorServer({ fetch: createHandler(options, functions) }) as Server),
  };
}

function createHandler(
  options: AdapterOptions,
  { fetchSessions, csrfGuard }: Entry,
): (request: Request) => Promise<Response> {
  const { sessions, prefix, keys, guard, findHandler, onError, trustProxy } = options;
  const proxied = trustProxy === undefined ? {} : { trustProxy };
  const check = guard ? csrfGuard({ ...guard, ...proxied }) : () => {};
  const fetchSession = fetchSessions(sessions, {
    ...sharedOptions(options),
    ...proxied,
    ...(keys ? { keys } : {}),
  });

  const gate = options.signedIn && fetchSession.requireSession("user_id", options.signedIn);

  return async (request) => {
    if (!URL.canParse(request.url)) return new Response(null, { status: 400 });
    if (new URL(request.url).pathname !== `${prefix}/`) return new Response(null, { status: 404 });
    if (options.twice) fetchSession(request);
    const session = fetchSession(request);
    const headers = new Headers();
    try {
      check(request);
      const found = await gate?.(request);
      if (found instanceof Response) return found;
      const handler = findHandler(request.headers.get("x-handler") ?? "");
      return await answerEarly(
        async (sendHead) =>
          handler({
            session,
            of: () => fetchSession.of(request),
            found: () => found,
            setHeader: (name, text) => headers.set(name, text),
            setCookie: (name, text) => headers.append("set-cookie", `${name}=${text}`),
            sendHeaders: async () => sendHead(),
          }),
        (body) => session.commit(new Response(body, { headers })),
      );
    } catch (error) {
      onError(error);
      return session.commit(answerError(error, options));
    }
  };
}

function answerError(error: unknown, { ownErrors = false }: AdapterOptions): Response {
  if (ownErrors) return new Response("teapot", { status: 418 });
  const { status = 500, expose = false, message } = Object(error);
  const body = expose ? message : STATUS_CODES[status];
  return new Response(body ?? null, { status });
}
