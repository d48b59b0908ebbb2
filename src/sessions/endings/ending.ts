import type { FeedEvent, Initiator, StoredEndingKind } from "../../store/feed.ts";

/** The session of an ending, and when it ended. */
interface EndedSession {
  /** The id that the session had in the end, as far as is known. */
  readonly id: string;
  /** Its lineage, as far as is known. */
  readonly lineage: string;
  /** When it ended, on the store's clock. For `unknown`: when that was found, on this process's clock. */
  readonly at: Date;
}

/**
 * The ending of a session that a call has ended:
 *
 * - `delete`: by `delete`, by another call that signs out, or by `destroy` of an express-session store.
 * - `clear`: with others of a set.
 * - `trim`: as one of the older sessions of a set.
 * - `limit`: to make room for another session.
 * - `sign-in`: replaced by a sign-in.
 */
export interface ToldEnding extends EndedSession {
  readonly how: StoredEndingKind;
  /** Who ended it, if the call said so. */
  readonly initiator: Initiator | null;
  /** Why it was ended, if the call said so. */
  readonly reason: string | null;
}

/**
 * The ending of a session that no call was heard to end:
 *
 * - `expire`: its deadline has passed.
 * - `unknown`: it is gone. It was gone when the watch began, it ended while the connection was lost, or
 *   its keys were deleted by other means.
 */
export interface FoundEnding extends EndedSession {
  readonly how: "expire" | "unknown";
  readonly initiator: null;
  readonly reason: null;
}

/** How a session ended: what `onEnd` tells. */
export type Ending = ToldEnding | FoundEnding;

/** Endings may have been missed: the connection was lost, or the loop was 10,000 endings behind. */
export interface EndingGap {
  readonly how: "gap";
  /** When it was noticed, on this process's clock. */
  readonly at: Date;
}

/** Is told how a session ended. What it returns isn't used; a promise that rejects is unhandled. */
export type EndingCallback = (ending: Ending) => unknown;

/** Composes the endings of an event. */
export function toEndings(event: Extract<FeedEvent, { type: "ended" }>): ToldEnding[] {
  const { at, how, cause, sessions } = event;
  const { initiator, reason } = cause;
  return sessions.map(({ id, lineage }) => ({
    id,
    lineage,
    at: new Date(at),
    how,
    initiator,
    reason,
  }));
}

export function createFoundEnding(
  { id, lineage }: Pick<EndedSession, "id" | "lineage">,
  how: FoundEnding["how"],
  at: number,
): FoundEnding {
  return { id, lineage, at: new Date(at), how, initiator: null, reason: null };
}

export function createGap(): EndingGap {
  return { how: "gap", at: new Date() };
}
