import type { IncomingMessage, ServerResponse } from "node:http";
import { misconfigured, refuseUnknownKeys } from "../errors.ts";
import { type CookieConfig, type CookieOptions, cookieConfig } from "../http/cookie-options.ts";
import { Cookies } from "../http/cookies.ts";
import { CSRFTokens, preSessionName } from "../http/csrf.ts";
import { type CSRFGuardOptions, createGuard } from "../http/csrf-guard.ts";
import type { Exchange } from "../http/exchange.ts";
import { RequestSession } from "../http/request-session.ts";
import { SessionCookie } from "../http/session-cookie.ts";
import { createSigner, type Signer } from "../http/signer.ts";
import { engineOf, type Sessions } from "../sessions/sessions.ts";

/** What this adapter uses of Koa's context (Koa 2 and 3). */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly method: string;
  readonly host: string;
  readonly secure: boolean;
  readonly app: { readonly keys?: unknown };
}

/**
 * What `ctx` has under the middleware:
 * `new Koa<Koa.DefaultState, SessionContext<typeof sessions>>()`.
 */
export interface SessionContext<AppSessions> {
  session: AppSessions extends Sessions<infer Data, infer Reference>
    ? RequestSession<Data, Reference>
    : never;
}

/** How Koa's requests get their sessions. */
export interface KoaSessionsOptions<Data> {
  /** The session cookie. */
  cookie?: CookieOptions<Data>;
  /**
   * Whether the cookies are signed with Koa's `app.keys`. Tokens cannot be guessed, so it adds
   * little but that forged ones are refused without a round trip.
   * @default false
   */
  signed?: boolean;
  /**
   * Whether `set` and `unset` give the session a new token when they change a reference that says
   * who the user is. Switched off, sign-in must call `rotate` itself.
   * @default true
   */
  rotate?: boolean;
}

/** Koa middleware that gives `ctx.session`. */
export interface KoaSessions<Data extends object, Reference extends string> {
  (
    ctx: KoaContext & { session?: RequestSession<Data, Reference> },
    next: () => Promise<unknown>,
  ): Promise<void>;
  /** The session of a context, without the middleware; the same one each time. */
  createSession(ctx: KoaContext): RequestSession<Data, Reference>;
}

/**
 * Sessions for Koa: `app.use(koaSessions(sessions))` gives each request its `ctx.session`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work.
 */
export function koaSessions<Data extends object, Reference extends string>(
  sessions: Sessions<Data, Reference>,
  options: KoaSessionsOptions<Data> = {},
): KoaSessions<Data, Reference> {
  refuseUnknownKeys("koaSessions", options, ["cookie", "signed", "rotate"]);
  const { signed = false, rotate = true } = options;
  if (typeof signed !== "boolean") throw misconfigured("signed must be true or false");
  if (typeof rotate !== "boolean") throw misconfigured("rotate must be true or false");
  const config = cookieConfig(options.cookie);
  const engine = engineOf(sessions);
  if (!engine) throw misconfigured("koaSessions takes what createSessions returns");
  const made = new WeakMap<object, RequestSession<Data, Reference>>();

  function createSession(ctx: KoaContext): RequestSession<Data, Reference> {
    const present = made.get(ctx.req);
    if (present) return present;
    const cookies = new Cookies(
      config,
      signed ? signerOf(ctx.app.keys) : null,
      exchangeOf(ctx, config),
    );
    const session = new RequestSession<Data, Reference>({
      engine: engine as NonNullable<typeof engine>,
      cookie: new SessionCookie(cookies, config),
      csrf: new CSRFTokens(cookies, config.name),
      rotate,
    });
    made.set(ctx.req, session);
    return session;
  }

  async function middleware(
    ctx: KoaContext & { session?: RequestSession<Data, Reference> },
    next: () => Promise<unknown>,
  ): Promise<void> {
    ctx.session = createSession(ctx);
    await next();
  }

  return Object.assign(middleware, { createSession });
}

/**
 * Koa middleware that refuses requests that change something and come from a page of another
 * origin, with ERR_CSRF (403). Put it before the routes; it needs no session.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an origin that is none.
 */
export function csrfGuard(options: CSRFGuardOptions = {}) {
  const guard = createGuard(options);
  return async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    const { headers } = ctx.req;
    const { method, host, secure } = ctx;
    guard({ method, host, secure, header: (name) => headerOf(headers[name]) });
    await next();
  };
}

function exchangeOf(ctx: KoaContext, config: CookieConfig): Exchange {
  return {
    get secure() {
      return ctx.secure;
    },
    get headersSent() {
      return ctx.res.headersSent;
    },
    requestHeader: (name) => headerOf(ctx.req.headers[name]),
    responseHeader: (name) => {
      const value = ctx.res.getHeader(name);
      return typeof value === "number" ? String(value) : value;
    },
    setResponseHeader: (name, value) => {
      ctx.res.setHeader(name, value);
      if (name === "set-cookie") keepCookies(ctx, config);
    },
  };
}

function headerOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** `app.keys` as Koa takes them: a Keygrip, or a list of keys, for which HMAC-SHA-256 is used. */
function signerOf(keys: unknown): Signer {
  if (
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.every((key) => typeof key === "string" && key !== "")
  ) {
    return createSigner(keys as [string, ...string[]]);
  }
  if (isSigner(keys)) return keys;
  throw misconfigured("signed cookies need app.keys: a list of secret strings, or a Keygrip");
}

function isSigner(keys: unknown): keys is Signer {
  const { sign, verify } = (keys ?? {}) as Partial<Signer>;
  return typeof sign === "function" && typeof verify === "function";
}

/**
 * Koa drops the response's headers when it answers an error: without this, a request that signs in
 * and then fails would leave the browser with the old, dead token. The cookies are put back when the
 * head is written. The error does not carry them: it may be logged, and one error object may be
 * thrown for several users.
 */
function keepCookies({ res }: KoaContext, { name }: CookieConfig): void {
  const ours = [name, preSessionName(name)];
  const cookies = setCookies(res).filter((cookie) => ours.includes(nameOf(cookie)));
  if (cookies.length === 0) return;
  const { writeHead } = res;
  res.writeHead = (...args: unknown[]): ServerResponse => {
    const present = setCookies(res);
    const dropped = cookies.filter((cookie) => !present.map(nameOf).includes(nameOf(cookie)));
    if (dropped.length > 0) {
      res.setHeader("set-cookie", [...present, ...dropped]);
      if (!res.hasHeader("cache-control")) res.setHeader("cache-control", "no-store");
    }
    return Reflect.apply(writeHead, res, args);
  };
}

function setCookies(res: ServerResponse): string[] {
  return [res.getHeader("set-cookie") ?? []].flat().map(String);
}

function nameOf(cookie: string): string {
  return cookie.split("=", 1)[0] ?? "";
}
