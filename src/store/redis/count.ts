import { sum } from "../../shared/sum.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type { Reference } from "../contract.ts";
import { encodeLookalikeName } from "./layout/keys.ts";
import type { Reply } from "./scripts/executor.ts";
import type { Scripts } from "./set-endings.ts";

/** Where the scripts of all shards run. */
export interface ShardedScripts extends Scripts {
  readonly shards: number;
}

/** Counts the live sessions of a set. */
export function countSet(scripts: ShardedScripts, reference: Reference): Promise<number> {
  const lookalike = encodeLookalikeName(reference);
  const compose = (...replies: Reply[]) => {
    const count = sum(replies.map((reply) => Number(reply[1])));
    if (count === 0 && replies.some((reply) => Number(reply[2]) > 0))
      reference.lookalike?.onFound();
    return count;
  };
  if (scripts.shards === 1) return countShard(scripts, 0, reference, lookalike, compose);
  return countShards(scripts, reference, lookalike, (reply) => reply).then((replies) =>
    compose(...replies),
  );
}

/** Counts the live sessions of a set in each shard. */
export function countEach(scripts: ShardedScripts, reference: Reference): Promise<number[]> {
  return countShards(scripts, reference, "", ([, count]) => Number(count));
}

function countShards<Answer>(
  scripts: ShardedScripts,
  reference: Reference,
  lookalike: string,
  decode: (reply: Reply) => Answer,
): Promise<Answer[]> {
  const shards = Array.from({ length: scripts.shards }, (_, shard) => shard);
  return waitForAll(shards.map((one) => countShard(scripts, one, reference, lookalike, decode)));
}

function countShard<Answer>(
  { executor, keys }: Scripts,
  shard: number,
  reference: Reference,
  lookalike: string,
  decode: (reply: Reply) => Answer,
): Promise<Answer> {
  const key = keys.deriveSetKey(shard, reference);
  return executor.read("count a session set", "count", key, [lookalike], decode);
}
