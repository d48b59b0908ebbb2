/*
 * Clients for tests that make servers fail: with their defaults, but that nobody is told of errors
 * of the connection, which a client logs or throws where no one listens.
 */
import { GlideClient, GlideClusterClient, Logger } from "@valkey/valkey-glide";
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { GLIDE_LIMITS, type StoreClient } from "./clients.ts";

Logger.setLoggerConfig("off"); // it warns of each error that a server answers

type Connect = (port: number) => Promise<StoreClient>;

/** On one server. */
export const steadyClients = {
  "ioredis 6": async (port: number): Promise<StoreClient> => {
    const client = new Redis(port);
    client.on("error", () => {});
    return { client, close: async () => client.disconnect() };
  },
  "redis 6": async (port: number): Promise<StoreClient> => {
    const client = createClient({ socket: { port } });
    client.on("error", () => {});
    await client.connect();
    return { client, close: async () => client.destroy() };
  },
  "Valkey GLIDE 2": async (port: number): Promise<StoreClient> => {
    const client = await GlideClient.createClient({
      addresses: [{ host: "127.0.0.1", port }],
      ...GLIDE_LIMITS,
    });
    return { client, close: async () => client.close() };
  },
} satisfies Record<string, Connect>;

/** On a cluster, by the port of one of its nodes. */
export const steadyClusterClients = {
  "ioredis 6": async (port: number): Promise<StoreClient> => {
    const client = new Cluster([{ host: "127.0.0.1", port }]);
    client.on("error", () => {});
    return { client, close: async () => client.disconnect() };
  },
  "redis 6": async (port: number): Promise<StoreClient> => {
    const client = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] });
    client.on("error", () => {});
    await client.connect();
    return { client, close: async () => client.destroy() };
  },
  "Valkey GLIDE 2": async (port: number): Promise<StoreClient> => {
    const client = await GlideClusterClient.createClient({
      addresses: [{ host: "127.0.0.1", port }],
      ...GLIDE_LIMITS,
    });
    return { client, close: async () => client.close() };
  },
} satisfies Record<string, Connect>;

export type Kind = keyof typeof steadyClients;
