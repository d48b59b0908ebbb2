/* A master and its replicas, of the tests' own. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { type RedisServer, startRedis } from "./redis-server.ts";

export interface Replicated {
  readonly master: RedisServer;
  readonly replicas: readonly RedisServer[];
  /** Ends the master as a crash does and makes a replica the master of its port: nobody else's. */
  stop(): Promise<void>;
}

/** Starts a master with so many replicas, and waits until they follow it. */
export async function startReplicated(count = 1): Promise<Replicated> {
  const master = await startRedis({ args: ["--repl-diskless-sync-delay", "0"] });
  const args = ["--replicaof", "127.0.0.1", String(master.port)];
  const replicas = await Promise.all(Array.from({ length: count }, () => startRedis({ args })));
  for (const { port } of replicas) await follows(port);
  return {
    master,
    replicas,
    stop: async () => void (await Promise.all([master, ...replicas].map((one) => one.stop()))),
  };
}

/** Waits until a server follows its master. */
export async function follows(port: number): Promise<void> {
  const admin = new Redis(port);
  try {
    while (!/master_link_status:up/.test(await admin.info("replication"))) await sleep(10);
  } finally {
    admin.disconnect();
  }
}
