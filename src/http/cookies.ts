import { parseCookie, stringifySetCookie } from "cookie";
import { SessionError } from "../errors.ts";
import type { CookieConfig } from "./cookie-options.ts";
import type { Exchange } from "./exchange.ts";
import type { Signer } from "./signer.ts";

/** Reads and sets the library's cookies in one exchange. */
export class Cookies {
  readonly #config: CookieConfig;
  readonly #signer: Signer | null;
  readonly #exchange: Exchange;

  constructor(config: CookieConfig, signer: Signer | null, exchange: Exchange) {
    this.#config = config;
    this.#signer = signer;
    this.#exchange = exchange;
  }

  /**
   * The first value of a cookie that is `wellFormed`, and rightly signed; null without one. A browser
   * may send a name several times, for several paths and domains, and does not say which is whose.
   */
  get(name: string, wellFormed: (value: string) => boolean): string | null {
    const pairs = (this.#exchange.requestHeader("cookie") ?? "").split(";");
    for (const pair of pairs) {
      const sent = parseCookie(pair)[name];
      if (sent === undefined) continue;
      const value = this.#signer ? unsigned(this.#signer, name, sent) : sent;
      if (value !== null && wellFormed(value)) return value;
    }
    return null;
  }

  /** Why no cookie can be set now, or null. */
  get fault(): string | null {
    if (this.#exchange.headersSent) {
      return "the headers of the response are sent already; change the session before the body is sent";
    }
    if (this.#secure && !this.#exchange.secure) {
      return "it is Secure and the connection does not look secure; behind a proxy that ends TLS, tell the framework to trust it (Koa: app.proxy = true; Express: app.set('trust proxy', 1); Fastify and, without any of these, the library itself: trustProxy: true), and for development over HTTP leave secure and hostPrefix out";
    }
    return null;
  }

  /** @throws SessionError ERR_COOKIE where no cookie can be set now. */
  check(): void {
    const fault = this.fault;
    if (fault) throw new SessionError("ERR_COOKIE", `The cookie cannot be set: ${fault}`);
  }

  /** Sets a cookie: for `maxAge` seconds, or, where that is null, until the browser is closed. */
  set(name: string, value: string, maxAge: number | null): void {
    this.check();
    const signature = this.#signer ? `.${this.#signer.sign(`${name}=${value}`)}` : "";
    const setCookie = stringifySetCookie(
      {
        ...this.#config.attributes,
        name,
        value: value + signature,
        httpOnly: true,
        secure: this.#secure,
        ...(maxAge === null ? {} : { maxAge }),
      },
      { encode: (text) => text },
    );
    this.#exchange.sendCookie(name, setCookie);
    // A shared cache must not give one user's cookie to another.
    this.#exchange.forbidCaching();
  }

  clear(name: string): void {
    this.set(name, "", 0);
  }

  get #secure(): boolean {
    return this.#config.secure ?? this.#exchange.secure;
  }
}

function unsigned(signer: Signer, name: string, value: string): string | null {
  const dot = value.lastIndexOf(".");
  const text = value.slice(0, Math.max(dot, 0));
  return signer.verify(`${name}=${text}`, value.slice(dot + 1)) ? text : null;
}
