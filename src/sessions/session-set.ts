import { createConfigError, listOptionNames } from "../shared/errors.ts";
import { readOptions, readSafely } from "../shared/given.ts";
import type { ListPlace, Reference } from "../store/contract.ts";
import { fieldsToUnset, toSession } from "./record.ts";
import type { SessionCore } from "./session-core.ts";
import type { DeleteOptions, OptionalFieldOf, PartialValuesOf, Session } from "./types.ts";
import { parseReplicas } from "./verb-options.ts";

const DEFAULT_LIST_LIMIT = 100;
const MAX_LIST_LIMIT = 500;

/** Which sessions `list` gives. With any of these it lists by deadlines, the latest first. */
export interface ListOptions {
  /**
   * At most so many, 1 to 500.
   * @default 100
   */
  limit?: number;
  /**
   * The last session of the page before, `page.at(-1)`; undefined or null: the first page. The next page
   * begins behind its `expiresAt` and `id`, also where it was ended or used since.
   */
  after?: Pick<Session<unknown>, "id" | "expiresAt"> | null | undefined;
}

/** Which sessions `clear` ends, and whether it waits for replicas. */
export interface ClearOptions extends DeleteOptions {
  /** The id or lineage of a session that is to live on, also where it is rotated meanwhile. */
  except?: string | null;
}

/** How many sessions `trim` leaves, and whether it waits for replicas. */
export interface TrimOptions extends DeleteOptions {
  /** How many of the newest sessions live on: 1 or more. */
  keep: number;
}

const TRIM_OPTIONS = listOptionNames<TrimOptions>({ keep: true, replicas: true });
const LIST_OPTIONS = listOptionNames<ListOptions>({ limit: true, after: true });
export const CLEAR_OPTIONS = listOptionNames<ClearOptions>({ except: true, replicas: true });

/** How the sessions of a set are ended. */
export interface Endings {
  /** Ends the session of an id or a lineage, if it is of the set. Whether it was. */
  end(reference: Reference, name: string, replicas: number | undefined): Promise<boolean>;
  /** Ends all of the set but one. How many. */
  endAll(
    reference: Reference,
    except: string | null,
    replicas: number | undefined,
  ): Promise<number>;
  /** Ends the oldest of the set. How many. */
  trim(reference: Reference, keep: number, replicas: number | undefined): Promise<number>;
}

/**
 * The live sessions that share one value of one reference. It reads like a JavaScript Set and is
 * always the present state: nothing is kept between calls. Reading through it, and changing through
 * it, never moves a deadline.
 */
export class SessionSet<Data extends object> implements AsyncIterable<Session<Data>> {
  readonly #core: SessionCore;
  readonly #reference: Reference;
  readonly #endings: Endings;

  /**
   * @internal
   * @param endings other than those of the store, where a session of the set needs more to end.
   */
  constructor(core: SessionCore, reference: Reference, endings: Endings = endingsBy(core)) {
    this.#core = core;
    this.#reference = reference;
    this.#endings = endings;
  }

  /**
   * Where the store keeps the set: in Redis the key of its sorted set, or of the plain set where the
   * reference is declared `{ as: "set" }`. Where there are several shards, `*` stands for the shard.
   */
  get key(): string {
    return this.#core.sets.setKey(this.#reference);
  }

  /** How many there are; no session is read. */
  async size(): Promise<number> {
    return this.#core.sets.count(this.#reference);
  }

  /** Whether the session of this id or lineage is one of them. */
  async has(id: string): Promise<boolean> {
    return this.#core.isId(id) && this.#core.sets.has(this.#reference, id);
  }

  /** The ids of all of them, in no order. */
  async ids(): Promise<string[]> {
    const ids: string[] = [];
    for await (const page of this.#core.sets.pages(this.#reference, false)) {
      for (const { id } of page) ids.push(id);
    }
    return ids;
  }

  /**
   * Some of them. Without options the 100 most recently seen, the latest first. (Where one shard has more
   * than 500, they are those of the 500 that expire last.)
   *
   * With `limit` or `after` a page of them, by `expiresAt`, the latest first, and those of one moment by
   * `id`. A page of fewer than `limit` is the last one.
   *
   * ```ts
   * const page = await set.list({ limit: 50 });
   * const next = await set.list({ limit: 50, after: page.at(-1) });
   * ```
   *
   * Page by page each session is given once, if its deadline does not move meanwhile. One that is used
   * goes to the front: if it was not given yet, it is missed. One whose deadline is brought forward, by
   * `touch(token, { idleTimeout })`, may be given again; so may one that rotates while its deadline, the
   * absolute one, stays. To meet every session, iterate.
   *
   * @throws SessionError ERR_SESSION_CONFIG where `after` is no session.
   */
  async list(options: ListOptions = {}): Promise<Session<Data>[]> {
    const given = readOptions("list", options, LIST_OPTIONS);
    const { limit = DEFAULT_LIST_LIMIT, after } = given;
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIST_LIMIT)) {
      throw createConfigError(
        `limit must be a whole number from 1 to ${MAX_LIST_LIMIT}; to read all of a large set, iterate over it: for await (const session of set)`,
        { option: "limit" },
      );
    }
    // `after` that is there and undefined stands for the first page, which the next ones go on from.
    const isPage =
      given.limit !== undefined ||
      readSafely("ERR_SESSION_CONFIG", "The options of list", () => "after" in options);
    const sessions = await this.#core.sets.list(this.#reference, {
      limit,
      order: isPage ? "deadline" : "last-seen",
      after: parsePlace(after, this.#core),
    });
    return sessions.map((session) => toSession<Data>(session));
  }

  /**
   * All of them in no order, read in pages. A session that is one of them from beginning to end is
   * given, and none is given twice.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Session<Data>, void> {
    for await (const page of this.#core.sets.pages(this.#reference, true)) {
      for (const session of page) yield toSession<Data>(session);
    }
  }

  /**
   * Merges values into each of them. Resolves to how many.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a field that says who the user is;
   * ERR_SESSION_TOO_LARGE where one would grow over `maxBytes`: it and those after it are left as they
   * are.
   */
  async set(values: PartialValuesOf<Data>): Promise<number> {
    const given = this.#core.toPlainValues(values);
    this.#core.refuseIdentities("set", Object.keys(given));
    return this.#core.sets.changeAll(this.#reference, await this.#core.encodeChanges(given, []));
  }

  /**
   * Removes fields from each of them. Resolves to how many sessions there were.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a field that says who the user is.
   */
  async unset(fields: readonly OptionalFieldOf<Data>[]): Promise<number> {
    const unset = fieldsToUnset(fields);
    this.#core.refuseIdentities("unset", unset);
    return this.#core.sets.changeAll(this.#reference, await this.#core.encodeChanges({}, unset));
  }

  /**
   * Ends the session of this id or lineage, if it is one of them. Resolves to whether it was. Where it
   * is the session of the request that this set was got from (`peers`), its cookie is cleared, too.
   */
  async delete(id: string, options: DeleteOptions = {}): Promise<boolean> {
    const replicas = parseReplicas(options);
    return this.#core.isId(id) && this.#endings.end(this.#reference, id, replicas);
  }

  /**
   * Ends all of them: each that is one of them when this is called and has not left since is gone
   * when it resolves, under whatever id. Resolves to how many. Where the session of the request that
   * this set was got from (`peers`) is among them, its cookie is cleared, too.
   *
   * @throws SessionError ERR_SESSION_CONFIG where `except` is no id; nothing was ended. ERR_REPLICAS
   * where too few `replicas` have acknowledged it.
   */
  async clear(options: ClearOptions = {}): Promise<number> {
    const { except = null, ...rest } = readOptions("clear", options, CLEAR_OPTIONS);
    const replicas = parseReplicas(rest);
    if (except !== null && !this.#core.isId(except)) {
      throw createConfigError(
        "except must be a session's id or lineage (session.id, session.lineage, ctx.session.id), which is neither its token nor its key; no session was ended",
        { option: "except" },
      );
    }
    return this.#endings.endAll(this.#reference, except, replicas);
  }

  /**
   * Ends all of them but the `keep` that were created last (those of one moment by `lineage`). Each of the
   * others that is one of them when this is called is gone when it resolves, under whatever id; those
   * that are made meanwhile live. Resolves to how many were ended. Where the session of the request that
   * this set was got from (`peers`) is among them, its cookie is cleared, too.
   *
   * @throws SessionError ERR_SESSION_CONFIG where `keep` is no whole number above zero; ERR_REPLICAS
   * where too few `replicas` have acknowledged it.
   */
  async trim(options: TrimOptions): Promise<number> {
    const { keep, ...rest } = readOptions("trim", options, TRIM_OPTIONS);
    const replicas = parseReplicas(rest);
    if (!(Number.isSafeInteger(keep) && keep >= 1)) {
      throw createConfigError(
        "keep must be a whole number above zero: trim({ keep: 3 }); to end all of them, call clear()",
        { option: "keep" },
      );
    }
    return this.#endings.trim(this.#reference, keep, replicas);
  }
}

/** Sessions are ended as the store does it. */
function endingsBy(engine: SessionCore): Endings {
  return {
    async end(reference, name, replicas) {
      return (await engine.end(name, { byName: true, reference, replicas })) !== null;
    },
    endAll: (reference, except, replicas) => engine.endAll(reference, except, replicas),
    trim: (reference, keep, replicas) => engine.sets.trim(reference, keep, { replicas }),
  };
}

/** Where a page of a list begins; null at the first one. */
function parsePlace(after: ListOptions["after"], engine: SessionCore): ListPlace | null {
  if (after === undefined || after === null) return null;
  const place = readSafely("ERR_SESSION_CONFIG", "after", () => {
    const { id, expiresAt }: Partial<Session<unknown>> = Object(after);
    const deadline = expiresAt instanceof Date ? expiresAt.getTime() : Number.NaN;
    return engine.isId(id) && !Number.isNaN(deadline) ? { id, expiresAt: deadline } : null;
  });
  if (place !== null) return place;
  throw createConfigError(
    "after must be the last session of the page before, or its { id, expiresAt } with a Date: list({ limit, after: page.at(-1) })",
    { option: "after" },
  );
}
