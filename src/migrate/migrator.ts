import { MAX_REFERENCES, SessionError } from "../shared/errors.ts";
import { waitForAll } from "../shared/wait-for-all.ts";
import { warnOnce } from "../shared/warnings.ts";
import type { FieldReferences, Fields } from "../store/contract.ts";
import { encodeList } from "../store/redis/layout/encode.ts";
import { encodeSetNames, type Keys } from "../store/redis/layout/keys.ts";
import { parseRedisSettings, type RedisStoreOptions } from "../store/redis/options.ts";
import { KeyScan } from "../store/redis/reindex/scan.ts";
import { decodeCursor, encodeCursor } from "../store/redis/reindex/scan-cursor.ts";
import { Executor } from "../store/redis/scripts/executor.ts";
import type { RedisClient } from "../store/redis/wire/clients/connect.ts";
import { ForeignKeys, type ForeignValue, type IndexType } from "./foreign-keys.ts";

/*
 * Migrates the sessions of another library one at a time: reads one from its foreign layout, writes it
 * in this library's, and deletes it from the foreign one. The two keys are in different slots, so these
 * are three steps. A migration may stop after any of them, and others may migrate the same session
 * meanwhile.
 *
 * - The new id follows from the foreign session, and one script writes the session under it, once. It
 *   leaves a mark for as long as the foreign session would have lived. So of two migrations of a session
 *   one takes effect. A session that has ended here is not migrated again, not even by a caller that
 *   read it before its end, or where it was never deleted from the foreign layout (I4).
 * - So a call that ends a session migrates it first.
 */

/** A session of a foreign layout, as this library keeps it. */
export interface MigratedSession {
  readonly id: string;
  readonly fields: Fields;
  readonly references: readonly FieldReferences[];
  /** When it expires (ms). */
  readonly expiresAt: number;
  /**
   * How long (ms) it may be unused from its next use on, if that is longer than the time it has left;
   * null, or left out: its deadline is fixed.
   */
  readonly idleTimeout?: number | null;
  /** How many of its fields cannot be kept. */
  readonly leftOut?: number;
  /** Its entries in the library's indexes. */
  readonly entries: readonly { readonly key: string; readonly member: string }[];
}

/** How a library keeps the ids of the sessions that share a value. */
export interface ForeignIndex {
  readonly type: IndexType;
  /** The key of the ids of all sessions whose field has this value. */
  toKey(field: string, value: string): string;
}

/** How a library keeps its sessions. */
export interface ForeignLayout {
  /** A glob-style pattern that the keys of all sessions match. */
  readonly pattern: string;
  readonly type: "string" | "hash";
  /** Null where the library keeps no index. */
  readonly index: ForeignIndex | null;
  /** The key of the session with this id. Null where no id leads to a key, so sessions are found by a scan. */
  readonly toKey: ((id: string) => string) | null;
  /** The session at a key. Null, a SyntaxError and a SessionError all say that it is damaged. */
  parseSession(key: string, value: ForeignValue): MigratedSession | null;
  /**
   * Looks into why there is nothing at the key of an id that was used, and warns of a wrong setting.
   *
   * @param exists whether there is anything at another key.
   */
  explainAbsence?(id: string, exists: (key: string) => Promise<boolean>): Promise<void>;
}

interface MigrateResult {
  /**
   * `migrated`: the session is in this library's layout, or was; the rest of it that another migration
   * left in the foreign layout is deleted. `damaged`: it stays, unless it was to be ended.
   */
  readonly outcome: "migrated" | "absent" | "damaged";
  /** How many of its fields were left out. */
  readonly leftOut: number;
}

/** How a session is migrated. */
export interface MigrateOptions {
  /**
   * The session is ended right after. So one that is damaged is removed.
   * @default false
   */
  readonly thenEnd?: boolean;
}

/** How far the migration of all sessions has come. The counts are those of this call. */
export interface MoveProgress {
  /** Where to go on from here: give it to a later call. Null at the end. */
  readonly cursor: string | null;
  /** How many keys of the foreign layout were read. */
  readonly scanned: number;
  /** How many sessions were migrated: they are here now, and no longer in the foreign layout. */
  readonly moved: number;
  /** How many are damaged, and were left: not JSON, without an expiry, or without a field they need. */
  readonly damaged: number;
  /** How many fields of migrated sessions were left out: their names cannot be kept. Absent for none. */
  readonly leftOut?: number;
}

/** How many sessions are migrated at a time. */
const MAX_PARALLEL_SESSIONS = 50;

export class Migrator {
  readonly #foreignKeys: ForeignKeys;
  readonly #layout: ForeignLayout;
  readonly #executor: Executor;
  readonly #keys: Keys;

  constructor(client: RedisClient, options: RedisStoreOptions, layout: ForeignLayout) {
    const { connection, keys, timeout } = parseRedisSettings(client, options);
    this.#foreignKeys = new ForeignKeys(connection, timeout);
    this.#executor = new Executor(connection, timeout);
    this.#keys = keys;
    this.#layout = layout;
  }

  /**
   * Migrates the session with a foreign id, if there is one: another call may have just done so. The id must
   * lead to a key.
   */
  async migrate(id: string, { thenEnd = false }: MigrateOptions = {}): Promise<void> {
    const { outcome } = await this.#migrateKey(this.#toKey(id), { thenEnd });
    if (outcome === "absent" && !thenEnd) {
      await this.#layout.explainAbsence?.(id, (key) => this.#foreignKeys.has(key));
    }
  }

  /**
   * Migrates all sessions whose field has a value, in bounded steps. When this resolves, every session
   * that was in the index at the call has left the foreign layout, unless it is damaged. The layout must have
   * an index.
   */
  async migrateIndex(field: string, value: string, options: MigrateOptions = {}): Promise<void> {
    const index = this.#layout.index as NonNullable<ForeignLayout["index"]>;
    const indexKey = index.toKey(field, value);
    let cursor = "0";
    do {
      const page = await this.#foreignKeys.readMembers(indexKey, index.type, cursor);
      for (const batch of splitIntoBatches(page.members)) {
        const done = await waitForAll(
          batch.map(async (id) => {
            const { outcome } = await this.#migrateKey(this.#toKey(id), options);
            return outcome === "damaged" && !options.thenEnd ? [] : [id];
          }),
        );
        await this.#foreignKeys.removeMembers(indexKey, index.type, done.flat());
      }
      cursor = page.next;
    } while (cursor !== "0");
  }

  /**
   * Migrates all sessions, in bounded steps.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a cursor that no progress had.
   */
  migrateAll(
    cursor: string | null,
    options: MigrateOptions = {},
  ): AsyncGenerator<MoveProgress, void> {
    const keys = this.#foreignKeys.createScanSource(this.#layout.pattern);
    return this.#migrateInSteps(new KeyScan(keys, decodeCursor(cursor, keys.shards)), options);
  }

  async *#migrateInSteps(
    scan: KeyScan,
    options: MigrateOptions,
  ): AsyncGenerator<MoveProgress, void> {
    const counts = { migrated: 0, absent: 0, damaged: 0 };
    let scanned = 0;
    let leftOut = 0;
    const createProgress = () => {
      const progress = { scanned, moved: counts.migrated, damaged: counts.damaged };
      return leftOut === 0 ? progress : { ...progress, leftOut };
    };
    for await (const { keys, next } of scan.pages()) {
      for (const batch of splitIntoBatches(keys)) {
        const results = await waitForAll(batch.map((key) => this.#migrateKey(key, options)));
        for (const result of results) {
          scanned++;
          counts[result.outcome]++;
          leftOut += result.leftOut;
        }
      }
      if (next) yield { cursor: encodeCursor(next), ...createProgress() };
    }
    yield { cursor: null, ...createProgress() };
  }

  #toKey(id: string): string {
    return (this.#layout.toKey as NonNullable<ForeignLayout["toKey"]>)(id);
  }

  async #migrateKey(key: string, { thenEnd = false }: MigrateOptions): Promise<MigrateResult> {
    const { type, index } = this.#layout;
    const value = await this.#foreignKeys.read(key, type);
    if (value === null) return { outcome: "absent", leftOut: 0 };
    const session = value && this.#parseSession(key, value);
    if (!session) {
      if (thenEnd) await this.#foreignKeys.remove(key);
      return { outcome: "damaged", leftOut: 0 };
    }
    await this.#write(session);
    await this.#foreignKeys.remove(key);
    if (index !== null) {
      for (const entry of session.entries) {
        await this.#foreignKeys.removeMembers(entry.key, index.type, [entry.member]);
      }
    }
    return { outcome: "migrated", leftOut: session.leftOut ?? 0 };
  }

  #parseSession(key: string, value: ForeignValue): MigratedSession | null {
    try {
      return this.#layout.parseSession(key, value);
    } catch (error) {
      // It isn't JSON, or has a value that cannot be stored.
      if (error instanceof SyntaxError || error instanceof SessionError) return null;
      throw error;
    }
  }

  async #write(session: MigratedSession): Promise<void> {
    const { id, fields, references, expiresAt, idleTimeout = null } = session;
    await this.#executor.write("migrate a session", "migrate", this.#keys.deriveSessionKey(id), [
      id,
      String(Math.floor(expiresAt)),
      idleTimeout === null ? "" : String(idleTimeout),
      dropExcess(references).flatMap(encodeSetNames).join(" "),
      ...encodeList([...fields].flat()),
    ]);
  }
}

/**
 * The references of a session, with at most as many values as a session may have. A session with more
 * keeps all its fields, and is left out of some sets. It is left out of those of the references with
 * the most values, so the one that names the user keeps its set. Were it not migrated at all, its user
 * would be signed out.
 */
function dropExcess(references: readonly FieldReferences[]): FieldReferences[] {
  let left = MAX_REFERENCES;
  const kept: FieldReferences[] = [];
  for (const one of [...references].sort((a, b) => a.texts.length - b.texts.length)) {
    kept.push({ ...one, texts: one.texts.slice(0, left) });
    left -= Math.min(left, one.texts.length);
    if (kept.at(-1)?.texts.length === one.texts.length) continue;
    warnOnce(
      "SESSION_SETS_VALUES_LEFT_OUT",
      `A session was migrated whose references have more than ${MAX_REFERENCES} values in all. It is in the sets of that many, and not in those of the others. The same holds for other such sessions`,
    );
  }
  return kept;
}

function splitIntoBatches(all: readonly string[]): string[][] {
  const batches: string[][] = [];
  for (let from = 0; from < all.length; from += MAX_PARALLEL_SESSIONS) {
    batches.push(all.slice(from, from + MAX_PARALLEL_SESSIONS));
  }
  return batches;
}
