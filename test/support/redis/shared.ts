/* The Redis server of a test file: its worker's, which is empty when the file begins. */
import { inject } from "vitest";

/** Such as `redis://127.0.0.1:12345`. A test that fills, freezes or kills a server starts its own with `startRedis`. */
export function redisUrl(): string {
  const urls = inject("redisUrls");
  const url = urls[(Number(process.env.VITEST_POOL_ID) - 1) % urls.length];
  if (url === undefined) throw new Error("Only a test has a Redis server of its own.");
  return url;
}
