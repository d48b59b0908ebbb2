export {
  csrfGuard,
  type ExpressRequest,
  type ExpressRequirement,
  type ExpressSessions,
  expressSessions,
  type UpgradeRequest,
} from "./adapters/express.ts";
export type { CarrierName } from "./http/carriers.ts";
export type { CookieOptions } from "./http/cookie-options.ts";
export type { CSRFGuardOptions } from "./http/csrf-guard.ts";
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
