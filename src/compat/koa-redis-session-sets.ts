export type { Duration } from "../durations.ts";
export type { RedisClient } from "../store/redis/clients/connect.ts";
export type { MoveProgress } from "../store/redis/old-sessions.ts";
export type { KoaCookieContext } from "./koa-redis-session-sets/cookie.ts";
export type { KoaCookieOptions } from "./koa-redis-session-sets/cookie-options.ts";
export {
  type KoaRedisSessionSets,
  type KoaSessionContext,
  koaRedisSessionSets as default,
  koaRedisSessionSets as "module.exports",
} from "./koa-redis-session-sets/middleware.ts";
export type { KoaRedisSessionSetsOptions } from "./koa-redis-session-sets/options.ts";
export type { KoaSession } from "./koa-redis-session-sets/session.ts";
export type { KoaSessionData, KoaSessionStore } from "./koa-redis-session-sets/store.ts";
export type { MoveOptions } from "./shared/moving.ts";
