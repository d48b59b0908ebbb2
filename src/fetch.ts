export {
  csrfGuard,
  type FetchSession,
  type FetchSessions,
  fetchSessions,
} from "./adapters/fetch.ts";
export type { FetchSessionsOptions } from "./adapters/shared-fetch.ts";
export type {
  RequestSessionsOptions,
  SessionOf,
  SignedSessionsOptions,
} from "./http/bind.ts";
export type { CarrierName } from "./http/carriers/carriers.ts";
export type { CookieOptions } from "./http/carriers/cookie-options.ts";
export type { CSRFGuardOptions } from "./http/csrf-guard.ts";
export type { SetCookieAttributes } from "./http/exchange/exchange.ts";
export type { CookieStore, RequestParts } from "./http/exchange/fetch-exchange.ts";
export type {
  FetchRequest,
  FetchResponse,
  PlatformResponse,
  RequestHeaders,
  ResponseHeaders,
} from "./http/exchange/fetch-types.ts";
export type { TrustProxyOption } from "./http/exchange/request-origin.ts";
export type { RequireSessionOptions, SignedInSession } from "./http/require-session.ts";
export type {
  ChangedCredentials,
  GivenSession,
  RequestDeleteOptions,
  RequestSignInOptions,
  SignOutOptions,
} from "./http/session/request-options.ts";
export type { RequestSession } from "./http/session/request-session.ts";
