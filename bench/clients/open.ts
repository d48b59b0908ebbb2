/* Opens a client of Redis by its name. */
import type { RedisClient } from "session-sets/redis";
import type { ClientName, Commands } from "./commands.ts";
import { ioredisCommands, openIoredis } from "./ioredis.ts";
import { nodeRedisCommands, openNodeRedis } from "./node-redis.ts";

export interface OpenedClient {
  /** The client itself, for a library that takes one. */
  readonly client: RedisClient;
  readonly commands: Commands;
}

export async function openClient(name: ClientName, url: string): Promise<OpenedClient> {
  if (name === "ioredis") {
    const client = openIoredis(url);
    await client.ping();
    return { client, commands: ioredisCommands(client) };
  }
  const client = await openNodeRedis(url);
  return { client, commands: nodeRedisCommands(client) };
}
