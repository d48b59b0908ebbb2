import { Migrator } from "../../migrate/migrator.ts";
import {
  createDefaultStore,
  findLimitFault,
  parseConfig,
  toLimit,
} from "../../sessions/options/config.ts";
import type { SessionCore } from "../../sessions/session-core.ts";
import type { ReferenceValue } from "../../sessions/types.ts";
import { findNameFault } from "../../shared/codec.ts";
import { type Duration, parseDuration } from "../../shared/durations.ts";
import { createConfigError, isArray, listOptionNames, quote } from "../../shared/errors.ts";
import { readOptions, readSafely } from "../../shared/given.ts";
import { type CommandStore, isCommandStore } from "../../store/commanding.ts";
import type { SessionStore } from "../../store/contract.ts";
import { type RedisStoreOptions, redisStore } from "../../store/redis/options.ts";
import type { RedisClient } from "../../store/redis/wire/clients/connect.ts";
import { createForeignLayout } from "./foreign-layout.ts";
import { isReservedForCookies } from "./saving/cookie.ts";
import { type References, type StoreReference, toStoredName } from "./saving/record.ts";
import { StoreCore } from "./sets/store-core.ts";

/** A session as a middleware gives it to a store: the cookie, and the fields of the app. */
export interface SessionData {
  // biome-ignore lint/suspicious/noExplicitAny: each middleware and version has its own
  cookie: any;
  // biome-ignore lint/suspicious/noExplicitAny: as the middlewares declare their sessions' fields
  [field: string]: any;
}

/** A session with fields of these types, as a store gives it: with the middleware's cookie. */
export type StoredData<Data> = Data & Pick<SessionData, "cookie">;

/** How sessions can be found by a reference. */
export interface StoreReferenceOptions<Data> {
  /**
   * Finds the value in a session, if it isn't a field of its own: `(s) => s.passport?.user`. It is
   * called at each save, with the session as JSON copies it. It returns a string, a finite number, a
   * boolean, an array of them, or nothing. Let it read only one field of the session: two requests that
   * change different fields at once do not see each other's changes.
   * @default the session's field of the reference's name
   */
  from?: (
    session: StoredData<Data>,
  ) => ReferenceValue | readonly ReferenceValue[] | null | undefined;
  /**
   * `"set"` keeps the ids in a plain Redis set, too, for `SMEMBERS`; it needs a store of one shard.
   */
  as?: "set";
  /**
   * How many live sessions each value may have, such as the devices of a user. With `whenFull`.
   * @default any number
   */
  limit?: number;
  /**
   * What happens when a session would enter a full set at a save. `"end-oldest"` ends the session there
   * that was made first. `"reject"` gives ERR_SESSION_LIMIT to the callback of the save, which writes
   * nothing then; so is a session refused that is older than all that are there.
   */
  whenFull?: "end-oldest" | "reject";
}

/** How the sessions of a middleware are kept. */
export interface SessionSetsStoreOptions<
  Data extends object = SessionData,
  Reference extends string = string,
> {
  /** A client of Redis or Valkey, as `redisStore` takes it. */
  client?: RedisClient;
  /**
   * With `client`: the beginning of all keys, inside the hash tag: letters, digits, `.`, `_` and `-`.
   * `all`, `length` and `clear` are about all sessions of the prefix, so give each store its own.
   * @default "sess"
   */
  prefix?: string;
  /**
   * With `client`: how long one operation waits for the server before it fails.
   * @default "2 seconds"
   */
  timeout?: Duration;
  /**
   * With `client`: how many shards the sessions are spread over, 1 to 4096. If it changes, existing
   * sessions can no longer be found.
   * @default 1, and in a cluster 64
   */
  shards?: number;
  /**
   * With `client`: whether sessions that connect-redis, or a store like it, keeps as JSON are migrated
   * when they are used. `true` looks for them at `sess:<sid>`; `{ prefix: "shop:" }` at `shop:<sid>`.
   * Session sets have only migrated sessions; `moveSessions` migrates all.
   * @default false
   */
  migrate?: boolean | { readonly prefix?: string };
  /**
   * Instead of `client`: a store of session-sets, such as `memoryStore()`.
   * @default a memory store of this process, with a warning where NODE_ENV is production
   */
  store?: SessionStore;
  /** The references that sessions can be found by: fields, or values that a function finds. */
  references?: { readonly [Name in Reference]?: StoreReferenceOptions<Data> };
  /**
   * How long an unused session lives if its cookie ends with the browser. A session whose cookie has an
   * expiry ends with its cookie.
   * @default "1 day"
   */
  idleTimeout?: Duration;
  /**
   * How many bytes the names and values of a session's fields may have together, including the
   * cookie's options.
   * @default 65536
   */
  maxBytes?: number;
}

/** The options, checked. */
export interface StoreConfig {
  readonly core: SessionCore;
  readonly store: CommandStore;
  /** The references, by the names of the fields that hold their values. */
  readonly references: References;
  readonly idleTimeout: number;
  /** Null where no sessions are to be migrated. */
  readonly migrator: Migrator | null;
}

const CLIENT_OPTIONS = ["prefix", "timeout", "shards", "migrate"] as const;
const OPTIONS = listOptionNames<SessionSetsStoreOptions<never, string>>({
  client: true,
  store: true,
  prefix: true,
  timeout: true,
  shards: true,
  migrate: true,
  references: true,
  idleTimeout: true,
  maxBytes: true,
});
const MIGRATE_OPTIONS = listOptionNames<
  Exclude<SessionSetsStoreOptions<never, string>["migrate"], boolean | undefined>
>({ prefix: true });
const REFERENCE_OPTIONS = listOptionNames<StoreReferenceOptions<never>>({
  from: true,
  as: true,
  limit: true,
  whenFull: true,
});
const NAME = "SessionSetsStore";
/** One of these is a method of every client, and none is an option. */
const CLIENT_METHODS = ["sendCommand", "customCommand"];

function createOptionsError() {
  return createConfigError(`${NAME} takes its options: new ${NAME}({ client })`);
}

export function parseStoreConfig(given: SessionSetsStoreOptions<never, string>): StoreConfig {
  if (typeof given !== "object" || given === null) {
    throw createOptionsError();
  }
  const isClient = readSafely("ERR_SESSION_CONFIG", `The options of ${NAME}`, () =>
    CLIENT_METHODS.some((method) => method in given),
  );
  if (isClient) throw createOptionsError();
  const options = readOptions(NAME, given, OPTIONS);
  const idleTimeout = parseDuration("idleTimeout", options.idleTimeout ?? "1 day");
  const references = parseReferences(options.references ?? {});
  const { maxBytes } = options;
  const store = createStore(options);
  checkPlain(references, store);
  const config = parseConfig({
    references: Object.fromEntries(
      [...references].map(([field, { plain, limit }]) => [
        field,
        {
          identity: false,
          ...(plain ? { as: "set" } : {}),
          ...(limit ? { limit: limit.most, whenFull: limit.whenFull } : {}),
        },
      ]),
    ) as Record<string, never>,
    idleTimeout,
    absoluteTimeout: null,
    store,
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  if (!isCommandStore(store)) {
    throw createConfigError(
      `The store of ${NAME} needs the method command, because express-session chooses its ids and says when they end; this one has none. Give ${NAME} a client of Redis, or redisStore(client) or memoryStore(), or add command to the store: commandContract of session-sets/testing has its tests`,
      { option: "store" },
    );
  }
  const migrator = createMigrator(options, references, idleTimeout, store.shards);
  return { core: new StoreCore(config), store, references, idleTimeout, migrator };
}

function createStore(options: SessionSetsStoreOptions<never, string>): SessionStore {
  const { client, store } = options;
  if (client !== undefined) {
    if (store !== undefined) {
      throw createConfigError(`${NAME} takes a client or a store, not both`, { option: "client" });
    }
    return redisStore(client, toRedisOptions(options));
  }
  const lost = CLIENT_OPTIONS.find((key) => options[key] !== undefined);
  if (lost)
    throw createConfigError(`The option ${lost} of ${NAME} needs a client`, { option: lost });
  return store ?? createDefaultStore(`Give ${NAME} a client: new ${NAME}({ client })`);
}

function checkPlain(references: References, { shards }: Partial<SessionStore>): void {
  const plain = [...references.values()].find((declared) => declared.plain);
  if (!plain || !(typeof shards === "number" && shards > 1)) return;
  throw createConfigError(
    `The reference ${quote(plain.name)} is declared { as: "set" }, which needs a store of one shard; this one has ${shards}`,
    { option: "references", field: plain.name },
  );
}

function toRedisOptions({
  prefix = "sess",
  timeout,
  shards,
}: SessionSetsStoreOptions<never, string>): RedisStoreOptions {
  return {
    prefix,
    ...(timeout === undefined ? {} : { timeout }),
    ...(shards === undefined ? {} : { shards }),
  };
}

function createMigrator(
  options: SessionSetsStoreOptions<never, string>,
  references: References,
  idleTimeout: number,
  shards: number,
): Migrator | null {
  const { client, migrate = false } = options;
  if (client === undefined || migrate === false) return null;
  const where = migrate === true ? {} : migrate;
  const { prefix = "sess:" } = readOptions("migrate", where, MIGRATE_OPTIONS);
  if (typeof prefix !== "string") {
    throw createConfigError(`The prefix of migrate must be a string; got ${quote(prefix)}`, {
      option: "prefix",
    });
  }
  const layout = createForeignLayout({ prefix, references, idleTimeout, shards });
  return new Migrator(client, toRedisOptions(options), layout);
}

function parseReferences(
  given: Readonly<Record<string, StoreReferenceOptions<never> | undefined>>,
): Map<string, StoreReference> {
  if (typeof given !== "object" || given === null || isArray(given)) {
    throw createConfigError(`The references of ${NAME} must be a record such as { user_id: {} }`, {
      option: "references",
    });
  }
  const references = new Map<string, StoreReference>();
  const all = readSafely("ERR_SESSION_CONFIG", "references", () => Object.entries(given));
  for (const [name, options] of all) {
    if (options === undefined) continue;
    const about = { option: "references", field: name };
    const declared = parseReference(name, options);
    const field = toStoredName(name, { isFound: declared.from !== null });
    const fault = findNameFault(name) ?? findNameFault(field);
    if (fault)
      throw createConfigError(`The reference ${quote(name)} has a name that ${fault}`, about);
    if (references.has(field) || isReservedForCookies(field)) {
      throw createConfigError(
        `The reference ${quote(name)} is stored under a name that is already in use; rename it`,
        about,
      );
    }
    references.set(field, declared);
  }
  return references;
}

function parseReference(name: string, options: StoreReferenceOptions<never>): StoreReference {
  const what = `The reference ${quote(name)}`;
  const about = { option: "references", field: name };
  if (typeof options !== "object" || options === null || isArray(options)) {
    throw createConfigError(
      `${what} takes its options: {} for the field of that name, or { from: (session) => … } for another value`,
      about,
    );
  }
  const { from, as, limit, whenFull } = readOptions(what, options, REFERENCE_OPTIONS);
  if (from !== undefined && typeof from !== "function") {
    throw createConfigError(`${what} has an option from that isn't a function`, about);
  }
  if (as !== undefined && as !== "set") {
    throw createConfigError(`${what} has an option as that isn't "set"`, about);
  }
  const fault = findLimitFault(limit, whenFull);
  if (fault) throw createConfigError(`${what} ${fault}`, about);
  return {
    name,
    plain: as === "set",
    limit: toLimit({ limit, whenFull }),
    from: (from ?? null) as StoreReference["from"],
  };
}
