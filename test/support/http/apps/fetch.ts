import { type Server, STATUS_CODES } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { csrfGuard, fetchSessions } from "session-sets/fetch";
import { type Adapter, type AdapterOptions, sharedOptions } from "../app.ts";
import { answerEarly } from "../early-response.ts";
import { listen } from "../server.ts";

export const fetchAdapter: Adapter = {
  name: "fetch",
  start: (options) => listen(createAdaptorServer({ fetch: createHandler(options) }) as Server),
};

function createHandler(options: AdapterOptions): (request: Request) => Promise<Response> {
  const { sessions, prefix, keys, guard, findHandler, onError, trustProxy } = options;
  const proxied = trustProxy === undefined ? {} : { trustProxy };
  const check = guard ? csrfGuard({ ...guard, ...proxied }) : () => {};
  const fetchSession = fetchSessions(sessions, {
    ...sharedOptions(options),
    ...proxied,
    ...(keys ? { keys } : {}),
  });

  return async (request) => {
    if (new URL(request.url).pathname !== `${prefix}/`) return new Response(null, { status: 404 });
    const session = fetchSession(request);
    const headers = new Headers();
    try {
      check(request);
      const handler = findHandler(request.headers.get("x-handler") ?? "");
      return await answerEarly(
        async (sendHead) =>
          handler({
            session,
            of: () => fetchSession.of(request),
            setHeader: (name, text) => headers.set(name, text),
            setCookie: (name, text) => headers.append("set-cookie", `${name}=${text}`),
            sendHeaders: async () => sendHead(),
          }),
        (body) => session.commit(new Response(body, { headers })),
      );
    } catch (error) {
      onError(error);
      const { status = 500, expose = false, message } = Object(error);
      const body = expose ? message : STATUS_CODES[status];
      return session.commit(new Response(body ?? null, { status }));
    }
  };
}
