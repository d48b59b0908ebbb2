import type { ForeignValue } from "../../migrate/foreign-keys.ts";
import {
  type ForeignLayout,
  type MigratedSession,
  Migrator,
  type MoveProgress,
} from "../../migrate/migrator.ts";
import { type MoveOptions, parseCursor } from "../../migrate/options.ts";
import type { NodeRedisClient } from "../../store/redis/wire/clients/node-redis.ts";
import { encodeRecord, encodeText } from "../shared/json-record.ts";
import { readCall, type WithClient } from "./calls.ts";
import { parseTimestamp } from "./iso-timestamp.ts";
import { createUserReference } from "./user.ts";

/*
 * As redis-user-sessions has kept sessions:
 *
 *   session:<sessionId>     string      the session as JSON
 *   user:<userId>:sessions  sorted set  ids of the user's sessions, scored by the moment they expire
 */
const KEY_PREFIX = "session:";
const LAYOUT: ForeignLayout = {
  pattern: `${KEY_PREFIX}*`,
  type: "string",
  index: "sorted set",
  slides: false,
  parseSession(key: string, { value, expiresAt }: ForeignValue): MigratedSession {
    const record = Object(JSON.parse(String(value)));
    const user = createUserReference(record.userId);
    const deadline = parseTimestamp(record.expires);
    const sessionId = key.slice(KEY_PREFIX.length);
    return {
      id: encodeText(sessionId),
      fields: encodeRecord(record),
      references: [{ field: user.field, texts: [user.text], plain: false }],
      expiresAt: expiresAt ?? deadline,
      entries: [{ key: toIndexKey(record.userId), member: sessionId }],
    };
  },
};

/** Where the sessions are, whatever the client is: a user's are one sorted set, in one shard. */
export const IN_ONE_SHARD = { prefix: "redis-user-sessions", shards: 1 } as const;

const migrators = new WeakMap<object, UserMigrator>();

/**
 * Has all functions that are called with this client move sessions that redis-user-sessions has kept,
 * when they come by them. To be called once, when the program starts.
 *
 * @throws SessionError ERR_SESSION_CONFIG for options that are misspelt, and for what is no client.
 */
export function migrateSessions(options: WithClient): void {
  const { client } = readCall("migrateSessions", options);
  migrators.set(client, new UserMigrator(client));
}

/**
 * Moves all sessions that redis-user-sessions has kept, in bounded steps, while both are in use. It
 * can be ended at any time, and started again.
 *
 * @throws SessionError ERR_SESSION_CONFIG for a wrong cursor, for options that are misspelt, and for
 * what is no client.
 */
export function moveSessions(
  options: WithClient & MoveOptions,
): AsyncGenerator<MoveProgress, void> {
  const { client, ...others } = readCall("moveSessions", options);
  return new UserMigrator(client).migrateAll(parseCursor(others));
}

/** The sessions that are to be moved with a client; undefined where none are. */
export function findMigrator(client: NodeRedisClient): UserMigrator | undefined {
  return migrators.get(client);
}

class UserMigrator {
  readonly #migrator: Migrator;

  constructor(client: NodeRedisClient) {
    this.#migrator = new Migrator(client, IN_ONE_SHARD, LAYOUT);
  }

  /** Moves a session, if there is one: somebody else may have moved it just before. */
  async migrate(sessionId: string): Promise<void> {
    await this.#migrator.migrate(KEY_PREFIX + sessionId);
  }

  migrateForEnding(sessionId: string): Promise<void> {
    return this.#migrator.migrateForEnding(KEY_PREFIX + sessionId);
  }

  /** Moves all sessions of a user; `ends`: they are to be ended then. */
  migrateUser(userId: string, ends: boolean): Promise<void> {
    return this.#migrator.migrateIndex(
      toIndexKey(userId),
      (sessionId) => KEY_PREFIX + sessionId,
      ends,
    );
  }

  migrateAll(cursor: string | null): AsyncGenerator<MoveProgress, void> {
    return this.#migrator.migrateAll(cursor);
  }
}

function toIndexKey(userId: string): string {
  return `user:${userId}:sessions`;
}
