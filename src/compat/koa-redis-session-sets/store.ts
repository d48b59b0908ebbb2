import { createGoneError } from "../../http/errors.ts";
import { type MigrateOptions, Migrator } from "../../migrate/migrator.ts";
import { type Duration, parseDuration } from "../../shared/durations.ts";
import { createConfigError, SessionError } from "../../shared/errors.ts";
import { readElements } from "../../shared/given.ts";
import type { Command, CommandStore } from "../../store/commanding.ts";
import type { Lookup } from "../../store/contract.ts";
import { openStore } from "../../store/redis/options.ts";
import { createChange } from "../shared/change.ts";
import {
  decodeRecord,
  decodeText,
  encodeFieldName,
  encodeRecord,
  type JSONRecord,
  toJSONRecord,
} from "../shared/json-record.ts";
import { createForeignLayout } from "./foreign-layout.ts";
import { deriveMigratedId, holdsForeignId, quoteName, toErrorField, toId } from "./ids.ts";
import type { Settings } from "./options/options.ts";
import { createReference, pickReferences } from "./options/references.ts";

/**
 * The data of a session, as JSON copies them. The data of a live session have its `id`, too, as the
 * sets give it. The `id` isn't enumerable, so it isn't written back with the fields.
 */
export interface KoaSessionData {
  // biome-ignore lint/suspicious/noExplicitAny: so that programs compile as before
  [field: string]: any;
}

/** The sessions by their ids, without cookies. An id is any string. */
export interface KoaSessionStore {
  /** The key of the session's hash. */
  getSessionKey(id: string): string;
  /** The key of a plain set: the ids of all sessions whose field has this value. 1 is the same as "1". */
  getReferenceKey(field: string, value: unknown): string;
  /** The data, or some fields of it; `{}` where there is no session. */
  get(id: string, fields?: readonly string[] | null): Promise<KoaSessionData>;
  /** Merges values, or makes the session where there is none. It ends `maxAge` from now. */
  set<Values extends object>(id: string, values: Values, maxAge?: Duration): Promise<Values>;
  /** Removes fields. The session ends `maxAge` from now. */
  unset(id: string, fields: readonly string[], maxAge?: Duration): Promise<void>;
  /** The session ends `maxAge` from now. */
  touch(id: string, maxAge?: Duration): Promise<void>;
  /** Ends a session, and takes it out of all sets. */
  delete(id: string): Promise<void>;
  /**
   * Ends all sessions whose field has this value, in bounded steps. Resolves to how many. With
   * `migrate`, it also ends those that were not migrated yet.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a field that isn't a declared reference.
   */
  clear(field: string, value: unknown): Promise<number>;
}

/** The changes to make in one session. */
export interface WantedChange {
  readonly values?: unknown;
  readonly unset?: readonly string[];
  readonly maxAge?: Duration | null | undefined;
}

/** The sessions of one middleware. They are in one shard, so each value of a reference has one set. */
export class SessionsInRedis {
  readonly store: CommandStore;
  /** Null where no sessions are to be migrated. */
  readonly migrator: Migrator | null;
  readonly #settings: Settings;

  constructor(settings: Settings) {
    const { client, prefix, foreignPrefix, references } = settings;
    const inOneShard = { prefix, shards: 1 };
    this.store = openStore(client, inOneShard);
    this.migrator =
      foreignPrefix === null
        ? null
        : new Migrator(client, inOneShard, createForeignLayout(foreignPrefix, references));
    this.#settings = settings;
  }

  /** How long a session lives from now on, in ms. */
  parseMaxAge(maxAge: Duration | null | undefined): number {
    if (holdsForeignId(maxAge)) {
      throw createConfigError(
        'maxAge must be a duration, such as "28 days"; it may be the id of a session',
      );
    }
    return parseDuration("maxAge", maxAge ?? this.#settings.maxAge);
  }

  /** @throws SessionError ERR_SESSION_CONFIG for a field that isn't a declared reference. */
  checkReference(field: string): void {
    if (this.#settings.references.has(field)) return;
    throw createConfigError(
      `${quoteName(field)} isn't a declared reference; add it to the references of koa-redis-session-sets`,
      { field: toErrorField(field) },
    );
  }

  /** A change for the store. It sets a new deadline, as every change of this entry does. */
  createChange({ values = {}, unset = [], maxAge }: WantedChange): Command {
    const record: JSONRecord = toJSONRecord("The session's values", values);
    const { references } = this.#settings;
    const given = readNames(unset);
    const removed = Object.fromEntries(given.map((field) => [field, null]));
    return {
      ...createChange(
        encodeRecord(record),
        given.map((field) => encodeFieldName(field)),
      ),
      references: pickReferences({ ...removed, ...record }, references),
      absoluteTimeout: this.parseMaxAge(maxAge),
    };
  }
}

/** The `store` that users of the middleware see. */
export function createPublicStore(sessions: SessionsInRedis): KoaSessionStore {
  const { store, migrator } = sessions;
  return {
    getSessionKey: (id) => store.sessionKey(toId(id)),
    getReferenceKey: (field, value) => store.setKey(createReference(field, value)),
    async get(id, fields) {
      return toData(await store.find(await resolveId(id), { names: toNames(fields) }));
    },
    async set(id, values, maxAge) {
      const change = { ...sessions.createChange({ values, maxAge }), create: true };
      const { state } = await store.command(await resolveId(id), change);
      if (state === "superseded") throw createGoneError();
      return values;
    },
    async unset(id, unset, maxAge) {
      const change = sessions.createChange({ unset, maxAge });
      await store.command(await resolveId(id), change);
    },
    async touch(id, maxAge) {
      const change = sessions.createChange({ maxAge });
      await store.command(await resolveId(id), change);
    },
    async delete(id) {
      await store.end(await resolveId(id, { thenEnd: true }));
    },
    async clear(field, value) {
      sessions.checkReference(field);
      const reference = createReference(field, value);
      await migrator?.migrateIndex(field, decodeText(reference.text), { thenEnd: true });
      return store.endAll(reference, { leavesMark: false }); // nothing here signs in with asOf
    },
  };

  /** The id that a session has here, which may be another one if the session was migrated. */
  async function resolveId(given: unknown, options?: MigrateOptions): Promise<string> {
    const id = toId(given);
    if (migrator === null) return id;
    await migrator.migrate(given as string, options);
    const migratedId = deriveMigratedId(given as string);
    if (migratedId === id) return id;
    const { state } = await store.find(migratedId, { names: [] });
    return state === "live" ? migratedId : id;
  }
}

export function toData(found: Lookup): KoaSessionData {
  if (found.state !== "live") return {};
  const { id, fields } = found.session;
  const data = decodeRecord<KoaSessionData>(fields);
  if (Object.hasOwn(data, "id")) return data; // a field of the program's own
  return Object.defineProperty(data, "id", { value: id, writable: true, configurable: true });
}

/** The names of the fields to read; undefined for all of them. */
export function toNames(fields?: readonly string[] | null): string[] | undefined {
  return fields == null ? undefined : readNames(fields).map((field) => encodeFieldName(field));
}

/** A list of names, read once. */
function readNames(fields: readonly string[]): string[] {
  const names = readElements("ERR_SESSION_VALUE", "The list of fields", fields);
  if (names?.every((field) => typeof field === "string")) return names;
  throw new SessionError("ERR_SESSION_VALUE", 'The fields must be a list: ["theme"]');
}
