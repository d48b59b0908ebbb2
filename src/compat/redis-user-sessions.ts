export type { MoveProgress } from "../migrate/migrator.ts";
export type { MoveOptions } from "../migrate/options.ts";
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
export { migrateSessions, moveSessions } from "./redis-user-sessions/migration.ts";
