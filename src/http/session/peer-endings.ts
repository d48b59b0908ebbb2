import type { Endings } from "../../sessions/session-set.ts";
import type { HeldSession } from "./held-session.ts";

/** How a set that came from a request's session ends sessions. `runInTurn` waits for earlier calls. */
export function createPeerEndings<Data extends object>(
  held: HeldSession<Data>,
  runInTurn: <T>(work: () => Promise<T>) => Promise<T>,
): Endings {
  return {
    end: (set, name, options) => runInTurn(() => held.endPeer(set, name, options)),
    endAll: (set, options) => runInTurn(() => held.endPeers(set, options)),
    trim: (set, keep, replicas) => runInTurn(() => held.trimPeers(set, keep, replicas)),
  };
}
