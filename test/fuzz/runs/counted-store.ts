/* The calls of a store without a server, in the form in which a server's commands are counted. */
import type { SessionStore } from "session-sets";
import { recordedStore } from "../../support/stores/recorded-store.ts";
import type { Command } from "./traffic.ts";

const READS = ["find", "count", "has", "list", "pages"];

/** The same store, and `since`: the calls of its methods since this was last called. */
export function countedStore(store: SessionStore): {
  readonly store: SessionStore;
  readonly since: () => Promise<readonly Command[]>;
} {
  let seen: Command[] = [];
  const counted = recordedStore(store, (name) => {
    seen.push({ name, args: [], byScript: false, keys: [], writes: !READS.includes(name) });
    return undefined;
  });
  const since = async () => {
    const calls = seen;
    seen = [];
    return calls;
  };
  return { store: counted, since };
}
