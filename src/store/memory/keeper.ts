import type { FieldChanges, FieldReferences, Fields } from "../contract.ts";
import { Clearings } from "./clearings.ts";
import { Entries, type MemoryLimits } from "./entries.ts";
import {
  type ChangedSession,
  checkReferences,
  countBytesAfter,
  estimateBytes,
  estimateBytesAfter,
  type Session,
  slideDeadline,
  type Tombstone,
  toChanged,
  updateIdentities,
} from "./entry.ts";
import { type EndingKind, Feed } from "./feed.ts";
import { SessionSets } from "./session-sets.ts";

/** Where the time comes from. */
export interface Clock {
  /** In ms since 1970. */
  readonly now: () => number;
  /** Whether the program gave it. It alone then says which of two sessions is older. */
  readonly isOwn: boolean;
}

/** The deadlines of a session to change. */
export interface Lifetime {
  /** Whether the change counts as use. */
  readonly pushes: boolean;
  readonly idleTimeout: number | null;
  readonly absoluteDeadline: number | null;
}

/** The deadlines of a session to make. */
export interface NewLifetime {
  readonly idleTimeout: number | null;
  /** From when it is made. */
  readonly absoluteTimeout: number | null;
  /** Counts before the timeout. */
  readonly absoluteDeadline?: number | undefined;
}

/**
 * The entries and their sets. Every write goes through it, so both always agree. Every ending, every
 * rotation and every nearer deadline does too, so all are told.
 */
export class Keeper {
  readonly now: () => number;
  readonly sets = new SessionSets();
  readonly clearings: Clearings;
  readonly entries: Entries;
  readonly feed: Feed;
  readonly #isOwnClock: boolean;
  #made = 0;
  /** The sessions that were rotated, by lineage. */
  readonly #lineages = new Map<string, Session>();

  constructor(bounds: MemoryLimits, clock: Clock) {
    const { now } = clock;
    this.now = now;
    this.feed = new Feed(now);
    this.#isOwnClock = clock.isOwn;
    this.clearings = new Clearings(now, bounds.maxSessions);
    this.entries = new Entries(bounds, now, (session) => this.#removeFromIndexes(session));
  }

  /** The moment that is `timeout` ms from now; null for null. */
  toDeadline(timeout: number | null): number | null {
    return toDeadline(this.now(), timeout);
  }

  /**
   * Makes a session. It isn't kept if its deadline has passed.
   *
   * @param doomed the sessions to end because a limit lets this one take their places.
   */
  createSession(
    id: string,
    fields: Fields,
    references: readonly FieldReferences[],
    { idleTimeout, absoluteTimeout, absoluteDeadline }: NewLifetime,
    doomed: readonly Session[] = [],
  ): Session {
    const texts = references.map((one) => one.texts);
    this.makeRoom(estimateBytes(fields, texts), doomed);
    this.endSessions(doomed, { how: "limit", cause: undefined });
    const now = this.now();
    const session: Session = {
      kind: "session",
      id,
      lineage: id,
      order: this.#isOwnClock ? 0 : ++this.#made,
      previous: null,
      fields: new Map(fields),
      bytes: 0,
      identities: new Set(),
      references: new Map(),
      createdAt: now,
      lastSeenAt: now,
      lastUse: 0,
      idleTimeout,
      absoluteDeadline: absoluteDeadline ?? toDeadline(now, absoluteTimeout),
      expiresAt: 0,
    };
    slideDeadline(session, now);
    if (session.expiresAt < now) return session;
    this.#setReferences(session, references);
    session.bytes = estimateBytes(session.fields, session.references.values());
    this.entries.put(session);
    return session;
  }

  /**
   * Writes changes and deadlines of a session, unless it would become too large.
   *
   * @param lifetime where it is null, the session's own value stays.
   * @param rotate gives the session its new id; null if it keeps its id.
   * @param doomed the sessions to end because a limit lets this one take their places.
   */
  writeChanges(
    session: Session,
    changes: FieldChanges,
    lifetime: Lifetime,
    rotate: (() => void) | null,
    doomed: readonly Session[] = [],
  ): ChangedSession | { readonly state: "too-large"; readonly bytes: number } {
    checkReferences(session, changes.references);
    const bytes = countBytesAfter(session, changes);
    if (bytes > changes.maxBytes) return { state: "too-large", bytes };
    this.makeRoom(estimateBytesAfter(session, changes), [session, ...doomed]);
    this.endSessions(doomed, { how: "limit", cause: undefined });
    rotate?.();
    this.applyChanges(session, changes);
    const now = this.now();
    const { expiresAt: before } = session;
    session.idleTimeout = lifetime.idleTimeout ?? session.idleTimeout;
    session.absoluteDeadline = lifetime.absoluteDeadline ?? session.absoluteDeadline;
    if (lifetime.pushes) slideDeadline(session, now);
    this.entries.noteExpiry(session);
    if (session.expiresAt < before) this.feed.tellShortened(session);
    if (session.expiresAt < now) this.entries.drop(session.id);
    return toChanged(session, { rotated: rotate !== null });
  }

  applyChanges(session: Session, { set, unset, references }: FieldChanges): void {
    for (const [name, text] of set) session.fields.set(name, text);
    for (const name of unset) session.fields.delete(name);
    this.#setReferences(session, references);
    this.entries.updateBytes(session, estimateBytes(session.fields, session.references.values()));
  }

  /** Gives a session a new id. An alias is left at the old one until `aliasUntil`, unless that is null. */
  changeId(session: Session, to: string, aliasUntil: number | null): void {
    const { id, previous } = session;
    this.entries.changeId(session, to);
    if (aliasUntil !== null) {
      this.entries.putMarker(id, { kind: "alias", target: to, previous, expiresAt: aliasUntil });
    }
    session.previous = aliasUntil === null ? null : id;
    this.#lineages.set(session.lineage, session);
    this.feed.tellRotated(id, session);
  }

  /** Makes room for a session of this size, beside the `leaving` sessions that are about to be dropped. */
  makeRoom(bytes: number, leaving: readonly Session[]): void {
    this.feed.tellEnded({ how: "limit", cause: undefined }, this.entries.makeRoom(bytes, leaving));
  }

  /** Ends sessions. */
  endSessions(sessions: readonly Session[], kind: EndingKind): void {
    for (const { id } of sessions) this.entries.drop(id);
    this.feed.tellEnded(kind, sessions);
  }

  /** Ends a session, and leaves tombstones at its id and at those of the aliases on the way. */
  endSession(
    session: Session,
    trail: readonly string[],
    kind: EndingKind,
    what: Parameters<Keeper["leaveTombstones"]>[1],
    stays: number,
  ): void {
    this.endSessions([session], kind);
    this.leaveTombstones([session.id, ...trail], what, stays);
  }

  /** Removes what is left at these ids, where no session is, and leaves tombstones there for `stays` ms; 0 leaves none. */
  leaveTombstones(
    ids: readonly string[],
    what: Pick<Tombstone, "by" | "hadIdentity" | "named">,
    stays: number,
  ): void {
    const expiresAt = this.now() + stays;
    for (const id of ids) {
      this.entries.drop(id);
      if (stays > 0) this.entries.putMarker(id, { kind: "tombstone", ...what, expiresAt });
    }
  }

  /** The rotated session that was made with this id. */
  findByLineage(id: string): Session | undefined {
    return this.#lineages.get(id);
  }

  clear(): void {
    this.feed.clear();
    this.entries.clear();
    this.sets.clear();
    this.clearings.clear();
    this.#lineages.clear();
  }

  #setReferences(session: Session, references: readonly FieldReferences[]): void {
    for (const { field, texts, identity = false } of references) {
      this.sets.setTexts(session, field, texts);
      updateIdentities(session, field, identity ? texts : []);
    }
  }

  #removeFromIndexes(session: Session): void {
    this.sets.remove(session);
    this.#lineages.delete(session.lineage);
  }
}

function toDeadline(now: number, timeout: number | null): number | null {
  return timeout === null ? null : now + timeout;
}
