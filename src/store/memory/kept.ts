import { bytesOf } from "../../values.ts";
import type {
  Change,
  Changed,
  FieldChanges,
  Gone,
  NewSession,
  StoredSession,
  Superseded,
  Times,
} from "../contract.ts";

/* What the memory store keeps, and what one session becomes and says. */

/** What the memory store keeps at an id: a session, or what a rotation left there. */
export type Kept = Session | Alias | Tombstone;

export interface Session extends Mutable<Times> {
  readonly kind: "session";
  id: string;
  readonly fields: Map<string, string>;
  /** The values of its reference fields, as texts; a field without any is not in it. */
  readonly references: Map<string, Set<string>>;
}

export interface Alias {
  readonly kind: "alias";
  readonly target: string;
  readonly expiresAt: number;
}

export interface Tombstone {
  readonly kind: "tombstone";
  readonly hadIdentity: boolean;
  readonly expiresAt: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function timesOf(session: Session): Times {
  const { createdAt, lastSeenAt, idleTimeout, absoluteDeadline, expiresAt } = session;
  return { createdAt, lastSeenAt, idleTimeout, absoluteDeadline, expiresAt };
}

/** Pushes the idle deadline forward; the absolute one holds beside it (I6). */
export function slide(session: Session, now: number): void {
  const { idleTimeout, absoluteDeadline } = session;
  session.lastSeenAt = now;
  session.expiresAt = Math.min(
    idleTimeout === null ? Number.POSITIVE_INFINITY : now + idleTimeout,
    absoluteDeadline ?? Number.POSITIVE_INFINITY,
  );
}

/** The absolute deadline that is asked for, if any. */
export function absoluteDeadlineOf(
  {
    absoluteTimeout,
    absoluteDeadline,
  }: Pick<NewSession | Change, "absoluteTimeout" | "absoluteDeadline">,
  now: number,
): number | undefined {
  return absoluteDeadline ?? (absoluteTimeout == null ? undefined : now + absoluteTimeout);
}

/** Puts the deadlines where a change wants them. */
export function moveDeadlines(session: Session, change: Change, now: number): void {
  session.idleTimeout = change.idleTimeout ?? session.idleTimeout;
  session.absoluteDeadline = absoluteDeadlineOf(change, now) ?? session.absoluteDeadline;
  slide(session, now);
}

/** A change that takes away all fields that it does not set, and their references. */
export function replacing(session: Session, change: Change): Change {
  const unset = [...session.fields.keys()].filter((name) => !change.set.has(name));
  const kept = new Set(change.references.map(({ field }) => field));
  const left = [...session.references.keys()].filter((field) => !kept.has(field));
  const references = [
    ...change.references,
    ...left.map((field) => ({ field, texts: [], plain: false })),
  ];
  return { ...change, unset, references };
}

export function identityChanges(session: Session, { references, rotation }: Change): boolean {
  return references.some(({ field, texts }) => {
    if (!rotation?.identity.includes(field)) return false;
    const before = session.references.get(field);
    return texts.length !== (before?.size ?? 0) || texts.some((text) => !before?.has(text));
  });
}

/** The bytes of the fields after the changes; 0 where the changes add nothing. */
export function bytesAfter(session: Session, { set, unset }: FieldChanges): number {
  if (set.size === 0) return 0;
  const after = new Map(session.fields);
  for (const name of unset) after.delete(name);
  for (const [name, text] of set) after.set(name, text);
  return bytesOf(after);
}

export function given(session: Session, names?: readonly string[]): StoredSession {
  const fields = names
    ? [...session.fields].filter(([name]) => names.includes(name))
    : session.fields;
  return { id: session.id, fields: new Map(fields), ...timesOf(session) };
}

export function changed(session: Session, rotated: boolean): Changed {
  return {
    state: "changed",
    id: session.id,
    rotated,
    times: timesOf(session),
    fields: rotated ? new Map(session.fields) : null,
  };
}

/** What an id leads to that leads to no session: nothing, a tombstone, or too many aliases. */
export function absent(kept: Alias | Tombstone | undefined): Superseded | Gone {
  if (kept === undefined) return { state: "gone" };
  return { state: "superseded", hadIdentity: kept.kind === "alias" || kept.hadIdentity };
}
