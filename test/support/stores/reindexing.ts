/* Places where sessions are damaged by hand and fixed by `reindex`. */
import { Cluster, Redis } from "ioredis";
import {
  createSessions,
  type ReferenceOptions,
  type ReindexOptions,
  type Sessions,
} from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import { afterAll, beforeAll } from "vitest";
import { type RedisCluster, startCluster } from "../redis/cluster.ts";
import { redisUrl } from "../redis/shared.ts";
import { checkInvariants } from "./invariants.ts";
import { freshPrefix } from "./stores.ts";

export type Data = Record<string, unknown>;
type References = Record<string, ReferenceOptions>;

/** A server, or a cluster, with a client for each of its masters. */
export interface Servers {
  /** Finds the master of a key. */
  readonly client: Redis | Cluster;
  readonly masters: readonly Redis[];
}

export interface Place {
  readonly servers: Servers;
  readonly prefix: string;
  readonly shards: number;
  /** Sessions of a program that declares these references. */
  open(references: References, client?: RedisClient): Sessions<Data>;
  /** Sends a command to the master that has its first argument, a key. */
  call(command: string, key: string, ...args: string[]): Promise<unknown>;
  /** All keys, by an end of their names. */
  keys(end?: string): Promise<string[]>;
  /** Each key and what it holds, with its moment of expiry. */
  dump(): Promise<Map<string, string>>;
  check(references: References): Promise<void>;
}

/** Where reindex is tested: what a test file has opened, until its end. */
export interface Places {
  readonly cluster: RedisCluster;
  /** The server of all tests. */
  readonly single: Servers;
  /** The masters of the cluster. */
  readonly spread: Servers;
}

/** Opens them before the tests of a file, and closes them after. */
export function openPlaces(): Places {
  let cluster: RedisCluster;
  let single: Servers;
  let spread: Servers;
  beforeAll(async () => {
    cluster = await startCluster();
    single = openServer(redisUrl());
    spread = openCluster(cluster.masters.map(({ port }) => port));
  });
  afterAll(async () => {
    closeServers(single);
    closeServers(spread);
    await cluster.stop();
  });
  return {
    get cluster() {
      return cluster;
    },
    get single() {
      return single;
    },
    get spread() {
      return spread;
    },
  };
}

export function openServer(url: string): Servers {
  const client = new Redis(url);
  return { client, masters: [client] };
}

export function openCluster(ports: readonly number[]): Servers {
  const [port = 0] = ports;
  const client = new Cluster([{ host: "127.0.0.1", port }]);
  return { client, masters: ports.map((one) => new Redis(one)) };
}

export function closeServers({ client, masters }: Servers): void {
  for (const one of new Set([client, ...masters])) one.disconnect();
}

export function openPlace(servers: Servers, shards: number): Place {
  const prefix = freshPrefix();
  const call = (command: string, key: string, ...args: string[]) =>
    servers.client.call(command, [key, ...args]);
  async function keys(end = "*"): Promise<string[]> {
    const found = await Promise.all(servers.masters.map((one) => one.keys(`{${prefix}:${end}`)));
    return found.flat().sort();
  }
  return {
    servers,
    prefix,
    shards,
    call,
    keys,
    open: (references, client = servers.client) =>
      createSessions<Data>({
        store: redisStore(client, { prefix, shards, timeout: "20 seconds" }),
        references,
        idleTimeout: "1 hour",
        absoluteTimeout: "1 day",
        rotationGrace: "10 minutes",
      }),
    async dump() {
      const all = await Promise.all(
        (await keys()).map(async (key) => {
          const [expires, dumped] = await Promise.all([
            call("PEXPIRETIME", key),
            servers.client.dumpBuffer(key),
          ]);
          return [key, `${expires} ${dumped?.toString("base64")}`] as const;
        }),
      );
      return new Map(all);
    },
    async check(references) {
      for (const master of servers.masters) {
        await checkInvariants(master, { prefix, shards, references });
      }
    },
  };
}

export interface Reindexed {
  readonly steps: number;
  readonly scanned: number;
  readonly added: number;
  readonly removed: number;
  readonly corrected: number;
}

/** Reindexes to the end. */
export async function reindexToEnd(
  sessions: Pick<Sessions<Data>, "reindex">,
  options?: ReindexOptions,
): Promise<Reindexed> {
  let last = { scanned: 0, added: 0, removed: 0, corrected: 0 };
  let steps = 0;
  let ended = false;
  for await (const { cursor, ...progress } of sessions.reindex(options)) {
    if (ended) throw new Error("a step came after the end");
    last = progress;
    ended = cursor === null;
    steps++;
  }
  if (!ended) throw new Error("the reindex did not end");
  return { steps, ...last };
}
