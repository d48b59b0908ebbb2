import { escapePattern, type ForeignValue } from "../../migrate/foreign-keys.ts";
import {
  type ForeignLayout,
  type MigratedSession,
  Migrator,
  type MoveProgress,
} from "../../migrate/migrator.ts";
import { quote } from "../../shared/errors.ts";
import { warn } from "../../shared/warnings.ts";
import type { RedisStoreOptions } from "../../store/redis/options.ts";
import type { RedisClient } from "../../store/redis/wire/clients/connect.ts";
import { deriveLifetime, isFixed, parseExpiry } from "./saving/cookie.ts";
import { createRecord, pickReferences, type References } from "./saving/record.ts";
import { deriveId } from "./sid.ts";

const COLON = ":";
/** The prefixes that were looked at with a colon, and the reasons told why fields are left out. */
const warned = new Set<string>();

/** How the sessions of another store are found and moved. */
export interface MigrateSettings {
  readonly prefix: string;
  readonly references: References;
  /** For a session whose cookie ends with the browser. */
  readonly idleTimeout: number;
  readonly shards: number;
}

/** The sessions that another store has kept, and that are moved when they are used. */
export class StoreMigrator {
  readonly #prefix: string;
  readonly #migrator: Migrator;

  constructor(client: RedisClient, options: RedisStoreOptions, settings: MigrateSettings) {
    this.#prefix = settings.prefix;
    this.#migrator = new Migrator(client, options, createLayout(settings));
  }

  /** Moves a session, if there is one: somebody else may have moved it just before. */
  async migrate(sid: string): Promise<void> {
    const moved = await this.#migrator.migrate(this.#prefix + sid);
    if (moved === "absent") await this.#checkColon(sid);
  }

  migrateForEnding(sid: string): Promise<void> {
    return this.#migrator.migrateForEnding(this.#prefix + sid);
  }

  migrateAll(cursor: string | null): AsyncGenerator<MoveProgress, void> {
    return this.#migrator.migrateAll(cursor);
  }

  /** Moves all sessions so that they can be ended. */
  async migrateAllForEnding(): Promise<void> {
    for await (const _ of this.#migrator.migrateAll(null, true));
  }

  /** Once a process, looks whether the sessions are where the prefix has a colon at its end. */
  async #checkColon(sid: string): Promise<void> {
    if (this.#prefix.endsWith(COLON) || warned.has(this.#prefix + COLON)) return;
    warned.add(this.#prefix + COLON);
    try {
      if (await this.#migrator.has(this.#prefix + COLON + sid)) warnAboutColon(this.#prefix);
    } catch (error) {
      warned.delete(this.#prefix + COLON); // nobody has looked
      throw error;
    }
  }
}

/**
 * As connect-redis, and other stores like it, have kept sessions: JSON at `<prefix><sid>`, which
 * expires with the session. Where it does not (`disableTTL`), the cookie says when.
 */
function createLayout({ prefix, references, idleTimeout, shards }: MigrateSettings): ForeignLayout {
  return {
    pattern: `${escapePattern(prefix)}*`,
    type: "string",
    index: "set", // there is none
    slides: true,
    parseSession(key: string, { value, expiresAt }: ForeignValue): MigratedSession | null {
      const sid = key.slice(prefix.length);
      if (sid.startsWith(COLON) && !prefix.endsWith(COLON)) {
        warnAboutColon(prefix);
        return null; // it would be moved to where its sid does not find it
      }
      const session: unknown = JSON.parse(String(value));
      let leftOut = 0;
      const { fields, texts, cookie } = createRecord(session, references, {
        maxBytes: Number.POSITIVE_INFINITY, // the other store had no limit
        onUnnamed(name, fault) {
          leftOut++;
          warnAboutField(name, fault);
        },
      });
      const deadline = expiresAt ?? parseExpiry(cookie);
      if (deadline === null || !hasCookie(session)) return null;
      return {
        id: deriveId(sid, shards),
        fields,
        references: pickReferences(fields.keys(), texts, references),
        expiresAt: deadline,
        idleTimeout: isFixed(cookie) ? null : deriveLifetime(cookie, null, idleTimeout).idleTimeout,
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

function warnAboutColon(prefix: string): void {
  const right = prefix + COLON;
  warnOncePerSubject(
    `colon ${right}`,
    "SESSION_SETS_MIGRATE_PREFIX",
    `There are sessions whose keys begin with ${quote(right)}, and migrate looks for ${quote(prefix)}, so they are not moved: write migrate: { prefix: ${quote(right)} }`,
  );
}

function warnAboutField(name: string, fault: string): void {
  warnOncePerSubject(
    `field ${fault}`,
    "SESSION_SETS_FIELD_LEFT_OUT",
    `A session was moved without its field ${quote(name)}, whose name ${fault}; so is each other one with such a field. moveSessions counts them as leftOut`,
  );
}

function warnOncePerSubject(what: string, code: string, message: string): void {
  if (warned.has(what)) return;
  warned.add(what);
  warn(code, message);
}
