import { createHash } from "node:crypto";
import { createConfigError } from "../../../shared/errors.ts";

/*
 * The beginning of all keys. In koa-redis-session-sets it was any text: a prefix, or else
 * `koa-redis-session-sets:` and a namespace, or else nothing. Programs that it kept apart stay apart.
 */

/** The prefix in a hash tag where neither a prefix nor a namespace is given. */
const NO_PREFIX = "koa-redis-session-sets";
const MAX_PREFIX_CHARACTERS = 128;

/** The prefix as koa-redis-session-sets had it; "" for none. A prefix counts before a namespace. */
export function parseForeignPrefix(prefix: string, namespace: string): string {
  if (prefix !== "" || namespace === "") return prefix;
  return `koa-redis-session-sets:${namespace}`;
}

/**
 * The prefix as part of a hash tag. If it has characters that cannot be there, others replace them, and
 * `~` and a hash follow, so that two prefixes never become the same.
 */
export function toPrefix(given: string): string {
  if (given === "") return NO_PREFIX;
  const fits =
    /^[A-Za-z0-9._:-]+$/.test(given) &&
    given.length <= MAX_PREFIX_CHARACTERS &&
    given !== NO_PREFIX;
  if (fits) return given;
  const hash = createHash("sha256").update(given).digest("base64url");
  return `${given.slice(0, MAX_PREFIX_CHARACTERS).replace(/[^A-Za-z0-9._:-]/g, "-")}~${hash.slice(0, 22)}`;
}

/** Reads an option that is a text; "" where it is left out. */
export function readText(name: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string" && value.isWellFormed()) return value;
  throw createConfigError(`${name} must be a text of well-formed Unicode: ${name}: "shop"`, {
    option: name,
  });
}
