import { parseFieldsToUnset } from "../../../sessions/record.ts";
import {
  CLEAR_OPTIONS,
  type ClearOptions,
  type ListOptions,
  type SessionSet,
  type TrimOptions,
} from "../../../sessions/session-set.ts";
import type { DeleteOptions, OptionalFieldOf, Session } from "../../../sessions/types.ts";
import { createConfigError } from "../../../shared/errors.ts";
import { readOptions } from "../../../shared/given.ts";

/** The rules of the store for its session sets. */
export interface StoreRules<Data> {
  /** The session as the middleware knows it. */
  toSavedSession(session: Session<Data>): Session<Data>;
  /** Copies values that are plain data, and refuses any others. */
  toPlainValues(values: unknown): object;
  /** Refuses fields that only requests may change. */
  checkFields(verb: "set" | "unset", fields: readonly string[]): void;
  /** Whether a value has the form of an id. */
  isId(id: unknown): boolean;
}

/**
 * The live sessions of a middleware that share one value of one reference, as a `SessionSet`. An `id`
 * is a session's public name, not its sid: `store.idOf(sid)`.
 */
export class StoreSessionSet<Data extends object> implements AsyncIterable<Session<Data>> {
  readonly #set: SessionSet<Data>;
  readonly #rules: StoreRules<Data>;

  /** @internal */
  constructor(set: SessionSet<Data>, rules: StoreRules<Data>) {
    this.#set = set;
    this.#rules = rules;
  }

  /**
   * Where the store keeps the set: in Redis the key of its sorted set, or of the plain set where the
   * reference is declared `{ as: "set" }`. Where there are several shards, `*` stands for the shard.
   */
  get key(): string {
    return this.#set.key;
  }

  /** How many there are; no session is read. */
  size(): Promise<number> {
    return this.#set.size();
  }

  /** Whether the session of this id is one of them. */
  has(id: string): Promise<boolean> {
    return this.#set.has(id);
  }

  /** The ids of all of them, in no particular order. */
  ids(): Promise<string[]> {
    return this.#set.ids();
  }

  /**
   * Some of them: the 100 most recently seen, or with `limit` or `after` a page in the order of deadlines,
   * as `list` of a `SessionSet`.
   */
  async list(options?: ListOptions): Promise<Session<Data>[]> {
    return (await this.#set.list(options)).map((session) => this.#rules.toSavedSession(session));
  }

  /** All of them, in no particular order, read in pages. None is given twice. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Session<Data>, void> {
    for await (const session of this.#set) yield this.#rules.toSavedSession(session);
  }

  /**
   * Merges values into each of them; no deadline changes. Resolves to how many.
   *
   * @throws SessionError ERR_SESSION_CONFIG for the cookie and for a field that a `from` reads, which
   * are changed in their requests; ERR_SESSION_TOO_LARGE where one would grow over `maxBytes`: it and
   * those after it are left as they are.
   */
  async set(values: Partial<Data>): Promise<number> {
    const given = this.#rules.toPlainValues(values) as Partial<Data>;
    this.#rules.checkFields("set", Object.keys(given));
    return this.#set.set(given);
  }

  /**
   * Removes fields from each of them; no deadline changes. Resolves to how many sessions there were.
   *
   * @throws SessionError ERR_SESSION_CONFIG for the cookie and for a field that a `from` reads.
   */
  async unset(fields: readonly OptionalFieldOf<Data>[]): Promise<number> {
    const unset = parseFieldsToUnset(fields) as OptionalFieldOf<Data>[];
    this.#rules.checkFields("unset", unset);
    return this.#set.unset(unset);
  }

  /** Ends the session of this id, if it is one of them. Resolves to whether it was. */
  delete(id: string, options?: DeleteOptions): Promise<boolean> {
    return this.#set.delete(id, options);
  }

  /**
   * Ends all of them, except the one whose id is `except`. Resolves to how many.
   *
   * @throws SessionError ERR_SESSION_CONFIG if `except` isn't an id; nothing was ended.
   */
  async clear(options: ClearOptions = {}): Promise<number> {
    const given = readOptions("clear", options, CLEAR_OPTIONS);
    const { except = null } = given;
    if (except !== null && !this.#rules.isId(except)) {
      throw createConfigError(
        "except must be a session's public id: that of a request is store.idOf(req.sessionID); no session was ended",
        { option: "except" },
      );
    }
    return this.#set.clear(given);
  }

  /** Ends all of them but the `keep` that were made last. Resolves to how many. */
  trim(options: TrimOptions): Promise<number> {
    return this.#set.trim(options);
  }
}
