import type { SessionOf } from "../http/bind.ts";
import type { CSRFGuardOptions } from "../http/csrf-guard.ts";
import { readShown } from "../http/exchange/exchange.ts";
import { isFetchRequest } from "../http/exchange/fetch-exchange.ts";
import type {
  FetchRequest,
  FetchResponse,
  PlatformResponse,
} from "../http/exchange/fetch-types.ts";
import type { TrustProxyOption } from "../http/exchange/request-origin.ts";
import {
  FoundSessions,
  type RequireSessionOptions,
  type SignedInSession,
} from "../http/require-session.ts";
import type { RequestSession } from "../http/session/request-session.ts";
import type { Sessions } from "../sessions/create-sessions.ts";
import type { FieldOf } from "../sessions/types.ts";
import {
  createFetchGuard,
  type FetchSessionsOptions,
  RequestedSessions,
  toResponse,
} from "./shared-fetch.ts";

/** The parts of Hono's context that this adapter uses (Hono 4). */
export interface HonoContext {
  readonly req: { readonly raw: FetchRequest };
  readonly res: FetchResponse;
  /** Sets a variable of the context. */
  readonly set: (name: never, value: never) => void;
}

/**
 * The variables that the middleware adds to `c.var`:
 * `new Hono<{ Variables: SessionVariables<typeof sessions> }>()`.
 */
export interface SessionVariables<AppSessions> {
  session: SessionOf<AppSessions>;
}

/** Hono middleware that gives `c.var.session`. */
export interface HonoSessions<Data extends object, Reference extends string> {
  (c: HonoContext, next: () => Promise<void>): Promise<void>;
  /** The session of a context, typed, after the middleware. Each call returns the same object. */
  of(c: HonoContext): RequestSession<Data, Reference>;
  /**
   * Makes middleware for routes that need a signed-in user. If the session has no value of this field,
   * the middleware answers 401, or sends pages to `redirect`. After it, its own `of(c)` returns the
   * session that it found.
   */
  requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options?: RequireSessionOptions,
  ): HonoRequirement<SignedInSession<Data, Field>>;
}

/** Hono middleware that lets signed-in users in. */
export interface HonoRequirement<Found> {
  (c: HonoContext, next: () => Promise<void>): Promise<PlatformResponse | undefined>;
  /** The session that it found. */
  of(c: HonoContext): Found;
}

/**
 * Sessions for Hono: `app.use(honoSessions(sessions))` gives each request its `c.var.session`. They do
 * not need node:http.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work.
 */
export function honoSessions<Data extends object, Reference extends string>(
  sessions: Sessions<Data, Reference>,
  options: FetchSessionsOptions<Data> = {},
): HonoSessions<Data, Reference> {
  const requested = new RequestedSessions("honoSessions", sessions, options);

  async function middleware(c: HonoContext, next: () => Promise<void>): Promise<void> {
    const session = getSession(c);
    Reflect.apply(c.set, c, ["session", session]);
    await next(); // Hono turns errors in it into responses
    const response = requested.getExchange(c.req.raw, c.req).commit(c.res);
    if (response === c.res) return;
    Object.assign(c, { res: undefined }); // or Hono would copy the old response's headers to the new one
    Object.assign(c, { res: response });
  }

  const getSession = (c: HonoContext) => {
    const { raw } = readHonoRequest(c);
    return requested.getSession(raw, c.req);
  };

  function requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    requirement?: RequireSessionOptions,
  ): HonoRequirement<SignedInSession<Data, Field>> {
    const ask = requested.createRequirement(field, requirement);
    const found = new FoundSessions<SignedInSession<Data, Field>>();
    const middleware = async (
      c: HonoContext,
      next: () => Promise<void>,
    ): Promise<PlatformResponse | undefined> => {
      const { session, refusal } = await ask(readHonoRequest(c).raw, c.req);
      if (refusal) return toResponse(refusal);
      found.put(c.req, session);
      await next();
      return undefined;
    };
    return Object.assign(middleware, { of: (c: HonoContext) => found.get(() => c.req) });
  }

  return requested.registerForTests(Object.assign(middleware, { of: getSession, requireSession }));
}

/**
 * Hono middleware that refuses requests that change something and come from a page of another
 * origin, with ERR_CSRF (403). Put it before the routes and, if tokens come in a bearer header,
 * after `honoSessions`.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an invalid origin.
 */
export function csrfGuard<Context extends HonoContext = HonoContext>(
  options: CSRFGuardOptions<Context> & TrustProxyOption = {},
) {
  const guard = createFetchGuard(options);
  return async (c: HonoContext, next: () => Promise<void>): Promise<void> => {
    guard(readHonoRequest(c).raw, c.req, c as Context);
    await next();
  };
}

/** @throws SessionError ERR_SESSION_CONFIG if it isn't a context of Hono. */
function readHonoRequest(c: HonoContext): HonoContext["req"] {
  const takes = "The middleware, of and requireSession take Hono's context: of(c)";
  const { req } = readShown(
    takes,
    () => c,
    (one) => isFetchRequest(one.req.raw) && typeof one.set === "function",
  );
  return req;
}
