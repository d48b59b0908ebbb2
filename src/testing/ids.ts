import { randomBytes, randomInt } from "node:crypto";
import { shardPrefix } from "../store/shards.ts";

/** A new id in a random shard of a store that has so many. */
export function newId(shards: number): string {
  return newIdInShard(randomInt(shards));
}

/** A new id in the shard of that number. */
export function newIdInShard(shard: number): string {
  return shardPrefix(shard) + randomText();
}

/** A new id in the shard of another one: what a rotation goes to. */
export function newIdBeside(id: string): string {
  return id.slice(0, 2) + randomText();
}

/** 22 base64url characters, which hold 128 bits. */
function randomText(): string {
  return randomBytes(16).toString("base64url");
}
