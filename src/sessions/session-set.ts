import { createConfigError, listOptionNames } from "../shared/errors.ts";
import { readOptions, readSafely } from "../shared/given.ts";
import type { EndAllOptions, Reference } from "../store/contract.ts";
import { type ListPlace, MAX_LIST_LIMIT } from "../store/listing.ts";
import { type EndingOptions, parseEndingOptions } from "./options/verb-options.ts";
import { parseFieldsToUnset, toSession } from "./record.ts";
import type { SessionCore } from "./session-core.ts";
import type { DeleteOptions, OptionalFieldOf, PartialValuesOf, Session } from "./types.ts";

const DEFAULT_LIST_LIMIT = 100;

/** Which sessions `list` gives. With either option it lists them by deadline, the latest first. */
export interface ListOptions {
  /**
   * How many at most, 1 to 500.
   * @default 100
   */
  limit?: number;
  /**
   * The last session of the page before, `page.at(-1)`; undefined or null for the first page. The next
   * page begins after its `expiresAt` and `id`, even if it was ended or used since.
   */
  after?: Pick<Session<unknown>, "id" | "expiresAt"> | null | undefined;
}

/** Which sessions `clear` ends and why, and whether it waits for replicas. */
export interface ClearOptions extends DeleteOptions {
  /** The id or lineage of a session to spare. It is spared even if it is rotated meanwhile. */
  except?: string | null;
}

/** How many sessions `trim` leaves, and whether it waits for replicas. */
export interface TrimOptions extends DeleteOptions {
  /** How many of the newest sessions live on: 1 or more. */
  keep: number;
}

const TRIM_OPTIONS = listOptionNames<TrimOptions>({
  keep: true,
  replicas: true,
  initiator: true,
  reason: true,
});
const LIST_OPTIONS = listOptionNames<ListOptions>({ limit: true, after: true });
export const CLEAR_OPTIONS = listOptionNames<ClearOptions>({
  except: true,
  replicas: true,
  initiator: true,
  reason: true,
});

/** Ends sessions of a set. */
export interface Endings {
  /** Ends the session of an id or lineage, if it is in the set. Resolves to whether it was. */
  end(reference: Reference, name: string, options: EndingOptions): Promise<boolean>;
  /** Ends all sessions of the set but one. Resolves to how many. */
  endAll(reference: Reference, options: EndAllOptions): Promise<number>;
  /** Ends the oldest sessions of the set. Resolves to how many. */
  trim(reference: Reference, keep: number, options: EndingOptions): Promise<number>;
}

/**
 * The live sessions that share one value of one reference. It reads like a JavaScript Set, and always
 * shows the present state: nothing is kept between calls. Neither reading nor changing sessions through
 * it moves a deadline.
 */
export class SessionSet<Data extends object> implements AsyncIterable<Session<Data>> {
  readonly #core: SessionCore;
  readonly #reference: Reference;
  readonly #endings: Endings;

  /**
   * @internal
   * @param endings end sessions instead of the store, where an ending needs more, such as a cookie.
   */
  constructor(
    core: SessionCore,
    reference: Reference,
    endings: Endings = createStoreEndings(core),
  ) {
    this.#core = core;
    this.#reference = reference;
    this.#endings = endings;
  }

  /**
   * Where the store keeps the set. In Redis it is the key of a sorted set, or of a plain set if the
   * reference is declared `{ as: "set" }`. With several shards, `*` stands for the shard.
   */
  get key(): string {
    return this.#core.sets.setKey(this.#reference);
  }

  /** Counts the sessions, without reading them. */
  size(): Promise<number> {
    return this.#core.sets.count(this.#reference);
  }

  /** Resolves to whether the session of this id or lineage is in the set. */
  async has(id: string): Promise<boolean> {
    return this.#core.isId(id) && this.#core.sets.has(this.#reference, id);
  }

  /** Resolves to the ids of all sessions, in no order. */
  async ids(): Promise<string[]> {
    const ids: string[] = [];
    for await (const page of this.#core.sets.pages(this.#reference)) {
      for (const { id } of page) ids.push(id);
    }
    return ids;
  }

  /**
   * Lists some of the sessions. Without options: the 100 most recently seen, the latest first. (If one
   * shard has more than 500, they are chosen from the 500 that expire last.)
   *
   * With `limit` or `after`: a page by `expiresAt`, the latest first, and by `id` where these are equal. A
   * page of fewer than `limit` sessions is the last one.
   *
   * ```ts
   * const page = await set.list({ limit: 50 });
   * const next = await set.list({ limit: 50, after: page.at(-1) });
   * ```
   *
   * The pages give each session once if its deadline doesn't change meanwhile. A session that is used moves
   * to the front: if no page has given it yet, none will. A session may be given twice if its deadline is
   * brought forward by `touch(token, { idleTimeout })`, or if it rotates while its absolute deadline stays.
   * To get every session, iterate.
   *
   * @throws SessionError ERR_SESSION_CONFIG if `after` isn't a session.
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
    // A program that pages passes `after: undefined` for the first page.
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
   * Iterates over all sessions in no order, read in pages. A session that is in the set the whole time is
   * given, and none is given twice.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Session<Data>, void> {
    for await (const page of this.#core.sets.pages(this.#reference, { withFields: true })) {
      for (const session of page) yield toSession<Data>(session);
    }
  }

  /**
   * Merges values into each session. Resolves to the number of sessions.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a field that says who the user is.
   * ERR_SESSION_TOO_LARGE if a session would grow over `maxBytes`: it and those after it aren't changed.
   */
  async set(values: PartialValuesOf<Data>): Promise<number> {
    const given = this.#core.toPlainValues(values);
    this.#core.refuseIdentities("set", Object.keys(given));
    return this.#core.sets.changeAll(this.#reference, await this.#core.encodeChanges(given, []));
  }

  /**
   * Removes fields from each session. Resolves to the number of sessions.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a field that says who the user is.
   */
  async unset(fields: readonly OptionalFieldOf<Data>[]): Promise<number> {
    const unset = parseFieldsToUnset(fields);
    this.#core.refuseIdentities("unset", unset);
    return this.#core.sets.changeAll(this.#reference, await this.#core.encodeChanges({}, unset));
  }

  /**
   * Ends the session of this id or lineage, if it is in the set. Resolves to whether it was. If the set
   * comes from the session of a request (`peers`) and this is that session, its cookie is cleared too.
   */
  async delete(id: string, options: DeleteOptions = {}): Promise<boolean> {
    const parsed = parseEndingOptions(options);
    return this.#core.isId(id) && this.#endings.end(this.#reference, id, parsed);
  }

  /**
   * Ends all sessions of the set: each that is in it at the call, and hasn't left it since, is gone when
   * this resolves, even if its id changed. Resolves to how many. If the set comes from the session of a
   * request (`peers`) and that session is among them, its cookie is cleared too.
   *
   * @throws SessionError ERR_SESSION_CONFIG if `except` isn't an id; nothing was ended. ERR_REPLICAS if
   * too few `replicas` have acknowledged it.
   */
  async clear(options: ClearOptions = {}): Promise<number> {
    const { except = null, ...rest } = readOptions("clear", options, CLEAR_OPTIONS);
    const parsed = parseEndingOptions(rest);
    if (except !== null && !this.#core.isId(except)) {
      throw createConfigError(
        "except must be a session's id or lineage (session.id, session.lineage, ctx.session.id), not its token or key; no session was ended",
        { option: "except" },
      );
    }
    return this.#endings.endAll(this.#reference, { except, ...parsed });
  }

  /**
   * Ends all of them but the `keep` that were created last. Resolves to how many were ended. Each of the
   * others that existed when this was called is gone then, under whatever id. A session that is made
   * meanwhile is ended only if there are `keep` younger ones. On the set of a request (`peers`), the cookie
   * is cleared if its own session has ended.
   *
   * @throws SessionError ERR_SESSION_CONFIG if `keep` isn't a whole number above zero; ERR_REPLICAS if
   * too few `replicas` acknowledged it in time.
   */
  async trim(options: TrimOptions): Promise<number> {
    const { keep, ...rest } = readOptions("trim", options, TRIM_OPTIONS);
    const parsed = parseEndingOptions(rest);
    if (!(Number.isSafeInteger(keep) && keep >= 1)) {
      throw createConfigError(
        "keep must be a whole number above zero: trim({ keep: 3 }); to end all of them, call clear()",
        { option: "keep" },
      );
    }
    return this.#endings.trim(this.#reference, keep, parsed);
  }
}

/** Ends sessions by the store alone. */
function createStoreEndings(core: SessionCore): Endings {
  return {
    async end(reference, name, options) {
      return (await core.end(name, { byName: true, reference, ...options })) !== null;
    },
    endAll: (reference, options) => core.endAll(reference, options),
    trim: (reference, keep, options) => core.sets.trim(reference, keep, options),
  };
}

/** Parses where a page of a list begins: null for the first page. */
function parsePlace(after: ListOptions["after"], core: SessionCore): ListPlace | null {
  if (after === undefined || after === null) return null;
  const place = readSafely("ERR_SESSION_CONFIG", "after", () => {
    const { id, expiresAt }: Partial<Session<unknown>> = Object(after);
    const deadline = expiresAt instanceof Date ? expiresAt.getTime() : Number.NaN;
    return core.isId(id) && !Number.isNaN(deadline) ? { id, expiresAt: deadline } : null;
  });
  if (place !== null) return place;
  throw createConfigError(
    "after must be the last session of the page before, or its { id, expiresAt } with a Date: list({ limit, after: page.at(-1) })",
    { option: "after" },
  );
}
