import type { Times } from "../contract.ts";

/** What the memory store keeps at an id: a session, or what a rotation left there. */
export type Kept = Session | Alias | Tombstone;

export interface Session extends Mutable<Times> {
  readonly kind: "session";
  id: string;
  readonly fields: Map<string, string>;
  /** The values of its reference fields, as texts; a field without any is not in it. */
  readonly references: Map<string, Set<string>>;
}

interface Alias {
  readonly kind: "alias";
  readonly target: string;
  readonly expiresAt: number;
}

interface Tombstone {
  readonly kind: "tombstone";
  readonly hadIdentity: boolean;
  readonly expiresAt: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function timesOf(session: Session): Times {
  const { createdAt, lastSeenAt, idleTimeout, absoluteDeadline, expiresAt } = session;
  return { createdAt, lastSeenAt, idleTimeout, absoluteDeadline, expiresAt };
}
