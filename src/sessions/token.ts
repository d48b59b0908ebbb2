import { hash, randomFillSync, randomInt } from "node:crypto";
import { decodeShard, encodeShard } from "../store/shards.ts";

/*
 * A token is a shard's number in two base64url characters, and 192 random bits in 32 more. Its id is the
 * same number, and the first 132 bits of the token's SHA-256 in 22 more. The id is public, because nobody
 * can find a token for it. (OWASP Session Management asks for 64 bits of entropy; with 128, ids never
 * collide.)
 */
const TOKEN_PATTERN = /^[A-Za-z0-9_-]{34}$/;
const ID_PATTERN = /^[A-Za-z0-9_-]{24}$/;
const RANDOM_BYTES = 24;
/** How many characters of a hash in base64url, after those of the shard, make an id. */
export const ID_HASH_CHARACTERS = 22;

export interface NewToken {
  readonly token: string;
  readonly id: string;
}

/** Creates a token in a random one of `shards` shards. */
export function createToken(shards: number): NewToken {
  return createTokenInShard(encodeShard(randomInt(shards)));
}

/** Creates a token in the shard after that of an id. */
export function createTokenAfter(id: string, shards: number): NewToken {
  return createTokenInShard(encodeShard((decodeShard(id) + 1) % shards));
}

/** Creates a token in the shard of an id: a session stays in its shard when it is rotated. */
export function createTokenBeside(id: string): NewToken {
  return createTokenInShard(id.slice(0, 2));
}

function createTokenInShard(shard: string): NewToken {
  const token = shard + takeRandom();
  return { token, id: hashToken(token) };
}

/** Random bytes for the next tokens: asking for those of many at once takes hardly longer than for one. */
const pool = { bytes: Buffer.alloc(RANDOM_BYTES * 64), used: Number.POSITIVE_INFINITY };

/** Random bytes that were given to nobody, in base64url. */
function takeRandom(): string {
  if (pool.used >= pool.bytes.length) {
    randomFillSync(pool.bytes);
    pool.used = 0;
  }
  const bytes = pool.bytes.subarray(pool.used, pool.used + RANDOM_BYTES);
  pool.used += RANDOM_BYTES;
  const text = bytes.toString("base64url");
  bytes.fill(0); // what was given is in the token only
  return text;
}

/** Whether a text is well-formed as a token of one of `shards` shards. */
export function isToken(token: unknown, shards: number): token is string {
  return typeof token === "string" && TOKEN_PATTERN.test(token) && decodeShard(token) < shards;
}

/** Derives the id of a token, or null if it isn't a token of one of `shards` shards. */
export function toId(token: unknown, shards: number): string | null {
  return isToken(token, shards) ? hashToken(token) : null;
}

/** Whether a text is well-formed as an id of one of `shards` shards. */
export function isId(id: unknown, shards: number): id is string {
  return typeof id === "string" && ID_PATTERN.test(id) && decodeShard(id) < shards;
}

function hashToken(token: string): string {
  return token.slice(0, 2) + hash("sha256", token, "base64url").slice(0, ID_HASH_CHARACTERS);
}
