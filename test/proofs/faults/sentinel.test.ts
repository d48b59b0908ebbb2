/* Sentinels that make a replica the master under load: the old master crashed, or they were told to. */
import { expect, test } from "vitest";
import { DOWN, NO_REPLICA, underLoad } from "../../support/proofs/fault-run.ts";
import { startSentinel } from "../../support/redis/sentinel.ts";
import { sentinelClients } from "../../support/stores/clients.ts";

const TIMEOUT = 500;

test.concurrent.each(Object.entries(sentinelClients))(
  "%s: a master is killed, comes back as a replica, and is made the master again",
  async (kind, connect) => {
    const sentinel = await startSentinel();
    const { client, close } = await connect(sentinel.port);
    try {
      const { load, finish } = underLoad(`Sentinel, ${kind}`, client, {
        timeout: TIMEOUT,
        replicas: 1,
      });
      await load.until("done", 300);
      const first = await sentinel.master();
      const second = await sentinel.killMaster();
      await load.until("done", 300);
      expect(load.counts.refused).toBeGreaterThan(0);

      await first.restart();
      await sentinel.whole();
      await load.until("done", 300);
      await sentinel.failover();
      const third = await sentinel.waitForSuccessor(second);
      expect(third.port).toBe(first.port);
      await load.until("done", 300);
      await sentinel.whole();
      await finish([third.port], [...DOWN, NO_REPLICA]);
    } finally {
      await close();
      await sentinel.stop();
    }
  },
);
