export { type RedisClient, type RedisStoreOptions, redisStore } from "./store/redis/redis-store.ts";
