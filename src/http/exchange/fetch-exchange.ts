// Imported, because tests of an application may replace the global timers. If such a test runs all timers,
// that must not count as a response that came too late.
import { clearTimeout, setTimeout } from "node:timers";
import { quote, SessionError } from "../../shared/errors.ts";
import { Note } from "../../shared/note.ts";
import { warnOnce } from "../../shared/warnings.ts";
import {
  type Caching,
  type Exchange,
  mergeCachingHeaders,
  mergeCookies,
  pickStricter,
  type SetCookie,
  type SetCookieAttributes,
  type SetCookieInParts,
} from "./exchange.ts";
import type { FetchRequest, FetchResponse, RequestHeaders } from "./fetch-types.ts";
import { type Address, deriveAddress, TRUST_PROXY_SETTING } from "./request-origin.ts";

/** In characters. A longer Cookie header is ignored; servers of Node refuse headers of this length anyway. */
const MAX_COOKIE_HEADER_LENGTH = 65_536;
/** A response that `commit` has not seen after this time will not come. */
const COMMIT_TIMEOUT_MS = 60_000;

/** The exchange of a Request and the Response to come. */
export class FetchExchange implements Exchange {
  readonly #request: FetchRequest;
  readonly #trustProxy: boolean;
  #secure: boolean | null = null;
  #cookies: ReadonlyMap<string, SetCookie> = NONE;
  #others: ReadonlyMap<string, string> = NONE;
  #caching: Caching | null = null;
  #committed = false;
  #reminder: ReturnType<typeof setTimeout> | undefined;

  constructor(request: FetchRequest, trustProxy: boolean) {
    this.#request = request;
    this.#trustProxy = trustProxy;
  }

  get secure(): boolean {
    this.#secure ??= readAddress(this.#request, { trustProxy: this.#trustProxy }).secure;
    return this.#secure;
  }

  get method(): string {
    return this.#request.method;
  }

  get proxySetting(): string {
    return TRUST_PROXY_SETTING;
  }

  /** The body is a stream that can be read only once, so it is left to the application. */
  get body(): undefined {
    return undefined;
  }

  get fault(): string | null {
    return this.#committed
      ? "the response was already committed; change the session before commit"
      : null;
  }

  requestHeader(name: string): string | undefined {
    return readRequestHeader(this.#request.headers, name);
  }

  sendCookie(key: string, cookie: SetCookie | null): void {
    const cookies = new Map<string, SetCookie>(this.#cookies);
    if (cookie === null) cookies.delete(key);
    else cookies.set(key, cookie);
    this.#cookies = cookies;
    this.#reminder ??= unrefTimer(
      setTimeout(() => {
        if (this.#cookies.size > 0) warnUncommitted();
      }, COMMIT_TIMEOUT_MS),
    );
  }

  sendHeader(name: string, value: string): void {
    this.#others = new Map<string, string>(this.#others).set(name, value);
  }

  restrictCaching(caching: Caching): void {
    this.#caching = pickStricter(this.#caching, caching);
  }

  /**
   * Returns the response with the headers of the session: the same object, or a copy if its headers cannot
   * be changed. After that, no cookie can be set.
   *
   * @throws SessionError ERR_COOKIE if the response can be neither changed nor copied.
   */
  commit<Answer extends FetchResponse>(response: Answer): Answer {
    this.#committed = true;
    clearTimeout(this.#reminder);
    if (this.#caching === null && this.#cookies.size === 0 && this.#others.size === 0) {
      return response;
    }
    try {
      this.#write(response);
      return response;
    } catch (error) {
      const copy = this.#copy(response, error);
      if (copy !== response) this.#write(copy);
      return copy;
    }
  }

  #write({ headers }: FetchResponse): void {
    for (const [name, value] of this.#others) headers.set(name, value);
    if (this.#caching !== null) {
      const present = (name: string) => headers.get(name) ?? undefined;
      const { control, vary } = mergeCachingHeaders(
        this.#caching,
        present("cache-control"),
        present("vary"),
      );
      if (control !== undefined) headers.set("cache-control", control);
      if (vary !== undefined) headers.set("vary", vary);
    }
    if (this.#cookies.size === 0) return;
    const cookies = mergeCookies(headers.getSetCookie(), this.#cookies.values());
    headers.delete("set-cookie");
    for (const cookie of cookies) headers.append("set-cookie", cookie);
  }

  /**
   * Copies a response whose headers cannot be changed, such as a redirection, or one that fetch returned.
   * A response that can be neither changed nor copied may still go out without caching headers.
   */
  #copy<Answer extends FetchResponse>(response: Answer, cause: unknown): Answer {
    const copy = copyResponse(response);
    if (copy !== null) return copy;
    if (this.#cookies.size === 0 && this.#others.size === 0) return response;
    throw new SessionError(
      "ERR_COOKIE",
      `The cookie cannot be set: a response of status ${quote(Object(response).status)} can be neither changed nor copied. Answer with another response`,
      { cause, cookie: [...this.#cookies.values()][0]?.name },
    );
  }
}

/**
 * Copies a response; null if that cannot be done. A server's own Response, such as that of Hono's for Node,
 * takes a status that the platform's refuses, and would answer with 200 instead.
 */
function copyResponse<Answer extends FetchResponse>(response: Answer): Answer | null {
  try {
    const copy: Answer = Reflect.construct(Response, [response.body, response]);
    return copy.status === response.status ? copy : null;
  } catch {
    return null;
  }
}

const NONE: ReadonlyMap<string, never> = new Map<string, never>();

/** Reads how a Request was addressed. Some servers build its URL from their own address, so the Host header counts. */
export function readAddress(
  { url, headers }: FetchRequest,
  trust: { readonly trustProxy: boolean },
): Address {
  const { protocol, host } = new URL(url);
  const own = { secure: protocol === "https:", host: readFetchHeader(headers, "host") ?? host };
  return deriveAddress(own, (name) => readFetchHeader(headers, name), trust);
}

/** Reads a request header for the session: a Cookie header that is too long counts as none. */
function readRequestHeader(headers: RequestHeaders, name: string): string | undefined {
  const value = readFetchHeader(headers, name);
  const isTooLong = name === "cookie" && (value?.length ?? 0) > MAX_COOKIE_HEADER_LENGTH;
  return isTooLong ? undefined : value;
}

/** Reads a request header, if there is one. */
export function readFetchHeader(headers: RequestHeaders, name: string): string | undefined {
  const value: unknown = headers.get(name);
  return typeof value === "string" ? value : undefined;
}

/** Whether an object has the parts of a Request that sessions use. */
export function isFetchRequest({ url, headers }: FetchRequest): boolean {
  return typeof url === "string" && URL.canParse(url) && typeof headers.get === "function";
}

/** Makes a timer that does not keep the process running. Outside Node, a timer may be a number. */
function unrefTimer<Timer extends { unref?(): unknown }>(timer: Timer): Timer {
  timer.unref?.();
  return timer;
}

function warnUncommitted(): void {
  warnOnce(
    "SESSION_SETS_UNCOMMITTED",
    "The session of a Request has a cookie to set, but its commit was given no response, so the browser did not get the cookie. Answer with session.commit(response), also when a redirect or an error is thrown",
  );
}

/** A framework's object that sets cookies, like the one of `cookies()` in Next.js. */
export interface CookieStore {
  /** Sets a cookie on the response to come. */
  set(name: string, value: string, attributes: SetCookieAttributes): unknown;
}

/** The parts of a request that a framework without a Request shows: its headers, and perhaps its cookies. */
export interface RequestParts {
  readonly headers: RequestHeaders;
  /** If they are left out, no cookie can be set. */
  readonly cookies?: CookieStore;
}

const cookieStores = new Note<CookieStore>();

/**
 * The exchange for a framework that shows only parts of a request. The framework makes the response
 * itself. Without the framework's cookies, those of the session go out with the Response to the Request
 * that the headers belong to, if that is known.
 */
export class PartsExchange implements Exchange {
  readonly proxySetting = TRUST_PROXY_SETTING;
  readonly body = undefined;
  readonly #headers: RequestHeaders;
  readonly #set = new Map<string, SetCookieInParts>();
  readonly #secure: boolean;
  readonly #findRequest: () => FetchExchange | null;

  /** @param findRequest finds the exchange of the Request, if that is known. */
  constructor(
    { headers }: RequestParts,
    {
      secure,
      findRequest,
    }: { readonly secure: boolean; readonly findRequest: () => FetchExchange | null },
  ) {
    this.#secure = secure;
    this.#headers = headers;
    this.#findRequest = findRequest;
  }

  /** Notes the cookies. The last ones count: a helper may have read the session without cookies before. */
  static update({ headers, cookies }: RequestParts): void {
    if (cookies !== undefined) cookieStores.set(headers, cookies);
  }

  get secure(): boolean {
    return this.#findRequest()?.secure ?? this.#secure;
  }

  get method(): string | undefined {
    return this.#findRequest()?.method;
  }

  get fault(): string | null {
    if (cookieStores.get(this.#headers) !== undefined) return null;
    const whole = this.#findRequest();
    return whole === null
      ? "only the { headers } of the request were given, and they do not lead to its response; give { headers, cookies }, with the cookies that cookies() of Next.js resolves to"
      : whole.fault;
  }

  requestHeader(name: string): string | undefined {
    return readRequestHeader(this.#headers, name);
  }

  sendCookie(key: string, cookie: SetCookieInParts | null): void {
    if (cookieStores.get(this.#headers) === undefined) {
      this.#findRequest()?.sendCookie(key, cookie);
      return;
    }
    const sent = this.#set.get(key);
    if (cookie !== null) {
      // The framework keeps one cookie of a name, so a second one, such as that of the host, would replace it.
      if (key !== cookie.name) return;
      this.#write(cookie);
      this.#set.set(key, cookie);
    } else if (sent !== undefined) {
      this.#write({ ...sent, value: "", attributes: { ...sent.attributes, maxAge: 0 } });
    }
  }

  #write({ name, value, attributes }: SetCookieInParts): void {
    try {
      cookieStores.get(this.#headers)?.set(name, value, attributes);
    } catch (cause) {
      if (attributes.maxAge === 0) return; // the session that it leads to has ended anyway
      throw new SessionError(
        "ERR_COOKIE",
        "The cookie cannot be set: the framework's cookies refuse it. In Next.js, change the session in a Server Action or a Route Handler, not while a page is rendered",
        { cause, cookie: name },
      );
    }
  }

  /** Without a Request, other headers are dropped: the framework offers no way to set them. */
  sendHeader(name: string, value: string): void {
    this.#findRequest()?.sendHeader(name, value);
  }

  /** Without a Request, nothing is needed: no cache keeps the framework's answers to actions. */
  restrictCaching(caching: Caching): void {
    this.#findRequest()?.restrictCaching(caching);
  }

  commit<Answer extends FetchResponse>(response: Answer): Answer {
    return this.#findRequest()?.commit(response) ?? response;
  }
}
