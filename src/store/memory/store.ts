import { misconfigured, SessionError, tooLarge } from "../../errors.ts";
import type {
  Change,
  Changed,
  FieldChanges,
  FieldReferences,
  Leaving,
  Lookup,
  NewSession,
  Reference,
  StoredSession,
  Times,
} from "../contract.ts";
import type { DeclaredReference, RepairableStore, RepairOptions } from "../repair.ts";
import {
  absent,
  bytesAfter,
  changed,
  given,
  identityChanges,
  type Kept,
  type Session,
  slide,
  timesOf,
} from "./kept.ts";
import { reindexKept } from "./reindex.ts";
import { SessionSets } from "./session-sets.ts";

/** How often expired sessions are looked for, besides when the store is full. */
const SWEEP_EVERY = 60_000;
const HOPS = 3;
const PAGE_SESSIONS = 100;
const LIST_SESSIONS = 500;

/** Every method does its work in one synchronous run, which is what makes it atomic. */
export class MemoryStore implements RepairableStore {
  readonly shards = 1;
  readonly #maxSessions: number;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  readonly #sets = new SessionSets();
  #sweeper: NodeJS.Timeout | undefined;

  constructor(maxSessions: number, now: () => number) {
    this.#maxSessions = maxSessions;
    this.#now = now;
  }

  async create(created: NewSession): Promise<Times> {
    const { kept } = this.#resolve(created.id);
    if (kept?.kind === "session") return timesOf(kept);
    this.#makeRoom();
    const now = this.#now();
    const { idleTimeout, absoluteTimeout } = created;
    const session: Session = {
      kind: "session",
      id: created.id,
      fields: new Map(created.fields),
      references: new Map(),
      createdAt: now,
      lastSeenAt: now,
      idleTimeout,
      absoluteDeadline: absoluteTimeout === null ? null : now + absoluteTimeout,
      expiresAt: 0,
    };
    slide(session, now);
    this.#kept.set(session.id, session);
    this.#refer(session, created.references);
    return timesOf(session);
  }

  async find(id: string, names?: readonly string[]): Promise<Lookup> {
    const { kept } = this.#resolve(id);
    if (kept?.kind === "session") {
      return { state: "live", session: given(kept, names), now: this.#now() };
    }
    return absent(kept);
  }

  async change(id: string, change: Change): Promise<Changed> {
    const { rotation } = change;
    const done = rotation && this.#live(rotation.to);
    if (done?.kind === "session") return changed(done, true);
    const { kept: session, trail } = this.#resolve(id);
    if (session?.kind !== "session") return absent(session);
    const signsIn = identityChanges(session, change);
    const rotates =
      rotation !== null && (signsIn || (rotation.when === "always" && trail.length === 0));
    if (rotation?.when === "always" && !rotates) return { state: "alias" };
    const bytes = bytesAfter(session, change);
    if (bytes > change.maxBytes) return { state: "too-large", bytes };
    if (rotates) this.#rotate(session, rotation, signsIn, trail);
    this.#apply(session, change);
    session.idleTimeout = change.idleTimeout ?? session.idleTimeout;
    slide(session, this.#now());
    return changed(session, rotates);
  }

  #rotate(
    session: Session,
    { to, identity, grace }: NonNullable<Change["rotation"]>,
    signsIn: boolean,
    trail: readonly string[],
  ): void {
    if (grace > 0) this.#makeRoom();
    const expiresAt = this.#now() + grace;
    if (signsIn) this.#bury([session.id, ...trail], session, { identity, grace });
    else if (grace === 0) this.#kept.delete(session.id);
    else this.#kept.set(session.id, { kind: "alias", target: to, expiresAt });
    session.id = to;
    this.#kept.set(to, session);
  }

  async end(
    id: string,
    reference?: Reference | null,
    leaving?: Leaving | null,
    replicas?: number,
  ): Promise<boolean> {
    refuseReplicas(replicas);
    const { kept: session, trail } = this.#resolve(id);
    if (session?.kind !== "session") return false;
    if (reference && !this.#sets.has(reference, session)) return false;
    this.#bury([session.id, ...trail], session, leaving ?? { identity: [], grace: 0 });
    this.#sets.remove(session);
    return true;
  }

  /** Leaves nothing of a session at these ids but, for the grace time, tombstones. */
  #bury(ids: readonly string[], session: Session, { identity, grace }: Leaving): void {
    const hadIdentity = identity.some((field) => session.references.has(field));
    const expiresAt = this.#now() + grace;
    for (const id of ids) {
      if (grace === 0) this.#kept.delete(id);
      else this.#kept.set(id, { kind: "tombstone", hadIdentity, expiresAt });
    }
  }

  async count(reference: Reference): Promise<number> {
    return this.#members(reference).length;
  }

  async has(reference: Reference, id: string): Promise<boolean> {
    const { kept } = this.#resolve(id);
    return kept?.kind === "session" && this.#sets.has(reference, kept);
  }

  async list(reference: Reference, limit: number): Promise<StoredSession[]> {
    return this.#members(reference)
      .sort((a, b) => b.expiresAt - a.expiresAt)
      .slice(0, LIST_SESSIONS)
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt)
      .slice(0, limit)
      .map((session) => given(session));
  }

  async *pages(reference: Reference, withFields: boolean): AsyncGenerator<StoredSession[]> {
    const names = withFields ? undefined : [];
    const members = this.#members(reference);
    for (let from = 0; from < members.length; from += PAGE_SESSIONS) {
      const page = members
        .slice(from, from + PAGE_SESSIONS)
        .filter((session) => this.#live(session.id) === session)
        .filter((session) => this.#sets.has(reference, session))
        .map((session) => given(session, names));
      if (page.length > 0) yield page;
    }
  }

  async changeAll(reference: Reference, changes: FieldChanges): Promise<number> {
    const members = this.#members(reference);
    for (const session of members) {
      const bytes = bytesAfter(session, changes);
      if (bytes > changes.maxBytes) throw tooLarge(bytes, changes.maxBytes);
    }
    for (const session of members) this.#apply(session, changes);
    return members.length;
  }

  async endAll(reference: Reference, except?: string | null, replicas?: number): Promise<number> {
    refuseReplicas(replicas);
    const spared = except == null ? undefined : this.#resolve(except).kept;
    const doomed = this.#members(reference).filter((session) => session !== spared);
    for (const session of doomed) this.#end(session);
    return doomed.length;
  }

  reindex(references: readonly DeclaredReference[], options: RepairOptions) {
    const isLive = (session: Session) => this.#live(session.id) === session;
    return reindexKept(this.#kept, this.#sets, isLive, references, options);
  }

  sessionKey(id: string): string {
    return `s:${id}`;
  }

  setKey({ field, text }: Reference): string {
    return `r:${encodeURIComponent(field)}:${encodeURIComponent(text)}`;
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
    this.#kept.clear();
    this.#sets.clear();
  }

  /** What is kept at an id, unless it has expired. */
  #live(id: string): Kept | undefined {
    const kept = this.#kept.get(id);
    if (!kept || kept.expiresAt >= this.#now()) return kept;
    this.#drop(id, kept);
    return undefined;
  }

  /** What an id leads to, and the aliases on the way. */
  #resolve(id: string): { kept: Kept | undefined; trail: string[] } {
    const trail: string[] = [];
    let at = id;
    let kept = this.#live(at);
    while (kept?.kind === "alias" && trail.length < HOPS) {
      trail.push(at);
      at = kept.target;
      kept = this.#live(at);
    }
    return { kept, trail };
  }

  #members(reference: Reference): Session[] {
    return this.#sets.members(reference).filter((session) => this.#live(session.id) === session);
  }

  #apply(session: Session, { set, unset, references }: FieldChanges): void {
    for (const [name, text] of set) session.fields.set(name, text);
    for (const name of unset) session.fields.delete(name);
    this.#refer(session, references);
  }

  #refer(session: Session, references: readonly FieldReferences[]): void {
    for (const { field, texts } of references) this.#sets.place(session, field, texts);
  }

  #end(session: Session): void {
    this.#drop(session.id, session);
  }

  #drop(id: string, kept: Kept): void {
    this.#kept.delete(id);
    if (kept.kind === "session") this.#sets.remove(kept);
  }

  /** Refuses to keep one more than may be kept, once what has expired is gone. */
  #makeRoom(): void {
    if (this.#kept.size >= this.#maxSessions) this.#sweep();
    if (this.#kept.size >= this.#maxSessions) {
      throw new SessionError(
        "ERR_STORE_FULL",
        `The memory store keeps ${this.#maxSessions} sessions and is full; raise maxSessions, shorten the timeouts, or use redisStore`,
      );
    }
    // unref: sessions that wait to expire keep no process alive.
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_EVERY).unref();
  }

  #sweep(): void {
    for (const id of [...this.#kept.keys()]) this.#live(id);
    if (this.#kept.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}

function refuseReplicas(replicas: number | undefined): void {
  if (replicas === undefined) return;
  throw misconfigured(
    "The memory store has no replicas to wait for; leave replicas out, or use redisStore. Nothing was ended",
  );
}
