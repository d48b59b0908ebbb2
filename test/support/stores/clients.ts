/* Every kind of client that the Redis store takes: on one server, behind Sentinel, on a cluster. */
import { GlideClient, GlideClusterClient, Logger, ProtocolVersion } from "@valkey/valkey-glide";
import { Cluster as Cluster6, Redis as Redis6 } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis-5";
import * as redis6 from "redis";
import * as redis5 from "redis-5";
import type { RedisClient } from "session-sets/redis";

export interface StoreClient {
  readonly client: RedisClient;
  close(): Promise<unknown>;
}

export type Connect = (port: number) => Promise<StoreClient>;

Logger.setLoggerConfig("off"); // it warns of each command that has to wait

const HOST = "127.0.0.1";
/** Of GLIDE, whose defaults are shorter than a busy machine may take. */
export const GLIDE_LIMITS = {
  requestTimeout: 20_000,
  advancedConfiguration: { connectionTimeout: 20_000 },
};

interface Ioredis {
  on(event: "error", listener: () => void): unknown;
  disconnect(): void;
}

/** A client of ioredis, whose errors are those of its commands. */
function ioredis(make: (port: number) => Ioredis & RedisClient): Connect {
  return async (port) => {
    const client = make(port);
    client.on("error", () => {});
    return { client, close: async () => client.disconnect() };
  };
}

interface NodeRedis {
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): unknown;
}

/** A client of node-redis, connected; its errors are those of its commands. */
function nodeRedis(make: (port: number) => NodeRedis & RedisClient): Connect {
  return async (port) => {
    const client = make(port);
    client.on("error", () => {});
    await client.connect();
    return { client, close: async () => client.destroy() };
  };
}

const options = (port: number) => ({ url: `redis://${HOST}:${port}` });

const glide =
  (protocol: ProtocolVersion): Connect =>
  async (port) => {
    const addresses = [{ host: HOST, port }];
    const client = await GlideClient.createClient({ addresses, protocol, ...GLIDE_LIMITS });
    return { client, close: async () => client.close() };
  };

const glideCluster =
  (protocol: ProtocolVersion): Connect =>
  async (port) => {
    const addresses = [{ host: HOST, port }];
    const client = await GlideClusterClient.createClient({ addresses, protocol, ...GLIDE_LIMITS });
    return { client, close: async () => client.close() };
  };

/** Whether the store can hear endings with this kind of client. */
export function canListen(kind: string): boolean {
  return !kind.startsWith("Valkey GLIDE");
}

/** On one server. */
export const singleClients: Readonly<Record<string, Connect>> = {
  "ioredis 5": ioredis((port) => new Redis5(port)),
  "ioredis 6": ioredis((port) => new Redis6(port)),
  "ioredis 6 with RESP2": ioredis((port) => new Redis6(port, { protocol: 2 })),
  "redis 5": nodeRedis((port) => redis5.createClient(options(port))),
  "redis 5 with RESP3": nodeRedis((port) => redis5.createClient({ ...options(port), RESP: 3 })),
  "redis 5, a pool": nodeRedis((port) => redis5.createClientPool(options(port))),
  "redis 6": nodeRedis((port) => redis6.createClient(options(port))),
  "redis 6 with RESP2": nodeRedis((port) => redis6.createClient({ ...options(port), RESP: 2 })),
  "redis 6, a pool": nodeRedis((port) => redis6.createClientPool(options(port))),
  "Valkey GLIDE 2": glide(ProtocolVersion.RESP3),
  "Valkey GLIDE 2 with RESP2": glide(ProtocolVersion.RESP2),
};

/** On a cluster, by the port of one of its nodes. */
export const clusterClients: Readonly<Record<string, Connect>> = {
  "ioredis 5": ioredis((port) => new Cluster5([{ host: HOST, port }])),
  "ioredis 6": ioredis((port) => new Cluster6([{ host: HOST, port }])),
  "redis 5": nodeRedis((port) => redis5.createCluster({ rootNodes: [options(port)] })),
  "redis 6": nodeRedis((port) => redis6.createCluster({ rootNodes: [options(port)] })),
  "Valkey GLIDE 2": glideCluster(ProtocolVersion.RESP3),
};

/** The same, each with the protocol that it does not speak by default. */
export const otherClusterClients: Readonly<Record<string, Connect>> = {
  "ioredis 6 with RESP2": ioredis(
    (port) => new Cluster6([{ host: HOST, port }], { redisOptions: { protocol: 2 } }),
  ),
  "redis 5 with RESP3": nodeRedis((port) =>
    redis5.createCluster({ rootNodes: [options(port)], RESP: 3 }),
  ),
  "redis 6 with RESP2": nodeRedis((port) =>
    redis6.createCluster({ rootNodes: [options(port)], RESP: 2 }),
  ),
  "Valkey GLIDE 2 with RESP2": glideCluster(ProtocolVersion.RESP2),
};

/** Behind Sentinel, by the port of one of the sentinels. */
export const sentinelClients: Readonly<Record<string, Connect>> = {
  "ioredis 5": ioredis((port) => new Redis5({ sentinels: [{ host: HOST, port }], name: "main" })),
  "ioredis 6": ioredis((port) => new Redis6({ sentinels: [{ host: HOST, port }], name: "main" })),
  "redis 5": nodeRedis((port) =>
    redis5.createSentinel({ name: "main", sentinelRootNodes: [{ host: HOST, port }] }),
  ),
  "redis 6": nodeRedis((port) =>
    redis6.createSentinel({ name: "main", sentinelRootNodes: [{ host: HOST, port }] }),
  ),
};
