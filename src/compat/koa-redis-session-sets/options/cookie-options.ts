import { createConfigError } from "../../../shared/errors.ts";

/** Options of the cookie, as Koa's `ctx.cookies.set` has them. The session decides when it ends. */
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
  /** @default none: the cookie goes to this host alone */
  domain?: string;
  /** @default "/" */
  path?: string;
  /** @default whether the connection is secure */
  secure?: boolean;
  /**
   * Whether pages of other sites send the cookie. `true` is `"strict"`, and `false` leaves the attribute
   * out. `"none"` needs a secure connection.
   * @default "lax": links send it, and forms and frames do not
   */
  sameSite?: "strict" | "lax" | "none" | boolean;
  priority?: "low" | "medium" | "high";
  /** Needs a secure connection. */
  partitioned?: boolean;
}

const BOOLEANS = ["signed", "httpOnly", "overwrite", "secure", "partitioned"] as const;

type Chosen = Readonly<Partial<Record<keyof KoaCookieOptions | "key", unknown>>>;

/** A domain as Koa accepts it (RFC 1034, section 3.5), with or without a dot before it. */
const DOMAIN =
  /^\.?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const matches = (pattern: RegExp, value: unknown) =>
  typeof value === "string" && pattern.test(value);

/** Options that no cookie can have, or for which browsers drop the cookie. */
const FAULTS: readonly (readonly [isWrong: (chosen: Chosen) => boolean, fault: string])[] = [
  ...BOOLEANS.map((name) => {
    const isWrong = (chosen: Chosen) => !["boolean", "undefined"].includes(typeof chosen[name]);
    return [isWrong, `${name} must be true or false`] as const;
  }),
  // RFC 6265bis, section 4.1.1: a cookie's name is a token.
  [
    ({ key }) => !matches(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, key),
    'key must be a name that a cookie can have: "session-id"',
  ],
  [
    ({ sameSite = false }) =>
      typeof sameSite !== "boolean" && !matches(/^(?:lax|strict|none)$/i, sameSite),
    'sameSite must be "lax", "strict", "none", true or false',
  ],
  [
    ({ priority = "low" }) => !matches(/^(?:low|medium|high)$/i, priority),
    'priority must be "low", "medium" or "high"',
  ],
  // Section 5.6.4: browsers ignore any other path.
  [
    ({ path = "/" }) => !matches(/^\/[ -:=-~]*$/, path),
    'path must be one that a cookie can have, and begin with "/"',
  ],
  [({ domain = "a" }) => !matches(DOMAIN, domain), 'domain must be a name: "example.com"'],
  [
    (chosen) => chosen.secure === false && needsSecure(chosen),
    'sameSite "none", partitioned, and a key that begins with __Host- or __Secure- need secure: true, else browsers drop the cookie',
  ],
  // Section 4.1.3.2.
  [
    ({ key, domain, path = "/" }) =>
      matches(/^__host-/i, key) && (domain !== undefined || path !== "/"),
    'a key that begins with __Host- needs the path "/" and no domain, else browsers drop the cookie',
  ],
];

/** Whether browsers accept a cookie with these options only if it is Secure. */
export function needsSecure({ key, sameSite, partitioned }: Chosen): boolean {
  return (
    matches(/^none$/i, sameSite) || partitioned === true || matches(/^__(?:host|secure)-/i, key)
  );
}

/** @throws SessionError ERR_SESSION_CONFIG for options that no cookie can have. */
export function checkCookie(chosen: Chosen): void {
  const fault = FAULTS.find(([isWrong]) => isWrong(chosen))?.[1];
  if (fault) throw createConfigError(`The cookie cannot work: ${fault}`);
}
