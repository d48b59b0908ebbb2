import { bytesOf } from "../../shared/codec.ts";
import { misconfigured, tooLarge } from "../../shared/errors.ts";
import {
  type Change,
  type Changed,
  type Created,
  type EndAllOptions,
  type EndOptions,
  type FieldChanges,
  type FieldReferences,
  type Fields,
  type FindOptions,
  type ListOptions,
  type Lookup,
  MAX_HOPS,
  MAX_RENEWALS,
  type NewSession,
  type Reference,
  type Rotation,
  type SignedIn,
  type SignIn,
  type StoredSession,
} from "../contract.ts";
import { byDeadline, byLastSeen } from "../list-order.ts";
import type { DeclaredReference, RepairableStore, RepairOptions } from "../repair.ts";
import type { WalkableStore } from "../walk.ts";
import { type Bounds, Shelf } from "./entries.ts";
import {
  type Alias,
  absent,
  absoluteDeadlineOf,
  bytesAfter,
  changed,
  checkReferences,
  given,
  keepOwner,
  moveDeadlines,
  replacing,
  type Session,
  signedIn,
  signedOver,
  slide,
  type Tombstone,
  timesOf,
  weightAfter,
  weightOf,
  withKept,
} from "./entry.ts";
import { reindexKept } from "./reindex.ts";
import { type Turn, turnOf } from "./rotation.ts";
import { SessionSets } from "./session-sets.ts";

const PAGE_SESSIONS = 100;
const LIST_SESSIONS = 500;

/** Every method does its work in one synchronous run, which is what makes it atomic. */
export class MemoryStore implements RepairableStore, WalkableStore {
  readonly shards = 1;
  readonly #now: () => number;
  readonly #sets = new SessionSets();
  /** The sessions that were rotated, by their first ids. */
  readonly #lineages = new Map<string, Session>();
  readonly #kept: Shelf;

  constructor(bounds: Bounds, now: () => number) {
    this.#now = now;
    this.#kept = new Shelf(bounds, now, (session) => this.#forget(session));
  }

  async create(created: NewSession): Promise<Created> {
    const { id } = created;
    const { kept } = this.#kept.resolve(id);
    if (kept?.kind === "session") return { id, ...timesOf(kept) };
    checkReferences(null, created.references);
    return { id, ...timesOf(this.#make(created, created.fields, created.references)) };
  }

  #make(made: NewSession, fields: Fields, references: readonly FieldReferences[]): Session {
    const texts = references.map((one) => one.texts);
    this.#kept.makeRoom(weightOf(fields, texts), null);
    const now = this.#now();
    const session: Session = {
      kind: "session",
      id: made.id,
      lineage: made.id,
      previous: null,
      fields: new Map(fields),
      bytes: 0,
      identities: new Set(),
      references: new Map(),
      createdAt: now,
      lastSeenAt: now,
      lastUse: 0,
      idleTimeout: made.idleTimeout,
      absoluteDeadline: absoluteDeadlineOf(made, now) ?? null,
      expiresAt: 0,
    };
    slide(session, now);
    if (session.expiresAt < now) return session;
    this.#refer(session, references);
    session.bytes = weightOf(session.fields, session.references.values());
    this.#kept.put(session);
    return session;
  }

  async signIn(id: string, asked: SignIn): Promise<SignedIn> {
    const { identity, tombstone, maxBytes } = asked;
    const done = this.#kept.live(asked.id);
    if (done?.kind === "session") return signedIn(done, true);
    const { kept, trail } = this.#kept.resolve(id, MAX_RENEWALS);
    const old = kept?.kind === "session" ? kept : null;
    const { fields, references } = withKept(asked, trail.length > MAX_HOPS ? null : old);
    const bytes = bytesOf(fields);
    checkReferences(null, references);
    if (bytes > maxBytes) return { state: "too-large", bytes };
    const texts = references.map((one) => one.texts);
    this.#kept.makeRoom(weightOf(fields, texts), old);
    const left = signedOver(old, identity, asked.references);
    if (old) this.#bury([old.id, ...trail], left, tombstone);
    else if (!kept) this.#bury([id], left, tombstone);
    return signedIn(this.#make(asked, fields, references), old !== null);
  }

  async find(id: string, { names, byName = false }: FindOptions = {}): Promise<Lookup> {
    const { kept } = this.#lookUp(id, byName, byName ? MAX_RENEWALS : MAX_HOPS);
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
    return rotation
      ? this.#turn(session, trail, change, rotation)
      : this.#write(session, change, () => false);
  }

  /** A change that may give the session a new id, or put another in its place. */
  #turn(session: Session, trail: readonly string[], change: Change, rotation: Rotation): Changed {
    const { identity, tombstone } = rotation;
    const aliases = () => this.#kept.aliasesOf(session);
    const turn = turnOf(session, trail, change, rotation, aliases);
    switch (turn) {
      case "alias":
      case "signs-in":
        return { state: turn };
      case "ended":
        this.#bury([session.id, ...trail], signedOver(session, identity, []), tombstone);
        return { state: turn };
      case "replaced":
        return this.#replace(session, trail, change, rotation);
      case "keeps its id":
        return this.#write(session, change, () => false);
      default:
        return this.#write(session, change, () => {
          this.#rotate(session, trail, turn, change, rotation);
          return true;
        });
    }
  }

  #write(session: Session, change: Change, rotate: () => boolean): Changed {
    checkReferences(session, change.references);
    const bytes = bytesAfter(session, change);
    if (bytes > change.maxBytes) return { state: "too-large", bytes };
    this.#kept.makeRoom(weightAfter(session, change), session);
    const rotated = rotate();
    this.#apply(session, change);
    const now = this.#now();
    moveDeadlines(session, change, now);
    this.#kept.noteExpiry(session);
    if (session.expiresAt < now) this.#end(session);
    return changed(session, rotated);
  }

  async #createIfAsked(
    id: string,
    kept: Alias | Tombstone | undefined,
    change: Change,
  ): Promise<Changed> {
    const ended = kept?.kind === "tombstone" && kept.by === "delete";
    if (!change.create || (kept && !(ended && change.create === "anew"))) {
      return absent(kept, change);
    }
    const bytes = bytesOf(change.set);
    if (bytes > change.maxBytes) return { state: "too-large", bytes };
    const { set: fields, absoluteTimeout = null } = change;
    const times = await this.create({ ...change, id, fields, absoluteTimeout });
    return { state: "changed", id, lineage: id, rotated: false, times, fields: null };
  }

  /** Puts a session of the change alone in the place of one that is not the same user's. */
  #replace(
    session: Session,
    trail: readonly string[],
    { set, references, maxBytes }: Change,
    { to, identity, tombstone, replacement }: Rotation,
  ): Changed {
    const fields = new Map([...set].filter(([name]) => !replacement.without.includes(name)));
    const bytes = bytesOf(fields);
    if (bytes > maxBytes) return { state: "too-large", bytes };
    const texts = references.map((one) => one.texts);
    this.#kept.makeRoom(weightOf(fields, texts), session);
    this.#bury([session.id, ...trail], signedOver(session, identity, references), tombstone);
    const made = { id: to, fields, references, ...replacement };
    return changed(this.#make(made, fields, references), true);
  }

  #rotate(
    session: Session,
    trail: readonly string[],
    turn: Extract<Turn, "renewed" | "renewed for good">,
    { references }: Change,
    { to, identity, grace, tombstone }: Rotation,
  ): void {
    const { id, previous } = session;
    const leavesAlias = turn === "renewed" && grace > 0;
    this.#kept.move(session, to);
    if (leavesAlias) {
      const expiresAt = this.#now() + grace;
      this.#kept.leave(id, { kind: "alias", target: to, previous, expiresAt });
    } else {
      this.#bury([id, ...trail], signedOver(session, identity, references), tombstone);
    }
    session.previous = leavesAlias ? id : null;
    this.#lineages.set(session.lineage, session);
  }

  async end(id: string, options: EndOptions = {}): Promise<string | null> {
    const { byName = false, reference, tombstone, replicas } = options;
    refuseReplicas(replicas);
    const { kept: session, trail } = this.#lookUp(id, byName, MAX_RENEWALS);
    if (session?.kind !== "session") return null;
    if (reference && !this.#sets.has(reference, session)) return null;
    const { stays = 0, lineage = session.lineage } = tombstone ?? {};
    const left = lineage === session.lineage ? stays : 0;
    this.#bury([session.id, ...trail], { by: "delete", hadIdentity: false, named: [] }, left);
    return session.lineage;
  }

  /** What an id leads to; by its name, a session is found by its lineage, too. */
  #lookUp(id: string, byName: boolean, hops: number) {
    const found = this.#kept.resolve(id, hops);
    const session = byName && found.kept?.kind !== "session" ? this.#lineages.get(id) : undefined;
    if (!session || this.#kept.live(session.id) !== session) return found;
    return { kept: session, trail: [] };
  }

  /** Leaves nothing at these ids but, for `stays` ms, tombstones. */
  #bury(
    ids: readonly string[],
    what: Pick<Tombstone, "by" | "hadIdentity" | "named">,
    stays: number,
  ): void {
    const expiresAt = this.#now() + stays;
    for (const id of ids) {
      this.#kept.drop(id);
      if (stays > 0) this.#kept.leave(id, { kind: "tombstone", ...what, expiresAt });
    }
  }

  async count(reference: Reference): Promise<number> {
    const { length } = this.#members(reference);
    if (length === 0) this.#lookAlike(reference);
    return length;
  }

  async has(reference: Reference, id: string): Promise<boolean> {
    const { kept } = this.#lookUp(id, true, MAX_RENEWALS);
    return kept?.kind === "session" && this.#sets.has(reference, kept);
  }

  async list(
    reference: Reference,
    { limit, order, after = null }: ListOptions,
  ): Promise<StoredSession[]> {
    const members = this.#members(reference);
    if (members.length === 0 && after === null) this.#lookAlike(reference);
    const ordered = members
      .filter((session) => after === null || byDeadline(after, session) < 0)
      .sort(byDeadline);
    const listed =
      order === "deadline"
        ? ordered
        : ordered.slice(0, LIST_SESSIONS).sort((a, b) => byLastSeen(a, b) || b.lastUse - a.lastUse);
    return listed.slice(0, limit).map((session) => given(session));
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
      checkReferences(session, changes.references);
      const bytes = bytesAfter(session, changes);
      if (bytes > changes.maxBytes) throw tooLarge(bytes, changes.maxBytes);
    }
    for (const session of members) {
      this.#kept.makeRoom(weightAfter(session, changes), session);
      this.#apply(session, changes);
    }
    return members.length;
  }

  async endAll(reference: Reference, options: EndAllOptions = {}): Promise<number> {
    const { except = null, replicas } = options;
    refuseReplicas(replicas);
    const members = this.#members(reference);
    if (members.length === 0) this.#lookAlike(reference);
    const spared = except === null ? undefined : this.#lookUp(except, true, MAX_RENEWALS).kept;
    const doomed = members.filter((session) => session !== spared);
    for (const session of doomed) this.#end(session);
    return doomed.length;
  }

  #lookAlike({ lookalike, ...reference }: Reference): void {
    if (lookalike && this.#members({ ...reference, ...lookalike }).length > 0) lookalike.tell();
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
    this.#lineages.clear();
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
    this.#kept.weigh(session, weightOf(session.fields, session.references.values()));
  }

  #refer(session: Session, references: readonly FieldReferences[]): void {
    for (const { field, texts, identity = false } of references) {
      this.#sets.place(session, field, texts);
      keepOwner(session, field, identity ? texts : []);
    }
  }

  #end(session: Session): void {
    this.#kept.drop(session.id);
  }

  #forget(session: Session): void {
    this.#sets.remove(session);
    this.#lineages.delete(session.lineage);
  }
}

function refuseReplicas(replicas: number | undefined): void {
  if (replicas === undefined) return;
  throw misconfigured(
    "The memory store has no replicas to wait for; leave replicas out, or use redisStore. Nothing was ended",
    { option: "replicas" },
  );
}
