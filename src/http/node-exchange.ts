import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { type Exchange, withCookies } from "./exchange.ts";

/** What a framework on node:http knows of a request beside its headers. */
export interface NodeView {
  readonly secure: boolean;
  readonly body?: unknown;
}

/** A request and a response of node:http as an exchange. */
export function nodeExchange(req: IncomingMessage, res: ServerResponse, view: NodeView): Exchange {
  return {
    get secure() {
      return view.secure;
    },
    get headersSent() {
      return res.headersSent;
    },
    get body() {
      return view.body;
    },
    requestHeader: (name) => nodeHeader(req, name),
    sendCookie(name, setCookie) {
      const ours = keptCookies(res);
      ours.set(name, setCookie);
      res.setHeader("set-cookie", withCookies(setCookies(res), ours));
    },
    forbidCaching: () => forbidCaching(res),
  };
}

/** A request's header. Node makes a list of none but Set-Cookie, which is no request's. */
export function nodeHeader({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The host that a request was sent to; HTTP/2 has another name for it. */
export function nodeHost(req: IncomingMessage): string {
  return nodeHeader(req, ":authority") ?? nodeHeader(req, "host") ?? "";
}

/** The cookies that must get out with each response, whatever becomes of its other headers. */
const kept = new WeakMap<ServerResponse, Map<string, string>>();

/**
 * Frameworks drop a response's headers when they answer an error (Koa), or hand over all of them
 * with its head (Fastify): without this, a request that signs in and then fails would leave the
 * browser with the old, dead token. The cookies are put back when the head is written. The error
 * does not carry them: it may be logged, and one error object may be thrown for several users.
 */
function keptCookies(res: ServerResponse): Map<string, string> {
  const present = kept.get(res);
  if (present) return present;
  const ours = new Map<string, string>();
  kept.set(res, ours);
  const { writeHead } = res;
  res.writeHead = (...args: unknown[]): ServerResponse => {
    const [others, cookies] = withoutCookies(args);
    res.setHeader("set-cookie", withCookies(cookies ?? setCookies(res), ours));
    forbidCaching(res);
    return Reflect.apply(writeHead, res, others);
  };
  return ours;
}

/** The arguments of `writeHead` without Set-Cookie, and the cookies that it was to set, if any. */
function withoutCookies(args: readonly unknown[]): [unknown[], string[] | undefined] {
  const headers = args.at(-1);
  if (typeof headers !== "object" || headers === null) return [[...args], undefined];
  const pairs = Array.isArray(headers) ? pairsOf(headers) : Object.entries(headers);
  const cookies = pairs.filter(([name]) => isSetCookie(name));
  if (cookies.length === 0) return [[...args], undefined];
  const others = pairs.filter(([name]) => !isSetCookie(name));
  const rest = Array.isArray(headers) ? others.flat() : Object.fromEntries(others);
  return [[...args.slice(0, -1), rest], cookies.flatMap(([, value]) => [value].flat().map(String))];
}

type Header = [name: string, value: OutgoingHttpHeaders[string]];

/** A list of headers as `writeHead` takes them: pairs, or names and values by turns. */
function pairsOf(headers: readonly unknown[]): Header[] {
  if (headers.every(Array.isArray)) return headers as Header[];
  return headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1]] as Header] : []));
}

function isSetCookie(name: string): boolean {
  return String(name).toLowerCase() === "set-cookie";
}

function setCookies(res: ServerResponse): string[] {
  return [res.getHeader("set-cookie") ?? []].flat().map(String);
}

function forbidCaching(res: ServerResponse): void {
  if (!res.hasHeader("cache-control")) res.setHeader("cache-control", "no-store");
}
