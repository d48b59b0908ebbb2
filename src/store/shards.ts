/* A token and an id begin with the number of their shard: two base64url characters, so 0 to 4095. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The most shards that a store can have. */
export const MAX_SHARDS = ALPHABET.length ** 2;

/** The two characters that begin the tokens and ids of a shard. */
export function encodeShard(shard: number): string {
  return `${ALPHABET[shard >> 6]}${ALPHABET[shard & 63]}`;
}

/** The number of the shard that a token or id begins with. */
export function decodeShard(text: string): number {
  return ALPHABET.indexOf(text.charAt(0)) * 64 + ALPHABET.indexOf(text.charAt(1));
}
