/* Endings that wait for replicas, on a cluster and behind Sentinel, while masters change. */
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster5 } from "ioredis-5";
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { computeSlot } from "../../../../../src/store/redis/wire/slots.ts";
import { eventually } from "../../../../support/eventually.ts";
import { type RedisCluster, startCluster } from "../../../../support/redis/cluster.ts";
import { type RedisSentinel, startSentinel } from "../../../../support/redis/sentinel.ts";
import type { RedisServer } from "../../../../support/redis/server.ts";
import { omitMarks } from "../../../../support/stores/clearing-marks.ts";
import {
  type Connect,
  clusterClients,
  type StoreClient,
  sentinelClients,
} from "../../../../support/stores/clients.ts";
import { freshPrefix } from "../../../../support/stores/stores.ts";

interface Data {
  user_id?: number;
}

const ONE = { replicas: 1 };
const waiting = Object.entries(clusterClients).filter(([kind]) => !kind.startsWith("Valkey GLIDE"));

function sessionsOver({ client, close }: StoreClient, prefix = freshPrefix()) {
  const sessions = createSessions<Data>({
    store: redisStore(client, { prefix, timeout: "20 seconds" }),
    references: { user_id: {} },
    idleTimeout: "1 hour",
  });
  return {
    sessions,
    end: async () => {
      await sessions.close();
      await close();
    },
  };
}

describe("on a cluster", () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ replicated: true, takeover: "when told" });
  });
  afterAll(() => cluster.stop());

  async function handOver(from?: RedisServer, to?: RedisServer): Promise<void> {
    if (!from || !to) throw new Error("there is no such node");
    // For a second after one failover the other masters vote for no other.
    await eventually("a node that is promoted", "master", async () => {
      await ask(to.port, (admin) => admin.cluster("FAILOVER")).catch(() => {});
      await sleep(300);
      const [role] = (await ask(to.port, (admin) => admin.call("ROLE"))) as string[];
      return role;
    });
    await cluster.takenOver(to);
    await cluster.inStep(from);
  }

  const port = () => cluster.masters[0]?.port ?? 0;
  const nodes = () => [...cluster.masters, ...cluster.replicas];

  test("the slot of a key is the one that servers say", async () => {
    const admin = new Redis(port());
    for (let i = 0; i < 200; i++) {
      const key = `{${freshPrefix()}:${i}}:s:id`;
      expect(computeSlot(key), key).toBe(await admin.cluster("KEYSLOT", key));
    }
    admin.disconnect();
  });

  describe.each(waiting)("with %s", (_, connect) => {
    test("every shard's ending waits for the replica of its own master", async () => {
      const { sessions, end } = sessionsOver(await connect(port()));
      const set = sessions.by("user_id", 1);
      await Promise.all(Array.from({ length: 100 }, () => sessions.create({ user_id: 1 })));
      const { token } = await sessions.create({ user_id: 1 });
      await sessions.delete(token, ONE);
      expect(await set.clear(ONE)).toBe(100);
      expect(await set.clear(ONE)).toBe(0);
      const sizes = await Promise.all(nodes().map((node) => countKeys(node.port)));
      expect(sizes).toEqual(nodes().map(() => 0)); // the replicas', too

      await Promise.all(Array.from({ length: 100 }, () => sessions.create({ user_id: 1 })));
      cluster.replicas[1]?.pause();
      let settled = false;
      const clearing = set.clear(ONE).finally(() => {
        settled = true;
      });
      const masters = () => Promise.all(cluster.masters.map((master) => blockedOn(master.port)));
      await eventually("one master that waits", [0, 1, 0], masters);
      expect(settled).toBe(false);
      expect(await set.size()).toBe(0);
      cluster.replicas[1]?.resume();
      expect(await clearing).toBe(100);
      await end();
    });
  });

  test.each([
    ["ioredis 5", Cluster5],
    ["ioredis 6", Cluster],
  ])("with %s and its key prefix", async (_, OfCluster) => {
    const prefixes = [{ keyPrefix: "app:" }, { redisOptions: { keyPrefix: "app:" } }];
    for (const options of prefixes) {
      const client = new OfCluster([{ host: "127.0.0.1", port: port() }], options);
      const { sessions, end } = sessionsOver({ client, close: async () => client.disconnect() });
      const { token } = await sessions.create({ user_id: 1 });
      await sessions.create({ user_id: 1 });
      expect(await sessions.delete(token, ONE)).toBe(true);
      expect(await sessions.by("user_id", 1).clear(ONE)).toBe(1);
      const sizes = await Promise.all(nodes().map((node) => countKeys(node.port)));
      expect(sizes).toEqual(nodes().map(() => 0));
      await end();
    }
  });

  test("a master that hands over is followed, by every client", async () => {
    const all = await openAll(waiting, port());
    const [master, replica] = [cluster.masters[0], cluster.replicas[0]];
    for (const [from, to] of [
      [master, replica],
      [replica, master],
    ]) {
      for (const { sessions, set } of all) {
        await set.clear(ONE); // the connections are open
        await Promise.all(Array.from({ length: 100 }, () => sessions.create({ user_id: 1 })));
      }
      await handOver(from, to);
      // No command has told the clients of it.
      for (const { set, kind } of all) {
        const ended = await set.clear(ONE).catch((error) => {
          // redis 5 and 6 close connections, with what is under way, once they learn of the new master.
          if (!/^redis [56]/.test(kind)) throw error;
          expect(error).toMatchObject({
            code: "ERR_STORE_UNAVAILABLE",
            hint: expect.stringContaining("Disconnects client"),
          });
          return null;
        });
        if (ended === null) await set.clear(ONE);
        else expect(ended, kind).toBe(100);
        expect(await set.size(), kind).toBe(0);
      }
    }
    for (const { port } of nodes()) expect(await countKeys(port)).toBe(0);
    for (const { end } of all) await end();
  });
});

describe("behind Sentinel", () => {
  let sentinel: RedisSentinel;
  beforeAll(async () => {
    sentinel = await startSentinel();
  });
  afterAll(() => sentinel.stop());

  test("a failover is followed, by every client", async () => {
    const all = await openAll(Object.entries(sentinelClients), sentinel.port);
    const master = await sentinel.master();
    const tokens: string[] = [];
    for (const { sessions, set } of all) {
      await sessions.create({ user_id: 1 });
      expect(await set.clear(ONE)).toBe(1); // the connection is open
      tokens.push((await sessions.create({ user_id: 1 })).token);
    }
    await sentinel.failover();
    const ends = all.map(async ({ sessions, kind }, i) => {
      // In the middle of it the connection may be lost between the script and its WAIT.
      const seen: unknown[] = [];
      await eventually(`an acknowledged ending with ${kind}`, false, async () => {
        seen.push(await sessions.delete(tokens[i], ONE).catch((error) => error.code));
        return seen.at(-1);
      });
      expect(["ERR_REPLICAS", true, false]).toEqual(expect.arrayContaining(seen));
    });
    await Promise.all(ends);
    await sentinel.waitForSuccessor(master);
    await sentinel.whole();
    for (const { port } of sentinel.servers) expect(await countKeys(port)).toBe(0);
    for (const { end } of all) await end();
  });
});

async function openAll(kinds: (readonly [string, Connect])[], port: number) {
  const opening = kinds.map(async ([kind, connect]) => {
    const { sessions, end } = sessionsOver(await connect(port));
    return { kind, sessions, end, set: sessions.by("user_id", 1) };
  });
  return Promise.all(opening);
}

const countKeys = (port: number) =>
  ask(port, async (admin) => omitMarks(await admin.keys("*")).length);

const blockedOn = (port: number) =>
  ask(port, async (admin) =>
    Number(/blocked_clients:(\d+)/.exec(await admin.info("clients"))?.[1]),
  );

async function ask<T>(port: number, question: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = new Redis(port);
  try {
    return await question(admin);
  } finally {
    admin.disconnect();
  }
}
