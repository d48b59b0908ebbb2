import type { CommandStore } from "../../store/commanding.ts";
import { openStore } from "../../store/redis/options.ts";
import type { NodeRedisClient } from "../../store/redis/wire/clients/node-redis.ts";

/** One shard with every kind of client, so that each user has one set. */
export const IN_ONE_SHARD = { prefix: "redis-user-sessions", shards: 1 } as const;

const stores = new WeakMap<object, CommandStore>();

/** The store on a client; the same one each time. */
export function getStore(client: NodeRedisClient): CommandStore {
  const known = stores.get(client);
  if (known) return known;
  const store = openStore(client, IN_ONE_SHARD);
  stores.set(client, store);
  return store;
}
