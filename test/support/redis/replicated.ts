/* A master and its replicas of the tests' own, on free ports of this machine. */
import { Redis } from "ioredis";
import { eventually } from "../eventually.ts";
import { type RedisServer, startRedis } from "./server.ts";

export interface Replicated {
  readonly master: RedisServer;
  readonly replicas: readonly RedisServer[];
  stop(): Promise<void>;
}

/** Starts a master with this many replicas, and waits until they follow it. */
export async function startReplicated(count: number, password = ""): Promise<Replicated> {
  const guard = password ? ["--requirepass", password, "--masterauth", password] : [];
  const args = ["--repl-diskless-sync-delay", "0", ...guard];
  const master = await startRedis({ args });
  const of = ["--replicaof", "127.0.0.1", String(master.port)];
  const replicas = await Promise.all(
    Array.from({ length: count }, () => startRedis({ args: [...args, ...of] })),
  );
  const admin = new Redis(master.port, password ? { password } : {});
  await admin.flushall(); // something to acknowledge, which they do a while after they have joined
  await eventually("acknowledgements", count, () => admin.wait(count, 100));
  admin.disconnect();
  return {
    master,
    replicas,
    stop: async () => void (await Promise.all([master, ...replicas].map((one) => one.stop()))),
  };
}
