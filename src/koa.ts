export {
  csrfGuard,
  type KoaContext,
  type KoaRequirement,
  type KoaSessions,
  type KoaSessionsOptions,
  koaSessions,
  type SessionContext,
} from "./adapters/koa.ts";
export type * from "./http/request-types.ts";
