import type { IncomingMessage, ServerResponse } from "node:http";
import { readSafely } from "../../shared/given.ts";
import { notesOf } from "../request-notes.ts";
import { type Caching, type Exchange, readShown, type SetCookie } from "./exchange.ts";
import { ResponseHead } from "./response-head.ts";

const HEADERS_SENT =
  "the headers of the response were already sent; change the session before the response begins";
const NO_RESPONSE =
  "this request has no response that can carry headers (a WebSocket upgrade has none); sign in and out in an ordinary request";
const NO_RESPONSE_GIVEN =
  "the library knows no response of this request that can carry headers; use the middleware or plugin, or give the response when you ask for the session: of(req, res), in Fastify of(request, reply)";

/**
 * The exchange of a request of node:http and the response that `bindResponse` noted, if any. The adapter of a
 * framework adds what only that framework knows.
 */
export abstract class NodeExchange implements Exchange {
  abstract readonly secure: boolean;
  abstract readonly proxySetting: string;
  abstract readonly body: unknown;
  readonly #req: IncomingMessage;

  constructor(req: IncomingMessage) {
    this.#req = req;
  }

  get #head(): ResponseHead | null {
    return notesOf(this.#req).head;
  }

  get method(): string | undefined {
    return this.#req.method;
  }

  get fault(): string | null {
    const head = this.#head;
    if (head === null) return isUpgrade(this.#req) ? NO_RESPONSE : NO_RESPONSE_GIVEN;
    return head.isSent ? HEADERS_SENT : null;
  }

  requestHeader(name: string): string | undefined {
    return readHeader(this.#req, name);
  }

  sendCookie(key: string, cookie: SetCookie | null): void {
    this.#head?.sendCookie(key, cookie);
  }

  sendHeader(name: string, value: string): void {
    this.#head?.sendHeader(name, value);
  }

  restrictCaching(caching: Caching): void {
    const head = this.#head;
    if (head?.isSent === false) head.restrictCaching(caching);
  }
}

/**
 * Notes the response to a request. Its session may have been used without the response before. Several
 * exchanges of one request share the head.
 */
export function bindResponse(req: IncomingMessage, res: unknown): void {
  const notes = notesOf(req);
  if (isResponse(res) && !isUpgrade(req)) notes.head ??= new ResponseHead(res);
}

/** Whether this is a response. Upgrades have none, or an object in its place that sends nothing (Engine.IO). */
function isResponse(res: unknown): res is ServerResponse {
  return readSafely("ERR_SESSION_CONFIG", "The response", () => {
    const { setHeader, headersSent } = Object(res) as Partial<ServerResponse>;
    return typeof setHeader === "function" && typeof headersSent === "boolean";
  });
}

/**
 * Reads the request of node:http that a framework shows.
 *
 * @throws SessionError ERR_SESSION_CONFIG with the message `takes` if it isn't a request.
 */
export function readNodeRequest<Request extends IncomingMessage>(
  takes: string,
  read: () => Request,
): Request {
  return readShown(takes, read, ({ headers }) => {
    if (typeof headers !== "object" || headers === null) return false;
    Object.hasOwn(headers, "cookie"); // throws if they cannot be read
    return true;
  });
}

/** Reads the response of node:http that a framework shows. It throws the same error. */
export function readNodeResponse<Response extends ServerResponse>(
  takes: string,
  read: () => Response,
): Response {
  return readShown(
    takes,
    read,
    (res) => typeof res.setHeader === "function" && typeof res.writeHead === "function",
  );
}

/**
 * Whether Node handed the request over with its socket. Fastify's plugin for WebSockets makes a response
 * from that, to refuse with. A handshake that succeeds sends none of that response's headers.
 */
function isUpgrade(req: IncomingMessage): boolean {
  return Object(req).upgrade === true;
}

/**
 * Reads a request header. Node makes a list of Set-Cookie only, and requests have no such header. The
 * name may be one that all objects inherit, such as `constructor`.
 */
export function readHeader({ headers }: IncomingMessage, name: string): string | undefined {
  const value: unknown = Object.hasOwn(headers, name) ? headers[name] : undefined;
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" ? first : undefined;
}

/** Reads the host to which a request was sent. HTTP/2 has another name for that header. */
export function readHost(req: IncomingMessage): string {
  return readHeader(req, ":authority") ?? readHeader(req, "host") ?? "";
}

/** Whether TLS ends in this process, and not at a proxy. */
export function isEncrypted({ socket }: IncomingMessage): boolean {
  return readSafely("ERR_SESSION_CONFIG", "The socket of the request", () => {
    const { encrypted } = Object(socket) as { encrypted?: unknown }; // mocks have none
    return encrypted === true;
  });
}
