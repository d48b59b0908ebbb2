import { waitForAll } from "../../../shared/wait-for-all.ts";
import type { Lookup, StoredSession } from "../../contract.ts";
import { type KeyScan, MAX_PARALLEL_KEYS } from "./scan.ts";

/** A session's key as `KeyScan` returns it, without the beginning that all keys of the prefix share. */
const SESSION_KEY_PATTERN = /^\d{1,4}\}:s:(.+)$/s;

/** Iterates over all live sessions whose keys are scanned, each once; `find` reads one. */
export async function* iterateSessions(
  scan: KeyScan,
  find: (id: string) => Promise<Lookup>,
): AsyncGenerator<StoredSession[], void> {
  const given = new Set<string>();
  for await (const { keys } of scan.pages()) {
    const ids = keys.flatMap((key) => SESSION_KEY_PATTERN.exec(key)?.[1] ?? []);
    while (ids.length > 0) {
      const sessions: StoredSession[] = [];
      for (const found of await waitForAll(ids.splice(0, MAX_PARALLEL_KEYS).map(find))) {
        if (found.state !== "live" || given.has(found.session.id)) continue;
        given.add(found.session.id);
        sessions.push(found.session);
      }
      if (sessions.length > 0) yield sessions;
    }
  }
}
