import { settled } from "../../../shared/wait-for-all.ts";
import type { Lookup, StoredSession } from "../../contract.ts";
import type { Walk } from "./scan.ts";

/** How many sessions are read at a time. */
const TOGETHER = 50;

/** A session's key as a walk gives it, without what all keys of the prefix begin with. */
const SESSION_KEY = /^\d{1,4}\}:s:(.+)$/s;

/** All live sessions that a walk comes by, each once; `find` reads one. */
export async function* allSessions(
  walk: Walk,
  find: (id: string) => Promise<Lookup>,
): AsyncGenerator<StoredSession[], void> {
  const given = new Set<string>();
  for await (const { keys } of walk.pages()) {
    const ids = keys.flatMap((key) => SESSION_KEY.exec(key)?.[1] ?? []);
    while (ids.length > 0) {
      const sessions: StoredSession[] = [];
      for (const found of await settled(ids.splice(0, TOGETHER).map(find))) {
        if (found.state !== "live" || given.has(found.session.id)) continue;
        given.add(found.session.id);
        sessions.push(found.session);
      }
      if (sessions.length > 0) yield sessions;
    }
  }
}
