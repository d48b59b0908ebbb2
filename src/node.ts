export { csrfGuard, type NodeSessions, nodeSessions } from "./adapters/node.ts";
export type { SignedSessionsOptions } from "./http/bind.ts";
export type { TrustProxyOption } from "./http/exchange/request-origin.ts";
export type * from "./http/request-types.ts";
