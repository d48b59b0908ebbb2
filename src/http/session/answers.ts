import { composeSession, decodeFields } from "../../sessions/record.ts";
import type { SessionCore } from "../../sessions/session-core.ts";
import type { NewToken } from "../../sessions/token.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
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

/**
 * Finds which of several tokens counts: one that leads to a live session directly, or else one that leads
 * there through an alias, or else one with a tombstone, or else any other. Among equals the first counts.
 * The twins are the other tokens that lead to live sessions.
 */
export async function findBestToken(
  core: SessionCore,
  tokens: readonly string[],
  names: readonly string[] | undefined,
): Promise<{ token: string; id: string; lookup: Lookup; twinIds: string[] }> {
  const ids = tokens.map((token) => core.toId(token) as string);
  const found = await waitForAll(ids.map((id) => core.find(id, { names })));
  const ranks = found.map((one, i) => rankLookup(one, ids[i] as string));
  const best = ranks.indexOf(Math.min(...ranks));
  return {
    token: tokens[best] as string,
    id: ids[best] as string,
    lookup: found[best] as Lookup,
    twinIds: ids.filter((_, i) => i !== best && found[i]?.state === "live"),
  };
}

/** Finds the first of these ids that leads to a live session; null if none does. */
export async function findLiveId(
  core: SessionCore,
  ids: readonly (string | null)[],
): Promise<string | null> {
  for (const id of new Set(ids)) {
    if (id !== null && (await core.find(id, { names: [] })).state === "live") return id;
  }
  return null;
}

/** Ranks the answer to an id. The lowest rank is the best. */
function rankLookup(found: Lookup, id: string): number {
  if (found.state === "live") return found.session.id === id ? 0 : 1;
  return found.state === "superseded" ? 2 : 3;
}

/** Whether a `set` may make a session, after a change by its request found none. */
export function mayCreateAfter(
  changed: Changed,
  { seen, deleted }: { readonly seen: boolean; readonly deleted: boolean },
  isSignIn: () => boolean,
): boolean {
  if (changed.state === "gone") return !seen;
  if (changed.state !== "superseded" || !isSignIn()) return false;
  return deleted || maySignInAfter(changed, { seen });
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
