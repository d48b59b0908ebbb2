/* The server of one file of tests, which no other file uses: so all that it is told is this file's. */
import { Redis } from "ioredis";
import { afterAll, beforeAll } from "vitest";
import { startRedis } from "../../support/redis/server.ts";
import { findHang, isHang } from "./checks.ts";
import { Traffic } from "./traffic.ts";
import { type Watch, watch } from "./watch.ts";
import type { Servers } from "./worlds.ts";

/** To be called at the top of a file; what it returns is filled in before its tests run. */
export function useServers(): () => Servers {
  let servers: Servers | undefined;
  let stop = async () => {};
  beforeAll(async () => {
    const { url, stop: stopServer } = await startRedis();
    const traffic = await Traffic.open(url);
    let client = new Redis(url);
    servers = {
      traffic,
      url,
      get client() {
        return client;
      },
      reconnect() {
        client.disconnect();
        client = new Redis(url);
      },
    };
    stop = async () => {
      client.disconnect();
      await traffic.close();
      await stopServer();
    };
  });
  afterAll(() => stop());
  return () => {
    if (!servers) throw new Error("The server has not been started");
    return servers;
  };
}

/** A round on an empty server; nothing is left of it. Resolves to what is wrong. */
export async function inRound(
  servers: Servers,
  work: (watching: Watch) => Promise<string[]>,
): Promise<string[]> {
  const watching = watch();
  try {
    const faults = await work(watching).catch((error) => {
      // What makes a world may have no answer, either.
      const hang = findHang(error);
      if (hang.length === 0) throw error;
      return hang;
    });
    // A command that never ends goes on until its connection does.
    if (faults.some(isHang)) servers.reconnect();
    return faults;
  } finally {
    await servers.traffic.own.flushall();
    watching.stop();
  }
}
