import { once } from "node:events";
import type { AddressInfo } from "node:net";
import Koa from "koa";
import type { Sessions } from "session-sets";
import { csrfGuard, koaSessions, type SessionContext } from "session-sets/koa";

type App<Data extends object> = Koa<Koa.DefaultState, SessionContext<Sessions<Data>>>;
/** What one request does. */
export type Handler<Data extends object> = (
  ctx: Parameters<Parameters<App<Data>["use"]>[0]>[0],
) => Promise<void>;

export interface KoaAnswer {
  readonly status: number;
  readonly body: string;
  /** The values of the cookies that it sets. */
  readonly cookies: readonly string[];
}

/** Sends one request to a Koa app under `koaSessions` whose handler is this; reports its errors. */
export async function koaRequest<Data extends object>(
  sessions: Sessions<Data>,
  handler: Handler<Data>,
  onError: (error: unknown) => void,
  init: RequestInit = {},
): Promise<KoaAnswer> {
  const app: App<Data> = new Koa();
  app.on("error", onError);
  app.use(csrfGuard());
  app.use(koaSessions(sessions));
  app.use(handler);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/`, init);
    const cookies = response.headers
      .getSetCookie()
      .map((cookie) => /^[^=]*=([^;]*)/.exec(cookie)?.[1] ?? "")
      .filter((value) => value !== "");
    return { status: response.status, body: await response.text(), cookies };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
