import { type Duration, parseDuration } from "../../../shared/durations.ts";
import { createConfigError, listOptionNames } from "../../../shared/errors.ts";
import { readOptions, readSafely } from "../../../shared/given.ts";
import type { RedisClient } from "../../../store/redis/wire/clients/connect.ts";
import { checkCookie, type KoaCookieOptions } from "./cookie-options.ts";
import { parseForeignPrefix, readText, toPrefix } from "./prefixes.ts";
import { type DeclaredReferences, parseReferences } from "./references.ts";
import { refuseUnknownOptions } from "./unknown-options.ts";

/** Where the sessions are kept, and how their cookies look. */
export interface KoaRedisSessionSetsOptions extends KoaCookieOptions {
  /** A client of ioredis; any that `redisStore` takes will do. */
  client: RedisClient;
  /**
   * The fields that sessions can be found by; any value stands for yes.
   *
   * Where a field gets its first value, the session gets a new token: a token that somebody has planted
   * in the browser is never signed in. `{ rotate: true }` gives it one at every later change, too, and
   * `{ rotate: false }` none: for fields that do not say who the user is.
   */
  references?: { readonly [field: string]: unknown };
  /**
   * How long a session lives from its last `set`, `unset` or `touch`.
   * @default "28 days"
   */
  maxAge?: Duration;
  /**
   * What all keys begin with.
   * @default "koa-redis-session-sets"
   */
  prefix?: string;
  /** Another way to say so: the prefix `koa-redis-session-sets:<namespace>`. A prefix counts before it. */
  namespace?: string;
  /**
   * How many random bytes the salt of a CSRF token has.
   * @default 16
   */
  byteLength?: number;
  /**
   * The cookie's name. Before a sign-in, where a reference says who the user is, `-visitor` follows it.
   * @default "session-id"
   */
  key?: string;
  /**
   * Whether sessions that koa-redis-session-sets has kept are moved when they are used. `true` looks
   * for them under `prefix` or `namespace`; `{ namespace }` under another one.
   * @default false
   */
  migrate?: boolean | { readonly namespace?: string };
}

/** The options, checked and filled in. */
export interface Settings extends DeclaredReferences {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly maxAge: number;
  readonly saltBytes: number | undefined;
  readonly cookieName: string;
  /**
   * That of a session which nobody has signed in to; the same where no reference says that somebody does.
   * With a name of its own, nothing that a request of nobody is answered with takes the place of the
   * cookie of a sign-in, in whatever order the answers come.
   */
  readonly visitorCookieName: string;
  readonly cookie: KoaCookieOptions;
  /** What the keys of the sessions to be moved begin with; null where none are. */
  readonly foreignPrefix: string | null;
}

/** @throws SessionError ERR_SESSION_CONFIG for an option that cannot work, or that there is not. */
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
  const oldPrefix = parseForeignPrefix(
    readText("prefix", prefix),
    readText("namespace", namespace),
  );
  const cookieName = readText("key", key) || "session-id";
  checkCookie({ ...cookie, key: cookieName });
  const declared = parseReferences(references);
  return {
    ...declared,
    client: client as RedisClient, // redisStore refuses what is none
    prefix: toPrefix(oldPrefix),
    maxAge: parseDuration("maxAge", maxAge),
    saltBytes: byteLength,
    cookieName,
    visitorCookieName: declared.identity.length > 0 ? `${cookieName}-visitor` : cookieName,
    cookie: { httpOnly: true, overwrite: true, sameSite: "lax", ...cookie },
    foreignPrefix: parseMigratedPrefix(oldPrefix, migrate),
  };
}

/** Over this many bytes no salt is any better, and at some number of them there is no memory for it. */
const MAX_SALT_BYTES = 1024;

function isSize(bytes: unknown): boolean {
  return Number.isInteger(bytes) && Number(bytes) >= 1 && Number(bytes) <= MAX_SALT_BYTES;
}

/**
 * The options that have a value, inherited ones among them, which reached the cookie, too. As there,
 * undefined and null are none, and so is an empty domain.
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
