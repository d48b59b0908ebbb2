export {
  csrfGuard,
  type FetchSession,
  type FetchSessions,
  fetchSessions,
} from "./adapters/fetch.ts";
export type { FetchSessionsOptions } from "./adapters/shared-fetch.ts";
export type { SignedSessionsOptions } from "./http/bind.ts";
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
export type * from "./http/request-types.ts";
