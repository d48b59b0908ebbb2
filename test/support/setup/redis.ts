/*
 * One Redis server for all test files of a run, at `inject("redisUrl")`. Each test uses a prefix of its own
 * there; one that fills, freezes or kills a server starts its own with `startRedis`.
 */
import type { TestProject } from "vitest/node";
import { startRedis } from "../redis/server.ts";
import { once } from "./once.ts";

declare module "vitest" {
  export interface ProvidedContext {
    redisUrl: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const server = await once("redis", () => startRedis());
  provide("redisUrl", server.url);
  return () => server.stop(); // vitest takes all projects down together, and the second time does nothing
}
