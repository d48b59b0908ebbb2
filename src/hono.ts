export {
  csrfGuard,
  type HonoContext,
  type HonoRequirement,
  type HonoSessions,
  honoSessions,
  type SessionVariables,
} from "./adapters/hono.ts";
export type { FetchSessionsOptions } from "./adapters/shared-fetch.ts";
export type {
  RequestSessionsOptions,
  SessionOf,
  SignedSessionsOptions,
} from "./http/bind.ts";
export type { CarrierName } from "./http/carriers/carriers.ts";
export type { CookieOptions } from "./http/carriers/cookie-options.ts";
export type { CSRFGuardOptions } from "./http/csrf-guard.ts";
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
