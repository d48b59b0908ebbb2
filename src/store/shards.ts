/*
 * A token and an id begin with the number of their shard: two base64url characters, so that a shard
 * is one of 4096.
 */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** How many shards there can be. */
export const MAX_SHARDS = ALPHABET.length ** 2;

/** What the tokens and ids of a shard begin with. */
export function encodeShard(shard: number): string {
  return `${ALPHABET[shard >> 6]}${ALPHABET[shard & 63]}`;
}

/** The number of the shard that a token or id names. */
export function decodeShard(text: string): number {
  return ALPHABET.indexOf(text.charAt(0)) * 64 + ALPHABET.indexOf(text.charAt(1));
}
