import type { CSRFGuardOptions } from "../http/csrf-guard.ts";
import type { FetchRequest, FetchResponse } from "../http/fetch-exchange.ts";
import { type FetchSessionsOptions, fetchedSessions, fetchGuard } from "../http/fetch-sessions.ts";
import type { TrustProxyOption } from "../http/forwarded.ts";
import type { RequestSession } from "../http/request-session.ts";
import type { SessionOf } from "../http/request-sessions.ts";
import type { Sessions } from "../sessions/sessions.ts";

/** What this adapter uses of Hono's context (Hono 4). */
export interface HonoContext {
  readonly req: { readonly raw: FetchRequest };
  readonly res: FetchResponse;
  /** Sets a variable of the context. */
  readonly set: (name: never, value: never) => void;
}

/**
 * What `c.var` has under the middleware:
 * `new Hono<{ Variables: SessionVariables<typeof sessions> }>()`.
 */
export interface SessionVariables<AppSessions> {
  session: SessionOf<AppSessions>;
}

/** Hono middleware that gives `c.var.session`. */
export interface HonoSessions<Data extends object, Reference extends string> {
  (c: HonoContext, next: () => Promise<void>): Promise<void>;
  /** The session of a context, typed, under the middleware; the same one each time. */
  createSession(c: HonoContext): RequestSession<Data, Reference>;
}

/**
 * Sessions for Hono: `app.use(honoSessions(sessions))` gives each request its `c.var.session`. It
 * needs no node:http.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work.
 */
export function honoSessions<Data extends object, Reference extends string>(
  sessions: Sessions<Data, Reference>,
  options: FetchSessionsOptions<Data> = {},
): HonoSessions<Data, Reference> {
  const sessionOf = fetchedSessions("honoSessions", sessions, options);

  async function middleware(c: HonoContext, next: () => Promise<void>): Promise<void> {
    const { session, exchange } = sessionOf(c.req.raw, c.req);
    Reflect.apply(c.set, c, ["session", session]);
    await next(); // whose errors Hono has made responses of
    const response = exchange.commit(c.res);
    if (response === c.res) return;
    Object.assign(c, { res: undefined }); // else Hono gives the new one the old one's headers
    Object.assign(c, { res: response });
  }

  const createSession = (c: HonoContext) => sessionOf(c.req.raw, c.req).session;
  return Object.assign(middleware, { createSession });
}

/**
 * Hono middleware that refuses requests that change something and come from a page of another
 * origin, with ERR_CSRF (403). Put it before the routes; where tokens come by a bearer header,
 * after `honoSessions`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an origin that is none.
 */
export function csrfGuard(options: CSRFGuardOptions & TrustProxyOption = {}) {
  const guard = fetchGuard(options);
  return async ({ req }: HonoContext, next: () => Promise<void>): Promise<void> => {
    guard(req.raw, req);
    await next();
  };
}
