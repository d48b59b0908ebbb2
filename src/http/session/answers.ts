import { composeSession, decodeFields } from "../../sessions/record.ts";
import type { NewToken } from "../../sessions/token.ts";
import type { Changed, Lookup, Superseded } from "../../store/contract.ts";
import { createUnnamedPeersError } from "../errors.ts";

/* What the store's answers mean for a request's token. */

/** Composes the session that a change gave a new token; null if it gave none. */
export function toSessionWithToken<Data>(changed: Changed, { token }: NewToken) {
  if (changed.state !== "changed" || changed.fields === null) return null;
  return {
    token,
    session: composeSession(changed, decodeFields<Data>(changed.fields), changed.times),
  };
}

/** Finds the best of the answers to these ids; of equals the first. Returns its index. */
export function findBestLookup(found: readonly Lookup[], ids: readonly string[]): number {
  const ranks = found.map((one, i) => rankLookup(one, ids[i] as string));
  return ranks.indexOf(Math.min(...ranks));
}

/** Ranks the answer to an id. The lowest rank is the best. */
function rankLookup(found: Lookup, id: string): number {
  if (found.state === "live") return found.session.id === id ? 0 : 1;
  return found.state === "superseded" ? 2 : 3;
}

/**
 * Whether a `set` that names a user may make a session at an id whose session was ended. After a sign-out
 * it may, unless its request has `seen` the old session, whose user it may be writing back. After a sign-in
 * it may if the old session had no user: the button was clicked twice.
 */
export function maySignInAfter(
  { by, hadIdentity }: Superseded,
  { seen }: { readonly seen: boolean },
): boolean {
  return by === "delete" ? !seen : !hadIdentity;
}

/** Finds the wanted one of a field's values; undefined if the field has none, or not this one. */
export function findSharedValue(field: string, values: unknown, wanted: unknown): unknown {
  const own: unknown[] = [...new Set([values].flat())].filter((one) => one != null);
  if (wanted === undefined && own.length > 1) throw createUnnamedPeersError(field, own.length);
  return own.find((one) => wanted == null || one === wanted);
}
