import type { Lookup, StoredSession } from "./contract.ts";

/** A read counts as use after a twentieth of the idle timeout, or a minute, whichever is less. */
const TOUCHES_PER_IDLE_TIMEOUT = 20;
const MAX_TOUCH_DELAY_MS = 60_000;

/** A session that was found. */
export type Found = Extract<Lookup, { state: "live" }>;

/** Whether a read of a session counts as use. */
export function isTouchDue({ session, now }: Found): boolean {
  return now - session.lastSeenAt >= computeTouchDelay(session);
}

/** Computes how long (ms) after its last use a read of a session counts as use again. */
export function computeTouchDelay({ idleTimeout }: Pick<StoredSession, "idleTimeout">): number {
  return Math.min(
    (idleTimeout ?? Number.POSITIVE_INFINITY) / TOUCHES_PER_IDLE_TIMEOUT,
    MAX_TOUCH_DELAY_MS,
  );
}
