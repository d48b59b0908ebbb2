import { waitForAll } from "../../shared/wait-for-all.ts";
import type { Reference, StoredSession } from "../contract.ts";
import { decodeHash, decodeSession } from "./layout/decode.ts";
import { encodeSetName, type Keys } from "./layout/keys.ts";
import type { Executor } from "./scripts/executor.ts";

/** A page of a set ends when a script has touched this many keys and entries. */
export const MAX_PAGE_KEYS = 300;
/** A page of whole sessions: they are read, and sent. */
export const MAX_PAGE_SESSIONS = 100;

/** Where the next page of a shard begins: after this deadline, and this id of that deadline. */
interface PageCursor {
  readonly shard: number;
  readonly after: string;
  readonly afterId: string;
}

/** One session of a set, as its hash says. */
interface Member {
  readonly id: string;
  readonly hash: ReadonlyMap<string, string>;
}

/** All sessions of a set, in pages of all shards side by side, none of them twice. */
export async function* readPages(
  executor: Executor,
  keys: Keys,
  shards: readonly number[],
  reference: Reference,
  withFields: boolean,
): AsyncGenerator<StoredSession[]> {
  for await (const page of readMembers(executor, keys, shards, reference, withFields)) {
    yield page.map(({ id, hash }) => decodeSession(id, hash));
  }
}

/** When a session was created tells which of two is older; of one moment, the lineage does. */
export interface Age {
  readonly lineage: string;
  /** In µs, on the clock of its server. */
  readonly created: number;
}

/** All sessions of a set, the oldest first. */
export async function listByAge(
  executor: Executor,
  keys: Keys,
  shards: readonly number[],
  reference: Reference,
): Promise<Age[]> {
  const ages: Age[] = [];
  for await (const page of readMembers(executor, keys, shards, reference, false)) {
    for (const { id, hash } of page) {
      ages.push(toAge(id, hash));
    }
  }
  return ages.sort(compareAges);
}

export function toAge(id: string, hash: ReadonlyMap<string, string>): Age {
  return { lineage: hash.get("@l") ?? id, created: Number(hash.get("@c")) };
}

export function compareAges(one: Age, other: Age): number {
  return one.created - other.created || (one.lineage < other.lineage ? -1 : 1);
}

async function* readMembers(
  executor: Executor,
  keys: Keys,
  shards: readonly number[],
  reference: Reference,
  withFields: boolean,
): AsyncGenerator<Member[]> {
  /** By when they were created, which a rotation keeps. */
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
      keys.set(shard, reference),
      [
        encodeSetName(reference),
        after,
        afterId,
        String(withFields ? MAX_PAGE_SESSIONS : MAX_PAGE_KEYS),
        withFields ? "1" : "",
      ],
    );
    const sessions: Member[] = [];
    for (const [id, reply] of found as [string, unknown][]) {
      const hash = decodeHash(reply);
      const birth = `${shard}:${hash.get("@c")}`;
      if (given.has(birth)) continue;
      given.add(birth);
      sessions.push({ id, hash });
    }
    return { sessions, next: { shard, after: String(nextAfter), afterId: String(nextId) } };
  }
}
