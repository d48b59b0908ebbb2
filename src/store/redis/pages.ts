import { waitForAll } from "../../shared/wait-for-all.ts";
import {
  MAX_PAGE_SESSIONS,
  type PageOptions,
  type Reference,
  type StoredSession,
} from "../contract.ts";
import { decodeHash, decodeSession } from "./layout/decode.ts";
import { encodeSetName, type Keys } from "./layout/keys.ts";
import type { Executor } from "./scripts/executor.ts";

/** The most keys and entries that a script touches before it ends its page of a set. */
export const MAX_PAGE_KEYS = 300;

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
  shards: readonly number[],
  reference: Reference,
  { withFields = false }: PageOptions,
): AsyncGenerator<StoredSession[]> {
  /** The sessions so far, by shard and creation time, which a rotation keeps. */
  const given = new Set<string>();
  let cursors: PageCursor[] = shards.map((shard) => ({ shard, after: "", afterId: "" }));
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
        String(withFields ? MAX_PAGE_SESSIONS : MAX_PAGE_KEYS),
        withFields ? "1" : "",
      ],
    );
    const sessions: StoredSession[] = [];
    for (const [id, reply] of found as [string, unknown][]) {
      const hash = decodeHash(reply);
      const birth = `${shard}:${hash.get("@c")}`;
      if (given.has(birth)) continue;
      given.add(birth);
      sessions.push(decodeSession(id, hash));
    }
    return { sessions, next: { shard, after: String(nextAfter), afterId: String(nextId) } };
  }
}
