/* A master with replicas and sentinels of the tests' own, on free ports of this machine. */
import { Redis } from "ioredis";
import { eventually } from "./eventually.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";

/** As the clients of store-clients.ts call it. */
const NAME = "main";
const SENTINELS = 3;
const QUORUM = 2;
/** How long a master is silent before it counts as down (ms). */
const DOWN_AFTER = 500;
/** Sentinels look around every few seconds; these do more often (ms). */
const PERIODS = [
  ...["info-period", "100", "ping-period", "100", "ask-period", "100"],
  // In four of these they make a master that they did not elect a replica again: the one whom they
  // told to become the master must have been seen as that by then, for which they take a second.
  ...["publish-period", "700"],
];

export interface RedisSentinel {
  /** The port of a sentinel. */
  readonly port: number;
  /** The first is the master at the start. */
  readonly servers: readonly RedisServer[];
  /** The server that the sentinels hold for the master now. */
  master(): Promise<RedisServer>;
  /** Waits until a server other than this one is the master, and says so itself; gives it. */
  successorOf(master: RedisServer): Promise<RedisServer>;
  /** Waits until all servers run, one as the master and the others in step with it. */
  whole(): Promise<void>;
  /** Tells the sentinels to make a replica the master, and waits until they say so. */
  failover(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts them, and waits until the sentinels know each other and all servers. */
export async function startSentinel(replicas = 1): Promise<RedisSentinel> {
  const args = ["--repl-diskless-sync-delay", "0"];
  const master = await startRedis({ args });
  const of = ["--replicaof", "127.0.0.1", String(master.port)];
  const servers = [
    master,
    ...(await Promise.all(
      Array.from({ length: replicas }, () => startRedis({ args: [...args, ...of] })),
    )),
  ];
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () => startRedis({ sentinel: true })),
  );
  const admins = sentinels.map(({ port }) => new Redis(port));
  const admin = admins[0] as Redis;

  async function currentMaster(): Promise<RedisServer> {
    const [, port] = (await admin.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)) as string[];
    const found = servers.find((server) => server.port === Number(port));
    if (!found) throw new Error(`The sentinels name a master at ${port}, which is none of ours.`);
    return found;
  }

  async function whole(): Promise<void> {
    const roles = { masters: 1, inStep: replicas };
    await eventually("replication", roles, () => rolesOf(servers));
    const state = {
      "num-slaves": String(replicas),
      "num-other-sentinels": String(SENTINELS - 1),
      flags: "master",
    };
    for (const one of admins) await eventually("the watch", state, () => stateSeenBy(one));
  }

  for (const one of admins) {
    await one.call("SENTINEL", "DEBUG", ...PERIODS);
    await one.call("SENTINEL", "MONITOR", NAME, "127.0.0.1", String(master.port), String(QUORUM));
    await one.call(
      ...(["SENTINEL", "SET", NAME, "down-after-milliseconds", String(DOWN_AFTER)] as const),
      ...["failover-timeout", "3000"],
    );
  }
  await whole();

  return {
    port: sentinels[0]?.port ?? 0,
    servers,
    master: currentMaster,
    async successorOf(old) {
      await eventually("a failover", true, async () => (await currentMaster()).port !== old.port);
      const found = await currentMaster();
      await eventually("its end", "master", () => roleOf(found));
      return found;
    },
    whole,
    async failover() {
      const old = (await currentMaster()).port;
      // Refused until this sentinel has heard from the replica that it is in step, and perhaps given
      // up on a busy machine: then another sentinel took the new master for one that came back.
      await eventually("a failover", true, async () => {
        await admin.call("SENTINEL", "FAILOVER", NAME).catch(() => {});
        return (await currentMaster()).port !== old;
      });
    },
    async stop() {
      for (const one of admins) one.disconnect();
      await Promise.all([...sentinels, ...servers].map((server) => server.stop()));
    },
  };
}

/** What a sentinel says of the master. */
async function stateSeenBy(admin: Redis): Promise<Record<string, string | undefined>> {
  const reply = await admin.call("SENTINEL", "MASTER", NAME);
  const state = new Map<string, string>(
    Array.isArray(reply)
      ? Array.from({ length: reply.length / 2 }, (_, i) => [reply[2 * i], reply[2 * i + 1]])
      : Object.entries(reply as Record<string, string>),
  );
  const names = ["num-slaves", "num-other-sentinels", "flags"];
  return Object.fromEntries(names.map((name) => [name, state.get(name)]));
}

async function rolesOf(servers: readonly RedisServer[]) {
  const roles = await Promise.all(servers.map((server) => roleOf(server)));
  const masters = roles.filter((role) => role === "master").length;
  return { masters, inStep: roles.filter((role) => role === "slave connected").length };
}

/** What a server says that it is; a replica with the state of its link. "" where it is down. */
async function roleOf({ port }: RedisServer): Promise<string> {
  const one = new Redis(port, { retryStrategy: () => null });
  one.on("error", () => {});
  try {
    const [role, , , link] = (await one.call("ROLE")) as string[];
    return role === "master" ? role : `${role} ${link}`;
  } catch {
    return "";
  } finally {
    one.disconnect();
  }
}
