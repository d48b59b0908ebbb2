import { randomBytes, randomInt } from "node:crypto";
import { createConfigError, quote } from "../shared/errors.ts";
import { encodeShard, MAX_SHARDS } from "../store/shards.ts";

/** Creates an id in a random one of `shards` shards. */
export function newId(shards: number): string {
  checkNumber("newId takes the number of a store's shards", shards, 1, MAX_SHARDS);
  return newIdInShard(randomInt(shards));
}

/** Creates an id in the shard of this number. */
export function newIdInShard(shard: number): string {
  checkNumber("newIdInShard takes the number of a shard", shard, 0, MAX_SHARDS - 1);
  return encodeShard(shard) + createRandomText();
}

/** Creates an id in the same shard as another id, for a rotation. */
export function newIdBeside(id: string): string {
  if (typeof id !== "string") throw createConfigError("newIdBeside takes an id");
  return id.slice(0, 2) + createRandomText();
}

/** @throws SessionError ERR_SESSION_CONFIG unless it is a whole number from `min` to `max`. */
function checkNumber(what: string, given: number, min: number, max: number): void {
  if (Number.isInteger(given) && given >= min && given <= max) return;
  throw createConfigError(`${what}, a whole number from ${min} to ${max}; got ${quote(given)}`);
}

/** Creates 22 random base64url characters, which hold 128 bits. */
function createRandomText(): string {
  return randomBytes(16).toString("base64url");
}
