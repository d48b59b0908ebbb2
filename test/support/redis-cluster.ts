/* A Redis Cluster of the tests' own: masters with a replica each, on free ports of this machine. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { type RedisServer, startRedis } from "./redis-server.ts";

const SLOTS = 16_384;
const NODE_ARGS = [
  "--cluster-enabled",
  "yes",
  "--cluster-node-timeout",
  "2000",
  "--repl-diskless-sync-delay",
  "0",
];

export interface RedisCluster {
  readonly masters: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
  stop(): Promise<void>;
}

/** Starts so many masters, each with one replica, and waits until all slots are served. */
export async function startCluster(count = 3): Promise<RedisCluster> {
  const nodes = await Promise.all(
    Array.from({ length: count * 2 }, () => startRedis({ args: NODE_ARGS })),
  );
  const [masters, replicas] = [nodes.slice(0, count), nodes.slice(count)];
  const admins = nodes.map(({ port }) => new Redis(port));
  try {
    await Promise.all(masters.map((_, i) => assignSlots(admins[i] as Redis, i, count)));
    for (const { port } of nodes.slice(1)) {
      await admins[0]?.cluster("MEET", "127.0.0.1", port);
    }
    await eventually(admins, async (admin) => (await knownNodes(admin)) === nodes.length);
    await Promise.all(
      replicas.map(async (_, i) => {
        const master = await (admins[i] as Redis).cluster("MYID");
        await (admins[count + i] as Redis).cluster("REPLICATE", master as string);
      }),
    );
    await eventually(admins, async (admin) => /cluster_state:ok/.test(await info(admin)));
    await eventually(admins.slice(count), async (admin) =>
      /master_link_status:up/.test(await admin.info("replication")),
    );
  } finally {
    for (const admin of admins) admin.disconnect();
  }
  return {
    masters,
    replicas,
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

function assignSlots(admin: Redis, i: number, count: number): Promise<unknown> {
  const from = Math.ceil((SLOTS / count) * i);
  const to = Math.ceil((SLOTS / count) * (i + 1)) - 1;
  return admin.call("CLUSTER", "ADDSLOTSRANGE", String(from), String(to));
}

async function info(admin: Redis): Promise<string> {
  return (await admin.cluster("INFO")) as string;
}

async function knownNodes(admin: Redis): Promise<number> {
  return Number(/cluster_known_nodes:(\d+)/.exec(await info(admin))?.[1]);
}

async function eventually(
  admins: readonly Redis[],
  holds: (admin: Redis) => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (const admin of admins) {
    while (!(await holds(admin).catch(() => false))) {
      if (Date.now() > deadline) throw new Error("The Redis Cluster did not come up in 30 s.");
      await sleep(20);
    }
  }
}
