import { MAX_HOPS, MAX_RENEWALS } from "../contract.ts";
import {
  decodeHash,
  decodePairs,
  type Hash,
  isSession,
  prependOwnFields,
  readTarget,
} from "./layout/decode.ts";
import type { Keys } from "./layout/keys.ts";
import type { Connection } from "./wire/connection.ts";

type Send = Connection["send"];

/** Reads what an id leads to, over at most `maxHops` aliases. Without `names`, it reads all fields. */
export async function followAliases(
  send: Send,
  keys: Keys,
  id: string,
  names?: readonly string[],
  maxHops = MAX_HOPS,
): Promise<Hash> {
  for (let at = id, hop = 0; ; hop++) {
    const found = { id: at, pairs: await readHash(send, keys, at, names) };
    const target = readTarget(found);
    if (target === undefined || hop === maxHops) return found;
    at = target;
  }
}

/** Reads what an id or a lineage leads to, over any number of aliases. */
export async function findByName(
  send: Send,
  keys: Keys,
  name: string,
  names?: readonly string[],
): Promise<Hash> {
  const pointer = keys.derivePointerKey(name);
  let found = await followAliases(send, keys, name, names, MAX_RENEWALS);
  // A rotation after the pointer was read leaves a new pointer: the session isn't gone.
  for (let last: unknown = null; !isSession(found); ) {
    const id = await send(pointer, "GET", [pointer]);
    if (typeof id !== "string" || id === last) break;
    found = await followAliases(send, keys, id, names, MAX_RENEWALS);
    last = id;
  }
  return found;
}

async function readHash(send: Send, keys: Keys, id: string, names?: readonly string[]) {
  const key = keys.deriveSessionKey(id);
  if (names === undefined) return decodeHash(await send(key, "HGETALL", [key]));
  const all = prependOwnFields(names);
  return decodePairs(all, await send(key, "HMGET", [key, ...all]));
}
