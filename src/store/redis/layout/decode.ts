import { createTooManyReferencesError } from "../../../shared/errors.ts";
import type { Commanded } from "../../commanding.ts";
import type {
  Changed,
  Fields,
  Lookup,
  SignedIn,
  StoredSession,
  Superseded,
} from "../../contract.ts";
import type { Refused } from "../../entering.ts";
import type { Reply } from "../scripts/executor.ts";
import { flattenMap } from "../wire/connection.ts";
import { decodeTimes, SessionHash } from "./session-hash.ts";

/*
 * The library's own fields in a session's hash, whose names begin with "@":
 *
 *   @   what the hash is, one of three:
 *         created (µs), last seen (ms), idle timeout (ms), absolute deadline (ms): a session. "-" stands
 *           for a missing one of the last two. A rotation keeps the first, and with the shard it is unique.
 *         "alias" and the id that it leads to
 *         "tombstone" and "d": its session's own request ended it; or "1" or "0": a sign-in did, and the
 *           session had or hadn't a value in an identity field. If there are several such fields, the
 *           encoded names of those that the sign-in named follow the "0", each after a space.
 *   @r  the names of the sets that the session is in, or how many fields @r1, @r2, … hold them
 *   @u  the last changes of large sets that it has had
 *   @l  the first id, once it was rotated
 *   @p  the previous id, if that is an alias
 *
 * The times are one text, because each field costs every read of the session. It is shorter than the 64
 * bytes that a listpack takes for a value.
 */
const OWN_FIELDS = ["@", "@l"] as const;

/** The names to read with HMGET: the library's own fields, then these. */
export const prependOwnFields = (names: readonly string[]): string[] => [...OWN_FIELDS, ...names];

/** A hash in the form of any client. */
export function decodeHash(reply: unknown): Map<string, string> {
  const flat = flattenMap(reply) as string[];
  const pairs = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.set(flat[i] as string, flat[i + 1] as string);
  return pairs;
}

/** Reads a reply of HGETALL in one pass, or one of HMGET for these names after the library's own fields. */
export function decodeRead(id: string, reply: unknown, names?: readonly string[]): SessionHash {
  const hash = new SessionHash(id);
  if (names === undefined) {
    const flat = flattenMap(reply) as string[];
    for (let i = 0; i + 1 < flat.length; i += 2)
      hash.take(flat[i] as string, flat[i + 1] as string);
    return hash;
  }
  const values = reply as (string | null)[];
  for (let i = 0; i < values.length; i++) {
    const name = OWN_FIELDS[i] ?? names[i - OWN_FIELDS.length];
    const text = values[i];
    if (name !== undefined && typeof text === "string") hash.take(name, text);
  }
  return hash;
}

/** What an id leads to, if this is its last hash. */
export function decodeLookup(hash: SessionHash, now: () => number): Lookup {
  if (hash.target !== undefined) return decodeSuperseded("1"); // too many rotations ago
  if (hash.tombstone !== undefined) return decodeSuperseded(hash.tombstone);
  return hash.isSession
    ? { state: "live", session: hash.toSession(), now: now() }
    : { state: "gone" };
}

function decodeSuperseded(tombstone: unknown): Superseded {
  const by = tombstone === "d" ? "delete" : "sign-in";
  return { state: "superseded", by, hadIdentity: tombstone === "1" };
}

/**
 * One script can't tell whether a session may enter its sets, and has done nothing: a place that is left
 * is reserved for another, or so many sessions would have to be ended that it takes several.
 */
export interface Postponed {
  readonly state: "reserved" | "crowded";
}

/** Why a session was not let into one of its sets; null where it was. */
export function decodeRefused([word, ...rest]: Reply): Refused | Postponed | null {
  if (word === "cleared" || word === "reserved" || word === "crowded") return { state: word };
  return word === "full" ? decodeFull(rest) : null;
}

function decodeFull([field, limit]: readonly unknown[]) {
  return { state: "full", field: String(field), limit: Number(limit) } as const;
}

/** @param set the fields that the new session was given. */
export function decodeSignedIn(reply: Reply, set: Fields): SignedIn | Postponed {
  const refused = decodeRefused(reply);
  if (refused) return refused;
  const [word, ...rest] = reply;
  switch (word) {
    case "too-large":
      return { state: word, bytes: Number(rest[0]) };
    case "too-many":
      throw createTooManyReferencesError(Number(rest[0]));
    case "repeated": {
      const [times, all] = rest;
      const fields = omitOwnFields(decodeHash(all));
      return { state: "signed-in", times: decodeTimes(times), fields, ended: true };
    }
    default: {
      const [ended, times, kept] = rest;
      const fields = new Map([...set, ...decodeHash(kept)]);
      return { state: "signed-in", times: decodeTimes(times), fields, ended: Number(ended) === 1 };
    }
  }
}

export function omitOwnFields(hash: ReadonlyMap<string, string>): Fields {
  return new Map([...hash].filter(([name]) => !name.startsWith("@")));
}

/** The sessions of a set in a script's answer: each is a JSON array of field, value, …, and last its id. */
export function decodeListed(reply: unknown): SessionHash[] {
  const hashes: SessionHash[] = [];
  for (const text of reply as string[]) {
    const flat = JSON.parse(text) as string[];
    const last = flat.length - 1;
    const hash = new SessionHash(flat[last] as string);
    for (let i = 0; i < last; i += 2) hash.take(flat[i] as string, flat[i + 1] as string);
    if (hash.isSession) hashes.push(hash);
  }
  return hashes;
}

export function decodeSessions(reply: unknown): StoredSession[] {
  return decodeListed(reply).map((hash) => hash.toSession());
}

export function decodeChanged(reply: Reply): Changed | Postponed {
  const [word] = reply;
  if (word === "cleared") return { state: word };
  return word === "ended" || word === "signs-in" || word === "alias"
    ? { state: word }
    : decodeCommanded(reply);
}

/** The outcome of changes of fields alone to the session at an id. */
export function decodeUpdated(id: string, reply: Reply): Changed | Postponed {
  if (reply[0] !== "written") return decodeChanged(reply);
  const [, own, lineage] = reply as readonly (string | null | undefined)[];
  const times = decodeTimes(own);
  return { state: "changed", id, lineage: lineage ?? id, rotated: false, times, fields: null };
}

export function decodeCommanded([word, ...rest]: Reply): Commanded | Postponed {
  switch (word) {
    case "too-many":
      throw createTooManyReferencesError(Number(rest[0]));
    case "changed": {
      const [id, one, times, lineage, fields] = rest;
      const rotated = Number(one) === 1;
      return {
        state: "changed",
        id: String(id),
        lineage: String(lineage),
        rotated,
        times: decodeTimes(times),
        fields: rotated ? omitOwnFields(decodeHash(fields)) : null,
      };
    }
    case "full":
      return decodeFull(rest);
    case "superseded":
      return decodeSuperseded(rest[0]);
    case "elsewhere":
    case "reserved":
    case "crowded":
      return { state: word };
    case "too-large":
      return { state: "too-large", bytes: Number(rest[0]) };
    default:
      return { state: "gone" };
  }
}
