import { createHash } from "node:crypto";
import { quote, SessionError, toFieldName } from "../../shared/errors.ts";

/**
 * The store's id for an id that the program chose. It is the same one, so the plain sets hold ids as
 * they were given. A hash replaces an empty id, and one that isn't well-formed Unicode, because
 * clients would send another text to Redis.
 */
export function toId(id: unknown): string {
  if (typeof id !== "string") {
    throw new SessionError("ERR_SESSION_VALUE", "A session's id must be a string");
  }
  if (id !== "" && id.isWellFormed()) return id;
  return `~${createHash("sha256").update(JSON.stringify(id)).digest("base64url")}`;
}

/** An id that koa-redis-session-sets made: 18 random bytes in base64. It was the cookie's value. */
const FOREIGN_ID_PATTERN = /^[A-Za-z0-9+/]{22}[A-Za-z0-9+/=]{2}$/;

/** Whether a cookie's value may be the id of a session that was not migrated yet. */
export function isForeignId(value: unknown): value is string {
  return typeof value === "string" && FOREIGN_ID_PATTERN.test(value);
}

/** Whether a text may hold an id that a browser still has in its cookie. No message shows such a text. */
export function holdsForeignId(text: unknown): boolean {
  return typeof text === "string" && FOREIGN_ID_ANYWHERE.test(text);
}

const FOREIGN_ID_ANYWHERE = /[A-Za-z0-9+/]{22}[A-Za-z0-9+/=]{2}/;

/** Quotes a name for a message, and hides one that may hold a foreign id. */
export function quoteName(name: unknown): string {
  return holdsForeignId(name) ? '"…"' : quote(name);
}

/** The name of a field for an error; undefined if it may hold a foreign id. */
export function toErrorField(name: unknown): string | undefined {
  return holdsForeignId(name) ? undefined : toFieldName(name);
}

/**
 * The id of a migrated session. A foreign id that was the secret of a cookie becomes a hash, in the
 * form of all ids that are made here. An id that the program chose stays the same.
 */
export function deriveMigratedId(foreignId: string): string {
  if (!isForeignId(foreignId)) return toId(foreignId);
  return `AA${createHash("sha256").update(foreignId).digest("base64url").slice(0, 22)}`;
}
