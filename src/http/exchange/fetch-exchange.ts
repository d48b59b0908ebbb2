// Not the globals, which tests of an application replace: one that runs all timers is late with no response.
import { clearTimeout, setTimeout } from "node:timers";
import { quote, SessionError } from "../../shared/errors.ts";
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

/** Over so many characters a Cookie header is none: no server of Node takes so long a one. */
const MAX_COOKIE_HEADER_LENGTH = 65_536;
/** After so long (ms) a request without an answer from `commit` will get none. */
const COMMIT_TIMEOUT_MS = 60_000;

/** A Request and the Response to come as an exchange. */
export class FetchExchange implements Exchange {
  readonly secure: boolean;
  readonly method: string | undefined;
  readonly proxySetting = "trustProxy: true";
  /** A stream that is read but once, so that it is left to the application. */
  readonly body = undefined;
  readonly #headers: RequestHeaders;
  readonly #cookies = new Map<string, SetCookie>();
  readonly #others = new Map<string, string>();
  #caching: Caching | null = null;
  #committed = false;
  #reminder: ReturnType<typeof setTimeout> | undefined;

  constructor(headers: RequestHeaders, secure: boolean, method?: string) {
    this.#headers = headers;
    this.secure = secure;
    this.method = method;
  }

  get fault(): string | null {
    return this.#committed
      ? "the response was committed already; change the session before commit"
      : null;
  }

  requestHeader(name: string): string | undefined {
    const value = readFetchHeader(this.#headers, name);
    const tooLong = name === "cookie" && (value?.length ?? 0) > MAX_COOKIE_HEADER_LENGTH;
    return tooLong ? undefined : value;
  }

  sendCookie(key: string, cookie: SetCookie | null): void {
    if (cookie === null) this.#cookies.delete(key);
    else this.#cookies.set(key, cookie);
    this.#reminder ??= unrefTimer(
      setTimeout(() => {
        if (this.#cookies.size > 0) warnUncommitted();
      }, COMMIT_TIMEOUT_MS),
    );
  }

  sendHeader(name: string, value: string): void {
    this.#others.set(name, value);
  }

  restrictCaching(caching: Caching): void {
    this.#caching = pickStricter(this.#caching, caching);
  }

  /**
   * A response with what the session has to send: the same one where its headers can be changed. No
   * cookie can be set after it.
   *
   * @throws SessionError ERR_COOKIE where the response can carry no headers of the application.
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
   * A response that came from elsewhere, or is a redirection, has headers that cannot be changed; one
   * that can be neither changed nor copied may still go out without a word to caches.
   */
  #copy<Answer extends FetchResponse>(response: Answer, cause: unknown): Answer {
    try {
      return Reflect.construct(Response, [response.body, response]);
    } catch {
      if (this.#cookies.size === 0 && this.#others.size === 0) return response;
      throw new SessionError(
        "ERR_COOKIE",
        `The cookie cannot be set: a response of status ${quote(Object(response).status)} can be neither changed nor copied; answer with another one`,
        { cause, cookie: [...this.#cookies.values()][0]?.name },
      );
    }
  }
}

/** A request's header, where it has one. */
export function readFetchHeader(headers: RequestHeaders, name: string): string | undefined {
  const value: unknown = headers.get(name);
  return typeof value === "string" ? value : undefined;
}

/** Whether what a framework shows is a Request, as far as sessions use one. */
export function isFetchRequest({ url, headers }: FetchRequest): boolean {
  return typeof url === "string" && URL.canParse(url) && typeof headers.get === "function";
}

/** A timer that keeps no process running; outside Node it may be a number. */
function unrefTimer<Timer extends { unref?(): unknown }>(timer: Timer): Timer {
  timer.unref?.();
  return timer;
}

function warnUncommitted(): void {
  warnOnce(
    "SESSION_SETS_UNCOMMITTED",
    "The session of a Request has a cookie to set, and no response was given to its commit: answer with session.commit(response), also where a redirect or an error is thrown; the user is not signed in else",
  );
}

/** What a framework lets set cookies by, as `cookies()` of Next.js does. */
export interface CookieStore {
  /** Sets a cookie on the response to come. */
  set(name: string, value: string, attributes: SetCookieAttributes): unknown;
}

/** What there is of a request where a framework gives no Request: its headers, and perhaps its cookies. */
export interface RequestParts {
  readonly headers: RequestHeaders;
  /** Left out, no cookie can be set. */
  readonly cookies?: CookieStore;
}

const cookieStores = new WeakMap<object, CookieStore>();

/**
 * A request of which a framework shows parts; it makes the response itself. Where the Request that the
 * headers are of has been given, too, and no cookies, they go out with the Response to that.
 */
export class PartsExchange implements Exchange {
  readonly proxySetting = "trustProxy: true";
  readonly body = undefined;
  readonly #request: FetchExchange;
  readonly #headers: RequestHeaders;
  readonly #set = new Map<string, SetCookieInParts>();
  readonly #secure: boolean;
  readonly #findRequest: () => FetchExchange | undefined;

  /** @param findRequest gives the exchange of the Request, where that is known. */
  constructor(
    { headers }: RequestParts,
    secure: boolean,
    findRequest: () => FetchExchange | undefined = () => undefined,
  ) {
    this.#secure = secure;
    this.#request = new FetchExchange(headers, secure);
    this.#headers = headers;
    this.#findRequest = findRequest;
  }

  /** The last cookies that were given count; a helper may have read with the headers alone before. */
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
    return whole === undefined
      ? "there is only { headers } of the request, and no way to its response; give { headers, cookies }, with what cookies() of Next.js resolves to"
      : whole.fault;
  }

  requestHeader(name: string): string | undefined {
    return this.#request.requestHeader(name);
  }

  sendCookie(key: string, cookie: SetCookieInParts | null): void {
    if (cookieStores.get(this.#headers) === undefined) {
      this.#findRequest()?.sendCookie(key, cookie);
      return;
    }
    const sent = this.#set.get(key);
    if (cookie !== null) {
      // A second cookie of one name, such as that of the host, would take the first one's place.
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
      if (attributes.maxAge === 0) return; // what it leads to is ended all the same
      throw new SessionError(
        "ERR_COOKIE",
        "The cookie cannot be set: the framework's cookies refuse it; in Next.js change the session in a Server Action or a Route Handler, not while a page is rendered",
        { cause, cookie: name },
      );
    }
  }

  /** The framework says nothing of other headers, and makes answers to actions that no cache keeps. */
  sendHeader(name: string, value: string): void {
    this.#findRequest()?.sendHeader(name, value);
  }

  restrictCaching(caching: Caching): void {
    this.#findRequest()?.restrictCaching(caching);
  }

  commit<Answer extends FetchResponse>(response: Answer): Answer {
    return this.#findRequest()?.commit(response) ?? response;
  }
}
