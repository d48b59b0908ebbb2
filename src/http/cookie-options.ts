import { refuseUnknownKeys, SessionError } from "../errors.ts";
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
  persistent?: boolean | ((session: Session<Data>) => boolean);
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

/** @throws SessionError ERR_SESSION_CONFIG for options that browsers would answer with no cookie. */
export function cookieConfig<Data>(options: CookieOptions<Data> = {}): CookieConfig {
  refuseUnknownKeys("cookie", options, OPTIONS);
  const { name = "session", sameSite = "lax", path = "/", domain, persistent = true } = options;
  const { partitioned = false, hostPrefix = false } = options;
  const secure = options.secure ?? (hostPrefix ? true : null);
  // RFC 6265bis, section 4.1.1: a cookie's name is a token.
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
    refuse(`name ${JSON.stringify(name)} is no cookie name`);
  if (!["lax", "strict", "none"].includes(sameSite))
    refuse('sameSite must be "lax", "strict" or "none"');
  if (sameSite === "none" && secure !== true) refuse('sameSite "none" needs secure: true');
  if (partitioned && secure !== true) refuse("partitioned needs secure: true");
  if (hostPrefix && (secure !== true || path !== "/" || domain !== undefined)) {
    refuse('hostPrefix needs secure cookies with the path "/" and without a domain');
  }
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

function refuse(fault: string): never {
  throw new SessionError("ERR_SESSION_CONFIG", `The cookie cannot work: ${fault}`);
}
