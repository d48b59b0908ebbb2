export type { IoredisClient } from "./store/redis/ioredis.ts";
export { type RedisClient, type RedisStoreOptions, redisStore } from "./store/redis/redis-store.ts";
