import type { Endings } from "../../sessions/session-set.ts";
import type { HeldSession } from "./held-session.ts";

/** How sets that were got from a request's session end sessions: `inTurn` waits for calls before. */
export function endingsOf<Data extends object>(
  held: HeldSession<Data>,
  inTurn: <T>(work: () => Promise<T>) => Promise<T>,
): Endings {
  return {
    end: (set, name, replicas) => inTurn(() => held.endPeer(set, name, replicas)),
    endAll: (set, except, replicas) => inTurn(() => held.endPeers(set, except, replicas)),
  };
}
