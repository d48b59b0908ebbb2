/* The stores that express-session and @fastify/session are measured with. */
import { SessionSetsStore } from "session-sets/compat/express-session";
import { openIoredis } from "../clients/ioredis.ts";
import { openNodeRedis } from "../clients/node-redis.ts";
import { loadPeer } from "../peers.ts";
import { SESSION_SECONDS } from "../record.ts";

interface ConnectRedis {
  readonly RedisStore: new (options: { client: unknown; ttl: number }) => SessionSetsStore;
}

/** connect-redis, which takes no other client than node-redis. */
export async function openConnectRedisStore(url: string): Promise<SessionSetsStore> {
  const { RedisStore } = await loadPeer<ConnectRedis>("connect-redis");
  return new RedisStore({ client: await openNodeRedis(url), ttl: SESSION_SECONDS });
}

/** This library's store. */
export async function openOurStore(url: string): Promise<SessionSetsStore> {
  return new SessionSetsStore({ client: openIoredis(url), references: { user_id: {} } });
}
