import { sum } from "../../shared/sum.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type { EndAllOptions, Reference, TrimOptions } from "../contract.ts";
import type { StoredEndingKind } from "../feed.ts";
import { MAX_PAGE_SESSIONS } from "../listing.ts";
import { decodeShard } from "../shards.ts";
import { encodeCause, encodeList } from "./layout/encode.ts";
import { encodeLookalikeName, encodeSetName, type Keys } from "./layout/keys.ts";
import type { Executor, Reply } from "./scripts/executor.ts";

/* Ending sessions of a set, page by page. */

/** How many keys and entries a script removes before it ends its page: those of 100 sessions in one set. */
const MAX_ENDED_KEYS = 200;

/** Where the scripts run. */
export interface Scripts {
  readonly executor: Executor;
  readonly keys: Keys;
}

/** What ending the sessions of a set in one shard has found. */
interface EndedShard {
  readonly ended: number;
  /** Whether there was none, even to spare. */
  readonly isEmpty: boolean;
  /** How many sessions have the value that the program may have meant. */
  readonly alike: number;
}

/** Ends all sessions of a set in one shard. */
export async function endShard(
  { executor, keys }: Scripts,
  shard: number,
  reference: Reference,
  options: EndAllOptions,
): Promise<EndedShard> {
  const { except = null, replicas } = options;
  let spared = [except !== null && decodeShard(except) === shard ? except : "", ""];
  let [ended, left, alike, isEmpty] = [0, 0, 0, true];
  do {
    const [, count, rest, now, created, others] = await executor.write(
      "end a session set",
      "endAll",
      keys.deriveSetKey(shard, reference),
      [encodeSetName(reference), ...spared, ...listEndAllArguments(reference, options)],
      { replicas, isAwaited: ([, , remaining]: Reply) => Number(remaining) === 0 },
    );
    ended += Number(count);
    left = Number(rest);
    spared = [String(now), String(created)];
    if (Number(others) >= 0) alike += Number(others);
    else isEmpty = false; // even if only the spared session is left
  } while (left !== 0);
  return { ended, isEmpty, alike };
}

/** The arguments that all pages of a set that is ended have in common. */
function listEndAllArguments(
  reference: Reference,
  { leavesMark = true, replicas, cause }: EndAllOptions,
): string[] {
  return [
    String(MAX_ENDED_KEYS),
    replicas === undefined ? "" : "1",
    encodeLookalikeName(reference),
    encodeCause(cause),
    leavesMark ? "1" : "",
  ];
}

/**
 * Ends sessions by their lineages, whatever ids they have by then, if they are still in the set. How many.
 * If it waits for replicas, it does so in each of the shards, even where nothing is left to end.
 */
export async function endEach(
  scripts: Scripts,
  shards: number,
  reference: Reference,
  lineages: readonly string[],
  how: StoredEndingKind,
  options: TrimOptions = {},
): Promise<number> {
  const byShard = Array.from({ length: shards }, (): string[] => []);
  for (const lineage of lineages) byShard[scripts.keys.findShard(lineage)]?.push(lineage);
  const counts = await waitForAll(
    byShard.map((inShard, shard) =>
      endEachInShard(scripts, shard, reference, inShard, how, options),
    ),
  );
  return sum(counts);
}

async function endEachInShard(
  { executor, keys }: Scripts,
  shard: number,
  reference: Reference,
  lineages: readonly string[],
  how: StoredEndingKind,
  { replicas, cause }: TrimOptions,
): Promise<number> {
  if (lineages.length === 0 && replicas === undefined) return 0;
  let [ended, from] = [0, 0];
  do {
    const page = lineages.slice(from, from + MAX_PAGE_SESSIONS);
    const left = lineages.length - from;
    const [, count, taken] = await executor.write(
      "end a session set",
      "endEach",
      keys.deriveSetKey(shard, reference),
      [
        encodeSetName(reference),
        String(MAX_ENDED_KEYS),
        replicas === undefined ? "" : "1",
        how,
        encodeCause(cause),
        ...encodeList(page),
      ],
      { replicas, isAwaited: ([, , handled]: Reply) => Number(handled) === left },
    );
    ended += Number(count);
    from += Number(taken);
  } while (from < lineages.length);
  return ended;
}
