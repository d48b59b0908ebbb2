import { randomBytes, randomInt } from "node:crypto";
import { createConfigError, quote } from "../shared/errors.ts";
import { encodeShard, MAX_SHARDS } from "../store/shards.ts";

/** A new id in a random shard of a store that has so many. */
export function newId(shards: number): string {
  checkNumber("newId takes the number of a store's shards", shards, 1, MAX_SHARDS);
  return newIdInShard(randomInt(shards));
}

/** A new id in the shard of that number. */
export function newIdInShard(shard: number): string {
  checkNumber("newIdInShard takes the number of a shard", shard, 0, MAX_SHARDS - 1);
  return encodeShard(shard) + createRandomText();
}

/** A new id in the shard of another one: what a rotation goes to. */
export function newIdBeside(id: string): string {
  if (typeof id !== "string") throw createConfigError("newIdBeside takes an id");
  return id.slice(0, 2) + createRandomText();
}

/** @throws SessionError ERR_SESSION_CONFIG for what is no whole number in these bounds. */
function checkNumber(what: string, given: number, least: number, most: number): void {
  if (Number.isInteger(given) && given >= least && given <= most) return;
  throw createConfigError(`${what}, a whole number from ${least} to ${most}; got ${quote(given)}`);
}

/** 22 base64url characters, which hold 128 bits. */
function createRandomText(): string {
  return randomBytes(16).toString("base64url");
}
