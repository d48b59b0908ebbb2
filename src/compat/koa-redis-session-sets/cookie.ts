import type { IncomingMessage, ServerResponse } from "node:http";
import { answerBy, NodeExchange } from "../../http/exchange/node-exchange.ts";
import { SessionError } from "../../shared/errors.ts";
import type { KoaCookieOptions, Settings } from "./options.ts";

/** What is used of Koa's context (Koa 2 and 3). */
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

/** The cookie that carries the token of a session, by Koa's own `ctx.cookies`. */
export class KoaCookie {
  readonly #ctx: KoaCookieContext;
  readonly #name: string;
  readonly #options: KoaCookieOptions & { readonly signed: boolean };
  readonly #exchange: NodeExchange;

  constructor(ctx: KoaCookieContext, { cookieName, cookie }: Settings) {
    const { signed = Boolean(ctx.app.keys) } = cookie;
    this.#ctx = ctx;
    this.#name = cookieName;
    this.#options = { ...cookie, signed };
    const view = { proxySetting: "app.proxy = true", secure: ctx.secure };
    answerBy(ctx.req, ctx.res);
    this.#exchange = new NodeExchange(ctx.req, view);
  }

  get(): string | undefined {
    return this.#ctx.cookies.get(this.#name, { signed: this.#options.signed });
  }

  /**
   * To be called before the store is touched, so that no session is made whose cookie cannot be sent.
   *
   * @throws SessionError ERR_COOKIE where the cookie cannot be set now.
   */
  check(): void {
    const fault = this.#fault();
    if (!fault) return;
    throw new SessionError("ERR_COOKIE", `The session cookie cannot be set: ${fault}`, {
      cookie: this.#name,
    });
  }

  /** Whether the cookie can be set now. */
  get settable(): boolean {
    return !this.#fault();
  }

  #fault(): string | false | null | undefined {
    const { fault, secure } = this.#exchange;
    return (
      fault ||
      (this.#options.secure &&
        !secure &&
        "it is Secure and the connection does not look secure; behind a proxy that ends TLS, set app.proxy = true") ||
      (this.#options.signed && !this.#ctx.app.keys && "it is to be signed, and app.keys is not set")
    );
  }

  /** Sends a token for `maxAge` ms. */
  set(token: string, maxAge: number): void {
    this.#send(token, { ...this.#options, maxAge });
  }

  clear(): void {
    this.#send(null, this.#options);
  }

  #send(value: string | null, options: object): void {
    this.#ctx.cookies.set(this.#name, value, options);
    // Koa drops the headers of a response that becomes an error; the cookies get out all the same.
    const lines = [this.#ctx.res.getHeader("set-cookie") ?? []].flat().map(String);
    for (const name of [this.#name, `${this.#name}.sig`]) {
      const line = lines.findLast((cookie) => cookie.startsWith(`${name}=`));
      if (line !== undefined) this.#exchange.sendCookie(name, { name, header: line });
    }
    this.#exchange.restrictCaching({ kind: "no-store", vary: ["Cookie"], yields: false });
  }
}
