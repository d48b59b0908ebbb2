export { redisStore } from "./store/redis/store.ts";
