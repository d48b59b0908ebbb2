import { literal, type OldValue } from "../../migrate/foreign-keys.ts";
import {
  type MoveProgress,
  type OldLayout,
  type OldSession,
  OldSessions,
} from "../../migrate/migrator.ts";
import type { RedisStoreOptions } from "../../store/redis/options.ts";
import type { RedisClient } from "../../store/redis/wire/clients/connect.ts";
import { fieldsOf } from "../shared/json-record.ts";
import { movedId } from "./ids.ts";
import { referencesOf } from "./options/references.ts";

/*
 * As koa-redis-session-sets has kept sessions, P being its prefix:
 *
 *   P:{<id>}             hash   the fields, all of them text, and `id` and `_csrf_secret`
 *   P:<field>:{<value>}  set    ids of sessions that have, or have had, this value
 */
const OWN = ["id", "_csrf_secret"];

/** The sessions that koa-redis-session-sets has kept, and that are moved when they are used. */
export class OldKoaSessions {
  readonly #prefix: string;
  readonly #sessions: OldSessions;

  constructor(
    client: RedisClient,
    options: RedisStoreOptions,
    prefix: string,
    references: ReadonlySet<string>,
  ) {
    this.#prefix = prefix;
    this.#sessions = new OldSessions(client, options, layoutOf(prefix, references));
  }

  /** Moves the session of an old id, if there is one. Resolves to the id that it has then. */
  async move(id: string, ends = false): Promise<string> {
    const key = keyOf(this.#prefix, id);
    await (ends ? this.#sessions.moveToEnd(key) : this.#sessions.move(key));
    return movedId(id);
  }

  /** Moves all sessions of an old set, so that they can be ended. */
  moveReference(field: string, value: unknown): Promise<void> {
    const index = setKey(this.#prefix, field, value);
    return this.#sessions.moveIndex(index, (id) => keyOf(this.#prefix, id), true);
  }

  moveAll(cursor: string | null): AsyncGenerator<MoveProgress, void> {
    return this.#sessions.moveAll(cursor);
  }
}

function layoutOf(prefix: string, references: ReadonlySet<string>): OldLayout {
  const head = `${prefix}:{`;
  return {
    pattern: `${literal(head)}*}`,
    type: "hash",
    index: "set",
    slides: false, // as everywhere here: each write sets the deadline anew
    sessionOf(key: string, { value, expiresAt }: OldValue): OldSession | null {
      if (typeof value === "string" || expiresAt === null) return null;
      const old = key.slice(head.length, -1);
      const record = Object.fromEntries([...value].filter(([name]) => !OWN.includes(name)));
      const entries = Object.entries(record)
        .filter(([field]) => references.has(field))
        .map(([field, text]) => ({ key: setKey(prefix, field, text), member: old }));
      return {
        id: movedId(old),
        fields: fieldsOf(record),
        references: referencesOf(record, references),
        expiresAt,
        entries,
      };
    },
  };
}

function keyOf(prefix: string, id: string): string {
  return `${prefix}:{${id}}`;
}

function setKey(prefix: string, field: string, value: unknown): string {
  return `${prefix}:${field}:{${value}}`;
}
