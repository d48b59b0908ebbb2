import type { SessionStore } from "./contract.ts";

/*
 * What a store can do besides: compare all its sessions with their sets, and mend what is wrong. It
 * is needed where a reference was declared after sessions had been made, and where something took
 * keys away. A store without it is a whole store, too.
 */

/** A declared reference, as a store can read it that never decodes a value. */
export interface DeclaredReference {
  readonly field: string;
  /** Whether the members are kept as a plain Redis set, too (`as: "set"`). */
  readonly plain: boolean;
  /**
   * Whether the field says who the user is.
   * @default false
   */
  readonly identity?: boolean;
  /** The values that a field's text references, as texts; none where it is no reference. */
  toTexts(text: string): readonly string[];
}

/** How a store's walk over everything that it keeps is done. */
export interface StoreReindexOptions {
  readonly dryRun: boolean;
  /** Where an earlier walk had come to; null begins anew. */
  readonly cursor: string | null;
}

/** How far a walk over everything that is kept has come. The numbers are those of this walk. */
export interface ReindexProgress {
  /** Where the walk goes on from here, to be given back to `reindex`; null at the end. */
  readonly cursor: string | null;
  /** How many keys were looked at: sessions, and what is left of old ids, and sets. */
  readonly scanned: number;
  /** How many entries sets lacked. */
  readonly added: number;
  /** How many entries, and keys, should not have been there. */
  readonly removed: number;
  /** How many deadlines, and lists of a session's sets, were wrong. */
  readonly corrected: number;
}

/** A store that can compare its sessions with their sets. */
export interface ReindexableStore extends SessionStore {
  /**
   * Walks over everything that is kept, in bounded steps, and mends it while it is in use: each
   * repair is atomic and goes by what is there at its moment. A dry run writes nothing.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a cursor that is none of its own.
   */
  reindex(
    references: readonly DeclaredReference[],
    options: StoreReindexOptions,
  ): AsyncGenerator<ReindexProgress, void>;
}

export function isReindexable(store: SessionStore): store is ReindexableStore {
  return "reindex" in store && typeof store.reindex === "function";
}
