export {
  csrfGuard,
  type HonoContext,
  type HonoRequirement,
  type HonoSessions,
  honoSessions,
  type SessionVariables,
} from "./adapters/hono.ts";
export type { FetchSessionsOptions } from "./adapters/shared-fetch.ts";
export type { SignedSessionsOptions } from "./http/bind.ts";
export type {
  FetchRequest,
  FetchResponse,
  PlatformResponse,
  RequestHeaders,
  ResponseHeaders,
} from "./http/exchange/fetch-types.ts";
export type { TrustProxyOption } from "./http/exchange/request-origin.ts";
export type * from "./http/request-types.ts";
