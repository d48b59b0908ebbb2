import { stringifySetCookie } from "cookie";
import type { Session } from "../../sessions/types.ts";
import { createConfigError, listOptionNames } from "../../shared/errors.ts";
import { readElements, readOptions } from "../../shared/given.ts";

/** The session cookie. It is always HttpOnly: no script of a page ever needs a token. */
export interface CookieOptions<Data> {
  /**
   * The cookie's name, without its prefix.
   * @default "session"
   */
  name?: string;
  /**
   * Whether a Secure cookie has a prefix before its name: `__Host-`, or `__Secure-` where it has a domain
   * or a path of its own. Browsers take such a cookie only from a secure page, and `__Host-` from this
   * very host (RFC 6265bis, section 4.1.3), so that no other host of the domain can plant it.
   * @default true
   */
  prefix?: boolean;
  /**
   * Names of cookies that are read, too, whole and with their prefixes, after the present one; they are
   * replaced at the next Set-Cookie. So the name, the domain or the path can be changed without signing
   * anybody out.
   * @default none
   */
  formerNames?: readonly string[];
  /**
   * Whether the application's own Cache-Control counts on a response that sets this cookie.
   * @default false: it is "no-store"
   */
  cacheable?: boolean;
  /**
   * Whether the cookie is kept when the browser is closed (Max-Age: the absolute deadline, 400 days
   * at most) or is a browser-session cookie. A function is asked at every Set-Cookie, so that
   * sessions can differ ("remember me").
   * @default true
   */
  persistent?: boolean | ((session: Session<Partial<Data>>) => boolean);
  /**
   * Secure: sent over HTTPS only. On a connection that looks insecure, a Secure cookie is ERR_COOKIE.
   * Set it to true in production.
   * @default whether the connection is secure, or the browser shows that it is on HTTPS
   */
  secure?: boolean;
  /**
   * SameSite. `"none"` needs `secure: true`.
   * @default "lax"
   */
  sameSite?: "lax" | "strict" | "none";
  /** Domain: left out, the cookie goes to this host alone. */
  domain?: string;
  /**
   * Path.
   * @default "/"
   */
  path?: string;
  /** Partitioned: one cookie for each site that embeds this one (CHIPS). Needs `secure: true`. */
  partitioned?: boolean;
}

const OPTIONS = listOptionNames<CookieOptions<never>>({
  name: true,
  prefix: true,
  formerNames: true,
  cacheable: true,
  persistent: true,
  secure: true,
  sameSite: true,
  domain: true,
  path: true,
  partitioned: true,
});
const MAX_NAME_LENGTH = 128;

/** The session cookie's options, checked and filled in. */
export interface CookieConfig {
  /** The name without its prefix. */
  readonly name: string;
  /** What a Secure one has before its name. */
  readonly prefix: "" | "__Host-" | "__Secure-";
  readonly formerNames: readonly string[];
  readonly cacheable: boolean;
  readonly persistent: boolean | ((session: Session<never>) => boolean);
  readonly secure: boolean | null;
  readonly attributes: CookieAttributes;
}

/** The attributes that all of the library's cookies have. */
export interface CookieAttributes {
  readonly sameSite: "lax" | "strict" | "none";
  readonly path: string;
  readonly domain?: string;
  readonly partitioned?: boolean;
}

/** The options with their defaults, as unchecked as they come. */
type FilledOptions = ReturnType<typeof fillDefaults<never>>;

function fillDefaults<Data>(options: CookieOptions<Data>) {
  const { name = "session", sameSite = "lax", path = "/", domain, persistent = true } = options;
  const { partitioned = false, prefix = true, cacheable = false, formerNames = [] } = options;
  const { secure = null } = options;
  const names = readElements("ERR_SESSION_CONFIG", "formerNames", formerNames);
  return {
    name,
    sameSite,
    path,
    domain,
    persistent,
    partitioned,
    prefix,
    cacheable,
    formerNames: names as string[] | null,
    secure,
  };
}

type Fault = readonly [
  option: keyof FilledOptions,
  wrong: (chosen: FilledOptions) => boolean,
  fault: string,
];

/** What is wrong with options that browsers would answer with no cookie, and how to say so. */
const FAULTS: readonly Fault[] = [
  // RFC 6265bis, section 4.1.1: a cookie's name is a token.
  ["name", ({ name }) => !isCookieName(name), "its name is no cookie name"],
  [
    "name",
    ({ name }) => name.length > MAX_NAME_LENGTH,
    `its name is over ${MAX_NAME_LENGTH} characters`,
  ],
  // Section 4.1.3: browsers refuse cookies that are not what these prefixes say.
  [
    "name",
    ({ name }) => /^__(?:host|secure)-/i.test(name),
    "its name is what follows the prefix, which a Secure cookie gets by itself",
  ],
  ...(["secure", "partitioned", "prefix", "cacheable"] as const).map(
    (option): Fault => [
      option,
      ({ [option]: value }) =>
        typeof value !== "boolean" && !(option === "secure" && value === null),
      `${option} must be true or false`,
    ],
  ),
  [
    "formerNames",
    ({ formerNames }) => !formerNames?.every(isCookieName),
    'formerNames is a list of names: ["sid"]',
  ],
  [
    "persistent",
    ({ persistent }) => !["boolean", "function"].includes(typeof persistent),
    "persistent must be true, false or a function",
  ],
  [
    "sameSite",
    ({ sameSite }) => !["lax", "strict", "none"].includes(sameSite),
    'sameSite must be "lax", "strict" or "none"',
  ],
  [
    "sameSite",
    ({ sameSite, secure }) => sameSite === "none" && secure !== true,
    'sameSite "none" needs secure: true',
  ],
  [
    "partitioned",
    ({ partitioned, secure }) => partitioned && secure !== true,
    "partitioned needs secure: true",
  ],
  // Section 5.6.4: any other path is taken for none.
  [
    "path",
    ({ path }) => typeof path !== "string" || !path.startsWith("/"),
    'its path must begin with "/"',
  ],
  ["path", ({ path }) => !isSendable({ path }), "its path has characters that no path has"],
  [
    "domain",
    ({ domain }) =>
      domain !== undefined &&
      (typeof domain !== "string" || domain === "" || !isSendable({ domain })),
    "its domain is no domain",
  ],
];

function isCookieName(name: unknown): boolean {
  return typeof name === "string" && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
}

/** @throws SessionError ERR_SESSION_CONFIG for options that browsers would answer with no cookie. */
export function parseCookieOptions<Data>(options: CookieOptions<Data> = {}): CookieConfig {
  const all = fillDefaults(readOptions("cookie", options, OPTIONS));
  const found = FAULTS.find(([, wrong]) => wrong(all));
  if (found) throw createConfigError(`The cookie cannot work: ${found[2]}`, { option: found[0] });
  const { name, sameSite, path, domain, persistent, partitioned, secure } = all;
  const isOfHost = domain === undefined && path === "/";
  return {
    name,
    prefix: all.prefix ? (isOfHost ? "__Host-" : "__Secure-") : "",
    formerNames: all.formerNames ?? [],
    cacheable: all.cacheable,
    persistent,
    secure,
    attributes: {
      sameSite,
      path,
      ...(domain === undefined ? {} : { domain }),
      ...(partitioned ? { partitioned } : {}),
    },
  };
}

/** Whether a cookie with these attributes can be written; one that cannot would fail when it is sent. */
function isSendable(attributes: { path?: string; domain?: string }): boolean {
  try {
    stringifySetCookie({ ...attributes, name: "x", value: "" });
    return true;
  } catch {
    return false;
  }
}
