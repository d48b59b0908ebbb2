import type { ListPlace, Times } from "./contract.ts";

/* Comparisons for `sort`: the two orders in which a store lists the sessions of a set. */

/** The latest deadline first. Equal deadlines are ordered by id. */
export function byDeadline(a: ListPlace, b: ListPlace): number {
  if (a.expiresAt !== b.expiresAt) return a.expiresAt > b.expiresAt ? -1 : 1;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

/** The most recently seen first. */
export function byLastSeen(a: Pick<Times, "lastSeenAt">, b: Pick<Times, "lastSeenAt">): number {
  return b.lastSeenAt - a.lastSeenAt;
}
