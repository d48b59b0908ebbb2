import { literal, type OldValue } from "../../migrate/foreign-keys.ts";
import {
  type MoveProgress,
  type OldLayout,
  type OldSession,
  OldSessions,
} from "../../migrate/migrator.ts";
import { quote } from "../../shared/errors.ts";
import { warn } from "../../shared/warnings.ts";
import type { RedisStoreOptions } from "../../store/redis/options.ts";
import type { RedisClient } from "../../store/redis/wire/clients/connect.ts";
import { expiryOf, isFixed, lifetimeOf } from "./saving/cookie.ts";
import { type References, recordOf, referencesIn } from "./saving/record.ts";
import { idOfSid } from "./sid.ts";

const COLON = ":";
/** The prefixes that were looked at with a colon, and the reasons told why fields are left out. */
const told = new Set<string>();

/** How the sessions of another store are found and moved. */
export interface Moving {
  readonly prefix: string;
  readonly references: References;
  /** For a session whose cookie ends with the browser. */
  readonly idleTimeout: number;
  readonly shards: number;
}

/** The sessions that another store has kept, and that are moved when they are used. */
export class OldStoreSessions {
  readonly #prefix: string;
  readonly #sessions: OldSessions;

  constructor(client: RedisClient, options: RedisStoreOptions, moving: Moving) {
    this.#prefix = moving.prefix;
    this.#sessions = new OldSessions(client, options, layoutOf(moving));
  }

  /** Moves a session, if there is one: somebody else may have moved it just before. */
  async move(sid: string): Promise<void> {
    const moved = await this.#sessions.move(this.#prefix + sid);
    if (moved === "absent") await this.#lookBehindColon(sid);
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

  /** Once a process, looks whether the sessions are where the prefix has a colon at its end. */
  async #lookBehindColon(sid: string): Promise<void> {
    if (this.#prefix.endsWith(COLON) || told.has(this.#prefix + COLON)) return;
    told.add(this.#prefix + COLON);
    try {
      if (await this.#sessions.has(this.#prefix + COLON + sid)) tellOfColon(this.#prefix);
    } catch (error) {
      told.delete(this.#prefix + COLON); // nobody has looked
      throw error;
    }
  }
}

/**
 * As connect-redis, and other stores like it, have kept sessions: JSON at `<prefix><sid>`, which
 * expires with the session. Where it does not (`disableTTL`), the cookie says when.
 */
function layoutOf({ prefix, references, idleTimeout, shards }: Moving): OldLayout {
  return {
    pattern: `${literal(prefix)}*`,
    type: "string",
    index: "set", // there is none
    slides: true,
    sessionOf(key: string, { value, expiresAt }: OldValue): OldSession | null {
      const sid = key.slice(prefix.length);
      if (sid.startsWith(COLON) && !prefix.endsWith(COLON)) {
        tellOfColon(prefix);
        return null; // it would be moved to where its sid does not find it
      }
      const session: unknown = JSON.parse(String(value));
      let leftOut = 0;
      const { fields, texts, cookie } = recordOf(session, references, {
        maxBytes: Number.POSITIVE_INFINITY, // the other store had no limit
        onUnnamed(name, fault) {
          leftOut++;
          tellOfField(name, fault);
        },
      });
      const deadline = expiresAt ?? expiryOf(cookie);
      if (deadline === null || !hasCookie(session)) return null;
      return {
        id: idOfSid(sid, shards),
        fields,
        references: referencesIn(fields.keys(), texts, references),
        expiresAt: deadline,
        idleTimeout: isFixed(cookie) ? null : lifetimeOf(cookie, null, idleTimeout).idleTimeout,
        entries: [],
        leftOut,
      };
    },
  };
}

function hasCookie(session: unknown): boolean {
  const { cookie } = session as { cookie?: unknown };
  return typeof cookie === "object" && cookie !== null;
}

function tellOfColon(prefix: string): void {
  const right = prefix + COLON;
  tell(
    `colon ${right}`,
    "SESSION_SETS_MIGRATE_PREFIX",
    `There are sessions whose keys begin with ${quote(right)}, and migrate looks for ${quote(prefix)}, so they are not moved: write migrate: { prefix: ${quote(right)} }`,
  );
}

function tellOfField(name: string, fault: string): void {
  tell(
    `field ${fault}`,
    "SESSION_SETS_FIELD_LEFT_OUT",
    `A session was moved without its field ${quote(name)}, whose name ${fault}; so is each other one with such a field. moveSessions counts them as leftOut`,
  );
}

function tell(what: string, code: string, message: string): void {
  if (told.has(what)) return;
  told.add(what);
  warn(code, message);
}
