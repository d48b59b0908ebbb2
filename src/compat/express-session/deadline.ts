const LONGEST = 100 * 365 * 24 * 60 * 60 * 1000;

/** What of a cookie, as JSON, says how long its session lives. */
interface CookieTimes {
  readonly expires?: unknown;
  readonly maxAge?: unknown;
  readonly originalMaxAge?: unknown;
}

/**
 * How long (ms) a session still lives by its cookie: until the cookie expires, else for its max age,
 * else, where it ends with the browser, for `idleTimeout`. Zero or less: it has expired.
 */
export function timeLeft(cookie: unknown, idleTimeout: number): number {
  const { maxAge, originalMaxAge }: CookieTimes = Object(cookie);
  const moment = expiryOf(cookie);
  if (moment !== null) return Math.min(moment - Date.now(), LONGEST);
  const age = typeof maxAge === "number" ? maxAge : originalMaxAge;
  return typeof age === "number" ? Math.min(Math.round(age), LONGEST) : idleTimeout;
}

/** The moment (ms) at which a cookie, as JSON, expires; null where it does not say one. */
export function expiryOf(cookie: unknown): number | null {
  const { expires }: CookieTimes = Object(cookie);
  const moment = typeof expires === "string" ? Date.parse(expires) : Number.NaN;
  return Number.isNaN(moment) ? null : moment;
}
