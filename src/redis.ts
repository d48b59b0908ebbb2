export { type RedisClient, type RedisStoreOptions, redisStore } from "./store/redis/store.ts";
