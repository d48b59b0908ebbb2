export {
  csrfGuard,
  type ExpressRequest,
  type ExpressRequirement,
  type ExpressSessions,
  expressSessions,
  type UpgradeRequest,
} from "./adapters/express.ts";
export type { SignedSessionsOptions } from "./http/bind.ts";
export type * from "./http/request-types.ts";
