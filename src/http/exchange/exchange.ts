import { asCause, SessionError } from "../../shared/errors.ts";
import type { FetchResponse } from "./fetch-types.ts";

/**
 * Reads an object that a framework gave, and checks it.
 *
 * @param takes the message of the error: what the function takes.
 * @throws SessionError ERR_SESSION_CONFIG if it isn't right, or cannot be read.
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

/** One request and its response, as an adapter shows them to the request's session. */
export interface Exchange {
  /** Whether the connection is secure, as the framework sees it through its proxy settings. */
  readonly secure: boolean;
  /** The framework's setting for a proxy that ends TLS, for messages. */
  readonly proxySetting: string;
  /** Why the response can carry no cookie; null if it can. */
  readonly fault: string | null;
  /** The request's body, if the application has parsed it. */
  readonly body: unknown;
  /** The request's method; undefined if the framework does not show it. */
  readonly method: string | undefined;
  /** Reads a request header. The name is in lower case. */
  requestHeader(name: string): string | undefined;
  /**
   * Puts a Set-Cookie header on the response. It replaces an earlier one of the same `key`, and those that
   * the application set under the cookie's name. It is sent even if the framework answers with an error.
   * Null takes an earlier one back.
   */
  sendCookie(key: string, cookie: SetCookieInParts | null): void;
  /** Sets another response header. */
  sendHeader(name: string, value: string): void;
  /** Puts the headers on a response that the application made: see `commit` of fetch. */
  commit?<Answer extends FetchResponse>(response: Answer): Answer;
  /** Sets the caching headers when the response head is written. Of several calls, the strictest counts. */
  restrictCaching(caching: Caching): void;
}

/** A Set-Cookie header, and the name of its cookie. */
export interface SetCookie {
  readonly name: string;
  readonly header: string;
}

/** A cookie to set, as a Set-Cookie header and in its parts. */
export interface SetCookieInParts extends SetCookie {
  readonly value: string;
  readonly attributes: SetCookieAttributes;
}

/** The attributes of a cookie, in the form that `cookies()` of Next.js also takes. */
export interface SetCookieAttributes {
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite: "lax" | "strict" | "none";
  readonly path: string;
  readonly domain?: string;
  readonly partitioned?: boolean;
  /** In seconds. Without it, the cookie ends with the browser. */
  readonly maxAge?: number;
}

/** The rules for caches about a response. */
export interface Caching {
  /**
   * - `"vary"`: it depends on a header of the request.
   * - `"private"`: it was made for one user.
   * - `"no-store"`: it holds a token.
   */
  readonly kind: "vary" | "private" | "no-store";
  /** The request headers that the response depends on. */
  readonly vary: readonly string[];
  /** Whether the application's own Cache-Control takes precedence. */
  readonly yields: boolean;
}

const STRICTNESS = { vary: 0, private: 1, "no-store": 2 } as const;

/** Combines two rules for one response into the stricter one. */
export function pickStricter(one: Caching | null, other: Caching): Caching {
  if (one === null) return other;
  const difference = STRICTNESS[other.kind] - STRICTNESS[one.kind];
  const { kind, yields } = difference > 0 ? other : one;
  const vary = [...new Set([...one.vary, ...other.vary])];
  return { kind, vary, yields: difference === 0 ? one.yields && other.yields : yields };
}

/** Computes Cache-Control and Vary of a response from those that the application set; undefined for none. */
export function mergeCachingHeaders(
  { kind, vary, yields }: Caching,
  control: string | undefined,
  varied: string | undefined,
): { readonly control: string | undefined; readonly vary: string | undefined } {
  if (kind === "no-store") {
    return { control: yields && control !== undefined ? control : "no-store", vary: varied };
  }
  if (control !== undefined) return { control, vary: varied };
  const names = varied?.split(",").map((name) => name.trim().toLowerCase()) ?? [];
  const missing = vary.filter(
    (name) => !names.includes("*") && !names.includes(name.toLowerCase()),
  );
  return {
    control: kind === "private" ? "private" : undefined,
    vary: missing.length === 0 ? varied : [varied, ...missing].filter(Boolean).join(", "),
  };
}

/** Merges the library's cookies into Set-Cookie headers. They replace cookies of the same name. */
export function mergeCookies(present: readonly string[], ours: Iterable<SetCookie>): string[] {
  const cookies = [...ours];
  const names = new Set(cookies.map(({ name }) => name));
  const others = present.filter((cookie) => !names.has(cookie.replace(/=.*/s, "").trim()));
  return [...others, ...cookies.map(({ header }) => header)];
}
