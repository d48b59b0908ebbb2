/*
 * A Redis server for each worker, so that no test waits for the keys and the commands of another one
 * that runs beside it. Tests find it by `redisUrl`, in support/redis/shared.ts.
 */
import type { TestProject } from "vitest/node";
import { startRedis } from "../redis/server.ts";
import { once } from "./once.ts";

declare module "vitest" {
  export interface ProvidedContext {
    redisUrls: readonly string[];
  }
}

export default async function setup({
  provide,
  vitest,
}: TestProject): Promise<() => Promise<void>> {
  const workers = Math.max(1, Number(vitest.config.maxWorkers) || 1);
  const servers = await once("redis", () =>
    Promise.all(Array.from({ length: workers }, () => startRedis())),
  );
  provide(
    "redisUrls",
    servers.map(({ url }) => url),
  );
  // Vitest takes all projects down together, and the second time does nothing.
  return async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
}
