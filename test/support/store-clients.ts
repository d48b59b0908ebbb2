/* Every kind of client that the Redis store takes, on one server and on a cluster. */
import { GlideClient, GlideClusterClient } from "@valkey/valkey-glide";
import { Cluster as Cluster6, Redis as Redis6 } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis-5";
import * as redis6 from "redis";
import * as redis5 from "redis-5";
import type { RedisClient } from "session-sets/redis";

export interface StoreClient {
  readonly client: RedisClient;
  close(): Promise<unknown>;
}

type Connect = (port: number) => Promise<StoreClient>;

const url = (port: number) => `redis://127.0.0.1:${port}`;

/** On one server. */
export const singleClients: Readonly<Record<string, Connect>> = {
  "ioredis 5": async (port) => {
    const client = new Redis5(port);
    return { client, close: () => client.quit() };
  },
  "ioredis 6": async (port) => {
    const client = new Redis6(port);
    return { client, close: () => client.quit() };
  },
  "redis 5": async (port) => {
    const client = redis5.createClient({ url: url(port) });
    await client.connect();
    return { client, close: () => client.close() };
  },
  "redis 5 with RESP3": async (port) => {
    const client = redis5.createClient({ url: url(port), RESP: 3 });
    await client.connect();
    return { client, close: () => client.close() };
  },
  "redis 5, a pool": async (port) => {
    const client = redis5.createClientPool({ url: url(port) });
    await client.connect();
    return { client, close: () => client.close() };
  },
  "redis 6": async (port) => {
    const client = redis6.createClient({ url: url(port) });
    await client.connect();
    return { client, close: () => client.close() };
  },
  "redis 6 with RESP2": async (port) => {
    const client = redis6.createClient({ url: url(port), RESP: 2 });
    await client.connect();
    return { client, close: () => client.close() };
  },
  "redis 6, a pool": async (port) => {
    const client = redis6.createClientPool({ url: url(port) });
    await client.connect();
    return { client, close: () => client.close() };
  },
  "Valkey GLIDE 2": async (port) => {
    const client = await GlideClient.createClient({
      addresses: [{ host: "127.0.0.1", port }],
      requestTimeout: 20_000,
    });
    return { client, close: async () => client.close() };
  },
};

/** On a cluster, by the port of one of its nodes. */
export const clusterClients: Readonly<Record<string, Connect>> = {
  "ioredis 5": async (port) => {
    const client = new Cluster5([{ host: "127.0.0.1", port }]);
    return { client, close: () => client.quit() };
  },
  "ioredis 6": async (port) => {
    const client = new Cluster6([{ host: "127.0.0.1", port }]);
    return { client, close: () => client.quit() };
  },
  "redis 5": async (port) => {
    const client = redis5.createCluster({ rootNodes: [{ url: url(port) }] });
    await client.connect();
    return { client, close: () => client.close() };
  },
  "redis 6": async (port) => {
    const client = redis6.createCluster({ rootNodes: [{ url: url(port) }] });
    await client.connect();
    return { client, close: () => client.close() };
  },
  "Valkey GLIDE 2": async (port) => {
    const client = await GlideClusterClient.createClient({
      addresses: [{ host: "127.0.0.1", port }],
      requestTimeout: 20_000,
    });
    return { client, close: async () => client.close() };
  },
};
