import { createHash } from "node:crypto";
import { createConfigError, quote } from "../../../shared/errors.ts";
import type { FieldReferences, Reference } from "../../contract.ts";
import { decodeShard, MAX_SHARDS } from "../../shards.ts";

/*
 * All keys are built here, and in the scripts from KEYS[1] in the same way:
 *
 *   {prefix:k}:s:<id>              hash        a session, an alias or a tombstone of shard k
 *   {prefix:k}:r:<field>:<value>   sorted set  ids of the shard's sessions, scored by their deadline
 *   {prefix:k}:m:<field>:<value>   set         the same ids, for a reference declared `as: "set"`
 *   {prefix:k}:c:<field>:<value>   string      when the set was last cleared
 *   {prefix:k}:p:<field>:<value>   sorted set  places of the set that are reserved, scored by when they are free
 *   {prefix:k}:l:<first id>        string      the current id of a session that was rotated
 *   {prefix:k}:o:<id>              string      a mark: this session was migrated from another layout
 *
 * What scripts do to the sessions of a shard they tell on its channel, {prefix:k}:e.
 *
 * The part in braces is the hash tag, so all keys of a shard are in one slot of a cluster. The shard
 * follows its last colon, because prefixes of the entries under `compat/` may contain colons.
 */

/** A longer encoded name is replaced by its hash. */
const MAX_KEY_NAME_BYTES = 128;
/** A name that is its own encoding. */
const PLAIN_NAME = /^[A-Za-z0-9._-]{1,128}$/;

export interface Keys {
  deriveSessionKey(id: string): string;
  /** The pointer from a rotated session's first id to its current one. */
  derivePointerKey(id: string): string;
  /** The sorted set of the ids in one shard. */
  deriveSetKey(shard: number, reference: Reference): string;
  /** Any key of a shard. `rest` follows the hash tag and a colon. */
  deriveKey(shard: number, rest: string): string;
  /** The reserved places of a set, all of them in one shard. */
  deriveReservationsKey(reference: Reference): string;
  /** The number of an id's shard. */
  findShard(id: string): number;
  /** The channel on which scripts tell what they do to sessions of a shard; `*` for all shards. */
  deriveChannel(shard: number | "*"): string;
  /** The key to show: the plain set if there is one; `*` for the shard if there are several. */
  derivePublicSetKey(reference: Reference): string;
}

export function createKeys(prefix: string, shards: number): Keys {
  if (typeof prefix !== "string" || !/^[A-Za-z0-9._:~-]+$/.test(prefix))
    throw createPrefixError(prefix);
  if (!(Number.isInteger(shards) && shards >= 1 && shards <= MAX_SHARDS)) {
    throw createConfigError(`shards must be a whole number from 1 to ${MAX_SHARDS}`, {
      option: "shards",
    });
  }
  const formatTag = (shard: number | "*") => `{${prefix}:${shard}}`;
  const findShard = (id: string) => (shards === 1 ? 0 : decodeShard(id));
  const onlyTag = formatTag(0);
  const findTag = (id: string) => (shards === 1 ? onlyTag : formatTag(decodeShard(id)));
  return {
    deriveSessionKey: (id) => `${findTag(id)}:s:${id}`,
    derivePointerKey: (id) => `${findTag(id)}:l:${id}`,
    deriveSetKey: (shard, reference) => `${formatTag(shard)}:r:${encodeBareName(reference)}`,
    deriveKey: (shard, rest) => `${formatTag(shard)}:${rest}`,
    deriveReservationsKey: (reference) => {
      const name = encodeBareName(reference);
      return `${formatTag(pickShard(name, shards))}:p:${name}`;
    },
    findShard,
    deriveChannel: (shard) => `${formatTag(shard)}:e`,
    derivePublicSetKey: (reference) =>
      `${formatTag(shards === 1 ? 0 : "*")}:${reference.plain ? "m" : "r"}:${encodeBareName(reference)}`,
  };
}

/**
 * Checks a prefix that a program has chosen. `:` and `~` are reserved for prefixes that the entries
 * under `compat/` derive.
 *
 * @throws SessionError ERR_SESSION_CONFIG for an invalid prefix.
 */
export function checkPrefix(prefix: string): void {
  if (typeof prefix !== "string" || !/^[A-Za-z0-9._-]+$/.test(prefix))
    throw createPrefixError(prefix);
}

function createPrefixError(prefix: unknown) {
  return createConfigError(
    `prefix must be one or more letters, digits, ".", "_" and "-", because it becomes part of a hash tag; got ${quote(prefix)}`,
    { option: "prefix" },
  );
}

/** The name of a session set, as in its key. */
export function encodeBareName({ field, text }: Reference): string {
  return `${encodeName(field)}:${encodeName(text)}`;
}

/** The name of a session set, as in a session's `@r`. `=` marks one that is also a plain set. */
export function encodeSetName(reference: Reference): string {
  return `${reference.plain ? "=" : ""}${encodeBareName(reference)}`;
}

/** The name of the set to look into where one is empty; empty if there is none. */
export function encodeLookalikeName({ lookalike, ...reference }: Reference): string {
  return lookalike ? encodeSetName({ ...reference, text: lookalike.text }) : "";
}

/** The names of the sets that a session is in by a field's values. */
export function encodeSetNames({ field, texts, plain }: FieldReferences): string[] {
  return texts.map((text) => encodeSetName({ field, text, plain }));
}

/**
 * A text as part of a key. Letters, digits, `.`, `_` and `-` are kept, and all else is percent-encoded.
 * An empty text is `~`, and a long one is `~` and its hash; no encoded text contains a `~`. So different
 * texts have different names, without colons, spaces, braces or wildcards.
 */
export function encodeName(text: string): string {
  if (PLAIN_NAME.test(text)) return text;
  if (text === "") return "~";
  // Lone surrogates cannot be percent-encoded. JSON escapes them, so different texts stay different.
  if (!text.isWellFormed()) return hashName(JSON.stringify(text));
  const encoded = encodeURIComponent(text).replace(
    /[!~*'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return encoded.length <= MAX_KEY_NAME_BYTES ? encoded : hashName(text);
}

/** One shard of all, the same for the same name. */
function pickShard(name: string, shards: number): number {
  return createHash("sha256").update(name).digest().readUInt32BE() % shards;
}

function hashName(text: string): string {
  return `~${createHash("sha256").update(text).digest("base64url")}`;
}
