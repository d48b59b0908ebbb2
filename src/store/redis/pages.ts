import {
  createLimitError,
  createTooLargeError,
  createTooManyReferencesError,
} from "../../shared/errors.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type { FieldChanges, Reference, StoredSession } from "../contract.ts";
import { MAX_PAGE_SESSIONS, type PageOptions } from "../listing.ts";
import { decodeListed } from "./layout/decode.ts";
import { encodeFieldChanges } from "./layout/encode.ts";
import { encodeSetName, type Keys } from "./layout/keys.ts";
import type { SessionHash } from "./layout/session-hash.ts";
import type { Executor } from "./scripts/executor.ts";

/** The most sessions of a page that gives nothing of them but ids and times. */
const MAX_PAGE_AGES = 150;
/** The most sessions that one script changes, and about how many keys and entries it touches for it. */
const [MAX_CHANGED_SESSIONS, MAX_CHANGED_KEYS] = [50, 120];

/** Where the next page of a shard begins: after this deadline, and after this id within that deadline. */
interface PageCursor {
  readonly shard: number;
  readonly after: string;
  readonly afterId: string;
}

/** Iterates over the sessions of a set, a page of each shard at a time. No session comes twice. */
export async function* readPages(
  executor: Executor,
  keys: Keys,
  shards: number,
  reference: Reference,
  { withFields = false }: PageOptions,
): AsyncGenerator<StoredSession[]> {
  /** The lineages of the sessions so far. */
  const given = new Set<string>();
  for await (const page of readMembers(executor, keys, shards, reference, withFields)) {
    const sessions = page.filter(({ lineage }) => !given.has(lineage));
    for (const { lineage } of sessions) given.add(lineage);
    if (sessions.length > 0) yield sessions.map((hash) => hash.toSession());
  }
}

/** Tells which of two sessions is older: when each was created and, of one moment, the lineage. */
export interface Age {
  readonly lineage: string;
  /** In µs, on the clock of its server. */
  readonly created: number;
}

/** Reads the ages of all sessions of a set, the oldest first. Of a session that is made again, the last one counts. */
export async function listByAge(
  executor: Executor,
  keys: Keys,
  shards: number,
  reference: Reference,
): Promise<Age[]> {
  const ages = new Map<string, Age>();
  for await (const page of readMembers(executor, keys, shards, reference, false)) {
    for (const hash of page) ages.set(hash.lineage, toAge(hash));
  }
  return [...ages.values()].sort(compareAges);
}

export function toAge({ lineage, created }: SessionHash): Age {
  return { lineage, created: Number(created) };
}

export function compareAges(one: Age, other: Age): number {
  return one.created - other.created || (one.lineage < other.lineage ? -1 : 1);
}

/**
 * Reads a set, a page of each shard at a time. A session whose deadline moves may come twice, and so may one
 * that is made again after its end, by a command that arrives once more.
 */
async function* readMembers(
  executor: Executor,
  keys: Keys,
  shards: number,
  reference: Reference,
  withFields: boolean,
): AsyncGenerator<SessionHash[]> {
  let cursors: PageCursor[] = Array.from({ length: shards }, (_, shard) => ({
    shard,
    after: "",
    afterId: "",
  }));
  while (cursors.length > 0) {
    const pages = await waitForAll(cursors.map(readPage));
    const sessions = pages.flatMap((one) => one.sessions);
    if (sessions.length > 0) yield sessions;
    cursors = pages.map((one) => one.next).filter((next) => next.after !== "");
  }

  async function readPage({ shard, after, afterId }: PageCursor) {
    const [, nextAfter, nextId, found] = await executor.read(
      "read a session set",
      "page",
      keys.deriveSetKey(shard, reference),
      [
        encodeSetName(reference),
        after,
        afterId,
        String(withFields ? MAX_PAGE_SESSIONS : MAX_PAGE_AGES),
        withFields ? "1" : "",
      ],
    );
    const next = { shard, after: String(nextAfter), afterId: String(nextId) };
    return { sessions: decodeListed(found), next };
  }
}

/** What has been written if a session of the set is refused. */
const WRITTEN_BY_PAGES = "its page of the set is as it was, and other pages may have been changed";

/**
 * Changes the sessions of a set in one shard, page by page, and returns how many.
 *
 * @param operation tells this call from others, so that a session which comes twice is changed once.
 */
export async function changePages(
  executor: Executor,
  keys: Keys,
  shard: number,
  reference: Reference,
  changes: FieldChanges,
  operation: string,
): Promise<number> {
  const args = encodeFieldChanges(changes);
  const changed = new Set<string>();
  let cursor = ["", ""];
  do {
    const [word, ...rest] = await executor.write(
      "change a session set",
      "changeAll",
      keys.deriveSetKey(shard, reference),
      [
        encodeSetName(reference),
        operation,
        ...cursor,
        String(MAX_CHANGED_SESSIONS),
        String(MAX_CHANGED_KEYS),
        ...args,
      ],
    );
    if (word === "too-large")
      throw createTooLargeError(Number(rest[0]), changes.maxBytes, WRITTEN_BY_PAGES);
    if (word === "full") throw createLimitError(String(rest[0]), Number(rest[1]), WRITTEN_BY_PAGES);
    if (word === "too-many")
      throw createTooManyReferencesError(Number(rest[0]), { written: WRITTEN_BY_PAGES });
    cursor = [String(rest[0]), String(rest[1])];
    for (const birth of rest[2] as string[]) changed.add(birth);
  } while (cursor[0] !== "");
  return changed.size;
}
