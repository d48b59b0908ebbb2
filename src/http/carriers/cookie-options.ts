import { stringifySetCookie } from "cookie";
import type { Session } from "../../sessions/types.ts";
import { createConfigError, listOptionNames } from "../../shared/errors.ts";
import { readElements, readOptions } from "../../shared/given.ts";

/** The session cookie. It is always HttpOnly: scripts of a page never need the token. */
export interface CookieOptions<Data> {
  /**
   * The cookie's name, without its prefix.
   * @default "session"
   */
  name?: string;
  /**
   * Whether a Secure cookie's name gets a prefix: `__Host-`, or `__Secure-` if it has a domain or a path
   * of its own. Browsers accept such a cookie only from a secure page, and `__Host-` only from this very
   * host (RFC 6265bis, section 4.1.3). So no other host of the domain can plant it.
   * @default true
   */
  prefix?: boolean;
  /**
   * Full names, with their prefixes, of cookies that are also read, after the present one. The next
   * Set-Cookie replaces them. So the name, the domain or the path can change without signing anyone out.
   * @default none
   */
  formerNames?: readonly string[];
  /**
   * Whether a response that sets this cookie keeps the application's own Cache-Control.
   * @default false: the library sends "no-store" instead
   */
  cacheable?: boolean;
  /**
   * Whether the browser keeps the cookie when it is closed (Max-Age: until the absolute deadline, 400
   * days at most). Otherwise the cookie ends with the browser. A function is asked at every Set-Cookie,
   * so that sessions can differ ("remember me").
   * @default true
   */
  persistent?: boolean | ((session: Session<Partial<Data>>) => boolean);
  /**
   * Secure: sent over HTTPS only. Setting a Secure cookie on a connection that looks insecure throws
   * ERR_COOKIE. Set it to true in production.
   * @default true if the connection is secure, or the browser shows that it is on HTTPS
   */
  secure?: boolean;
  /**
   * SameSite. `"none"` needs `secure: true`.
   * @default "lax"
   */
  sameSite?: "lax" | "strict" | "none";
  /** Domain. If it is left out, the cookie goes to this host only. */
  domain?: string;
  /**
   * Path.
   * @default "/"
   */
  path?: string;
  /** Partitioned: a separate cookie for each site that embeds this one (CHIPS). Needs `secure: true`. */
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
/** In characters. */
const MAX_NAME_LENGTH = 128;

/** The session cookie's options, checked and filled in. */
export interface CookieConfig {
  /** The name without its prefix. */
  readonly name: string;
  /** The prefix of a Secure cookie's name. */
  readonly prefix: "" | "__Host-" | "__Secure-";
  readonly formerNames: readonly string[];
  readonly cacheable: boolean;
  readonly persistent: boolean | ((session: Session<never>) => boolean);
  readonly secure: boolean | null;
  readonly attributes: CookieAttributes;
}

/** The attributes of all cookies that the library sets. */
export interface CookieAttributes {
  readonly sameSite: "lax" | "strict" | "none";
  readonly path: string;
  readonly domain?: string;
  readonly partitioned?: boolean;
}

/** The options with their defaults, not checked yet. */
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

/** Options with which browsers would reject the cookie, and the message for each. */
const FAULTS: readonly Fault[] = [
  // RFC 6265bis, section 4.1.1: a cookie's name is a token.
  ["name", ({ name }) => !isCookieName(name), "its name isn't a valid cookie name"],
  [
    "name",
    ({ name }) => name.length > MAX_NAME_LENGTH,
    `its name is over ${MAX_NAME_LENGTH} characters`,
  ],
  // Section 4.1.3: browsers reject cookies that break the promise of these prefixes.
  [
    "name",
    ({ name }) => /^__(?:host|secure)-/i.test(name),
    "its name is given without the prefix, which the library adds to a Secure cookie",
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
    'formerNames must be a list of cookie names, such as ["sid"]',
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
  // Section 5.6.4: browsers ignore any other path.
  [
    "path",
    ({ path }) => typeof path !== "string" || !path.startsWith("/"),
    'its path must begin with "/"',
  ],
  ["path", ({ path }) => !isSendable({ path }), "its path has characters that a path cannot have"],
  [
    "domain",
    ({ domain }) =>
      domain !== undefined &&
      (typeof domain !== "string" || domain === "" || !isSendable({ domain })),
    "its domain isn't a valid domain",
  ],
];

function isCookieName(name: unknown): boolean {
  return typeof name === "string" && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
}

/** @throws SessionError ERR_SESSION_CONFIG for options with which browsers would reject the cookie. */
export function parseCookieOptions<Data>(options: CookieOptions<Data> = {}): CookieConfig {
  const all = fillDefaults(readOptions("cookie", options, OPTIONS));
  const found = FAULTS.find(([, wrong]) => wrong(all));
  if (found) throw createConfigError(`The cookie cannot work: ${found[2]}`, { option: found[0] });
  const { name, sameSite, path, domain, persistent, partitioned, secure } = all;
  const isOfHost = domain === undefined && path === "/";
  return {
    name,
    prefix: all.prefix ? (isOfHost ? "__Host-" : "__Secure-") : "",
    formerNames: all.formerNames as string[],
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

/** Whether a cookie with these attributes can be written. One that can't would fail when it is sent. */
function isSendable(attributes: { path?: string; domain?: string }): boolean {
  try {
    stringifySetCookie({ ...attributes, name: "x", value: "" });
    return true;
  } catch {
    return false;
  }
}
