/*
 * Requests without a framework and without sockets: what the session of a request needs, and no more.
 * What every session does is tested on it once. What a framework can do to a session is tested under each.
 */
import { AsyncResource } from "node:async_hooks";
import { STATUS_CODES } from "node:http";
import type { CSRFGuardOptions, SignedSessionsOptions } from "session-sets/node";
import { bindSessions, parseSigner } from "../../../src/http/bind.ts";
import { createGuard } from "../../../src/http/csrf-guard.ts";
import {
  type Caching,
  type Exchange,
  mergeCachingHeaders,
  mergeCookies,
  pickStricter,
  type SetCookieInParts,
} from "../../../src/http/exchange/exchange.ts";
import { deriveAddress } from "../../../src/http/exchange/request-origin.ts";
import { type AdapterOptions, type Data, type Host, sharedOptions } from "./app.ts";
import type { Exchanged, RequestOptions } from "./client.ts";

export const plainHost: Host = {
  async start(options) {
    const answer = createApplication(options);
    // A request runs in a context of its own, as one that came over a socket does.
    const outside = new AsyncResource("requests");
    return {
      exchange: (request) => outside.runInAsyncScope(answer, undefined, request),
      close: async () => {},
    };
  },
};

type Head = Pick<Exchanged, "status" | "headers">;

/** One request, and the head of its response until that is sent. */
class PlainExchange implements Exchange {
  readonly method: string;
  readonly secure: boolean;
  readonly host: string;
  readonly body: unknown;
  readonly proxySetting = "the setting of no framework";
  readonly #received: ReadonlyMap<string, string>;
  readonly #headers = new Map<string, string>();
  readonly #cookies = new Map<string, SetCookieInParts>();
  #ownCookies: string[] = [];
  #caching: Caching | null = null;
  #sent: Head | null = null;

  constructor({ method, headers, body }: RequestOptions, trustProxy: boolean) {
    this.#received = new Map(
      Object.entries({ host: "shop.test", ...headers }).map(([name, value]) => [
        name.toLowerCase(),
        [value].flat().join("; ").trim(),
      ]),
    );
    this.method = method;
    const header = (name: string) => this.requestHeader(name);
    const own = { secure: false, host: header("host") ?? "" };
    ({ secure: this.secure, host: this.host } = deriveAddress(own, header, { trustProxy }));
    const isJSON = header("content-type") === "application/json";
    this.body = isJSON && body !== undefined ? JSON.parse(body) : undefined;
  }

  get fault(): string | null {
    return this.#sent ? "the head of the response is sent" : null;
  }

  requestHeader(name: string): string | undefined {
    return this.#received.get(name);
  }

  sendCookie(key: string, cookie: SetCookieInParts | null): void {
    if (cookie === null) this.#cookies.delete(key);
    else this.#cookies.set(key, cookie);
  }

  sendHeader(name: string, value: string): void {
    this.#headers.set(name.toLowerCase(), value);
  }

  restrictCaching(caching: Caching): void {
    this.#caching = pickStricter(this.#caching, caching);
  }

  /** A cookie of the application's own. */
  addCookie(name: string, value: string): void {
    this.#ownCookies = [...this.#ownCookies, `${name}=${value}`];
  }

  /** Sends the head; the first one counts. */
  send(status: number): Head {
    this.#sent ??= { status, headers: this.#writeHeaders() };
    return this.#sent;
  }

  #writeHeaders(): Head["headers"] {
    const headers = Object.fromEntries(this.#headers);
    const cookies = mergeCookies(this.#ownCookies, this.#cookies.values());
    const merged =
      this.#caching && mergeCachingHeaders(this.#caching, headers["cache-control"], headers.vary);
    return {
      ...headers,
      ...(merged?.control === undefined ? {} : { "cache-control": merged.control }),
      ...(merged?.vary === undefined ? {} : { vary: merged.vary }),
      ...(cookies.length === 0 ? {} : { "set-cookie": cookies }),
    };
  }
}

function createApplication(options: AdapterOptions) {
  const { sessions, prefix, keys, guard, findHandler, onError, trustProxy = false } = options;
  const check = guard && createGuard(guard as CSRFGuardOptions<object>);
  const bound: SignedSessionsOptions<Data> = sharedOptions(options);
  const getSession = bindSessions("plainSessions", sessions, bound, []);
  const signer = parseSigner(keys ? { keys } : {});

  return async (request: RequestOptions): Promise<Exchanged> => {
    const exchange = new PlainExchange(request, trustProxy);
    if (request.path !== `${prefix}/`) return { ...exchange.send(404), text: "" };
    const of = () => getSession(request, exchange, signer);
    try {
      const session = of();
      const { method, host, secure, proxySetting } = exchange;
      const header = (name: string) => exchange.requestHeader(name);
      check?.({ request, method, host, secure, proxySetting, header }, request);
      const value = await findHandler(exchange.requestHeader("x-handler") ?? "")({
        session,
        of,
        found: () => undefined,
        setHeader: (name, text) => exchange.sendHeader(name, text),
        setCookie: (name, text) => exchange.addCookie(name, text),
        sendHeaders: async () => void exchange.send(200),
      });
      return { ...exchange.send(200), text: JSON.stringify({ value }) };
    } catch (error) {
      onError(error);
      const { status = 500, expose = false, message } = Object(error);
      return { ...exchange.send(status), text: String(expose ? message : STATUS_CODES[status]) };
    }
  };
}
