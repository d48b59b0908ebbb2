import type { DeclaredReference, ReindexProgress, StoreReindexOptions } from "../../reindexing.ts";
import type { Keys } from "../layout/keys.ts";
import type { Executor } from "../scripts/executor.ts";
import { addCounts, NO_DIFFERENCES, Reindexer } from "./reindexer.ts";
import { KeyScan, ShardKeys } from "./scan.ts";
import { decodeCursor, encodeCursor, type ScanScope } from "./scan-cursor.ts";

/** Scans all keys, and compares sessions with their sets. */
export function reindex(
  executor: Executor,
  keys: Keys,
  scope: ScanScope,
  references: readonly DeclaredReference[],
  { dryRun, cursor }: StoreReindexOptions,
): AsyncGenerator<ReindexProgress, void> {
  const from = decodeCursor(cursor, scope.shards); // throws here, not in the generator
  const reindexer = new Reindexer(executor, keys, references, { dryRun });
  return runSteps(new KeyScan(new ShardKeys(executor, keys, scope), from), reindexer);
}

async function* runSteps(
  scan: KeyScan,
  reindexer: Reindexer,
): AsyncGenerator<ReindexProgress, void> {
  let scanned = 0;
  let sum = NO_DIFFERENCES;
  for await (const { keys, here, next } of scan.pages()) {
    for await (const counts of reindexer.reindex(keys)) {
      sum = addCounts(sum, counts);
      // This is the middle of a page: to continue from here does the whole page again.
      yield { cursor: encodeCursor(here), scanned, ...sum };
    }
    scanned += keys.length;
    if (next) yield { cursor: encodeCursor(next), scanned, ...sum };
  }
  yield { cursor: null, scanned, ...sum };
}
