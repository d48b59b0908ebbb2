import type { Endings } from "../../sessions/session-set.ts";
import type { HeldSession } from "./held-session.ts";

/** How sets that were got from a request's session end sessions: `inTurn` waits for calls before. */
export function createPeerEndings<Data extends object>(
  held: HeldSession<Data>,
  runInTurn: <T>(work: () => Promise<T>) => Promise<T>,
): Endings {
  return {
    end: (set, name, replicas) => runInTurn(() => held.endPeer(set, name, replicas)),
    endAll: (set, except, replicas) => runInTurn(() => held.endPeers(set, except, replicas)),
    trim: (set, keep, replicas) => runInTurn(() => held.trimPeers(set, keep, replicas)),
  };
}
