export type {
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisCommandOptions,
  NodeRedisSentinel,
  NodeRedisSingle,
} from "../store/redis/clients/node-redis.ts";
export {
  createSession,
  deleteSession,
  deleteUserSessions,
  getUserSessions,
  type ListedSession,
  readSession,
  type SessionData,
  updateSession,
  updateUserSessions,
  type WithClient,
  type WithSessionId,
  type WithUserId,
} from "./redis-user-sessions/functions.ts";
