import { createConfigError } from "../../../../shared/errors.ts";
import { readSafely } from "../../../../shared/given.ts";
import type { Connection } from "../connection.ts";
import { createGlideConnection, type GlideAnyClient, isGlide } from "./glide.ts";
import { createIoredisConnection, type IoredisClient, isIoredis } from "./ioredis.ts";
import { createNodeRedisConnection, isNodeRedis, type NodeRedisClient } from "./node-redis.ts";

/** A client that the Redis store can work with. It is recognized by its shape. */
export type RedisClient = IoredisClient | NodeRedisClient | GlideAnyClient;

/** Whether this is a client that the store can work with, connected or not. */
export function isRedisClient(value: unknown): value is RedisClient {
  if (typeof value !== "object" || value === null) return false;
  return isIoredis(value) || isGlide(value) || isNodeRedis(value);
}

/** @throws SessionError ERR_SESSION_CONFIG for anything that isn't a client that the store knows. */
export function toConnection(client: RedisClient): Connection {
  const connection = readSafely("ERR_SESSION_CONFIG", "The client", () => connect(client));
  if (connection) return connection;
  throw createConfigError(
    "redisStore takes a client of ioredis 5 or 6 (Redis or Cluster), of redis 5 or 6 (createClient, createClientPool, createSentinel or createCluster), or of @valkey/valkey-glide 2 (GlideClient or GlideClusterClient), as in redisStore(new Redis(url))",
    { option: "client" },
  );
}

function connect(client: RedisClient): Connection | null {
  if (typeof client !== "object" || client === null) return null;
  if (isIoredis(client)) return createIoredisConnection(client);
  if (isGlide(client)) return createGlideConnection(client);
  return isNodeRedis(client) ? createNodeRedisConnection(client) : null;
}
