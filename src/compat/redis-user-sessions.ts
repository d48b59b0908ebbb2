export type { MigrateProgress } from "../migrate/migrator.ts";
export type { MigrateOptions } from "../migrate/options.ts";
export type {
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisCommandOptions,
  NodeRedisSentinel,
  NodeRedisSingle,
} from "../store/redis/wire/clients/node-redis.ts";
export type { WithClient, WithSessionId, WithUserId } from "./redis-user-sessions/calls.ts";
export {
  createSession,
  deleteSession,
  deleteUserSessions,
  getUserSessions,
  type ListedSession,
  type ReadData,
  readSession,
  type SessionData,
  updateSession,
  updateUserSessions,
} from "./redis-user-sessions/functions.ts";
export { migrateOnUse, migrateSessions } from "./redis-user-sessions/old-sessions.ts";
