export {
  csrfGuard,
  type ExpressRequest,
  type ExpressRequirement,
  type ExpressSessions,
  expressSessions,
  type UpgradeRequest,
} from "./adapters/express.ts";
export type {
  RequestSessionsOptions,
  SessionOf,
  SignedSessionsOptions,
} from "./http/bind.ts";
export type { CarrierName } from "./http/carriers/carriers.ts";
export type { CookieOptions } from "./http/carriers/cookie-options.ts";
export type { CSRFGuardOptions } from "./http/csrf-guard.ts";
export type { RequireSessionOptions, SignedInSession } from "./http/require-session.ts";
export type {
  ChangedCredentials,
  GivenSession,
  RequestDeleteOptions,
  RequestSignInOptions,
  SignOutOptions,
} from "./http/session/request-options.ts";
export type { RequestSession } from "./http/session/request-session.ts";
