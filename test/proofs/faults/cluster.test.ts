/*
 * A master of a cluster that is killed under load, when its replica lags behind: that one is promoted,
 * and it comes back as a replica.
 */
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { DOWN, MOVING, NO_REPLICA, NO_SLOTS, underLoad } from "../../support/proofs/fault-run.ts";
import { startCluster } from "../../support/redis/cluster.ts";
import type { RedisServer } from "../../support/redis/server.ts";
import { clusterClients } from "../../support/stores/clients.ts";

const TIMEOUT = 500;
/** On all masters. */
const SHARDS = 7;

test.concurrent.each(Object.entries(clusterClients))(
  "%s: a master is killed, its replica is promoted, and it comes back as a replica",
  async (kind, connect) => {
    const cluster = await startCluster({ replicated: true, takeover: "on its own" });
    const [killed, second, third] = cluster.masters as [RedisServer, RedisServer, RedisServer];
    const heir = cluster.replicas[0] as RedisServer;
    const { client, close } = await connect(second.port);
    try {
      const { load, finish } = underLoad(`a cluster, ${kind}`, client, {
        timeout: TIMEOUT,
        shards: SHARDS,
        replicas: kind.includes("GLIDE") ? undefined : 1, // whose client cannot wait for replicas
      });
      await load.until("done", 300);
      await leaveBehind(heir, killed);
      await load.until("done", 300);
      await killed.kill();
      heir.resume();
      await cluster.takenOver(heir);
      await load.until("done", 300);
      expect(load.counts.refused).toBeGreaterThan(0);

      await killed.restart();
      await cluster.inStep(killed);
      await cluster.failNoMore();
      await load.until("done", 300);
      const masters = [heir, second, third].map(({ port }) => port);
      await finish(masters, [...DOWN, MOVING, NO_REPLICA, NO_SLOTS]);
    } finally {
      await close();
      await cluster.stop();
    }
  },
);

/** Cuts a replica off, so that what its master does from now on is lost with that one. */
async function leaveBehind(replica: RedisServer, master: RedisServer): Promise<void> {
  replica.pause();
  const admin = new Redis(master.port);
  await admin.client("KILL", "TYPE", "REPLICA");
  admin.disconnect();
}
