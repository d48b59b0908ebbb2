import type { IncomingMessage, ServerResponse } from "node:http";
import { MAX_COOKIE_LIFETIME_MS } from "../../http/carriers/session-cookie.ts";
import { bindResponse, NodeExchange } from "../../http/exchange/node-exchange.ts";
import { SessionError } from "../../shared/errors.ts";
import { type KoaCookieOptions, needsSecure } from "./options/cookie-options.ts";

/** The part of Koa's context that is used (Koa 2 and 3). */
export interface KoaCookieContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly secure: boolean;
  readonly app: { readonly keys?: unknown };
  readonly cookies: {
    /** The value of a cookie of the request. */
    get(name: string, options?: { signed: boolean }): string | undefined;
    /** Puts a cookie on the response. */
    set(name: string, value: string | null, options?: object): unknown;
  };
}

/**
 * A cookie that carries the token of a session. Koa's own `ctx.cookies` reads and sets it.
 *
 * A token's cookie is sent once, when the token is new. If a request beside a sign-in sent its cookie
 * again, a late response could replace the cookie of the sign-in. So the cookie lasts as long as
 * browsers allow, and the session in Redis decides when it ends.
 */
export class KoaCookie {
  readonly #ctx: KoaCookieContext;
  readonly #name: string;
  readonly #options: KoaCookieOptions & { readonly signed: boolean };
  readonly #needsSecure: boolean;
  readonly #exchange: KoaExchange;
  /** Whether the browser has it, or will have it after this response. */
  #isThere = false;

  constructor(ctx: KoaCookieContext, name: string, cookie: KoaCookieOptions) {
    const { signed = Boolean(ctx.app.keys) } = cookie;
    this.#ctx = ctx;
    this.#name = name;
    this.#options = { ...cookie, signed };
    this.#needsSecure = cookie.secure === true || needsSecure({ ...cookie, key: name });
    bindResponse(ctx.req, ctx.res);
    this.#exchange = new KoaExchange(ctx);
  }

  /** @throws SessionError ERR_COOKIE if the cookie's signature cannot be checked. */
  get(): string | undefined {
    const { res, cookies } = this.#ctx;
    const before = res.getHeader("set-cookie");
    try {
      const value = cookies.get(this.#name, { signed: this.#options.signed });
      // Koa removes a cookie with a wrong signature. A sign-in beside this request may have set a right one.
      if (value === undefined && !res.headersSent) {
        if (before === undefined) res.removeHeader("set-cookie");
        else res.setHeader("set-cookie", before);
      }
      this.#isThere = value !== undefined;
      return value;
    } catch (cause) {
      const fault = this.#findFault() || "Koa cannot read it";
      throw new SessionError("ERR_COOKIE", `The session cookie cannot be read: ${fault}`, {
        cause,
        cookie: this.#name,
      });
    }
  }

  /**
   * Call this before the store is touched, so that no session is made whose cookie cannot be sent.
   *
   * @throws SessionError ERR_COOKIE if the cookie cannot be set now.
   */
  check(): void {
    const fault = this.#findFault();
    if (!fault) return;
    throw new SessionError("ERR_COOKIE", `The session cookie cannot be set: ${fault}`, {
      cookie: this.#name,
    });
  }

  /** Whether the cookie can be set now. */
  get settable(): boolean {
    return !this.#findFault();
  }

  #findFault(): string | false | null | undefined {
    const { fault, secure } = this.#exchange;
    return (
      fault ||
      (this.#needsSecure &&
        !secure &&
        "it is Secure and the connection does not look secure; behind a proxy that ends TLS, set app.proxy = true") ||
      (this.#options.signed && !this.#ctx.app.keys && "it must be signed, and app.keys is not set")
    );
  }

  /** Tells caches that the response depends on the cookie, and with `hasToken` on a session. */
  restrictCaching({ hasToken }: { readonly hasToken: boolean }): void {
    const kind = hasToken ? "private" : "vary";
    this.#exchange.restrictCaching({ kind, vary: ["Cookie"], yields: true });
  }

  /** @throws SessionError ERR_COOKIE if the cookie cannot be set any more. */
  set(token: string): void {
    this.check();
    this.#send(token, { ...this.#options, maxAge: MAX_COOKIE_LIFETIME_MS });
    this.#isThere = true;
  }

  /** Makes the browser drop the cookie, if it has one and the response can still say so. */
  clear(): void {
    if (this.#isThere && this.settable) this.#send(null, this.#options);
    this.#isThere = false;
  }

  #send(value: string | null, options: object): void {
    this.#ctx.cookies.set(this.#name, value, options);
    // Koa drops the headers of a response that becomes an error; the exchange sends the cookies anyway.
    const lines = [this.#ctx.res.getHeader("set-cookie") ?? []].flat().map(String);
    for (const name of [this.#name, `${this.#name}.sig`]) {
      const line = lines.findLast((cookie) => cookie.startsWith(`${name}=`));
      if (line !== undefined) this.#exchange.sendCookie(name, { name, header: line });
    }
    this.#exchange.restrictCaching({ kind: "no-store", vary: ["Cookie"], yields: false });
  }
}

class KoaExchange extends NodeExchange {
  readonly body = undefined;
  readonly proxySetting = "app.proxy = true";
  readonly #ctx: KoaCookieContext;

  constructor(ctx: KoaCookieContext) {
    super(ctx.req);
    this.#ctx = ctx;
  }

  get secure(): boolean {
    return this.#ctx.secure;
  }
}
