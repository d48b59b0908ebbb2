/* The server of one file of tests, which no other file uses: so all that it is told is this file's. */
import { Redis } from "ioredis";
import { afterAll, beforeAll } from "vitest";
import { startRedis } from "../support/redis-server.ts";
import { Traffic } from "./traffic.ts";
import type { Servers } from "./worlds.ts";

/** To be called at the top of a file; what it returns is filled in before its tests run. */
export function useServers(): () => Servers {
  let servers: Servers | undefined;
  let stop = async () => {};
  beforeAll(async () => {
    const server = await startRedis();
    const traffic = await Traffic.open(server.url);
    const client = new Redis(server.url);
    servers = { traffic, client, url: server.url };
    stop = async () => {
      client.disconnect();
      await traffic.close();
      await server.stop();
    };
  });
  afterAll(() => stop());
  return () => {
    if (!servers) throw new Error("The server has not been started");
    return servers;
  };
}
