/* Requests over real sockets, with exactly the headers that a test gives. */
import { once } from "node:events";
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

export interface Exchanged {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const agent = new Agent({ keepAlive: true });

export interface RequestOptions {
  readonly method: string;
  readonly path: string;
  readonly headers: { readonly [name: string]: string | readonly string[] };
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** Sends a request to a port of this machine, and reads the whole response. */
export async function exchange(
  port: number,
  { method, path, headers, body, signal }: RequestOptions,
): Promise<Exchanged> {
  const sent = request({
    agent,
    host: "127.0.0.1",
    port,
    method,
    path,
    ...(signal ? { signal } : {}),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        typeof value === "string" ? value : [...value],
      ]),
    ),
  });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: await text(response),
  };
}
