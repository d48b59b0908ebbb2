import { createLimitError } from "../../shared/errors.ts";
import type { FieldReferences, Reference } from "../contract.ts";
import { type Full, listLimited } from "../entering.ts";
import type { Session } from "./entry.ts";

/** The sessions to end so that one more has room, or that there is none. */
export type Room = { readonly doomed: readonly Session[] } | Full;

/** Who enters, and who leaves with that. */
export interface Entering {
  readonly leaving?: readonly Session[];
  readonly own?: Session | null;
}

type ListMembers = (reference: Reference) => Session[];

/** Compares two sessions for `sort`: the older one first. */
export function compareAges(one: Session, other: Session): number {
  return (
    one.createdAt - other.createdAt ||
    one.order - other.order ||
    (one.lineage < other.lineage ? -1 : 1)
  );
}

/**
 * Finds room for one more session in each set that it would enter.
 *
 * @param leaving sessions that are ended anyway.
 * @param own the session that enters; null for a new one.
 */
export function planRoom(
  references: readonly FieldReferences[],
  listMembers: ListMembers,
  { leaving = [], own = null }: Entering = {},
): Room {
  const doomed = new Set<Session>();
  // Those that reject come last: what is ended for others makes room.
  for (const { reference, limit } of listLimited(references, "end-oldest")) {
    const members = listMembers(reference)
      .filter((session) => !leaving.includes(session) && !doomed.has(session))
      .sort(compareAges);
    if (own && members.includes(own)) continue;
    const surplus = members.slice(0, Math.max(0, members.length + 1 - limit.most));
    const youngest = surplus.at(-1);
    if (!youngest) continue;
    if (limit.whenFull === "reject" || (own && compareAges(own, youngest) < 0)) {
      return { state: "full", field: reference.field, limit: limit.most };
    }
    for (const session of surplus) doomed.add(session);
  }
  return { doomed: [...doomed] };
}

/** @throws SessionError ERR_SESSION_LIMIT where a value would have too many sessions with all of these. */
export function checkLimitsOfAll(
  sessions: readonly Session[],
  references: readonly FieldReferences[],
  listMembers: ListMembers,
): void {
  for (const { reference, limit } of listLimited(references, "reject")) {
    const there = new Set(listMembers(reference));
    const entering = sessions.filter((session) => !there.has(session)).length;
    if (entering > 0 && there.size + entering > limit.most) {
      throw createLimitError(reference.field, limit.most);
    }
  }
}
