import { type FindOptions, type Lookup, MAX_HOPS, MAX_RENEWALS } from "../contract.ts";
import { decodeLookup, decodeRead, prependOwnFields } from "./layout/decode.ts";
import type { Keys } from "./layout/keys.ts";
import type { SessionHash } from "./layout/session-hash.ts";
import type { Executor } from "./scripts/executor.ts";
import type { Connection } from "./wire/connection.ts";

type Send = Connection["send"];

/** Reads what an id leads to, or with `byName` an id or a lineage. */
export function find(
  executor: Executor,
  keys: Keys,
  id: string,
  { names, byName = false }: FindOptions,
): Promise<Lookup> {
  const key = keys.deriveSessionKey(id);
  const [name, args] = composeRead(key, names);
  return executor.readPlainly<SessionHash, Lookup>({
    operation: "read a session",
    key,
    name,
    args,
    decode(reply) {
      const hash = decodeRead(id, reply, names);
      const leadsOn = hash.target !== undefined || (byName && !hash.isSession);
      return leadsOn ? undefined : hash;
    },
    readOn: (send) => (byName ? findByName : followAliases)(send, keys, id, names),
    compose: (hash, asked) => decodeLookup(hash, () => executor.estimateTime(key, asked)),
  });
}

/** Reads what an id leads to, over at most `maxHops` aliases. Without `names`, it reads all fields. */
export async function followAliases(
  send: Send,
  keys: Keys,
  id: string,
  names?: readonly string[],
  maxHops = MAX_HOPS,
): Promise<SessionHash> {
  for (let at = id, hop = 0; ; hop++) {
    const found = await readHash(send, keys, at, names);
    if (found.target === undefined || hop === maxHops) return found;
    at = found.target;
  }
}

/** Reads what an id or a lineage leads to, over any number of aliases. */
export async function findByName(
  send: Send,
  keys: Keys,
  name: string,
  names?: readonly string[],
): Promise<SessionHash> {
  const pointer = keys.derivePointerKey(name);
  let found = await followAliases(send, keys, name, names, MAX_RENEWALS);
  // A rotation after the pointer was read leaves a new pointer: the session isn't gone.
  for (let last: unknown = null; !found.isSession; ) {
    const id = await send(pointer, "GET", [pointer]);
    if (typeof id !== "string" || id === last) break;
    found = await followAliases(send, keys, id, names, MAX_RENEWALS);
    last = id;
  }
  return found;
}

async function readHash(send: Send, keys: Keys, id: string, names?: readonly string[]) {
  const key = keys.deriveSessionKey(id);
  const [name, args] = composeRead(key, names);
  return decodeRead(id, await send(key, name, args), names);
}

/** The command that reads a hash whole, or these fields of it after the library's own. */
function composeRead(key: string, names: readonly string[] | undefined): [string, string[]] {
  return names === undefined ? ["HGETALL", [key]] : ["HMGET", [key, ...prependOwnFields(names)]];
}
