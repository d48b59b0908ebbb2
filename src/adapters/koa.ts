import type { IncomingMessage, ServerResponse } from "node:http";
import { misconfigured } from "../errors.ts";
import { type CSRFGuardOptions, createGuard } from "../http/csrf-guard.ts";
import { nodeExchange, nodeHeader } from "../http/node-exchange.ts";
import type { RequestSession } from "../http/request-session.ts";
import {
  isKeys,
  type RequestSessionsOptions,
  requestSessions,
  type SessionOf,
} from "../http/request-sessions.ts";
import { createSigner, type Signer } from "../http/signer.ts";
import type { Sessions } from "../sessions/sessions.ts";

/** What this adapter uses of Koa's context (Koa 2 and 3). */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly request?: { readonly body?: unknown };
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
  session: SessionOf<AppSessions>;
}

/** How Koa's requests get their sessions. */
export interface KoaSessionsOptions<Data> extends RequestSessionsOptions<Data> {
  /**
   * Whether the cookies are signed with Koa's `app.keys`. Tokens cannot be guessed, so it adds
   * little but that forged ones are refused without a round trip.
   * @default false
   */
  signed?: boolean;
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
  const { signed = false } = options;
  if (typeof signed !== "boolean") throw misconfigured("signed must be true or false");
  const sessionOf = requestSessions("koaSessions", sessions, options, ["signed"]);

  function createSession(ctx: KoaContext): RequestSession<Data, Reference> {
    const signer = signed ? koaSigner(ctx.app.keys) : null;
    return sessionOf(ctx.req, () => nodeExchange(ctx.req, ctx.res, viewOf(ctx)), signer);
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
 * origin, with ERR_CSRF (403). Put it before the routes; where tokens come by a bearer header,
 * after `koaSessions`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an origin that is none.
 */
export function csrfGuard(options: CSRFGuardOptions = {}) {
  const guard = createGuard(options);
  return async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    const { req: request, method, host, secure } = ctx;
    guard({ request, method, host, secure, header: (name) => nodeHeader(request, name) });
    await next();
  };
}

function viewOf(ctx: KoaContext) {
  return {
    get secure() {
      return ctx.secure;
    },
    get body() {
      return ctx.request?.body;
    },
  };
}

/** `app.keys` as Koa takes them: a Keygrip, or a list of keys, for which HMAC-SHA-256 is used. */
function koaSigner(keys: unknown): Signer {
  if (isKeys(keys)) return createSigner(keys);
  if (isSigner(keys)) return keys;
  throw misconfigured("signed cookies need app.keys: a list of secret strings, or a Keygrip");
}

function isSigner(keys: unknown): keys is Signer {
  const { sign, verify } = (keys ?? {}) as Partial<Signer>;
  return typeof sign === "function" && typeof verify === "function";
}
