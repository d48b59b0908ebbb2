import { createHash, randomBytes, randomInt } from "node:crypto";
import { decodeShard, encodeShard } from "../store/shards.ts";

/*
 * A token is the number of a shard, two base64url characters, and 192 random bits, 32 more. The id
 * is the same number and the first 132 bits of the token's SHA-256, 22 more: it can be told to
 * everybody, for nobody finds a token to it. (OWASP Session Management asks for 64 bits of entropy;
 * 128 keep ids from ever meeting.)
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

/** A fresh token in a random one of `shards` shards. */
export function createToken(shards: number): NewToken {
  return createTokenInShard(encodeShard(randomInt(shards)));
}

/** A fresh token in the shard after that of an id. */
export function createTokenAfter(id: string, shards: number): NewToken {
  return createTokenInShard(encodeShard((decodeShard(id) + 1) % shards));
}

/** A fresh token in the shard of an id: where a session stays when it is rotated. */
export function createTokenBeside(id: string): NewToken {
  return createTokenInShard(id.slice(0, 2));
}

function createTokenInShard(shard: string): NewToken {
  const token = shard + randomBytes(RANDOM_BYTES).toString("base64url");
  return { token, id: hashToken(token) };
}

/** The id that a token stands for; null for what is no token of any of `shards` shards. */
export function toId(token: unknown, shards: number): string | null {
  return typeof token === "string" && TOKEN_PATTERN.test(token) && decodeShard(token) < shards
    ? hashToken(token)
    : null;
}

/** Whether a text is formed as an id of one of `shards` shards. */
export function isId(id: unknown, shards: number): id is string {
  return typeof id === "string" && ID_PATTERN.test(id) && decodeShard(id) < shards;
}

function hashToken(token: string): string {
  const hash = createHash("sha256").update(token).digest("base64url");
  return token.slice(0, 2) + hash.slice(0, ID_HASH_CHARACTERS);
}
