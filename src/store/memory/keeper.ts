import type { FieldChanges, FieldReferences, Fields } from "../contract.ts";
import { Clearings } from "./clearings.ts";
import { Entries, type MemoryLimits } from "./entries.ts";
import {
  type ChangedSession,
  checkReferences,
  countBytesAfter,
  noteIdentity,
  type Session,
  slideDeadline,
  type Tombstone,
  toChanged,
  weigh,
  weighAfter,
} from "./entry.ts";
import { SessionSets } from "./session-sets.ts";

/** Where the time comes from. */
export interface Clock {
  /** In ms since 1970. */
  readonly now: () => number;
  /** Whether the program gave it: it alone says then which of two sessions is older. */
  readonly isOwn: boolean;
}

/** How long a session is to live. */
export interface Life {
  readonly idleTimeout: number | null;
  readonly absoluteDeadline: number | null;
}

/** The sessions that are kept and their sets, as one: nothing is written past it. */
export class Keeper {
  readonly now: () => number;
  readonly sets = new SessionSets();
  readonly clearings: Clearings;
  readonly shelf: Entries;
  readonly #isOwnClock: boolean;
  #made = 0;
  /** The sessions that were rotated, by their first ids. */
  readonly #lineages = new Map<string, Session>();

  constructor(bounds: MemoryLimits, clock: Clock) {
    const { now } = clock;
    this.now = now;
    this.#isOwnClock = clock.isOwn;
    this.clearings = new Clearings(now);
    this.shelf = new Entries(bounds, now, (session) => this.#forget(session));
  }

  /** The moment so long from now. */
  after(timeout: number | null): number | null {
    return timeout === null ? null : this.now() + timeout;
  }

  /** Makes a session; none is kept where its deadline has passed. */
  make(
    id: string,
    fields: Fields,
    references: readonly FieldReferences[],
    { idleTimeout, absoluteDeadline }: Life,
  ): Session {
    const texts = references.map((one) => one.texts);
    this.shelf.makeRoom(weigh(fields, texts), null);
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
      absoluteDeadline,
      expiresAt: 0,
    };
    slideDeadline(session, now);
    if (session.expiresAt < now) return session;
    this.#refer(session, references);
    session.bytes = weigh(session.fields, session.references.values());
    this.shelf.put(session);
    return session;
  }

  /**
   * Writes changes and deadlines of a session, unless it would be too large.
   *
   * @param life what is null in it stays.
   * @param rotate gives the session its new id, if it is to have one.
   */
  write(
    session: Session,
    changes: FieldChanges,
    life: Life,
    rotate: (() => void) | null,
  ): ChangedSession | { readonly state: "too-large"; readonly bytes: number } {
    checkReferences(session, changes.references);
    const bytes = countBytesAfter(session, changes);
    if (bytes > changes.maxBytes) return { state: "too-large", bytes };
    this.shelf.makeRoom(weighAfter(session, changes), session);
    rotate?.();
    this.apply(session, changes);
    const now = this.now();
    session.idleTimeout = life.idleTimeout ?? session.idleTimeout;
    session.absoluteDeadline = life.absoluteDeadline ?? session.absoluteDeadline;
    slideDeadline(session, now);
    this.shelf.noteExpiry(session);
    if (session.expiresAt < now) this.shelf.drop(session.id);
    return toChanged(session, rotate !== null);
  }

  apply(session: Session, { set, unset, references }: FieldChanges): void {
    for (const [name, text] of set) session.fields.set(name, text);
    for (const name of unset) session.fields.delete(name);
    this.#refer(session, references);
    this.shelf.updateBytes(session, weigh(session.fields, session.references.values()));
  }

  /** Gives a session a new id. An alias leads there from the old one until `aliasUntil`, if that is given. */
  move(session: Session, to: string, aliasUntil: number | null): void {
    const { id, previous } = session;
    this.shelf.rename(session, to);
    if (aliasUntil !== null) {
      this.shelf.putMarker(id, { kind: "alias", target: to, previous, expiresAt: aliasUntil });
    }
    session.previous = aliasUntil === null ? null : id;
    this.#lineages.set(session.lineage, session);
  }

  /** Leaves nothing at these ids but, for `stays` ms, tombstones. */
  bury(
    ids: readonly string[],
    what: Pick<Tombstone, "by" | "hadIdentity" | "named">,
    stays: number,
  ): void {
    const expiresAt = this.now() + stays;
    for (const id of ids) {
      this.shelf.drop(id);
      if (stays > 0) this.shelf.putMarker(id, { kind: "tombstone", ...what, expiresAt });
    }
  }

  /** The session that was rotated and had this id first. */
  ofLineage(id: string): Session | undefined {
    return this.#lineages.get(id);
  }

  clear(): void {
    this.shelf.clear();
    this.sets.clear();
    this.clearings.clear();
    this.#lineages.clear();
  }

  #refer(session: Session, references: readonly FieldReferences[]): void {
    for (const { field, texts, identity = false } of references) {
      this.sets.setTexts(session, field, texts);
      noteIdentity(session, field, identity ? texts : []);
    }
  }

  #forget(session: Session): void {
    this.sets.remove(session);
    this.#lineages.delete(session.lineage);
  }
}
