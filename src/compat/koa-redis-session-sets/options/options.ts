import { type Duration, parseDuration } from "../../../shared/durations.ts";
import { createConfigError, listOptionNames } from "../../../shared/errors.ts";
import { readOptions, readSafely } from "../../../shared/given.ts";
import type { RedisClient } from "../../../store/redis/wire/clients/connect.ts";
import { checkCookie, type KoaCookieOptions } from "./cookie-options.ts";
import { parseForeignPrefix, readText, toPrefix } from "./prefixes.ts";
import { type KoaReferences, parseReferences } from "./references.ts";
import { refuseUnknownOptions } from "./unknown-options.ts";

/** Where the sessions are kept, and how their cookies look. */
export interface KoaRedisSessionSetsOptions extends KoaCookieOptions {
  /** A client of ioredis, or any other that `redisStore` takes. */
  client: RedisClient;
  /**
   * The fields that sessions can be found by. Any value declares a field.
   *
   * The first value of a field gives the session a new token, so that a token which an attacker planted
   * in the browser is never signed in. With `{ rotate: true }` each later change gives it one, too. With
   * `{ rotate: false }` no change does: use it for fields that do not say who the user is.
   */
  references?: { readonly [field: string]: unknown };
  /**
   * How long a session lives from its last `set`, `unset` or `touch`.
   * @default "28 days"
   */
  maxAge?: Duration;
  /**
   * The beginning of all keys.
   * @default "koa-redis-session-sets"
   */
  prefix?: string;
  /** Stands for the prefix `koa-redis-session-sets:<namespace>`. A `prefix` counts before it. */
  namespace?: string;
  /**
   * How many random bytes the salt of a CSRF token has.
   * @default 16
   */
  byteLength?: number;
  /**
   * The cookie's name. If a reference says who the user is, `-visitor` follows it until the sign-in.
   * @default "session-id"
   */
  key?: string;
  /**
   * Whether sessions of koa-redis-session-sets are migrated when they are used. `true` looks for them
   * under this `prefix` or `namespace`, and `{ namespace }` under another namespace.
   * @default false
   */
  migrate?: boolean | { readonly namespace?: string };
}

/** The options, checked and filled in. */
export interface Settings extends KoaReferences {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly maxAge: number;
  readonly saltBytes: number | undefined;
  readonly cookieName: string;
  /**
   * The cookie's name before a sign-in; the same name if no reference says who the user is. Two names
   * keep the response to a visitor's request from replacing the cookie of a sign-in, in whatever order
   * the responses come.
   */
  readonly visitorCookieName: string;
  readonly cookie: KoaCookieOptions;
  /** The beginning of the keys of the sessions to migrate; null where none are. */
  readonly foreignPrefix: string | null;
}

/** @throws SessionError ERR_SESSION_CONFIG for an option that is unknown or cannot work. */
export function parseSettings(options: KoaRedisSessionSetsOptions): Settings {
  const {
    client,
    references,
    maxAge = "28 days",
    prefix,
    namespace,
    byteLength,
    key,
    migrate = false,
    ...cookie
  } = readSafely("ERR_SESSION_CONFIG", "An option", () => readGiven(options));
  if (byteLength !== undefined && !isSize(byteLength)) {
    throw createConfigError(
      `byteLength must be a whole number of bytes from 1 to ${MAX_SALT_BYTES}`,
      {
        option: "byteLength",
      },
    );
  }
  const givenPrefix = parseForeignPrefix(
    readText("prefix", prefix),
    readText("namespace", namespace),
  );
  const cookieName = readText("key", key) || "session-id";
  checkCookie({ ...cookie, key: cookieName });
  const declared = parseReferences(references);
  return {
    ...declared,
    client: client as RedisClient, // redisStore refuses anything else
    prefix: toPrefix(givenPrefix),
    maxAge: parseDuration("maxAge", maxAge),
    saltBytes: byteLength,
    cookieName,
    visitorCookieName: declared.identity.length > 0 ? `${cookieName}-visitor` : cookieName,
    cookie: { httpOnly: true, overwrite: true, sameSite: "lax", ...cookie },
    foreignPrefix: parseMigratedPrefix(givenPrefix, migrate),
  };
}

/** A longer salt isn't better, and a huge one would need too much memory. */
const MAX_SALT_BYTES = 1024;

function isSize(bytes: unknown): boolean {
  return Number.isInteger(bytes) && Number(bytes) >= 1 && Number(bytes) <= MAX_SALT_BYTES;
}

/**
 * The options that have a value, including inherited ones: koa-redis-session-sets passed those on to
 * the cookie, too. As there, undefined, null and an empty domain don't count as values.
 */
function readGiven(options: KoaRedisSessionSetsOptions): Partial<KoaRedisSessionSetsOptions> {
  const names: string[] = [];
  for (const name in options) names.push(name);
  refuseUnknownOptions(names);
  const all = names.map((name) => [name, options[name as keyof typeof options]] as const);
  return Object.fromEntries(
    all.filter(([name, value]) => value != null && !(name === "domain" && value === "")),
  );
}

const MIGRATE_OPTIONS = listOptionNames<
  Exclude<KoaRedisSessionSetsOptions["migrate"], boolean | undefined>
>({
  namespace: true,
});

function parseMigratedPrefix(
  own: string,
  migrate: NonNullable<KoaRedisSessionSetsOptions["migrate"]>,
): string | null {
  if (typeof migrate === "boolean") return migrate ? own : null;
  const given = readOptions("migrate", migrate, MIGRATE_OPTIONS);
  const namespace = readText("namespace", given.namespace);
  return namespace === "" ? own : parseForeignPrefix("", namespace);
}
