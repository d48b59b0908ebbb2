import type { SessionStore } from "./contract.ts";

/*
 * A store may also tell what happens to its sessions: that they were ended, that they were rotated, and
 * that they will expire sooner than they would have.
 * `onEnd` and `endings` need it. `feedContract` of `session-sets/testing` tests it.
 */

/** Who ended a session, in the words of CAEP (OpenID Continuous Access Evaluation Profile 1.0). */
export type Initiator = "user" | "admin" | "policy" | "system";

/** Why a session is ended, as the caller says it. */
export interface Cause {
  readonly initiator: Initiator | null;
  /** A text of at most 200 characters. */
  readonly reason: string | null;
}

/**
 * What ended a session that a store has ended.
 *
 * - `delete`: `end`, also by an alias without grace; and a sign-in or change that replaces it and names
 *   no user, which is a sign-out.
 * - `clear`: `endAll`.
 * - `trim`: `trim`.
 * - `limit`: another session entered a full set, or a full memory store needed room.
 * - `sign-in`: a sign-in, or a change that names another user, replaced it.
 */
export type StoredEndingKind = "delete" | "clear" | "trim" | "limit" | "sign-in";

/**
 * What a store tells. `at` is a time on its clock.
 *
 * - `ended`: it has ended sessions. It tells nothing of those that expire.
 * - `rotated`: a session has got another id.
 * - `shortened`: a session's deadline was brought forward. One that stays or is put off isn't told.
 */
export type FeedEvent =
  | {
      readonly type: "ended";
      readonly at: number;
      readonly how: StoredEndingKind;
      readonly cause: Cause;
      /** Each with the id that it had when it was ended. */
      readonly sessions: readonly { readonly id: string; readonly lineage: string }[];
    }
  | {
      readonly type: "rotated";
      readonly at: number;
      readonly from: string;
      readonly to: string;
      readonly lineage: string;
    }
  | {
      readonly type: "shortened";
      readonly at: number;
      readonly id: string;
      readonly lineage: string;
      /** Its deadline from now on, on the store's clock. */
      readonly expiresAt: number;
    };

/** Receives what a store tells. It doesn't throw. */
export interface FeedListener {
  /** Something has happened to sessions. */
  onEvent(event: FeedEvent): void;
  /** Events may have been missed. It is called once events arrive again. */
  onGap(): void;
}

/** A store that tells what happens to its sessions. */
export interface FeedStore extends SessionStore {
  /**
   * Tells what happens to the sessions of the shard that an id or lineage is in, or, for null, of all
   * shards. It resolves once everything from then on is told, and resolves to what stops it. Sessions
   * that expire aren't told.
   *
   * @throws SessionError ERR_SESSION_CONFIG if the client or its user cannot subscribe;
   * ERR_STORE_UNAVAILABLE.
   */
  subscribe(id: string | null, listener: FeedListener): Promise<() => Promise<void>>;
}

export function isFeedStore(store: SessionStore): store is FeedStore {
  return "subscribe" in store && typeof store.subscribe === "function";
}
