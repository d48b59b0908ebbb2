import { escapePattern, type ForeignValue } from "../../migrate/foreign-keys.ts";
import {
  type ForeignLayout,
  type MigratedSession,
  Migrator,
  type MoveProgress,
} from "../../migrate/migrator.ts";
import type { RedisStoreOptions } from "../../store/redis/options.ts";
import type { RedisClient } from "../../store/redis/wire/clients/connect.ts";
import { encodeRecord } from "../shared/json-record.ts";
import { deriveMigratedId } from "./ids.ts";
import { pickReferences } from "./options/references.ts";

/*
 * As koa-redis-session-sets has kept sessions, P being its prefix:
 *
 *   P:{<id>}             hash   the fields, all of them text, and `id` and `_csrf_secret`
 *   P:<field>:{<value>}  set    ids of sessions that have, or have had, this value
 */
const OWN_FIELDS = ["id", "_csrf_secret"];

/** The sessions that koa-redis-session-sets has kept, and that are moved when they are used. */
export class KoaMigrator {
  readonly #prefix: string;
  readonly #migrator: Migrator;

  constructor(
    client: RedisClient,
    options: RedisStoreOptions,
    prefix: string,
    references: ReadonlySet<string>,
  ) {
    this.#prefix = prefix;
    this.#migrator = new Migrator(client, options, createLayout(prefix, references));
  }

  /** Moves the session of an old id, if there is one. Resolves to the id that it has then. */
  async migrate(id: string, ends = false): Promise<string> {
    const key = toKey(this.#prefix, id);
    await (ends ? this.#migrator.migrateForEnding(key) : this.#migrator.migrate(key));
    return deriveMigratedId(id);
  }

  /** Moves all sessions of an old set, so that they can be ended. */
  migrateReference(field: string, value: unknown): Promise<void> {
    const index = toSetKey(this.#prefix, field, value);
    return this.#migrator.migrateIndex(index, (id) => toKey(this.#prefix, id), true);
  }

  migrateAll(cursor: string | null): AsyncGenerator<MoveProgress, void> {
    return this.#migrator.migrateAll(cursor);
  }
}

function createLayout(prefix: string, references: ReadonlySet<string>): ForeignLayout {
  const head = `${prefix}:{`;
  return {
    pattern: `${escapePattern(head)}*}`,
    type: "hash",
    index: "set",
    slides: false, // as everywhere here: each write sets the deadline anew
    parseSession(key: string, { value, expiresAt }: ForeignValue): MigratedSession | null {
      if (typeof value === "string" || expiresAt === null) return null;
      const old = key.slice(head.length, -1);
      const record = Object.fromEntries([...value].filter(([name]) => !OWN_FIELDS.includes(name)));
      const entries = Object.entries(record)
        .filter(([field]) => references.has(field))
        .map(([field, text]) => ({ key: toSetKey(prefix, field, text), member: old }));
      return {
        id: deriveMigratedId(old),
        fields: encodeRecord(record),
        references: pickReferences(record, references),
        expiresAt,
        entries,
      };
    },
  };
}

function toKey(prefix: string, id: string): string {
  return `${prefix}:{${id}}`;
}

function toSetKey(prefix: string, field: string, value: unknown): string {
  return `${prefix}:${field}:{${value}}`;
}
