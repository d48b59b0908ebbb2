import { createHash } from "node:crypto";
import { createConfigError } from "../../../shared/errors.ts";
import type { FieldReferences, Reference } from "../../contract.ts";
import { decodeShard, MAX_SHARDS } from "../../shards.ts";

/*
 * Every key is made here, or in a script from KEYS[1] in the same way:
 *
 *   {prefix:k}:s:<id>              hash        a session, an alias or a tombstone of shard k
 *   {prefix:k}:r:<field>:<value>   sorted set  ids of the shard's sessions, scored by their deadline
 *   {prefix:k}:m:<field>:<value>   set         the same ids, for a reference declared `as: "set"`
 *   {prefix:k}:l:<first id>        string      the present id of a session that was rotated
 *   {prefix:k}:o:<id>              string      a mark: this session was moved here from another layout
 *
 * The part in braces is the hash tag, so all keys of a shard are in one slot of a cluster. It is read
 * from its last colon: a prefix that an entry under `compat/` makes has colons of its own.
 */

/** Encoded names over this many bytes are replaced by their hash. */
const MAX_KEY_NAME_BYTES = 128;

export interface Keys {
  session(id: string): string;
  /** The pointer to the present id of a session that was made with this one, and rotated. */
  lineage(id: string): string;
  /** The sorted set of one shard's sessions. */
  set(shard: number, reference: Reference): string;
  /** Any key of a shard, by what follows its hash tag. */
  inShard(shard: number, rest: string): string;
  /** The key to show: the plain set where there is one; `*` for the shard where there are several. */
  publicSet(reference: Reference): string;
}

export function createKeys(prefix: string, shards: number): Keys {
  if (typeof prefix !== "string" || !/^[A-Za-z0-9._:~-]+$/.test(prefix)) throw badPrefix();
  if (!(Number.isInteger(shards) && shards >= 1 && shards <= MAX_SHARDS)) {
    throw createConfigError(`shards must be a whole number from 1 to ${MAX_SHARDS}`, {
      option: "shards",
    });
  }
  const formatTag = (shard: number | "*") => `{${prefix}:${shard}}`;
  const findTag = (id: string) => formatTag(shards === 1 ? 0 : decodeShard(id));
  return {
    session: (id) => `${findTag(id)}:s:${id}`,
    lineage: (id) => `${findTag(id)}:l:${id}`,
    set: (shard, reference) => `${formatTag(shard)}:r:${encodeBareName(reference)}`,
    inShard: (shard, rest) => `${formatTag(shard)}:${rest}`,
    publicSet: (reference) =>
      `${formatTag(shards === 1 ? 0 : "*")}:${reference.plain ? "m" : "r"}:${encodeBareName(reference)}`,
  };
}

/**
 * The rule for the prefixes that programs choose: it leaves `:` and `~` to those that are made of others.
 *
 * @throws SessionError ERR_SESSION_CONFIG for any other.
 */
export function checkPrefix(prefix: string): void {
  if (typeof prefix !== "string" || !/^[A-Za-z0-9._-]+$/.test(prefix)) throw badPrefix();
}

function badPrefix() {
  return createConfigError(
    'prefix must be letters, digits, ".", "_" and "-", and at least one of them: it becomes part of a hash tag',
    { option: "prefix" },
  );
}

function encodeBareName({ field, text }: Reference): string {
  return `${encodeName(field)}:${encodeName(text)}`;
}

/** The name of a session set: what a session's `@r` lists. `=` marks one that is a plain set, too. */
export function encodeSetName(reference: Reference): string {
  return `${reference.plain ? "=" : ""}${encodeBareName(reference)}`;
}

/** The names of all sets that a field's values put a session in. */
export function encodeSetNames({ field, texts, plain }: FieldReferences): string[] {
  return texts.map((text) => encodeSetName({ field, text, plain }));
}

/**
 * A text as part of a key: letters, digits, `.`, `_` and `-` stand for themselves, all else is
 * percent-encoded; `~`, which an encoded text never holds, marks an empty one and the hash of a
 * long one. So different texts have different names, without `:`, spaces, braces or wildcards.
 */
export function encodeName(text: string): string {
  if (text === "") return "~";
  // What is no Unicode cannot be percent-encoded; JSON escapes it, so that texts stay apart.
  if (!text.isWellFormed()) return hashed(JSON.stringify(text));
  const encoded = encodeURIComponent(text).replace(
    /[!~*'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return encoded.length <= MAX_KEY_NAME_BYTES ? encoded : hashed(text);
}

function hashed(text: string): string {
  return `~${createHash("sha256").update(text).digest("base64url")}`;
}
