/*
 * What happens to a connection that listens: it is killed, its server is restarted or handed over, its
 * channel moves, or it hangs. Afterwards the store hears again, and has said that it may have missed
 * something. That is mostly waiting: the groups, each with its own servers, wait side by side.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { newIdBeside, newIdInShard } from "session-sets/testing";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { eventually } from "../../../support/eventually.ts";
import { type RedisCluster, startCluster } from "../../../support/redis/cluster.ts";
import {
  findOwner,
  type Move,
  moveAtOnce,
  moveKeyByKey,
  serverThatMovesAtOnce,
} from "../../../support/redis/moving-slots.ts";
import { type RedisSentinel, startSentinel } from "../../../support/redis/sentinel.ts";
import { type RedisServer, serverProgram, startRedis } from "../../../support/redis/server.ts";
import { openSilentProxy, type SilentProxy } from "../../../support/redis/silent-proxy.ts";
import {
  type Connect,
  canListen,
  clusterClients,
  sentinelClients,
  singleClients,
} from "../../../support/stores/clients.ts";
import {
  expectGaps,
  expectHeard,
  expectHeardAgain,
  type Heard,
  hear,
  openFeedStore,
} from "../../../support/stores/feeds.ts";
import { freshPrefix } from "../../../support/stores/stores.ts";

function listening(clients: Readonly<Record<string, Connect>>) {
  return Object.entries(clients).filter(([kind]) => canListen(kind));
}

type AtEnd = Pick<TestContext, "onTestFinished">;

async function open(connect: Connect, port: number, { onTestFinished }: AtEnd) {
  const { client, close } = await connect(port);
  onTestFinished(() => close() as Promise<void>);
  return client;
}

describe.concurrent("on one server", () => {
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis(server.port);
    admin.on("error", () => {});
  });
  afterAll(async () => {
    admin?.disconnect();
    await server?.stop();
  });

  // A cut is one of all connections that listen.
  test.sequential.for(listening(singleClients))(
    "%s hears again after a cut",
    async ([, connect], context) => {
      const shards = 3;
      const store = openFeedStore(await open(connect, server.port, context), { shards });
      const ids = [0, 1, 2].map(newIdInShard);
      const each = await Promise.all(ids.map((id) => hear(store, id)));
      const all = await hear(store);
      for (const id of ids) await expectHeard(store, all, id);
      for (let cuts = 1; cuts <= 2; cuts++) {
        const { gaps } = all;
        await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
        await Promise.all(each.map((one) => expectGaps(one, cuts)));
        // The shards are heard again one by one, and those that are together are one gap.
        await eventually("a gap of all", true, async () => all.gaps > gaps);
        for (const [i, id] of ids.entries()) {
          await expectHeard(store, all, newIdBeside(id));
          await expectHeard(store, each[i] as Heard, newIdBeside(id));
        }
      }
      expect(each.map(({ gaps }) => gaps)).toEqual([2, 2, 2]);
      expect(all.gaps).toBeLessThanOrEqual(2 * shards);
      await store.close();
    },
  );

  test.sequential.for(listening(singleClients))(
    "%s hears again after a restart",
    async ([, connect], context) => {
      const store = openFeedStore(await open(connect, server.port, context));
      const id = newIdInShard(0);
      const heard = await hear(store);
      await server.restart();
      await expectGaps(heard, 1);
      await expectHeard(store, heard, id);
      await store.close();
    },
  );
});

describe.concurrent("on a server whose connections hang", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());

  /** In front of the server, for one test: the connections of the others don't hang. */
  async function openProxy({ onTestFinished }: AtEnd): Promise<SilentProxy> {
    const proxy = await openSilentProxy(server.port);
    onTestFinished(() => proxy.close());
    return proxy;
  }

  test("every client hears again after its connection hung", async (context) => {
    // A connection that hangs is found by the next hello, so they wait for it together.
    const proxy = await openProxy(context);
    const all = await Promise.all(
      listening(singleClients).map(async ([, connect]) => {
        const client = await open(connect, proxy.port, context);
        const store = openFeedStore(client, { timeout: "10 seconds" });
        return { store, heard: await hear(store), late: await hear(store) };
      }),
    );
    proxy.silenceListening();
    await Promise.all(
      all.map(async ({ store, heard, late }) => {
        await late.stop();
        await expectGaps(heard, 1);
        await expectHeard(store, heard, newIdInShard(0));
        expect(late.gaps).toBe(0);
        await store.close();
      }),
    );
  });

  test.for(listening(singleClients))(
    "%s doesn't subscribe on a connection that hangs",
    async ([, connect], context) => {
      const proxy = await openProxy(context);
      const client = await open(connect, proxy.port, context);
      const store = openFeedStore(client, { timeout: "5 seconds" });
      const heard = await hear(store);
      proxy.silenceListening();
      await expect(hear(store)).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
      // The hello that wasn't heard has shown it.
      await expectGaps(heard, 1);
      await expectHeard(store, await hear(store), newIdInShard(0));
      await store.close();
    },
  );
});

describe.concurrent("on a cluster", () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ replicated: true, takeover: "when told" });
  });
  afterAll(() => cluster?.stop());
  const port = () => cluster.masters[0]?.port ?? 0;

  test.sequential.for(listening(clusterClients))(
    "%s follows a master that hands over",
    async ([, connect], context) => {
      const store = openFeedStore(await open(connect, port(), context), {
        shards: 7,
        timeout: "10 seconds",
      });
      const ids = [0, 1, 2, 3, 4, 5, 6].map(newIdInShard);
      const all = await Promise.all(ids.map((id) => hear(store, id)));
      const [master, replica] = [cluster.masters[0], cluster.replicas[0]] as [
        RedisServer,
        RedisServer,
      ];
      for (const [from, to] of [
        [master, replica],
        [replica, master],
      ] as const) {
        await handOver(cluster, from, to, context);
        // A master that has become a replica of the new one may still pass on what is published there.
        await Promise.all(ids.map((id, i) => expectHeardAgain(store, all[i] as Heard, id)));
      }
      await store.close();
    },
  );
});

/** For a second after one failover the other masters vote for no other. */
async function handOver(
  cluster: RedisCluster,
  from: RedisServer,
  to: RedisServer,
  { onTestFinished }: AtEnd,
): Promise<void> {
  const admin = new Redis(to.port);
  onTestFinished(() => admin.disconnect());
  await eventually("a node that takes over", "master", async () => {
    await admin.cluster("FAILOVER").catch(() => {});
    await sleep(300);
    return ((await admin.call("ROLE")) as string[])[0];
  });
  await cluster.takenOver(to);
  await cluster.inStep(from);
}

function moving(how: string, move: Move, program: string): void {
  describe.concurrent(`slots moved ${how}`, () => {
    let cluster: RedisCluster;
    let admins: Redis[];
    beforeAll(async () => {
      cluster = await startCluster({ program });
      admins = cluster.masters.map(({ port }) => new Redis(port));
    });
    afterAll(async () => {
      for (const admin of admins ?? []) admin.disconnect();
      await cluster?.stop();
    });

    test.sequential.for(listening(clusterClients))(
      "are followed by %s",
      async ([, connect], context) => {
        const prefix = freshPrefix();
        const client = await open(connect, cluster.masters[0]?.port ?? 0, context);
        const store = openFeedStore(client, { prefix, shards: 2 });
        const heard = await hear(store, newIdInShard(0));
        const other = await hear(store, newIdInShard(1));
        for (let i = 0; i < 3; i++) {
          const slot = (await admins[0]?.cluster("KEYSLOT", `{${prefix}:0}`)) as number;
          const owner = await findOwner(slot, admins);
          const { gaps } = heard;
          await expectHeard(store, heard, newIdInShard(0));
          const next = admins[(owner + 1) % admins.length] as Redis;
          await move(slot, admins[owner] as Redis, next, admins);
          await expectHeardAgain(store, heard, newIdInShard(0));
          await expectHeardAgain(store, other, newIdInShard(1));
          expect(heard.gaps).toBeGreaterThan(gaps);
        }
        await store.close();
      },
    );
  });
}

moving("key by key", moveKeyByKey, serverProgram());
const program = serverThatMovesAtOnce();
if (program !== undefined) moving("at once", moveAtOnce, program);

describe.concurrent("behind Sentinel", () => {
  let sentinel: RedisSentinel;
  beforeAll(async () => {
    sentinel = await startSentinel();
  });
  afterAll(() => sentinel?.stop());

  test.sequential.for(listening(sentinelClients))(
    "%s follows a failover",
    async ([, connect], context) => {
      const store = openFeedStore(await open(connect, sentinel.port, context));
      const heard = await hear(store);
      const master = await sentinel.master();
      await sentinel.failover();
      await sentinel.waitForSuccessor(master);
      await eventually("a gap", true, async () => heard.gaps > 0);
      await expectHeard(store, heard, newIdInShard(0));
      await store.close();
      await sentinel.whole();
    },
  );
});
