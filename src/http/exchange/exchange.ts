import { asCause, SessionError } from "../../shared/errors.ts";
import type { FetchResponse } from "./fetch-types.ts";

/**
 * What a framework shows of a request, read and looked at.
 *
 * @param takes what the function takes, to say so of anything else.
 * @throws SessionError ERR_SESSION_CONFIG for anything else.
 */
export function readShown<T>(takes: string, read: () => T, isRight: (given: T) => boolean): T {
  let cause: unknown;
  try {
    const given = read();
    if (isRight(given)) return given;
  } catch (error) {
    cause = asCause(error);
  }
  throw new SessionError("ERR_SESSION_CONFIG", takes, cause === undefined ? undefined : { cause });
}

/** One request and its response, as an adapter shows them to the session of the request. */
export interface Exchange {
  /** Whether the connection is secure, as the framework sees it through its proxy settings. */
  readonly secure: boolean;
  /** How the framework is told that a proxy in front of it ends TLS, for messages. */
  readonly proxySetting: string;
  /** Why the response can carry no cookie any more, or at all; null where it can. */
  readonly fault: string | null;
  /** The request's body, where the application has parsed it. */
  readonly body: unknown;
  /** The request's method; undefined where a framework does not show it. */
  readonly method: string | undefined;
  /** A request's header; the name is in lower case. */
  requestHeader(name: string): string | undefined;
  /**
   * Puts a Set-Cookie header on the response, in the place of an earlier one of the same `key`, and of
   * those that the application has set under the cookie's name. It is sent also where the framework
   * answers an error. Null takes an earlier one back.
   */
  sendCookie(key: string, cookie: SetCookieInParts | null): void;
  /** Sets another header of the response. */
  sendHeader(name: string, value: string): void;
  /** Puts all this on a response, where that is made by the application: see `commit` of fetch. */
  commit?<Answer extends FetchResponse>(response: Answer): Answer;
  /** Tells caches about the response when its head is written; the strictest of several calls counts. */
  restrictCaching(caching: Caching): void;
}

/** A Set-Cookie header, and the name of its cookie. */
export interface SetCookie {
  readonly name: string;
  readonly header: string;
}

/** A cookie that is set, as a Set-Cookie header and in its parts. */
export interface SetCookieInParts extends SetCookie {
  readonly value: string;
  readonly attributes: SetCookieAttributes;
}

/** The attributes of a cookie, as `cookies()` of Next.js takes them, too. */
export interface SetCookieAttributes {
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite: "lax" | "strict" | "none";
  readonly path: string;
  readonly domain?: string;
  readonly partitioned?: boolean;
  /** In seconds; without it the cookie goes when the browser is closed. */
  readonly maxAge?: number;
}

/** What caches may do with a response. */
export interface Caching {
  /**
   * - `"vary"`: it depends on a header of the request.
   * - `"private"`: it was made for one user.
   * - `"no-store"`: it holds a token.
   */
  readonly kind: "vary" | "private" | "no-store";
  /** The request's headers that the response depends on. */
  readonly vary: readonly string[];
  /** Whether what the application says in Cache-Control counts before this. */
  readonly yields: boolean;
}

const STRICTNESS = { vary: 0, private: 1, "no-store": 2 } as const;

/** What holds for a response of which both hold. */
export function pickStricter(one: Caching | null, other: Caching): Caching {
  if (one === null) return other;
  const difference = STRICTNESS[other.kind] - STRICTNESS[one.kind];
  const { kind, yields } = difference > 0 ? other : one;
  const vary = [...new Set([...one.vary, ...other.vary])];
  return { kind, vary, yields: difference === 0 ? one.yields && other.yields : yields };
}

/** Cache-Control and Vary of a response, from those that the application has set; undefined for none. */
export function mergeCachingHeaders(
  { kind, vary, yields }: Caching,
  control: string | undefined,
  varied: string | undefined,
): { readonly control: string | undefined; readonly vary: string | undefined } {
  if (kind === "no-store") {
    return { control: yields && control !== undefined ? control : "no-store", vary: varied };
  }
  if (control !== undefined) return { control, vary: varied };
  const names = (varied ?? "").split(",").map((name) => name.trim().toLowerCase());
  const missing = vary.filter(
    (name) => !names.includes("*") && !names.includes(name.toLowerCase()),
  );
  return {
    control: kind === "private" ? "private" : undefined,
    vary: missing.length === 0 ? varied : [varied, ...missing].filter(Boolean).join(", "),
  };
}

/** Set-Cookie headers with those of `ours`, which take the place of those of their names. */
export function mergeCookies(present: readonly string[], ours: Iterable<SetCookie>): string[] {
  const cookies = [...ours];
  const names = new Set(cookies.map(({ name }) => name));
  const others = present.filter((cookie) => !names.has(cookie.split("=", 1)[0]?.trim() ?? ""));
  return [...others, ...cookies.map(({ header }) => header)];
}
