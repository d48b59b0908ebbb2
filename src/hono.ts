export {
  csrfGuard,
  type HonoContext,
  type HonoRequirement,
  type HonoSessions,
  honoSessions,
  type SessionVariables,
} from "./adapters/hono.ts";
export type { CarrierName } from "./http/carriers.ts";
export type { CookieOptions } from "./http/cookie-options.ts";
export type { CSRFGuardOptions } from "./http/csrf-guard.ts";
export type { FetchSessionsOptions } from "./http/fetch-sessions.ts";
export type {
  FetchRequest,
  FetchResponse,
  PlatformResponse,
  RequestHeaders,
  ResponseHeaders,
} from "./http/fetch-types.ts";
export type { TrustProxyOption } from "./http/forwarded.ts";
export type {
  ChangedCredentials,
  GivenSession,
  RequestDeleteOptions,
  RequestSignInOptions,
  SignOutOptions,
} from "./http/request-options.ts";
export type { RequestSession } from "./http/request-session.ts";
export type {
  RequestSessionsOptions,
  SessionOf,
  SignedSessionsOptions,
} from "./http/request-sessions.ts";
export type { RequireSessionOptions, SignedInSession } from "./http/require-session.ts";
