import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { readSafely } from "../../shared/given.ts";
import {
  type Caching,
  type Exchange,
  mergeCachingHeaders,
  mergeCookies,
  pickStricter,
  readShown,
  type SetCookie,
} from "./exchange.ts";

/** The parts of a request that a framework on node:http knows beside the headers. */
export interface NodeView {
  readonly secure: boolean;
  readonly proxySetting: string;
  readonly body?: unknown;
}

const HEADERS_SENT =
  "the headers of the response were already sent; change the session before the response begins";
const NO_RESPONSE =
  "this request has no response that can carry headers (a WebSocket upgrade has none); sign in and out in an ordinary request";
const NO_RESPONSE_GIVEN =
  "the library knows no response of this request that can carry headers; use the middleware or plugin, or give the response when you ask for the session: of(req, res), in Fastify of(request, reply)";

/** The exchange of a request of node:http and the response that `bindResponse` noted, if any. */
export class NodeExchange implements Exchange {
  readonly #req: IncomingMessage;
  readonly #view: NodeView;

  constructor(req: IncomingMessage, view: NodeView) {
    this.#req = req;
    this.#view = view;
  }

  get #head(): Head | null {
    const res = responses.get(this.#req);
    return res ? Head.of(res) : null;
  }

  get secure(): boolean {
    return this.#view.secure;
  }

  get method(): string | undefined {
    return this.#req.method;
  }

  get proxySetting(): string {
    return this.#view.proxySetting;
  }

  get body(): unknown {
    return this.#view.body;
  }

  get fault(): string | null {
    if (this.#head === null) return isUpgrade(this.#req) ? NO_RESPONSE : NO_RESPONSE_GIVEN;
    return this.#head.sent ? HEADERS_SENT : null;
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
    if (this.#head?.sent === false) this.#head.restrictCaching(caching);
  }
}

const responses = new WeakMap<IncomingMessage, ServerResponse>();

/** Notes the response to a request. Its session may have been used without the response before. */
export function bindResponse(req: IncomingMessage, res: unknown): void {
  if (!responses.has(req) && isResponse(res) && !isUpgrade(req)) responses.set(req, res);
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

/** The heads of responses. Several exchanges of one response share a head. */
const heads = new WeakMap<ServerResponse, Head>();

/**
 * The headers that must go out with the head of a response. Koa drops a response's headers when it answers
 * an error, and Fastify hands over all of them with the head. So a request that signs in and then fails
 * would leave the browser with the old, dead token. To prevent that, the cookies are put back when the head
 * is written. The error does not carry them, because it may be logged, and one error object may be thrown
 * for several users.
 */
class Head {
  readonly #res: ServerResponse;
  readonly #cookies = new Map<string, SetCookie>();
  #caching: Caching | null = null;
  #written: ServerResponse["writeHead"] | null = null;

  private constructor(res: ServerResponse) {
    this.#res = res;
  }

  static of(res: ServerResponse): Head {
    const head = heads.get(res) ?? new Head(res);
    heads.set(res, head);
    return head;
  }

  get sent(): boolean {
    return this.#res.headersSent;
  }

  sendCookie(key: string, cookie: SetCookie | null): void {
    this.#intercept();
    const before = [...this.#cookies.values()];
    if (cookie === null) this.#cookies.delete(key);
    else this.#cookies.set(key, cookie);
    const others = readSetCookies(this.#res).filter(
      (header) => !before.some((one) => one.header === header),
    );
    const all = mergeCookies(others, this.#cookies.values());
    if (all.length === 0) this.#res.removeHeader("set-cookie");
    else this.#res.setHeader("set-cookie", all);
  }

  sendHeader(name: string, value: string): void {
    this.#res.setHeader(name, value);
  }

  restrictCaching(caching: Caching): void {
    this.#intercept();
    this.#caching = pickStricter(this.#caching, caching);
  }

  #intercept(): void {
    if (this.#written !== null) return;
    const { writeHead } = this.#res;
    this.#written = writeHead;
    this.#res.writeHead = (...args: unknown[]): ServerResponse => {
      const rest = this.#write(args);
      return Reflect.apply(writeHead, this.#res, rest);
    };
  }

  /** Sets the headers. Returns the arguments of `writeHead` without the headers that it set. */
  #write(args: readonly unknown[]): unknown[] {
    if (this.sent) return [...args];
    const given = new GivenHeaders(args);
    if (this.#cookies.size > 0) {
      const cookies = given.take("set-cookie") ?? readSetCookies(this.#res);
      this.#res.setHeader("set-cookie", mergeCookies(cookies, this.#cookies.values()));
    }
    if (this.#caching !== null) {
      const present = (name: string) =>
        given.take(name)?.join(", ") ?? this.#res.getHeader(name)?.toString();
      const headers = mergeCachingHeaders(this.#caching, present("cache-control"), present("vary"));
      if (headers.control !== undefined) this.#res.setHeader("cache-control", headers.control);
      if (headers.vary !== undefined) this.#res.setHeader("vary", headers.vary);
    }
    return given.rest;
  }
}

type Header = [name: string, value: OutgoingHttpHeaders[string]];

/** The arguments of `writeHead`, from which headers can be taken. */
class GivenHeaders {
  readonly #args: readonly unknown[];
  readonly #isList: boolean;
  #pairs: Header[] | null;
  #taken = false;

  constructor(args: readonly unknown[]) {
    const headers = args.at(-1);
    this.#args = args;
    this.#isList = Array.isArray(headers);
    if (typeof headers !== "object" || headers === null) this.#pairs = null;
    else this.#pairs = Array.isArray(headers) ? toHeaderPairs(headers) : Object.entries(headers);
  }

  /** Removes a header, and returns its values; undefined if it was not given. */
  take(name: string): string[] | undefined {
    const found = this.#pairs?.filter((pair) => hasName(pair, name)) ?? [];
    if (found.length === 0) return undefined;
    this.#taken = true;
    this.#pairs = this.#pairs?.filter((pair) => !hasName(pair, name)) ?? null;
    return found.flatMap(([, value]) => [value].flat().map(String));
  }

  get rest(): unknown[] {
    if (!this.#taken || this.#pairs === null) return [...this.#args];
    const rest = this.#isList ? this.#pairs.flat() : Object.fromEntries(this.#pairs);
    return [...this.#args.slice(0, -1), rest];
  }
}

function hasName([name]: Header, wanted: string): boolean {
  return String(name).toLowerCase() === wanted;
}

/** Turns a list of headers into pairs. `writeHead` takes pairs, or names and values in turn. */
function toHeaderPairs(headers: readonly unknown[]): Header[] {
  if (headers.every(Array.isArray)) return headers as Header[];
  return headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1]] as Header] : []));
}

function readSetCookies(res: ServerResponse): string[] {
  return [res.getHeader("set-cookie") ?? []].flat().map(String);
}
