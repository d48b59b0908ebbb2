import { waitForAll } from "../../shared/wait-for-all.ts";
import type { Reference } from "../contract.ts";
import { encodeLookalikeName } from "./layout/encode.ts";
import type { Keys } from "./layout/keys.ts";
import type { Executor, Reply } from "./scripts/executor.ts";

/** Counts the live sessions of a set. */
export function countSet(
  executor: Executor,
  keys: Keys,
  shards: number,
  reference: Reference,
): Promise<number> {
  const args = [encodeLookalikeName(reference)];
  const countShard = <Answer>(shard: number, decode: (reply: Reply) => Answer) => {
    const key = keys.deriveSetKey(shard, reference);
    return executor.read("count a session set", "count", key, args, decode);
  };
  const compose = (...replies: Reply[]) => {
    const count = sum(replies, 1);
    if (count === 0 && sum(replies, 2) > 0) reference.lookalike?.onFound();
    return count;
  };
  if (shards === 1) return countShard(0, compose);
  const all = Array.from({ length: shards }, (_, shard) => countShard(shard, (reply) => reply));
  return waitForAll(all).then((replies) => compose(...replies));
}

/** The sum of one number of each reply. */
function sum(replies: readonly Reply[], at: number): number {
  return replies.reduce((total, reply) => total + Number(reply[at]), 0);
}
