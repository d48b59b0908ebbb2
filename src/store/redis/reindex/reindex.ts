import type { DeclaredReference, ReindexProgress, RepairOptions } from "../../reindexing.ts";
import type { Keys } from "../layout/keys.ts";
import type { Server } from "../scripts/executor.ts";
import { type Mended, Mender } from "./mender.ts";
import { ShardKeys, Walk } from "./scan.ts";
import { type Place, positionOf, textOf } from "./scan-cursor.ts";

/** Walks over all keys and mends them. */
export function reindex(
  server: Server,
  keys: Keys,
  place: Place,
  references: readonly DeclaredReference[],
  { dryRun, cursor }: RepairOptions,
): AsyncGenerator<ReindexProgress, void> {
  const from = positionOf(cursor, place.shards); // throws here, not in the generator
  const mender = new Mender(server, keys, references, dryRun);
  return steps(new Walk(new ShardKeys(server, keys, place), from), mender);
}

async function* steps(walk: Walk, mender: Mender): AsyncGenerator<ReindexProgress, void> {
  const sum = { scanned: 0, added: 0, removed: 0, corrected: 0 };
  for await (const { keys, here, next } of walk.pages()) {
    for await (const mended of mender.mend(keys)) {
      count(sum, mended);
      // In the middle of a page: whoever goes on from here does the page again.
      yield { cursor: textOf(here), ...sum };
    }
    sum.scanned += keys.length;
    if (next) yield { cursor: textOf(next), ...sum };
  }
  yield { cursor: null, ...sum };
}

function count(
  sum: { added: number; removed: number; corrected: number },
  { added, removed, corrected }: Mended,
): void {
  sum.added += added;
  sum.removed += removed;
  sum.corrected += corrected;
}
