import { createHash } from "node:crypto";
import { ID_HASH_CHARACTERS } from "../../sessions/token.ts";
import { createConfigError } from "../../shared/errors.ts";
import { encodeShard } from "../../store/shards.ts";

/** Bytes of the hash that aren't part of the id. */
const SHARD_BYTES = 28;

/**
 * The id that a session is kept under. The middleware's session id (sid) is a bearer secret, guarded
 * by nothing but the cookie's signature. So the store keeps the first 132 bits of its SHA-256, as it
 * does of tokens. Middlewares make sids without asking for a shard, so the hash chooses it, too.
 */
export function deriveId(sid: unknown, shards: number): string {
  if (typeof sid !== "string") {
    throw createConfigError(`A session id must be a string; got one of type ${typeof sid}`);
  }
  const hash = createHash("sha256").update(sid).digest();
  const shard = hash.readUInt32BE(SHARD_BYTES) % shards;
  return encodeShard(shard) + hash.toString("base64url").slice(0, ID_HASH_CHARACTERS);
}
