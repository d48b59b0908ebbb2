/* A master with a replica and a sentinel of the tests' own, on free ports of this machine. */
import { Redis } from "ioredis";
import { eventually } from "../eventually.ts";
import { type RedisServer, startRedis } from "./server.ts";

/** As the clients of support/stores/clients.ts call it. */
const NAME = "main";
/**
 * A sentinel looks around every few seconds; this one does more often (ms). A replica that has not
 * answered for five pings is not made the master, and a sentinel that was itself held up for longer
 * than its trigger does nothing for half a minute: neither is to happen because a machine is busy.
 */
const PERIODS = [
  ...["info-period", "200", "publish-period", "200", "ping-period", "500"],
  ...["tilt-trigger", "20000"],
];

/** On a busy machine a server is silent now and then. It counts as down after a silence of this (ms). */
const NOT_DOWN_MS = 100_000;

export interface RedisSentinel {
  /** The port of the sentinel. */
  readonly port: number;
  /** The first is the master at the start. */
  readonly servers: readonly RedisServer[];
  /** The server that the sentinel holds for the master now. */
  master(): Promise<RedisServer>;
  /** Kills the master, and waits for its successor. Only then does a server that is silent count as down. */
  killMaster(): Promise<RedisServer>;
  /** Waits until a server other than this one is the master, and says so itself; gives it. */
  waitForSuccessor(master: RedisServer): Promise<RedisServer>;
  /** Waits until all servers run, one as the master and the others in step with it. */
  whole(): Promise<void>;
  /** Tells the sentinel to make a replica the master, and waits until it says so. */
  failover(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts them, and waits until the sentinel knows all servers. */
export async function startSentinel(): Promise<RedisSentinel> {
  const args = ["--repl-diskless-sync-delay", "0"];
  const master = await startRedis({ args });
  const of = ["--replicaof", "127.0.0.1", String(master.port)];
  const servers = [master, await startRedis({ args: [...args, ...of] })];
  const sentinel = await startRedis({ sentinel: true });
  const admin = new Redis(sentinel.port);

  async function currentMaster(): Promise<RedisServer> {
    const [, port] = (await admin.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)) as string[];
    const found = servers.find((server) => server.port === Number(port));
    if (!found) throw new Error(`The sentinel names a master at ${port}, which is none of ours.`);
    return found;
  }

  async function whole(): Promise<void> {
    const roles = { masters: 1, inStep: 1 };
    await eventually("replication", roles, () => readRoles(servers));
    const seen = { "num-slaves": "1", flags: "master" };
    await eventually("the watch", seen, () => stateSeenBy(admin));
  }

  async function waitForSuccessor(old: RedisServer): Promise<RedisServer> {
    await eventually("a failover", true, async () => (await currentMaster()).port !== old.port);
    const found = await currentMaster();
    await eventually("its end", "master", () => readRole(found));
    return found;
  }

  const set = (name: string, ms: number) => admin.call("SENTINEL", "SET", NAME, name, String(ms));
  const setDownAfter = (ms: number) => set("down-after-milliseconds", ms);
  await admin.call("SENTINEL", "DEBUG", ...PERIODS);
  await admin.call("SENTINEL", "MONITOR", NAME, "127.0.0.1", String(master.port), "1");
  await set("failover-timeout", 2000);
  await setDownAfter(NOT_DOWN_MS);
  await whole();

  return {
    port: sentinel.port,
    servers,
    master: currentMaster,
    async killMaster() {
      const killed = await currentMaster();
      await killed.kill();
      await setDownAfter(500);
      const successor = await waitForSuccessor(killed);
      await setDownAfter(NOT_DOWN_MS);
      return successor;
    },
    waitForSuccessor,
    whole,
    async failover() {
      const old = (await currentMaster()).port;
      // Refused until the sentinel has heard from the replica that it is in step.
      await eventually("a failover", true, async () => {
        await admin.call("SENTINEL", "FAILOVER", NAME).catch(() => {});
        return (await currentMaster()).port !== old;
      });
    },
    async stop() {
      admin.disconnect();
      await Promise.all([sentinel, ...servers].map((server) => server.stop()));
    },
  };
}

/** The sentinel's report of the master. */
async function stateSeenBy(admin: Redis): Promise<Record<string, string | undefined>> {
  const reply = await admin.call("SENTINEL", "MASTER", NAME);
  const state = new Map<string, string>(
    Array.isArray(reply)
      ? Array.from({ length: reply.length / 2 }, (_, i) => [reply[2 * i], reply[2 * i + 1]])
      : Object.entries(reply as Record<string, string>),
  );
  const names = ["num-slaves", "flags"];
  return Object.fromEntries(names.map((name) => [name, state.get(name)]));
}

async function readRoles(servers: readonly RedisServer[]) {
  const roles = await Promise.all(servers.map((server) => readRole(server)));
  const masters = roles.filter((role) => role === "master").length;
  return { masters, inStep: roles.filter((role) => role === "slave connected").length };
}

/** The role that a server reports; a replica with the state of its link. "" if it is down. */
async function readRole({ port }: RedisServer): Promise<string> {
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
