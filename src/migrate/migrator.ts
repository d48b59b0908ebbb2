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
 * Sessions that another library has kept, moved here one at a time: read from the old layout, written
 * in the new, deleted from the old. Old and new keys are in different slots, so it takes three steps,
 * any of which may be the last, and which others may do at the same time.
 *
 * - What is written is under an id that follows from the old session, and by one script that does it
 *   once. It leaves a mark for as long as the old session would have lived. So of two that move the
 *   same session one does, and what has ended here is not moved again: not by somebody who read it
 *   before, and not if it was never deleted from the old layout (I4).
 * - So whoever ends a session moves it first.
 */

/** A session of the old layout as it is in the new one. */
export interface MigratedSession {
  readonly id: string;
  readonly fields: Fields;
  readonly references: readonly FieldReferences[];
  /** When it expires (ms). */
  readonly expiresAt: number;
  /**
   * How long (ms) it may be unused from its next use on, if that is longer than what is left of it;
   * null: nothing moves its deadline. Left out, the layout says whether something does.
   */
  readonly idleTimeout?: number | null;
  /** How many fields it has that cannot be kept. */
  readonly leftOut?: number;
  /** The members of old indexes that are this session. */
  readonly entries: readonly { readonly key: string; readonly member: string }[];
}

/** How a library has kept its sessions. */
export interface ForeignLayout {
  /** A glob-style pattern that the keys of all sessions match. */
  readonly pattern: string;
  readonly type: "string" | "hash";
  /** The type of the indexes, where there are any. */
  readonly index: IndexType;
  /** Whether using a session moves its deadline. */
  readonly slides: boolean;
  /** The session at a key; null where it is damaged, and so are a SyntaxError and a SessionError. */
  parseSession(key: string, value: ForeignValue): MigratedSession | null;
}

/**
 * What became of an old session. `moved` also where it was moved before and was only left over;
 * `damaged`: it is left as it is.
 */
export type MigrateOutcome = "moved" | "absent" | "damaged";

/** The same, and how many fields were left out. */
interface MigrateResult {
  readonly outcome: MigrateOutcome;
  readonly leftOut: number;
}

/** How far a move of all old sessions has come. The numbers are those of this walk. */
export interface MoveProgress {
  /** Where the walk goes on from here, to be given back; null at the end. */
  readonly cursor: string | null;
  /** How many keys of the old layout were looked at. */
  readonly scanned: number;
  /** How many sessions are in the new layout now, and no longer in the old one. */
  readonly moved: number;
  /** How many are damaged, and were left: not JSON, without an expiry, or without a field they need. */
  readonly damaged: number;
  /** How many fields of moved sessions were left out: their names cannot be kept. Absent for none. */
  readonly leftOut?: number;
}

/** How many sessions are moved at a time. */
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
   * Moves the session at an old key. When it resolves to `moved`, it is in the new layout or was.
   *
   * @param ends whether it is to be ended then: what is damaged is removed.
   */
  async migrate(key: string, ends = false): Promise<MigrateOutcome> {
    return (await this.#migrate(key, ends)).outcome;
  }

  /** Whether there is anything at a key. */
  has(key: string): Promise<boolean> {
    return this.#foreignKeys.has(key);
  }

  async #migrate(key: string, ends: boolean): Promise<MigrateResult> {
    const { type } = this.#layout;
    const value = await this.#foreignKeys.read(key, type);
    if (value === null) return { outcome: "absent", leftOut: 0 };
    const session = value && this.#parseSession(key, value);
    if (!session) {
      if (ends) await this.#foreignKeys.remove(key);
      return { outcome: "damaged", leftOut: 0 };
    }
    await this.#write(session);
    await this.#foreignKeys.remove(key);
    for (const { key, member } of session.entries) {
      await this.#foreignKeys.removeMembers(key, this.#layout.index, [member]);
    }
    return { outcome: "moved", leftOut: session.leftOut ?? 0 };
  }

  /** Moves the session at an old key so that it can be ended. */
  async migrateForEnding(key: string): Promise<void> {
    await this.migrate(key, true);
  }

  /**
   * Moves all sessions of an old index, in bounded steps. A member that was there at the call is not
   * in the old layout when this resolves, unless it is damaged.
   *
   * @param toKey the key of a member's session.
   * @param ends whether they are to be ended then: damaged ones are removed.
   */
  async migrateIndex(
    index: string,
    toKey: (member: string) => string,
    ends: boolean,
  ): Promise<void> {
    let cursor = "0";
    do {
      const { members, next } = await this.#foreignKeys.readMembers(
        index,
        this.#layout.index,
        cursor,
      );
      for (let from = 0; from < members.length; from += MAX_PARALLEL_SESSIONS) {
        const part = members.slice(from, from + MAX_PARALLEL_SESSIONS);
        const done = await waitForAll(
          part.map(async (member) => {
            if (ends) await this.migrateForEnding(toKey(member));
            else if ((await this.migrate(toKey(member))) === "damaged") return [];
            return [member];
          }),
        );
        await this.#foreignKeys.removeMembers(index, this.#layout.index, done.flat());
      }
      cursor = next;
    } while (cursor !== "0");
  }

  /**
   * Moves all sessions; `ends` as in `move`.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a cursor that is none of its own.
   */
  migrateAll(cursor: string | null, ends = false): AsyncGenerator<MoveProgress, void> {
    const keys = this.#foreignKeys.createScanSource(this.#layout.pattern);
    return this.#migrateInSteps(new KeyScan(keys, decodeCursor(cursor, keys.shards)), ends);
  }

  async *#migrateInSteps(scan: KeyScan, ends: boolean): AsyncGenerator<MoveProgress, void> {
    const sum = { scanned: 0, moved: 0, damaged: 0 };
    let leftOut = 0;
    const createProgress = () => (leftOut === 0 ? sum : { ...sum, leftOut });
    for await (const { keys, next } of scan.pages()) {
      for (let from = 0; from < keys.length; from += MAX_PARALLEL_SESSIONS) {
        const part = keys.slice(from, from + MAX_PARALLEL_SESSIONS);
        for (const outcome of await waitForAll(part.map((key) => this.#migrate(key, ends)))) {
          sum.scanned++;
          if (outcome.outcome !== "absent") sum[outcome.outcome]++;
          leftOut += outcome.leftOut;
        }
      }
      if (next) yield { cursor: encodeCursor(next), ...createProgress() };
    }
    yield { cursor: null, ...createProgress() };
  }

  #parseSession(key: string, value: ForeignValue): MigratedSession | null {
    try {
      return this.#layout.parseSession(key, value);
    } catch (error) {
      // No JSON, or nothing that can be stored as it is.
      if (error instanceof SyntaxError || error instanceof SessionError) return null;
      throw error;
    }
  }

  async #write(session: MigratedSession): Promise<void> {
    const { id, fields, references, expiresAt } = session;
    const { idleTimeout = this.#layout.slides ? 0 : null } = session;
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
 * The references of a session with as many values as one may have. A session that has more keeps all
 * its fields, and is left out of the sets of some values: those of the references that have the most,
 * so that who the user is is not among them. To leave it where it is would sign its user out.
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
      `A session was moved whose references have more than ${MAX_REFERENCES} values in all: it is in the sets of as many of them, and not in the sets of the others; so is each other one like it`,
    );
  }
  return kept;
}
