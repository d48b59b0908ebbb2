import { MAX_REFERENCES, SessionError } from "../shared/errors.ts";
import { settled } from "../shared/wait-for-all.ts";
import { warnOnce } from "../shared/warnings.ts";
import type { FieldReferences, Fields } from "../store/contract.ts";
import { counted } from "../store/redis/layout/encode.ts";
import { type Keys, setNames } from "../store/redis/layout/keys.ts";
import { type RedisStoreOptions, redisSettings } from "../store/redis/options.ts";
import { Walk } from "../store/redis/reindex/scan.ts";
import { positionOf, textOf } from "../store/redis/reindex/scan-cursor.ts";
import { Server } from "../store/redis/scripts/executor.ts";
import type { RedisClient } from "../store/redis/wire/clients/connect.ts";
import { type IndexType, OldKeys, type OldValue } from "./foreign-keys.ts";

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
export interface OldSession {
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
export interface OldLayout {
  /** A glob-style pattern that the keys of all sessions match. */
  readonly pattern: string;
  readonly type: "string" | "hash";
  /** The type of the indexes, where there are any. */
  readonly index: IndexType;
  /** Whether using a session moves its deadline. */
  readonly slides: boolean;
  /** The session at a key; null where it is damaged, and so are a SyntaxError and a SessionError. */
  sessionOf(key: string, old: OldValue): OldSession | null;
}

/**
 * What became of an old session. `moved` also where it was moved before and was only left over;
 * `damaged`: it is left as it is.
 */
export type Moved = "moved" | "absent" | "damaged";

/** The same, and how many fields were left out. */
interface Outcome {
  readonly moved: Moved;
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
const TOGETHER = 50;

export class OldSessions {
  readonly #old: OldKeys;
  readonly #layout: OldLayout;
  readonly #server: Server;
  readonly #keys: Keys;

  constructor(client: RedisClient, options: RedisStoreOptions, layout: OldLayout) {
    const { connection, keys, timeout } = redisSettings(client, options);
    this.#old = new OldKeys(connection, timeout);
    this.#server = new Server(connection, timeout);
    this.#keys = keys;
    this.#layout = layout;
  }

  /**
   * Moves the session at an old key. When it resolves to `moved`, it is in the new layout or was.
   *
   * @param ends whether it is to be ended then: what is damaged is removed.
   */
  async move(key: string, ends = false): Promise<Moved> {
    return (await this.#move(key, ends)).moved;
  }

  /** Whether there is anything at a key. */
  has(key: string): Promise<boolean> {
    return this.#old.has(key);
  }

  async #move(key: string, ends: boolean): Promise<Outcome> {
    const { type } = this.#layout;
    const old = await this.#old.read(key, type);
    if (old === null) return { moved: "absent", leftOut: 0 };
    const session = old && this.#sessionOf(key, old);
    if (!session) {
      if (ends) await this.#old.remove(key);
      return { moved: "damaged", leftOut: 0 };
    }
    await this.#takeOver(session);
    await this.#old.remove(key);
    for (const { key, member } of session.entries) {
      await this.#old.removeMembers(key, this.#layout.index, [member]);
    }
    return { moved: "moved", leftOut: session.leftOut ?? 0 };
  }

  /** Moves the session at an old key so that it can be ended. */
  async moveToEnd(key: string): Promise<void> {
    await this.move(key, true);
  }

  /**
   * Moves all sessions of an old index, in bounded steps. A member that was there at the call is not
   * in the old layout when this resolves, unless it is damaged.
   *
   * @param keyOf the key of a member's session.
   * @param ends whether they are to be ended then: damaged ones are removed.
   */
  async moveIndex(index: string, keyOf: (member: string) => string, ends: boolean): Promise<void> {
    let cursor = "0";
    do {
      const { members, next } = await this.#old.members(index, this.#layout.index, cursor);
      for (let from = 0; from < members.length; from += TOGETHER) {
        const part = members.slice(from, from + TOGETHER);
        const done = await settled(
          part.map(async (member) => {
            if (ends) await this.moveToEnd(keyOf(member));
            else if ((await this.move(keyOf(member))) === "damaged") return [];
            return [member];
          }),
        );
        await this.#old.removeMembers(index, this.#layout.index, done.flat());
      }
      cursor = next;
    } while (cursor !== "0");
  }

  /**
   * Moves all sessions; `ends` as in `move`.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a cursor that is none of its own.
   */
  moveAll(cursor: string | null, ends = false): AsyncGenerator<MoveProgress, void> {
    const keys = this.#old.matching(this.#layout.pattern);
    return this.#steps(new Walk(keys, positionOf(cursor, keys.shards)), ends);
  }

  async *#steps(walk: Walk, ends: boolean): AsyncGenerator<MoveProgress, void> {
    const sum = { scanned: 0, moved: 0, damaged: 0 };
    let leftOut = 0;
    const soFar = () => (leftOut === 0 ? sum : { ...sum, leftOut });
    for await (const { keys, next } of walk.pages()) {
      for (let from = 0; from < keys.length; from += TOGETHER) {
        const part = keys.slice(from, from + TOGETHER);
        for (const outcome of await settled(part.map((key) => this.#move(key, ends)))) {
          sum.scanned++;
          if (outcome.moved !== "absent") sum[outcome.moved]++;
          leftOut += outcome.leftOut;
        }
      }
      if (next) yield { cursor: textOf(next), ...soFar() };
    }
    yield { cursor: null, ...soFar() };
  }

  #sessionOf(key: string, old: OldValue): OldSession | null {
    try {
      return this.#layout.sessionOf(key, old);
    } catch (error) {
      // No JSON, or nothing that can be stored as it is.
      if (error instanceof SyntaxError || error instanceof SessionError) return null;
      throw error;
    }
  }

  async #takeOver(session: OldSession): Promise<void> {
    const { id, fields, references, expiresAt } = session;
    const { idleTimeout = this.#layout.slides ? 0 : null } = session;
    await this.#server.write("move an old session", "migrate", this.#keys.session(id), [
      id,
      String(Math.floor(expiresAt)),
      idleTimeout === null ? "" : String(idleTimeout),
      withoutExcess(references).flatMap(setNames).join(" "),
      ...counted([...fields].flat()),
    ]);
  }
}

/**
 * The references of a session with as many values as one may have. A session that has more keeps all
 * its fields, and is left out of the sets of some values: those of the references that have the most,
 * so that who the user is is not among them. To leave it where it is would sign its user out.
 */
function withoutExcess(references: readonly FieldReferences[]): FieldReferences[] {
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
