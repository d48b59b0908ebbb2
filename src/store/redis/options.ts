import type * as durations from "../../shared/durations.ts";
import { parseDuration } from "../../shared/durations.ts";
import { createConfigError, listOptionNames } from "../../shared/errors.ts";
import { readOptions } from "../../shared/given.ts";
import type { SessionStore } from "../contract.ts";
import { checkPrefix, createKeys, type Keys } from "./layout/keys.ts";
import { RedisStore } from "./store.ts";
import { type RedisClient, toConnection } from "./wire/clients/connect.ts";
import type { Connection } from "./wire/connection.ts";

/** Options of a store in Redis. */
export interface RedisStoreOptions {
  /**
   * The beginning of all keys, inside the hash tag: letters, digits, `.`, `_` and `-`. Programs that
   * share a server, but not their sessions, need different prefixes.
   * @default "sessions"
   */
  prefix?: string;
  /**
   * How long one operation on a session, or one page of an operation on a set, waits for the server
   * before it rejects with ERR_STORE_UNAVAILABLE. A command that reaches the server after this time
   * does nothing.
   * @default "2 seconds"
   */
  timeout?: durations.Duration;
  /**
   * The number of shards (hash tags) that the sessions are spread over, 1 to 4096. It can be raised,
   * because tokens name their shard; a process that still has the old number rejects tokens of new
   * shards. Lowering it signs out the sessions of the shards that are removed.
   * @default 1; 64 in a cluster
   */
  shards?: number;
}

const OPTIONS = listOptionNames<RedisStoreOptions>({ prefix: true, timeout: true, shards: true });

/** Enough shards to spread sessions evenly over the nodes of most clusters. */
const DEFAULT_CLUSTER_SHARDS = 64;
/** Node's timers treat a longer time as one millisecond. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * A store of sessions in Redis 7.0 and later, or in Valkey: on one server, behind Sentinel or in a
 * cluster. The client is yours, and the store doesn't close it. The store opens connections of its
 * own only if an ending waits for replicas (`{ replicas }`), one to each master; `close` closes them.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an unsupported client or an invalid option.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): SessionStore {
  const given = readOptions("redisStore", options, OPTIONS);
  if (given.prefix !== undefined) checkPrefix(given.prefix);
  return openStore(client, given);
}

/** The same store with its optional abilities. Entries under `compat/` may pass a prefix with colons. */
export function openStore(client: RedisClient, options: RedisStoreOptions): RedisStore {
  const { connection, keys, shards, timeout } = parseRedisSettings(client, options);
  return new RedisStore(connection, keys, shards, timeout);
}

/** A checked client, and checked options with their defaults. */
export interface RedisSettings {
  readonly connection: Connection;
  readonly keys: Keys;
  readonly shards: number;
  readonly timeout: number;
}

/** @throws SessionError ERR_SESSION_CONFIG for an unsupported client or an invalid option. */
export function parseRedisSettings(client: RedisClient, options: RedisStoreOptions): RedisSettings {
  const connection = toConnection(client);
  const {
    prefix = "sessions",
    timeout = "2 seconds",
    shards = connection.cluster ? DEFAULT_CLUSTER_SHARDS : 1,
  } = options;
  const keys = createKeys(prefix, shards);
  const limit = parseDuration("timeout", timeout);
  if (limit > MAX_TIMER_MS) {
    throw createConfigError("timeout must be at most 24 days", { option: "timeout" });
  }
  return { connection, keys, shards, timeout: limit };
}
