import { composeSession, decodeFields } from "../../sessions/record.ts";
import type { NewToken } from "../../sessions/token.ts";
import type { Changed, Lookup, Superseded } from "../../store/contract.ts";
import { createUnnamedPeersError } from "../errors.ts";

/* What the store's answers say of a request's token. */

/** The session that a change has given a new token; null where it has not. */
export function toSessionWithToken<Data>(changed: Changed, { token }: NewToken) {
  if (changed.state !== "changed" || changed.fields === null) return null;
  return {
    token,
    session: composeSession(changed, decodeFields<Data>(changed.fields), changed.times),
  };
}

/** How good an answer to an id is; the less the better. */
export function rankLookup(found: Lookup, id: string): number {
  if (found.state === "live") return found.session.id === id ? 0 : 1;
  return found.state === "superseded" ? 2 : 3;
}

/**
 * Whether a `set` makes a session that says who the user is, at an id whose session was ended: by a
 * sign-out, unless its request has `seen` what it may be writing back; or by a sign-in that was clicked
 * twice.
 */
export function maySignInAfter(
  { by, hadIdentity }: Superseded,
  { seen }: { readonly seen: boolean },
): boolean {
  return by === "delete" ? !seen : !hadIdentity;
}

/** Which of a field's values is asked for; undefined where it has none, or not this one. */
export function findSharedValue(field: string, values: unknown, wanted: unknown): unknown {
  const own: unknown[] = [...new Set([values].flat())].filter((one) => one != null);
  if (wanted === undefined && own.length > 1) throw createUnnamedPeersError(field, own.length);
  return own.find((one) => wanted == null || one === wanted);
}
