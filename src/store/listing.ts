import type { StoredSession, Times } from "./contract.ts";

/* How the sessions of a set are listed and paged, as the contract says it. */

/** A session's place in the order of deadlines. The session may be gone. */
export type ListPlace = Pick<StoredSession, "id" | "expiresAt">;

/** Which sessions `list` returns, and in what order. */
export interface ListOptions {
  /** The most sessions to return, from 1 to `MAX_LIST_LIMIT`. */
  readonly limit: number;
  /**
   * - `"last-seen"`: the most recently seen first. In a shard with more than 500, only the 500 that
   *   expire last are considered.
   * - `"deadline"`: the latest `expiresAt` first. Equal deadlines are ordered by id, as `<` compares texts.
   */
  readonly order: "last-seen" | "deadline";
  /**
   * With the order `"deadline"`: only the sessions behind this place. The place stays valid if that
   * session was ended, rotated or touched since.
   */
  readonly after?: ListPlace | null;
}

/** Options of `pages` and `iterate`. */
export interface PageOptions {
  /**
   * Whether to read the sessions' fields; otherwise `fields` is empty.
   * @default false
   */
  readonly withFields?: boolean;
}

/** The most sessions with their fields that one page of a shard holds. */
export const MAX_PAGE_SESSIONS = 100;
/** The most sessions that one `list` returns. */
export const MAX_LIST_LIMIT = 500;

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
