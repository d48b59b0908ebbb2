import { createHash } from "node:crypto";
import { quote, SessionError, toFieldName } from "../../shared/errors.ts";

/**
 * The store's id for a caller's: the same, so that the plain sets hold ids as they were given. One
 * that is empty, or not well-formed Unicode, which Redis would be sent as another, is known by its
 * hash.
 */
export function toId(id: unknown): string {
  if (typeof id !== "string") {
    throw new SessionError("ERR_SESSION_VALUE", "A session's id must be a string");
  }
  if (id !== "" && id.isWellFormed()) return id;
  return `~${createHash("sha256").update(JSON.stringify(id)).digest("base64url")}`;
}

/** What koa-redis-session-sets made for an id: 18 random bytes in base64. It was the cookie's value. */
const FOREIGN_ID_PATTERN = /^[A-Za-z0-9+/]{22}[A-Za-z0-9+/=]{2}$/;

/** Whether a cookie's value may be the id of a session that was not moved yet. */
export function isForeignId(value: unknown): value is string {
  return typeof value === "string" && FOREIGN_ID_PATTERN.test(value);
}

/** Whether a text may have an id in it that a browser still has in its cookie: no message shows it. */
export function holdsOldId(text: unknown): boolean {
  return typeof text === "string" && ANYWHERE.test(text);
}

const ANYWHERE = /[A-Za-z0-9+/]{22}[A-Za-z0-9+/=]{2}/;

/** A name as messages show it. */
export function quoteName(name: unknown): string {
  return holdsOldId(name) ? '"…"' : quote(name);
}

/** The name of a field as errors have it; none where it holds an old id. */
export function toErrorField(name: unknown): string | undefined {
  return holdsOldId(name) ? undefined : toFieldName(name);
}

/**
 * The id that a moved session has: a hash where the old one was the secret of a cookie, in the form
 * of all ids that are made here; and the same one where the program has chosen it.
 */
export function deriveMigratedId(old: string): string {
  if (!isForeignId(old)) return toId(old);
  return `AA${createHash("sha256").update(old).digest("base64url").slice(0, 22)}`;
}
