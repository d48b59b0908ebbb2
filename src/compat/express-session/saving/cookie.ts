/*
 * How a session's cookie is stored, and how it sets the session's deadline.
 *
 * Each save and touch brings a cookie, with times that the request has read or the middleware has set
 * since. So an option is written only if this request has changed it. Otherwise the stored options push
 * the deadline forward. The first save writes the cookie as one field. An option that changes later gets
 * a field of its own, so that two requests that change two options do not undo each other.
 */

/** A cookie as JSON copies it. */
export interface Cookie {
  readonly [option: string]: unknown;
}

/** How long a session lives by its cookie. */
export interface Lifetime {
  /** How long (ms) it may be unused. Zero or less: it has ended. */
  readonly idleTimeout: number;
  /** Whether it ends then even if it is used: its cookie names the moment, not a duration. */
  readonly fixed: boolean;
}

/** The span (ms) in which the times of an object's cookie can have been set. */
export interface Moments {
  readonly from: number;
  readonly to: number;
}

export const MAX_LIFETIME_MS = 100 * 365 * 24 * 60 * 60 * 1000;

/** The options that say when the cookie ends: they are changed together. */
const TIME_OPTIONS: readonly string[] = ["expires", "maxAge", "originalMaxAge"];
/** Notes that @fastify/session makes for itself, anew in each request. */
const NOTE_OPTIONS: readonly string[] = ["originalExpires"];
/** How far apart (ms) two readings of the same time may be, because the clock runs on between them. */
const LEEWAY_MS = 1000;
/**
 * How much (ms) a max age may shrink without having been changed: express-session reads the clock twice
 * when it sets one again, and the time between the two readings is lost.
 */
const MAX_DRIFT_MS = 100;

const COOKIE_FIELD = "cookie";
const CHANGED_COOKIE_FIELD = "~~cookie";

/** Whether a field of the store holds the cookie, or an option of it. */
export function isCookieField(name: string): boolean {
  return (
    name === COOKIE_FIELD ||
    name === CHANGED_COOKIE_FIELD ||
    name.startsWith(`${CHANGED_COOKIE_FIELD}.`)
  );
}

/** Whether a name is reserved for the options of cookies, so that no field or reference can have it. */
export function isReservedForCookies(name: string): boolean {
  return name !== COOKIE_FIELD && isCookieField(name);
}

/** The cookie of a session; an empty one if the program has put something else in its place. */
export function toCookie(session: object): Cookie {
  const { cookie } = session as { cookie?: unknown };
  return isObject(cookie) ? cookie : {};
}

/** A copy of the cookie by way of JSON, to compare a later state with. */
export function toSnapshot(session: object): Cookie {
  return JSON.parse(JSON.stringify(toCookie(session)));
}

/** The changes that one request has made to a cookie. */
export interface CookieChanges {
  /** The values to store, by the names of their fields. */
  readonly fields: ReadonlyMap<string, unknown>;
  /** Whether the times are among them. */
  readonly times: boolean;
}

/** All options of a cookie, as changes. */
export function toCookieChanges(cookie: Cookie): CookieChanges {
  const names = Object.keys(cookie).filter(isOption);
  return { fields: toFields(cookie, names, { withTimes: true }), times: true };
}

/** The changes to a cookie since `before`, except those that middlewares make in each request. */
export function compareCookies(before: Cookie, cookie: Cookie, moments: Moments): CookieChanges {
  const names = [...new Set([...Object.keys(before), ...Object.keys(cookie)])].filter(
    (name) => isOption(name) && !isSame(before[name], cookie[name]),
  );
  const times = haveTimesChanged(before, cookie, moments);
  return { fields: toFields(cookie, names, { withTimes: times }), times };
}

function isOption(name: string): boolean {
  return !TIME_OPTIONS.includes(name) && !NOTE_OPTIONS.includes(name);
}

function toFields(
  cookie: Cookie,
  names: readonly string[],
  { withTimes }: { readonly withTimes: boolean },
): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const name of names) fields.set(`${CHANGED_COOKIE_FIELD}.${name}`, cookie[name] ?? null);
  if (withTimes) fields.set(CHANGED_COOKIE_FIELD, pickTimes(cookie));
  return fields;
}

function haveTimesChanged(before: Cookie, cookie: Cookie, { from, to }: Moments): boolean {
  const { expires, originalMaxAge: age } = cookie;
  if (!isSameAge(before.originalMaxAge, age) || !isSame(before.maxAge, cookie.maxAge)) return true;
  if (isSame(before.expires, expires)) return false;
  if (typeof age !== "number") return expires !== undefined; // express-session removes it
  const expiry = parseExpiry(cookie);
  if (expiry === null) return true;
  const set = expiry - age;
  return set < from - LEEWAY_MS || set > to + LEEWAY_MS;
}

function isSameAge(before: unknown, age: unknown): boolean {
  if (typeof before !== "number" || typeof age !== "number") return isSame(before, age);
  return age === before || (age < before && before - age <= Math.min(MAX_DRIFT_MS, before / 10));
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

/**
 * How long a session lives by a cookie that this request has set.
 *
 * @param moments when it can have been set. Null if the object may be a copy of any age: then its expiry
 * is ignored once more than half of the time has passed.
 * @param idleTimeout for a cookie that ends with the browser.
 */
export function deriveLifetime(
  cookie: Cookie,
  moments: Moments | null,
  idleTimeout: number,
): Lifetime {
  const { maxAge, originalMaxAge: age } = cookie;
  const expiry = parseExpiry(cookie);
  const left = expiry === null ? null : expiry - Date.now();
  if (typeof age === "number") return createSlidingLifetime(deriveIdleTimeout(age, left, moments));
  if (left !== null) return { idleTimeout: Math.min(left, MAX_LIFETIME_MS), fixed: true };
  return createSlidingLifetime(typeof maxAge === "number" ? maxAge : idleTimeout);
}

function deriveIdleTimeout(age: number, left: number | null, moments: Moments | null): number {
  if (left === null) return age;
  if (!moments) return left < age / 2 ? age : left;
  const used = age - left;
  return used >= -LEEWAY_MS && used <= moments.to - moments.from + LEEWAY_MS ? age : left;
}

function createSlidingLifetime(idleTimeout: number): Lifetime {
  return { idleTimeout: Math.min(Math.round(idleTimeout), MAX_LIFETIME_MS), fixed: false };
}

/** The moment (ms) at which a cookie, as JSON, expires; null where it names none. */
export function parseExpiry(cookie: unknown): number | null {
  const { expires }: Cookie = Object(cookie);
  const moment = typeof expires === "string" ? Date.parse(expires) : Number.NaN;
  return Number.isNaN(moment) ? null : moment;
}

/** Whether a cookie names the moment at which its session ends. */
export function isFixed(cookie: unknown): boolean {
  return typeof Object(cookie).originalMaxAge !== "number" && parseExpiry(cookie) !== null;
}

/**
 * Assembles the cookie of a session from its stored fields.
 *
 * @param expiresAt when the session ends. The stored expiry may be older, because sliding does not write
 * it.
 */
export function assembleCookie(
  stored: Readonly<Record<string, unknown>>,
  expiresAt: number,
): Record<string, unknown> {
  const own = Object.entries(stored).filter(([name]) => !isReservedForCookies(name));
  const data = Object.fromEntries(own);
  const changed = Object.entries(stored).filter(([name]) => isReservedForCookies(name));
  if (changed.length === 0 && !isObject(data.cookie)) return data;
  let cookie: Cookie = { ...Object(data.cookie) };
  for (const [name, value] of changed) {
    if (name === CHANGED_COOKIE_FIELD) cookie = { ...omitTimes(cookie), ...Object(value) };
    else cookie = { ...cookie, [name.slice(CHANGED_COOKIE_FIELD.length + 1)]: value };
  }
  const expiry = parseExpiry(cookie);
  const { originalMaxAge: age } = cookie;
  if (expiry !== null && typeof age === "number") {
    // The end is not finite if the deadlines were removed by hand.
    const slid =
      Number.isFinite(expiresAt) && Math.abs(expiresAt - expiry) > Math.min(LEEWAY_MS, age / 20);
    if (slid) cookie = { ...cookie, expires: new Date(expiresAt).toISOString() };
  }
  return { ...data, cookie };
}

function pickTimes(cookie: Cookie): Cookie {
  return Object.fromEntries(Object.entries(cookie).filter(([name]) => TIME_OPTIONS.includes(name)));
}

function omitTimes(cookie: Cookie): Cookie {
  return Object.fromEntries(
    Object.entries(cookie).filter(([name]) => !TIME_OPTIONS.includes(name)),
  );
}

function isObject(value: unknown): value is Cookie {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
