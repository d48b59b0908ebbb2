import { SessionError } from "../errors.ts";
import { type Exchange, withCookies } from "./exchange.ts";

/** What sessions use of a Request (WHATWG Fetch). */
export interface FetchRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: RequestHeaders;
}

/** What sessions use of a Response (WHATWG Fetch). */
export interface FetchResponse {
  readonly status: number;
  readonly body: unknown;
  readonly headers: ResponseHeaders;
}

/** What sessions use of a Request's Headers. */
export interface RequestHeaders {
  /** The value of a header, or null. */
  get(name: string): string | null;
}

/** What sessions use of a Response's Headers. */
export interface ResponseHeaders extends RequestHeaders {
  /** The values of all Set-Cookie headers. */
  getSetCookie(): string[];
  /** Adds a value. */
  append(name: string, value: string): void;
  /** Replaces all values. */
  set(name: string, value: string): void;
  /** Removes all values. */
  delete(name: string): void;
}

/** A Request and the Response to come as an exchange. */
export class FetchExchange implements Exchange {
  readonly secure: boolean;
  /** A stream that is read but once, so that it is left to the application. */
  readonly body = undefined;
  readonly #request: FetchRequest;
  readonly #cookies = new Map<string, string>();
  #cached = true;
  #committed = false;

  constructor(request: FetchRequest, secure: boolean) {
    this.#request = request;
    this.secure = secure;
  }

  get headersSent(): boolean {
    return this.#committed;
  }

  requestHeader(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  sendCookie(name: string, setCookie: string): void {
    this.#cookies.set(name, setCookie);
  }

  forbidCaching(): void {
    this.#cached = false;
  }

  /**
   * A response with what the session has to send: the same one where its headers can be changed. No
   * cookie can be set after it.
   *
   * @throws SessionError ERR_COOKIE where the response can carry no headers of the application.
   */
  commit<Answer extends FetchResponse>(response: Answer): Answer {
    this.#committed = true;
    if (this.#cached && this.#cookies.size === 0) return response;
    try {
      this.#write(response);
      return response;
    } catch {
      const copy = changeable(response);
      this.#write(copy);
      return copy;
    }
  }

  #write({ headers }: FetchResponse): void {
    if (headers.get("cache-control") === null) headers.set("cache-control", "no-store");
    const cookies = withCookies(headers.getSetCookie(), this.#cookies);
    headers.delete("set-cookie");
    for (const cookie of cookies) headers.append("set-cookie", cookie);
  }
}

/** A response that came from elsewhere, or is a redirection, has headers that cannot be changed. */
function changeable<Answer extends FetchResponse>(response: Answer): Answer {
  try {
    return Reflect.construct(Response, [response.body, response]);
  } catch (cause) {
    throw new SessionError(
      "ERR_COOKIE",
      `The cookie cannot be set: a response of status ${response.status} can be neither changed nor copied; answer with another one`,
      { cause },
    );
  }
}
