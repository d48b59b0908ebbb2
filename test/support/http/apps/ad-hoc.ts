/* An application that one test makes up, on a real socket until the test has ended. */
import { createServer, type RequestListener } from "node:http";
import { createSessions } from "session-sets";
import { onTestFinished } from "vitest";
import { openMemory } from "../../stores/stores.ts";
import { type Exchanged, exchange, type RequestOptions } from "../client.ts";
import { listen } from "../server.ts";

/** The sessions of a shop, in memory. */
export function shopSessions() {
  return createSessions({
    data: {} as { user_id?: number; theme?: string },
    store: openMemory().store,
    references: { user_id: {} },
    idleTimeout: "30 minutes",
  });
}

/** The port of a server that answers with `listener` until the test has ended. */
export async function serve(listener: RequestListener): Promise<number> {
  const { port, close } = await listen(createServer(listener));
  onTestFinished(close);
  return port;
}

/** What a request is answered. */
export async function request(
  port: number,
  path = "/",
  options: Partial<RequestOptions> = {},
): Promise<Exchanged & { readonly cookies: readonly string[] }> {
  const answer = await exchange(port, { method: "GET", headers: {}, ...options, path });
  return { ...answer, cookies: answer.headers["set-cookie"] ?? [] };
}
