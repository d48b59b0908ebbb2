/** One request and its response, as an adapter shows them to the session of the request. */
export interface Exchange {
  /** Whether the connection is secure, as the framework sees it through its proxy settings. */
  readonly secure: boolean;
  /** Whether the response's headers are on their way, so that no cookie can be set any more. */
  readonly headersSent: boolean;
  /** The request's body, where the application has parsed it. */
  readonly body: unknown;
  /** A request's header; the name is in lower case. */
  requestHeader(name: string): string | undefined;
  /**
   * Puts a Set-Cookie header on the response, in the place of an earlier one of the same cookie, and
   * beside those of other cookies. It is sent also where the framework answers an error.
   */
  sendCookie(name: string, setCookie: string): void;
  /** Keeps the response out of caches, unless the application says how to cache it. */
  forbidCaching(): void;
}

/** Set-Cookie headers with those of `ours`, each of which takes the place of those of its name. */
export function withCookies(
  present: readonly string[],
  ours: ReadonlyMap<string, string>,
): string[] {
  const others = present.filter((cookie) => !ours.has(cookie.split("=", 1)[0]?.trim() ?? ""));
  return [...others, ...ours.values()];
}
