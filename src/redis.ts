export type { RedisClient } from "./store/redis/clients/connect.ts";
export type { GlideAnyClient, GlideCluster, GlideSingle } from "./store/redis/clients/glide.ts";
export type { IoredisClient } from "./store/redis/clients/ioredis.ts";
export type {
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisCommandOptions,
  NodeRedisSentinel,
  NodeRedisSingle,
} from "./store/redis/clients/node-redis.ts";
export { type RedisStoreOptions, redisStore } from "./store/redis/redis-store.ts";
