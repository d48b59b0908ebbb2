import type { SessionStore } from "./contract.ts";

/*
 * An optional ability of a store: to reindex, which compares all sessions with their sets and fixes
 * the differences. It is needed after a reference is declared for existing sessions, and after keys
 * were lost. A store without it is complete.
 */

/** A declared reference, for a store that never decodes a value. */
export interface DeclaredReference {
  readonly field: string;
  /** Whether the set's ids are also kept in a plain Redis set (`as: "set"`). */
  readonly plain: boolean;
  /**
   * Whether the field says who the user is.
   * @default false
   */
  readonly identity?: boolean;
  /** The values that a field's text references, as texts; none if it isn't a reference. */
  toTexts(text: string): readonly string[];
}

/** Options of a store's `reindex`. */
export interface StoreReindexOptions {
  /** Whether to count the differences only, and write nothing. */
  readonly dryRun: boolean;
  /** The cursor of an earlier progress, to continue there; null starts from the beginning. */
  readonly cursor: string | null;
}

/** The progress of a reindex. The numbers count from where this call started. */
export interface ReindexProgress {
  /** Where to continue: pass it to `reindex`. Null at the end. */
  readonly cursor: string | null;
  /** How many keys were scanned: sessions, aliases, tombstones and sets. */
  readonly scanned: number;
  /** How many entries were missing from sets. */
  readonly added: number;
  /** How many entries and keys should not have been there. */
  readonly removed: number;
  /** How many deadlines and lists of a session's sets were wrong. */
  readonly corrected: number;
}

/** A store that can compare its sessions with their sets. */
export interface ReindexableStore extends SessionStore {
  /**
   * Scans all keys in bounded steps, and fixes sessions and sets while they are in use. Each fix is
   * atomic and depends only on what is there at that moment.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a cursor that isn't one of its own.
   */
  reindex(
    references: readonly DeclaredReference[],
    options: StoreReindexOptions,
  ): AsyncGenerator<ReindexProgress, void>;
}

export function isReindexable(store: SessionStore): store is ReindexableStore {
  return "reindex" in store && typeof store.reindex === "function";
}
