import { createHash } from "node:crypto";
import { type Duration, milliseconds } from "../../shared/durations.ts";
import { misconfigured, optionNames, refuseUnknownKeys } from "../../shared/errors.ts";
import type { RedisClient } from "../../store/redis/wire/clients/connect.ts";

/** Options of a cookie; all of them reach `ctx.cookies.set`. */
export interface KoaCookieOptions {
  /**
   * Whether the cookie is signed with the keys of the app, `app.keys`.
   * @default true, where the app has keys
   */
  signed?: boolean;
  /** @default true */
  httpOnly?: boolean;
  /** @default true */
  overwrite?: boolean;
  domain?: string;
  path?: string;
  secure?: boolean;
  sameSite?: "strict" | "lax" | "none" | boolean;
  priority?: "low" | "medium" | "high";
  partitioned?: boolean;
}

/** Where the sessions are kept, and how their cookies look. */
export interface KoaRedisSessionSetsOptions extends KoaCookieOptions {
  /** A client of ioredis; any that `redisStore` takes will do. */
  client: RedisClient;
  /**
   * The fields that sessions can be found by; any value stands for yes. `{ rotate: true }` gives the
   * session a new token when the field changes, as befits the field that says who the user is: a
   * token that somebody has planted in the browser is never signed in then.
   */
  references?: { readonly [field: string]: unknown };
  /**
   * How long a session lives from its last `set`, `unset` or `touch`; its cookie, too.
   * @default "28 days"
   */
  maxAge?: Duration;
  /**
   * What all keys begin with.
   * @default "koa-redis-session-sets"
   */
  prefix?: string;
  /**
   * How many random bytes the salt of a CSRF token has.
   * @default 16
   */
  byteLength?: number;
  /**
   * The cookie's name.
   * @default "session-id"
   */
  key?: string;
  /**
   * Whether sessions that koa-redis-session-sets has kept are moved when they are used. `true` looks
   * for them under `prefix`; `{ namespace }` where that option was used instead of a prefix.
   * @default false
   */
  migrate?: boolean | { readonly namespace?: string };
}

/** The options, checked and filled in. */
export interface Settings {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly references: ReadonlySet<string>;
  /** The references that say who the user is, and so change the token. */
  readonly identity: readonly string[];
  readonly maxAge: number;
  readonly saltBytes: number | undefined;
  readonly cookieName: string;
  readonly cookie: KoaCookieOptions;
  /** What the keys of the sessions to be moved begin with; null where none are. */
  readonly oldPrefix: string | null;
}

/** @throws SessionError ERR_SESSION_CONFIG for an option that cannot work. */
export function settingsOf(options: KoaRedisSessionSetsOptions): Settings {
  const {
    client,
    references = {},
    maxAge = "28 days",
    prefix = "",
    byteLength,
    key = "session-id",
    migrate = false,
    ...cookie
  } = options;
  if (byteLength !== undefined && !(Number.isInteger(byteLength) && byteLength >= 1)) {
    throw misconfigured("byteLength must be a whole number of bytes above zero", {
      option: "byteLength",
    });
  }
  const declared = Object.entries(references).filter(([, value]) => value !== undefined);
  return {
    client,
    prefix: prefixOf(prefix),
    references: new Set(declared.map(([field]) => field)),
    identity: declared.filter(([, value]) => Object(value).rotate === true).map(([name]) => name),
    maxAge: milliseconds("maxAge", maxAge),
    saltBytes: byteLength,
    cookieName: key,
    cookie: { httpOnly: true, overwrite: true, ...cookie },
    oldPrefix: oldPrefixOf(prefix, migrate),
  };
}

const MIGRATE_OPTIONS = optionNames<
  Exclude<KoaRedisSessionSetsOptions["migrate"], boolean | undefined>
>({
  namespace: true,
});

function oldPrefixOf(
  prefix: string,
  migrate: NonNullable<KoaRedisSessionSetsOptions["migrate"]>,
): string | null {
  if (typeof migrate === "boolean") return migrate ? prefix : null;
  refuseUnknownKeys("migrate", migrate, MIGRATE_OPTIONS);
  const { namespace } = migrate;
  return namespace === undefined ? prefix : `koa-redis-session-sets:${namespace}`;
}

/** Any text may be a prefix; one that cannot stand in a hash tag stands there in letters that can. */
function prefixOf(prefix: string): string {
  if (prefix === "") return "koa-redis-session-sets";
  if (/^[A-Za-z0-9._-]+$/.test(prefix)) return prefix;
  const hash = createHash("sha256").update(prefix).digest("base64url");
  return `${prefix.replace(/[^A-Za-z0-9._-]/g, "-")}.${hash.slice(0, 8)}`;
}
