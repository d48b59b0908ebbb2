/* A Redis Cluster of the tests' own: masters, with a replica each where a test needs it, on free ports of this machine. */
import { Redis } from "ioredis";
import { eventually } from "../eventually.ts";
import { type RedisServer, startRedis } from "./server.ts";

const SLOTS = 16_384;

export interface RedisCluster {
  /** As they were at the start. */
  readonly masters: readonly RedisServer[];
  /** Each master's replica at the same place; none unless asked for. */
  readonly replicas: readonly RedisServer[];
  /** Waits until this node is a master and says that all slots are served. */
  takenOver(replica: RedisServer): Promise<void>;
  /** Waits until this node is a replica that is in step with its master. */
  inStep(replica: RedisServer): Promise<void>;
  /** Waits until no node counts as failing. From then on none does, though the machine is busy with other work. */
  failNoMore(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisClusterOptions {
  /** How many masters. */
  readonly count?: number;
  /** Whether each has a replica: as much work again for whatever is written. */
  readonly replicated?: boolean;
  /**
   * When a replica takes over from its master. Unless one ever does, no node counts as failing either,
   * though the machine is busy.
   *
   * @default "never"
   */
  readonly takeover?: keyof typeof TAKEOVERS;
  /** Another program than that of the other tests. */
  readonly program?: string | undefined;
}

/** After how long a silence a node counts as failing (ms), and what else it is told. */
const TAKEOVERS = {
  never: { nodeTimeout: 2000, args: [] },
  /** Soon again, too: for twice its timeout after one failover a master votes for no other of the shard. */
  "when told": {
    nodeTimeout: 500,
    args: [
      ...["--cluster-replica-no-failover", "yes"],
      ...["--cluster-require-full-coverage", "no"], // or all would fail with one that is held up
    ],
  },
  "on its own": { nodeTimeout: 1000, args: [] },
};

/** Starts the nodes, and waits until all slots are served. */
export async function startCluster({
  count = 3,
  replicated = false,
  takeover = "never",
  program,
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { nodeTimeout, args: more } = TAKEOVERS[takeover];
  const args = [
    ...["--cluster-enabled", "yes"],
    ...["--cluster-node-timeout", String(nodeTimeout)],
    ...["--repl-diskless-sync-delay", "0"],
    ...more,
  ];
  const nodes = await Promise.all(
    Array.from({ length: replicated ? count * 2 : count }, () => startRedis({ args, program })),
  );
  const [masters, replicas] = [nodes.slice(0, count), nodes.slice(count)];
  const admins = nodes.map(({ port }) => new Redis(port));
  try {
    await Promise.all(masters.map((_, i) => assignSlots(admins[i] as Redis, i, count)));
    for (const { port } of nodes.slice(1)) {
      await admins[0]?.cluster("MEET", "127.0.0.1", port);
    }
    for (const admin of admins) {
      await eventually("that all nodes meet", nodes.length, () => knownNodes(admin));
    }
    await Promise.all(
      replicas.map(async (_, i) => {
        const master = await (admins[i] as Redis).cluster("MYID");
        await (admins[count + i] as Redis).cluster("REPLICATE", master as string);
      }),
    );
    for (const admin of admins) await eventually("a cluster", "ok", () => state(admin));
    for (const admin of admins.slice(count)) await untilInStep(admin);
    if (takeover === "never") await failNoMore(nodes, nodeTimeout);
  } finally {
    for (const admin of admins) admin.disconnect();
  }
  return {
    masters,
    replicas,
    takenOver: ({ port }) =>
      withAdmin(port, async (admin) => {
        await eventually("a failover", "master", () => readRole(admin));
        await eventually("a cluster after it", "ok", () => state(admin));
      }),
    inStep: ({ port }) => withAdmin(port, untilInStep),
    failNoMore: () => failNoMore(nodes, nodeTimeout),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

/** Lengthens the time only once no node counts as failing, because one that does goes on for twice that time. */
async function failNoMore(nodes: readonly RedisServer[], nodeTimeout: number): Promise<void> {
  const each = <T>(work: (admin: Redis) => Promise<T>) =>
    Promise.all(nodes.map(({ port }) => withAdmin(port, work)));
  const setNodeTimeout = (ms: number) =>
    each((admin) => admin.config("SET", "cluster-node-timeout", String(ms)));
  const isWhole = async () => (await each(seesAll)).every((sees) => sees);
  for (;;) {
    await setNodeTimeout(600_000);
    if (await isWhole()) return;
    await setNodeTimeout(nodeTimeout);
    await eventually("a cluster without failing nodes", true, isWhole);
  }
}

/** Whether no node is failing in the eyes of this one. */
async function seesAll(admin: Redis): Promise<boolean> {
  const nodes = (await admin.cluster("NODES")) as string;
  return (await state(admin)) === "ok" && !/\bfail\b/.test(nodes);
}

async function withAdmin<T>(port: number, work: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = new Redis(port);
  admin.on("error", () => {});
  try {
    return await work(admin);
  } finally {
    admin.disconnect();
  }
}

function assignSlots(admin: Redis, i: number, count: number): Promise<unknown> {
  const from = Math.ceil((SLOTS / count) * i);
  const to = Math.ceil((SLOTS / count) * (i + 1)) - 1;
  return admin.call("CLUSTER", "ADDSLOTSRANGE", String(from), String(to));
}

async function state(admin: Redis): Promise<string | undefined> {
  return /cluster_state:(\w+)/.exec((await admin.cluster("INFO")) as string)?.[1];
}

async function knownNodes(admin: Redis): Promise<number> {
  return Number(/cluster_known_nodes:(\d+)/.exec((await admin.cluster("INFO")) as string)?.[1]);
}

function untilInStep(replica: Redis): Promise<void> {
  return eventually("replication", "slave connected", () => readRole(replica));
}

/** The role that a node reports; a replica with the state of its link. */
async function readRole(admin: Redis): Promise<string> {
  const [role, , , link] = (await admin.call("ROLE")) as string[];
  return role === "master" ? role : `${role} ${link}`;
}
