import type { CSRFGuardOptions } from "../http/csrf-guard.ts";
import type { RequestParts } from "../http/exchange/fetch-exchange.ts";
import type {
  FetchRequest,
  FetchResponse,
  PlatformResponse,
} from "../http/exchange/fetch-types.ts";
import type { TrustProxyOption } from "../http/exchange/request-origin.ts";
import type { RequireSessionOptions, SignedInSession } from "../http/require-session.ts";
import type { RequestSession } from "../http/session/request-session.ts";
import type { Sessions } from "../sessions/create-sessions.ts";
import type { FieldOf } from "../sessions/types.ts";
import {
  createFetchGuard,
  type FetchSessionsOptions,
  RequestedSessions,
  readRequest,
  toResponse,
} from "./shared-fetch.ts";

/** The session of a Request. */
export interface FetchSession<Data extends object, Reference extends string>
  extends RequestSession<Data, Reference> {
  /**
   * Returns the response with the cookies of the session: the same object, or a copy if its headers
   * cannot be changed. Answer with that. Call it last, and for answers to errors, too. After it, no
   * cookie can be set.
   *
   * @throws SessionError ERR_COOKIE if the response can carry no cookie.
   */
  commit<Answer extends FetchResponse>(response: Answer): Answer;
}

/** Returns the session of a Request, the same object each time. */
export interface FetchSessions<Data extends object, Reference extends string> {
  (request: FetchRequest): FetchSession<Data, Reference>;
  /**
   * The session for a framework that gives no Request, and makes the response itself. In a Server Action
   * of Next.js: `fetchSession({ headers: await headers(), cookies: await cookies() })`. With the headers
   * alone, the session can be read and ended. Calls that would set a cookie reject with ERR_COOKIE.
   */
  (parts: RequestParts): RequestSession<Data, Reference>;
  /** The same function, under the name that it has in every adapter. */
  of(request: FetchRequest): FetchSession<Data, Reference>;
  /** The same for a framework that gives no Request. */
  of(parts: RequestParts): RequestSession<Data, Reference>;
  /**
   * Makes a function that resolves to the session of a signed-in user. If the session has no value of this
   * field, it resolves to the Response to answer with: a 401, or for pages a redirect to `redirect`.
   */
  requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    options?: RequireSessionOptions,
  ): (request: FetchRequest) => Promise<SignedInSession<Data, Field> | PlatformResponse>;
}

/**
 * Sessions for frameworks that take a Request and return a Response (WHATWG Fetch): Next.js, React
 * Router, SvelteKit, Bun, Deno and others. They do not need node:http.
 *
 * ```ts
 * const fetchSession = fetchSessions(sessions);
 *
 * async function handle(request: Request): Promise<Response> {
 *   const session = fetchSession(request);
 *   await session.set({ theme: "dark" });
 *   return session.commit(Response.json(await session.get()));
 * }
 * ```
 *
 * @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work.
 */
export function fetchSessions<Data extends object, Reference extends string>(
  sessions: Sessions<Data, Reference>,
  options: FetchSessionsOptions<Data> = {},
): FetchSessions<Data, Reference> {
  const requested = new RequestedSessions("fetchSessions", sessions, options);

  function getSession(request: FetchRequest): FetchSession<Data, Reference>;
  function getSession(parts: RequestParts): RequestSession<Data, Reference>;
  function getSession(request: FetchRequest | RequestParts): RequestSession<Data, Reference> {
    return requested.getSessionOfShown(SESSION_TAKES, request);
  }

  function requireSession<Field extends Reference & FieldOf<Data>>(
    field: Field,
    requirement?: RequireSessionOptions,
  ) {
    const ask = requested.createRequirement(field, requirement);
    return async (
      request: FetchRequest,
    ): Promise<SignedInSession<Data, Field> | PlatformResponse> => {
      const { session, refusal } = await ask(readRequest(REQUIREMENT_TAKES, () => request));
      return session ?? requested.getSession(request).commit(toResponse(refusal));
    };
  }

  return requested.registerForTests(Object.assign(getSession, { of: getSession, requireSession }));
}

/**
 * Makes a function that throws ERR_CSRF (403) for a Request that changes something and comes from a page
 * of another origin. Call it before anything else, but if tokens come in a bearer header, after the
 * function of the session.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an invalid origin.
 */
export function csrfGuard<Request extends FetchRequest = FetchRequest>(
  options: CSRFGuardOptions<Request> & TrustProxyOption = {},
) {
  const guard = createFetchGuard(options);
  return (request: FetchRequest): void => {
    const shown = readRequest(GUARD_TAKES, () => request);
    guard(shown, shown, shown as Request);
  };
}

const SESSION_TAKES =
  "The function of fetchSessions takes a Request, or the { headers, cookies } of one: fetchSession(request)";
const REQUIREMENT_TAKES = "The function of requireSession takes a Request: await signedIn(request)";
const GUARD_TAKES = "The function of csrfGuard takes a Request: guard(request)";
