import type { Lookup, StoredSession } from "./contract.ts";

/** A read or write counts as use after a twentieth of the idle timeout, or a minute, whichever is less. */
const TOUCHES_PER_IDLE_TIMEOUT = 20;
const MAX_TOUCH_DELAY_MS = 60_000;

/** A session that was found. */
export type Found = Extract<Lookup, { state: "live" }>;

interface SeenSession {
  readonly session: Pick<StoredSession, "lastSeenAt" | "idleTimeout">;
  readonly now: number;
}

/**
 * Whether a read of a session, or a write to its fields, counts as use. A session that was last seen in the
 * future is one of a clock that was set back.
 */
export function isTouchDue({ session, now }: SeenSession): boolean {
  return Math.abs(now - session.lastSeenAt) >= computeTouchDelay(session);
}

/** Computes how long (ms) after its last use a read or write of a session counts as use again. */
export function computeTouchDelay({ idleTimeout }: Pick<StoredSession, "idleTimeout">): number {
  return Math.min(
    (idleTimeout ?? Number.POSITIVE_INFINITY) / TOUCHES_PER_IDLE_TIMEOUT,
    MAX_TOUCH_DELAY_MS,
  );
}
