/* The types of request sessions that the entry of each adapter exports. */
export type { RequestSessionsOptions, SessionOf } from "./bind.ts";
export type { CarrierName } from "./carriers/carriers.ts";
export type { CookieOptions } from "./carriers/cookie-options.ts";
export type { CSRFGuardOptions } from "./csrf-guard.ts";
export type { RequireSessionOptions, SignedInSession } from "./require-session.ts";
export type {
  ChangedCredentials,
  GivenSession,
  RequestDeleteOptions,
  RequestSignInOptions,
  SignOutOptions,
} from "./session/request-options.ts";
export type { RequestSession } from "./session/request-session.ts";
