import type { OldValue } from "../../migrate/foreign-keys.ts";
import {
  type MoveProgress,
  type OldLayout,
  type OldSession,
  OldSessions,
} from "../../migrate/migrator.ts";
import { cursorOf, type MoveOptions } from "../../migrate/options.ts";
import type { NodeRedisClient } from "../../store/redis/wire/clients/node-redis.ts";
import { encodeText, fieldsOf } from "../shared/json-record.ts";
import { callOf, type WithClient } from "./calls.ts";
import { deadlineOf } from "./iso-timestamp.ts";
import { userOf } from "./user.ts";

/*
 * As redis-user-sessions has kept sessions:
 *
 *   session:<sessionId>     string      the session as JSON
 *   user:<userId>:sessions  sorted set  ids of the user's sessions, scored by the moment they expire
 */
const HEAD = "session:";
const LAYOUT: OldLayout = {
  pattern: `${HEAD}*`,
  type: "string",
  index: "sorted set",
  slides: false,
  sessionOf(key: string, { value, expiresAt }: OldValue): OldSession {
    const record = Object(JSON.parse(String(value)));
    const user = userOf(record.userId);
    const deadline = deadlineOf(record.expires);
    const sessionId = key.slice(HEAD.length);
    return {
      id: encodeText(sessionId),
      fields: fieldsOf(record),
      references: [{ field: user.field, texts: [user.text], plain: false }],
      expiresAt: expiresAt ?? deadline,
      entries: [{ key: indexOf(record.userId), member: sessionId }],
    };
  },
};

/** Where the sessions are, whatever the client is: a user's are one sorted set, in one shard. */
export const IN_ONE_SHARD = { prefix: "redis-user-sessions", shards: 1 } as const;

const migrating = new WeakMap<object, OldUserSessions>();

/**
 * Has all functions that are called with this client move sessions that redis-user-sessions has kept,
 * when they come by them. To be called once, when the program starts.
 *
 * @throws SessionError ERR_SESSION_CONFIG for options that are misspelt, and for what is no client.
 */
export function migrateSessions(options: WithClient): void {
  const { client } = callOf("migrateSessions", options);
  migrating.set(client, new OldUserSessions(client));
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
  const { client, ...others } = callOf("moveSessions", options);
  return new OldUserSessions(client).moveAll(cursorOf(others));
}

/** The sessions that are to be moved with a client; undefined where none are. */
export function oldSessionsOf(client: NodeRedisClient): OldUserSessions | undefined {
  return migrating.get(client);
}

class OldUserSessions {
  readonly #sessions: OldSessions;

  constructor(client: NodeRedisClient) {
    this.#sessions = new OldSessions(client, IN_ONE_SHARD, LAYOUT);
  }

  /** Moves a session, if there is one: somebody else may have moved it just before. */
  async move(sessionId: string): Promise<void> {
    await this.#sessions.move(HEAD + sessionId);
  }

  moveToEnd(sessionId: string): Promise<void> {
    return this.#sessions.moveToEnd(HEAD + sessionId);
  }

  /** Moves all sessions of a user; `ends`: they are to be ended then. */
  moveUser(userId: string, ends: boolean): Promise<void> {
    return this.#sessions.moveIndex(indexOf(userId), (sessionId) => HEAD + sessionId, ends);
  }

  moveAll(cursor: string | null): AsyncGenerator<MoveProgress, void> {
    return this.#sessions.moveAll(cursor);
  }
}

function indexOf(userId: string): string {
  return `user:${userId}:sessions`;
}
