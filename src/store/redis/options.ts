import type * as durations from "../../shared/durations.ts";
import { parseDuration } from "../../shared/durations.ts";
import { createConfigError, listOptionNames } from "../../shared/errors.ts";
import { readOptions } from "../../shared/given.ts";
import type { SessionStore } from "../contract.ts";
import { checkPrefix, createKeys, type Keys } from "./layout/keys.ts";
import { RedisStore } from "./store.ts";
import { type RedisClient, toConnection } from "./wire/clients/connect.ts";
import type { Connection } from "./wire/connection.ts";

/** How sessions are kept in Redis. */
export interface RedisStoreOptions {
  /**
   * What all keys begin with, inside the hash tag: letters, digits, `.`, `_` and `-`. Programs that
   * share a server and not their sessions need different ones.
   * @default "sessions"
   */
  prefix?: string;
  /**
   * How long one operation on a session, or one page of an operation on a set, waits for the server
   * before it rejects with ERR_STORE_UNAVAILABLE. It has no effect later on, either: a command that
   * reaches the server after this does nothing.
   * @default "2 seconds"
   */
  timeout?: durations.Duration;
  /**
   * Over how many parts (hash tags) the sessions are spread, 1 to 4096. It can be raised: tokens
   * name their part, but to a process that still has the old number, tokens of new parts are none.
   * Lowering it signs out the sessions of the parts that go.
   * @default 1, and in a cluster 64
   */
  shards?: number;
}

const OPTIONS = listOptionNames<RedisStoreOptions>({ prefix: true, timeout: true, shards: true });

/** Enough to spread sessions evenly over the nodes of most clusters. */
const DEFAULT_CLUSTER_SHARDS = 64;
/** Node's timers take a longer time for one millisecond. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * A store of sessions in Redis 7.0 and later, or Valkey: on one server, behind Sentinel or in a
 * cluster. It closes no client, for that is yours; of its own it opens connections only where an
 * ending is to wait for replicas (`{ replicas }`), one to each master, and `close` closes them.
 *
 * @throws SessionError ERR_SESSION_CONFIG for a client or an option it cannot work with.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): SessionStore {
  const given = readOptions("redisStore", options, OPTIONS);
  if (given.prefix !== undefined) checkPrefix(given.prefix);
  return openStore(client, given);
}

/** The same, with all it can do, under a prefix that an entry has made, which may have colons. */
export function openStore(client: RedisClient, options: RedisStoreOptions): RedisStore {
  const { connection, keys, shards, timeout } = parseRedisSettings(client, options);
  return new RedisStore(connection, keys, shards, timeout);
}

/** A client and options, checked and filled in. */
export interface RedisSettings {
  readonly connection: Connection;
  readonly keys: Keys;
  readonly shards: number;
  readonly timeout: number;
}

/** @throws SessionError ERR_SESSION_CONFIG for a client or an option that cannot work. */
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
