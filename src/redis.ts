export { type RedisStoreOptions, redisStore } from "./store/redis/options.ts";
export type { RedisClient } from "./store/redis/wire/clients/connect.ts";
export type {
  GlideAnyClient,
  GlideCluster,
  GlideSingle,
} from "./store/redis/wire/clients/glide.ts";
export type { IoredisClient } from "./store/redis/wire/clients/ioredis.ts";
export type {
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisCommandOptions,
  NodeRedisSentinel,
  NodeRedisSingle,
} from "./store/redis/wire/clients/node-redis.ts";
