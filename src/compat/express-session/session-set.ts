import type { ClearOptions, ListOptions, SessionSet } from "../../sessions/session-set.ts";
import type { Session } from "../../sessions/types.ts";

/** Takes what is no field of the session out of its data. */
export type Clean<Data> = (session: Session<Data>) => Session<Data>;

/**
 * The live sessions of a middleware that share one value of one reference, as a `SessionSet`. Its
 * sessions are changed in their requests alone, where the functions of references see them whole. An
 * `id` is a session's public name, not its sid: `store.idOf(sid)`.
 */
export class StoreSessionSet<Data extends object> implements AsyncIterable<Session<Data>> {
  readonly #set: SessionSet<Data>;
  readonly #clean: Clean<Data>;

  /** @internal */
  constructor(set: SessionSet<Data>, clean: Clean<Data>) {
    this.#set = set;
    this.#clean = clean;
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

  /** The ids of all of them, in no order. */
  ids(): Promise<string[]> {
    return this.#set.ids();
  }

  /** Some of them, the most recently seen first. */
  async list(options?: ListOptions): Promise<Session<Data>[]> {
    return (await this.#set.list(options)).map(this.#clean);
  }

  /** All of them in no order, read in pages; none is given twice. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Session<Data>, void> {
    for await (const session of this.#set) yield this.#clean(session);
  }

  /** Ends the session of this id, if it is one of them. Resolves to whether it was. */
  delete(id: string): Promise<boolean> {
    return this.#set.delete(id);
  }

  /**
   * Ends all of them, but the one whose id is `except`. Resolves to how many.
   *
   * @throws SessionError ERR_SESSION_CONFIG where `except` is no id; nothing was ended.
   */
  clear(options?: ClearOptions): Promise<number> {
    return this.#set.clear(options);
  }
}
