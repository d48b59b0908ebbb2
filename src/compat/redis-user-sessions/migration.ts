import { Migrator, type MoveProgress } from "../../migrate/migrator.ts";
import { type MoveOptions, parseCursor } from "../../migrate/options.ts";
import type { NodeRedisClient } from "../../store/redis/wire/clients/node-redis.ts";
import { readCall, type WithClient } from "./calls.ts";
import { FOREIGN_LAYOUT } from "./foreign-layout.ts";
import { IN_ONE_SHARD } from "./store.ts";

const migrators = new WeakMap<object, Migrator>();

/**
 * Makes all functions that are called with this client migrate the sessions of redis-user-sessions
 * that they use. Call it once, when the program starts.
 *
 * @throws SessionError ERR_SESSION_CONFIG for misspelt options, and for a `client` that isn't one.
 */
export function migrateSessions(options: WithClient): void {
  const { client } = readCall("migrateSessions", options);
  migrators.set(client, createMigrator(client));
}

/**
 * Migrates all sessions of redis-user-sessions, in bounded steps, while both libraries are in use. It
 * can be stopped at any time, and started again.
 *
 * @throws SessionError ERR_SESSION_CONFIG for a wrong cursor, for misspelt options, and for a `client`
 * that isn't one.
 */
export function moveSessions(
  options: WithClient & MoveOptions,
): AsyncGenerator<MoveProgress, void> {
  const { client, ...others } = readCall("moveSessions", options);
  return createMigrator(client).migrateAll(parseCursor(others));
}

/** The migrator of a client that `migrateSessions` was called with; undefined for any other. */
export function findMigrator(client: NodeRedisClient): Migrator | undefined {
  return migrators.get(client);
}

function createMigrator(client: NodeRedisClient): Migrator {
  return new Migrator(client, IN_ONE_SHARD, FOREIGN_LAYOUT);
}
