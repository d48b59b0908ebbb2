import { stringifySetCookie } from "cookie";
import { misconfigured, refuseUnknownKeys } from "../errors.ts";
import type { Session } from "../sessions/types.ts";

/** The session cookie. It is always HttpOnly: no script of a page ever needs a token. */
export interface CookieOptions<Data> {
  /**
   * The cookie's name; with `hostPrefix`, what follows `__Host-`.
   * @default "session"
   */
  name?: string;
  /**
   * Whether the cookie is kept when the browser is closed (Max-Age: the absolute deadline, 400 days
   * at most) or is a browser-session cookie. A function is asked at every Set-Cookie, so that
   * sessions can differ ("remember me").
   * @default true
   */
  persistent?: boolean | ((session: Session<Partial<Data>>) => boolean);
  /**
   * Secure: sent over HTTPS only. On a connection that looks insecure, a Secure cookie is ERR_COOKIE.
   * @default whether the connection is secure
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
  /**
   * Puts `__Host-` before the name: browsers then take the cookie only if it is Secure, has the path
   * "/" and no domain, so that no other host can plant it (RFC 6265bis, section 4.1.3.2).
   */
  hostPrefix?: boolean;
}

const OPTIONS = [
  "name",
  "persistent",
  "secure",
  "sameSite",
  "domain",
  "path",
  "partitioned",
  "hostPrefix",
] as const;

/** The session cookie's options, checked and filled in. */
export interface CookieConfig {
  readonly name: string;
  readonly persistent: (session: Session<never>) => boolean;
  readonly secure: boolean | null;
  readonly attributes: {
    readonly sameSite: "lax" | "strict" | "none";
    readonly path: string;
    readonly domain?: string;
    readonly partitioned?: boolean;
  };
}

/** The options with their defaults, as unchecked as they come. */
type Chosen = ReturnType<typeof chosen<never>>;

function chosen<Data>(options: CookieOptions<Data>) {
  const { name = "session", sameSite = "lax", path = "/", domain, persistent = true } = options;
  const { partitioned = false, hostPrefix = false } = options;
  const secure = options.secure ?? (hostPrefix ? true : null);
  return { name, sameSite, path, domain, persistent, partitioned, hostPrefix, secure };
}

/** What is wrong with options that browsers would answer with no cookie, and how to say so. */
const FAULTS: readonly (readonly [wrong: (chosen: Chosen) => boolean, fault: string])[] = [
  // RFC 6265bis, section 4.1.1: a cookie's name is a token.
  [({ name }) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name), "its name is no cookie name"],
  // Section 4.1.3: browsers refuse cookies that are not what these prefixes say.
  [({ name }) => /^__host-/i.test(name), '"__Host-" is put before the name by hostPrefix: true'],
  [
    ({ name, secure }) => /^__secure-/i.test(name) && secure !== true,
    'a name that begins with "__Secure-" needs secure: true',
  ],
  [
    ({ partitioned, hostPrefix, secure }) =>
      [partitioned, hostPrefix, secure ?? false].some((value) => typeof value !== "boolean"),
    "secure, partitioned and hostPrefix must be true or false",
  ],
  [
    ({ persistent }) => !["boolean", "function"].includes(typeof persistent),
    "persistent must be true, false or a function",
  ],
  [
    ({ sameSite }) => !["lax", "strict", "none"].includes(sameSite),
    'sameSite must be "lax", "strict" or "none"',
  ],
  [
    ({ sameSite, secure }) => sameSite === "none" && secure !== true,
    'sameSite "none" needs secure: true',
  ],
  [({ partitioned, secure }) => partitioned && secure !== true, "partitioned needs secure: true"],
  [
    ({ hostPrefix, secure, path, domain }) =>
      hostPrefix && (secure !== true || path !== "/" || domain !== undefined),
    'hostPrefix needs secure cookies with the path "/" and without a domain',
  ],
  // Section 5.6.4: any other path is taken for none.
  [({ path }) => !String(path).startsWith("/"), 'its path must begin with "/"'],
  [({ path }) => !sendable({ path }), "its path has characters that no path has"],
  [
    ({ domain }) => domain !== undefined && (domain === "" || !sendable({ domain })),
    "its domain is no domain",
  ],
];

/** @throws SessionError ERR_SESSION_CONFIG for options that browsers would answer with no cookie. */
export function cookieConfig<Data>(options: CookieOptions<Data> = {}): CookieConfig {
  refuseUnknownKeys("cookie", options, OPTIONS);
  const all = chosen(options);
  const fault = FAULTS.find(([wrong]) => wrong(all))?.[1];
  if (fault) throw misconfigured(`The cookie cannot work: ${fault}`);
  const { name, sameSite, path, domain, persistent, partitioned, hostPrefix, secure } = all;
  return {
    name: hostPrefix ? `__Host-${name}` : name,
    persistent: typeof persistent === "function" ? persistent : () => persistent,
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
function sendable(attributes: { path?: string; domain?: string }): boolean {
  try {
    stringifySetCookie({ ...attributes, name: "x", value: "" });
    return true;
  } catch {
    return false;
  }
}
