import { createHash } from "node:crypto";
import { createConfigError } from "../../../shared/errors.ts";

/*
 * What the keys begin with. There it was any text: a prefix, or else `koa-redis-session-sets:` and a
 * namespace, or else nothing. Programs that were apart by it are apart here.
 */

/** What stands in a hash tag where there is neither a prefix nor a namespace. */
const NO_PREFIX = "koa-redis-session-sets";
const LONGEST = 128;

/** The prefix as it was there; "" for none. A prefix counts before a namespace. */
export function parseForeignPrefix(prefix: string, namespace: string): string {
  if (prefix !== "" || namespace === "") return prefix;
  return `koa-redis-session-sets:${namespace}`;
}

/**
 * The same as part of a hash tag. One that cannot stand there stands there in letters that can, and
 * with `~` and a hash, which no other has.
 */
export function toPrefix(old: string): string {
  if (old === "") return NO_PREFIX;
  const fits = /^[A-Za-z0-9._:-]+$/.test(old) && old.length <= LONGEST && old !== NO_PREFIX;
  if (fits) return old;
  const hash = createHash("sha256").update(old).digest("base64url");
  return `${old.slice(0, LONGEST).replace(/[^A-Za-z0-9._:-]/g, "-")}~${hash.slice(0, 22)}`;
}

/** An option that is a text; "" where it is left out. */
export function readText(name: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string" && value.isWellFormed()) return value;
  throw createConfigError(`${name} must be a text of well-formed Unicode: ${name}: "shop"`, {
    option: name,
  });
}
