/*
 * One Redis server for all test files, at `inject("redisUrl")`. Each test uses a prefix of its own
 * there; one that fills, freezes or kills a server starts its own with `startRedis`.
 */
import type { TestProject } from "vitest/node";
import { startRedis } from "./support/redis/server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    redisUrl: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const server = await startRedis();
  provide("redisUrl", server.url);
  return () => server.stop();
}
