import type { CSRFGuardOptions } from "../http/csrf-guard.ts";
import type { FetchRequest, FetchResponse } from "../http/fetch-exchange.ts";
import { type FetchSessionsOptions, fetchedSessions, fetchGuard } from "../http/fetch-sessions.ts";
import type { TrustProxyOption } from "../http/forwarded.ts";
import type { RequestSession } from "../http/request-session.ts";
import type { Sessions } from "../sessions/sessions.ts";

/** The session of a Request. */
export interface FetchSession<Data extends object, Reference extends string>
  extends RequestSession<Data, Reference> {
  /**
   * The response with the cookies that the session has to send, to be returned instead: the same
   * object, or a copy where its headers cannot be changed. Call it last, and for answers to errors,
   * too; no cookie can be set after it.
   *
   * @throws SessionError ERR_COOKIE where the response can carry no cookie.
   */
  commit<Answer extends FetchResponse>(response: Answer): Answer;
}

/** The session of a Request; the same one each time. */
export type FetchSessions<Data extends object, Reference extends string> = (
  request: FetchRequest,
) => FetchSession<Data, Reference>;

/**
 * Sessions for whatever takes a Request and gives a Response (WHATWG Fetch): Next.js, React Router,
 * SvelteKit, Bun, Deno and others. It needs no node:http.
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
  const sessionOf = fetchedSessions("fetchSessions", sessions, options);
  return (request) => {
    const { session, exchange } = sessionOf(request, request);
    return Object.assign(session, {
      commit: <Answer extends FetchResponse>(response: Answer) => exchange.commit(response),
    });
  };
}

/**
 * A function that throws ERR_CSRF (403) for a Request that changes something and comes from a page
 * of another origin. Call it before anything else; where tokens come by a bearer header, after the
 * session's function.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unknown option or an origin that is none.
 */
export function csrfGuard(options: CSRFGuardOptions & TrustProxyOption = {}) {
  const guard = fetchGuard(options);
  return (request: FetchRequest): void => guard(request, request);
}
