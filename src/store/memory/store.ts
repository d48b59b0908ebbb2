import { misconfigured, tooLarge } from "../../errors.ts";
import { bytesOf } from "../../values.ts";
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
import type { WalkableStore } from "../walk.ts";
import {
  type Alias,
  absent,
  absoluteDeadlineOf,
  bytesAfter,
  changed,
  given,
  identityChanges,
  moveDeadlines,
  replacing,
  type Session,
  slide,
  type Tombstone,
  timesOf,
} from "./kept.ts";
import { reindexKept } from "./reindex.ts";
import { SessionSets } from "./session-sets.ts";
import { Shelf } from "./shelf.ts";

const PAGE_SESSIONS = 100;
const LIST_SESSIONS = 500;

/** Every method does its work in one synchronous run, which is what makes it atomic. */
export class MemoryStore implements RepairableStore, WalkableStore {
  readonly shards = 1;
  readonly #now: () => number;
  readonly #sets = new SessionSets();
  readonly #kept: Shelf;

  constructor(maxSessions: number, now: () => number) {
    this.#now = now;
    this.#kept = new Shelf(maxSessions, now, (session) => this.#sets.remove(session));
  }

  async create(created: NewSession): Promise<Times> {
    const { kept } = this.#kept.resolve(created.id);
    if (kept?.kind === "session") return timesOf(kept);
    this.#kept.makeRoom();
    const now = this.#now();
    const { idleTimeout } = created;
    const session: Session = {
      kind: "session",
      id: created.id,
      fields: new Map(created.fields),
      references: new Map(),
      createdAt: now,
      lastSeenAt: now,
      idleTimeout,
      absoluteDeadline: absoluteDeadlineOf(created, now) ?? null,
      expiresAt: 0,
    };
    slide(session, now);
    if (session.expiresAt < now) return timesOf(session);
    this.#kept.put(session.id, session);
    this.#refer(session, created.references);
    return timesOf(session);
  }

  async find(id: string, names?: readonly string[]): Promise<Lookup> {
    const { kept } = this.#kept.resolve(id);
    if (kept?.kind === "session") {
      return { state: "live", session: given(kept, names), now: this.#now() };
    }
    return absent(kept);
  }

  async change(id: string, asked: Change): Promise<Changed> {
    const { rotation, where } = asked;
    const done = rotation && this.#kept.live(rotation.to);
    if (done?.kind === "session") return changed(done, true);
    const { kept: session, trail } = this.#kept.resolve(id);
    if (session?.kind !== "session") return this.#createIfAsked(id, session, asked);
    if (where && !this.#sets.has(where, session)) return { state: "elsewhere" };
    const change = asked.replace ? replacing(session, asked) : asked;
    const signsIn = identityChanges(session, change);
    const rotates =
      rotation !== null && (signsIn || (rotation.when === "always" && trail.length === 0));
    if (rotation?.when === "always" && !rotates) return { state: "alias" };
    const bytes = bytesAfter(session, change);
    if (bytes > change.maxBytes) return { state: "too-large", bytes };
    if (rotates) this.#rotate(session, rotation, signsIn, trail);
    this.#apply(session, change);
    const now = this.#now();
    moveDeadlines(session, change, now);
    if (session.expiresAt < now) this.#end(session);
    return changed(session, rotates);
  }

  async #createIfAsked(
    id: string,
    kept: Alias | Tombstone | undefined,
    change: Change,
  ): Promise<Changed> {
    if (kept || !change.create) return absent(kept);
    const bytes = bytesOf(change.set);
    if (bytes > change.maxBytes) return { state: "too-large", bytes };
    const { set: fields, absoluteTimeout = null } = change;
    const times = await this.create({ ...change, id, fields, absoluteTimeout });
    return { state: "changed", id, rotated: false, times, fields: null };
  }

  #rotate(
    session: Session,
    { to, identity, grace }: NonNullable<Change["rotation"]>,
    signsIn: boolean,
    trail: readonly string[],
  ): void {
    if (grace > 0) this.#kept.makeRoom();
    const expiresAt = this.#now() + grace;
    if (signsIn) this.#bury([session.id, ...trail], session, { identity, grace });
    else if (grace === 0) this.#kept.remove(session.id);
    else this.#kept.put(session.id, { kind: "alias", target: to, expiresAt });
    session.id = to;
    this.#kept.put(to, session);
  }

  async end(
    id: string,
    reference?: Reference | null,
    leaving?: Leaving | null,
    replicas?: number,
  ): Promise<boolean> {
    refuseReplicas(replicas);
    const { kept: session, trail } = this.#kept.resolve(id);
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
      if (grace === 0) this.#kept.remove(id);
      else this.#kept.put(id, { kind: "tombstone", hadIdentity, expiresAt });
    }
  }

  async count(reference: Reference): Promise<number> {
    return this.#members(reference).length;
  }

  async has(reference: Reference, id: string): Promise<boolean> {
    const { kept } = this.#kept.resolve(id);
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
        .filter((session) => this.#kept.live(session.id) === session)
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
    const spared = except == null ? undefined : this.#kept.resolve(except).kept;
    const doomed = this.#members(reference).filter((session) => session !== spared);
    for (const session of doomed) this.#end(session);
    return doomed.length;
  }

  async *walk(withFields: boolean): AsyncGenerator<StoredSession[], void> {
    const ids = this.#kept.ids();
    for (let from = 0; from < ids.length; from += PAGE_SESSIONS) {
      const page = ids
        .slice(from, from + PAGE_SESSIONS)
        .map((id) => this.#kept.live(id))
        .filter((kept) => kept?.kind === "session")
        .map((session) => given(session, withFields ? undefined : []));
      if (page.length > 0) yield page;
    }
  }

  reindex(references: readonly DeclaredReference[], options: RepairOptions) {
    return reindexKept(this.#kept, this.#sets, references, options);
  }

  sessionKey(id: string): string {
    return `s:${id}`;
  }

  setKey({ field, text }: Reference): string {
    return `r:${encodeURIComponent(field)}:${encodeURIComponent(text)}`;
  }

  async close(): Promise<void> {
    this.#kept.clear();
    this.#sets.clear();
  }

  #members(reference: Reference): Session[] {
    return this.#sets
      .members(reference)
      .filter((session) => this.#kept.live(session.id) === session);
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
    this.#kept.drop(session.id, session);
  }
}

function refuseReplicas(replicas: number | undefined): void {
  if (replicas === undefined) return;
  throw misconfigured(
    "The memory store has no replicas to wait for; leave replicas out, or use redisStore. Nothing was ended",
  );
}
