import type { RedisClient } from "../../store/redis/clients/connect.ts";
import { literal, type OldValue } from "../../store/redis/old-keys.ts";
import {
  type MoveProgress,
  type OldLayout,
  type OldSession,
  OldSessions,
} from "../../store/redis/old-sessions.ts";
import type { RedisStoreOptions } from "../../store/redis/redis-store.ts";
import { expiryOf } from "./deadline.ts";
import { type References, recordOf, referencesIn } from "./record.ts";
import { idOfSid } from "./sid.ts";

/** The sessions that another store has kept, and that are moved when they are used. */
export class OldStoreSessions {
  readonly #prefix: string;
  readonly #sessions: OldSessions;

  constructor(
    client: RedisClient,
    options: RedisStoreOptions,
    prefix: string,
    references: References,
    shards: number,
  ) {
    this.#prefix = prefix;
    this.#sessions = new OldSessions(client, options, layoutOf(prefix, references, shards));
  }

  /** Moves a session, if there is one: somebody else may have moved it just before. */
  async move(sid: string): Promise<void> {
    await this.#sessions.move(this.#prefix + sid);
  }

  moveToEnd(sid: string): Promise<void> {
    return this.#sessions.moveToEnd(this.#prefix + sid);
  }

  moveAll(cursor: string | null): AsyncGenerator<MoveProgress, void> {
    return this.#sessions.moveAll(cursor);
  }

  /** Moves all sessions so that they can be ended. */
  async moveAllToEnd(): Promise<void> {
    for await (const _ of this.#sessions.moveAll(null, true));
  }
}

/**
 * As connect-redis, and other stores like it, have kept sessions: JSON at `<prefix><sid>`, which
 * expires with the session. Where it does not (`disableTTL`), the cookie says when.
 */
function layoutOf(prefix: string, references: References, shards: number): OldLayout {
  return {
    pattern: `${literal(prefix)}*`,
    type: "string",
    index: "set", // there is none
    slides: true,
    sessionOf(key: string, { value, expiresAt }: OldValue): OldSession | null {
      const { fields, texts, cookie } = recordOf(JSON.parse(String(value)), references);
      const deadline = expiresAt ?? expiryOf(cookie);
      if (deadline === null || typeof cookie !== "object" || cookie === null) return null;
      return {
        id: idOfSid(key.slice(prefix.length), shards),
        fields,
        references: referencesIn(fields.keys(), texts, references),
        expiresAt: deadline,
        entries: [],
      };
    },
  };
}
