export type { MoveProgress } from "../migrate/migrator.ts";
export type { MoveOptions } from "../migrate/options.ts";
export type { Duration } from "../shared/durations.ts";
export type { RedisClient } from "../store/redis/wire/clients/connect.ts";
export type { KoaCookieContext } from "./koa-redis-session-sets/cookie.ts";
export {
  type KoaRedisSessionSets,
  type KoaSessionContext,
  koaRedisSessionSets as default,
  koaRedisSessionSets as "module.exports",
} from "./koa-redis-session-sets/middleware.ts";
export type { KoaCookieOptions } from "./koa-redis-session-sets/options/cookie-options.ts";
export type { KoaRedisSessionSetsOptions } from "./koa-redis-session-sets/options/options.ts";
export type { KoaSession } from "./koa-redis-session-sets/session.ts";
export type { KoaSessionData, KoaSessionStore } from "./koa-redis-session-sets/store.ts";
