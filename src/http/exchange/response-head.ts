import {
  type Caching,
  mergeCachingHeaders,
  mergeCookies,
  pickStricter,
  type SetCookie,
} from "./exchange.ts";

/** A ServerResponse of node:http, in words of its own: the package's types need none of Node's. */
interface NodeResponse {
  readonly headersSent: boolean;
  getHeader(name: string): number | string | string[] | undefined;
  setHeader(name: string, value: string | string[]): unknown;
  removeHeader(name: string): void;
  writeHead: unknown;
}

/**
 * The headers that must go out with the head of a response. Koa drops a response's headers when it answers
 * an error, and Fastify hands over all of them with the head. So a request that signs in and then fails
 * would leave the browser with the old, dead token. To prevent that, the cookies are put back when the head
 * is written. The error does not carry them, because it may be logged, and one error object may be thrown
 * for several users.
 */
export class ResponseHead {
  readonly #res: NodeResponse;
  #cookies: ReadonlyMap<string, SetCookie> = NO_COOKIES;
  #caching: Caching | null = null;
  /** The response's own `writeHead`, once it is intercepted. */
  #writeHead: (() => unknown) | null = null;

  constructor(res: NodeResponse) {
    this.#res = res;
  }

  get isSent(): boolean {
    return this.#res.headersSent;
  }

  sendCookie(key: string, cookie: SetCookie | null): void {
    this.#intercept();
    const before = [...this.#cookies.values()];
    const cookies = new Map(this.#cookies);
    if (cookie === null) cookies.delete(key);
    else cookies.set(key, cookie);
    this.#cookies = cookies;
    const others = readSetCookies(this.#res).filter(
      (header) => !before.some((one) => one.header === header),
    );
    const all = mergeCookies(others, cookies.values());
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
    if (this.#writeHead !== null) return;
    this.#writeHead = this.#res.writeHead as () => unknown;
    // Not a closure: with one for each response, V8 (Node 20) kept what a request leaves until it collected all
    // garbage, which took longer than the library did.
    this.#res.writeHead = this.#intercepted.bind(this);
  }

  #intercepted(...args: unknown[]): unknown {
    return Reflect.apply(this.#writeHead as () => unknown, this.#res, this.#write(args));
  }

  /** Sets the headers. Returns the arguments of `writeHead` without the headers that it set. */
  #write(args: readonly unknown[]): readonly unknown[] {
    if (this.isSent) return args;
    const given = new GivenHeaders(args);
    if (this.#cookies.size > 0) {
      const cookies = given.take("set-cookie") ?? readSetCookies(this.#res);
      this.#res.setHeader("set-cookie", mergeCookies(cookies, this.#cookies.values()));
    }
    if (this.#caching !== null) {
      const headers = mergeCachingHeaders(
        this.#caching,
        this.#takePresent(given, "cache-control"),
        this.#takePresent(given, "vary"),
      );
      if (headers.control !== undefined) this.#res.setHeader("cache-control", headers.control);
      if (headers.vary !== undefined) this.#res.setHeader("vary", headers.vary);
    }
    return given.rest;
  }

  #takePresent(given: GivenHeaders, name: string): string | undefined {
    return given.take(name)?.join(", ") ?? this.#res.getHeader(name)?.toString();
  }
}

const NO_COOKIES: ReadonlyMap<string, SetCookie> = new Map();

type Header = [name: string, value: unknown];

/** The arguments of `writeHead`, from which headers can be taken. */
class GivenHeaders {
  readonly #args: readonly unknown[];
  readonly #isList: boolean;
  #pairs: Header[] | null;
  #isTaken = false;

  constructor(args: readonly unknown[]) {
    const headers = args.at(-1);
    this.#args = args;
    this.#isList = Array.isArray(headers);
    if (typeof headers !== "object" || headers === null) this.#pairs = null;
    else this.#pairs = Array.isArray(headers) ? toHeaderPairs(headers) : Object.entries(headers);
  }

  /** Removes a header, and returns its values; undefined if it was not given. */
  take(name: string): string[] | undefined {
    if (this.#pairs === null) return undefined;
    const found = this.#pairs.filter((pair) => hasName(pair, name));
    if (found.length === 0) return undefined;
    this.#isTaken = true;
    this.#pairs = this.#pairs.filter((pair) => !hasName(pair, name));
    return found.flatMap(([, value]) => [value].flat().map(String));
  }

  get rest(): readonly unknown[] {
    if (!this.#isTaken || this.#pairs === null) return this.#args;
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

function readSetCookies(res: NodeResponse): string[] {
  return [res.getHeader("set-cookie") ?? []].flat().map(String);
}
