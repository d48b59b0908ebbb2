import { bytesOf } from "../../shared/codec.ts";
import { misconfigured, tooLarge } from "../../shared/errors.ts";
import type { Command, Commanded, CommandStore } from "../commanding.ts";
import {
  type Change,
  type Changed,
  type Created,
  type EndAllOptions,
  type EndOptions,
  type FieldChanges,
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
import type { WalkableStore } from "../iterating.ts";
import { byDeadline, byLastSeen } from "../list-order.ts";
import type { DeclaredReference, RepairableStore, RepairOptions } from "../reindexing.ts";
import { command } from "./commands.ts";
import type { Bounds } from "./entries.ts";
import {
  absent,
  bytesAfter,
  changed,
  checkReferences,
  given,
  type Session,
  signedIn,
  signedOver,
  timesOf,
  weightAfter,
  weightOf,
  withKept,
} from "./entry.ts";
import { Keeper, type Life } from "./keeper.ts";
import { reindexKept } from "./reindex.ts";
import { type Turn, turnOf } from "./rotation.ts";

const PAGE_SESSIONS = 100;
const LIST_SESSIONS = 500;

/** Every method does its work in one synchronous run, which is what makes it atomic. */
export class MemoryStore implements CommandStore, RepairableStore, WalkableStore {
  readonly shards = 1;
  readonly #keeper: Keeper;

  constructor(bounds: Bounds, now: () => number) {
    this.#keeper = new Keeper(bounds, now);
  }

  async create(created: NewSession): Promise<Created> {
    const { id, fields, references } = created;
    const { kept } = this.#shelf.resolve(id);
    if (kept?.kind === "session") return { id, ...timesOf(kept) };
    checkReferences(null, references);
    return { id, ...timesOf(this.#keeper.make(id, fields, references, this.#lifeOf(created))) };
  }

  #lifeOf({
    idleTimeout,
    absoluteTimeout,
  }: Pick<NewSession, "idleTimeout" | "absoluteTimeout">): Life {
    return { idleTimeout, absoluteDeadline: this.#keeper.after(absoluteTimeout) };
  }

  async signIn(id: string, asked: SignIn): Promise<SignedIn> {
    const { identity, tombstone, maxBytes } = asked;
    const done = this.#shelf.live(asked.id);
    if (done?.kind === "session") return signedIn(done, true);
    const { kept, trail } = this.#shelf.resolve(id, MAX_RENEWALS);
    const old = kept?.kind === "session" ? kept : null;
    const { fields, references } = withKept(asked, trail.length > MAX_HOPS ? null : old);
    const bytes = bytesOf(fields);
    checkReferences(null, references);
    if (bytes > maxBytes) return { state: "too-large", bytes };
    const texts = references.map((one) => one.texts);
    this.#shelf.makeRoom(weightOf(fields, texts), old);
    const left = signedOver(old, identity, asked.references);
    if (old) this.#keeper.bury([old.id, ...trail], left, tombstone);
    else if (!kept) this.#keeper.bury([id], left, tombstone);
    return signedIn(
      this.#keeper.make(asked.id, fields, references, this.#lifeOf(asked)),
      old !== null,
    );
  }

  async find(id: string, { names, byName = false }: FindOptions = {}): Promise<Lookup> {
    const { kept } = this.#lookUp(id, byName, byName ? MAX_RENEWALS : MAX_HOPS);
    if (kept?.kind === "session") {
      return { state: "live", session: given(kept, names), now: this.#keeper.now() };
    }
    return absent(kept);
  }

  async change(id: string, change: Change): Promise<Changed> {
    const { rotation, where } = change;
    const done = rotation && this.#shelf.live(rotation.to);
    if (done?.kind === "session") return changed(done, true);
    const { kept: session, trail } = this.#shelf.resolve(id);
    if (session?.kind !== "session") return absent(session, change.references, rotation?.identity);
    if (where && !this.#keeper.sets.has(where, session)) return { state: "elsewhere" };
    return rotation
      ? this.#turn(session, trail, change, rotation)
      : this.#write(session, change, null);
  }

  /** A change that may give the session a new id, or put another in its place. */
  #turn(session: Session, trail: readonly string[], change: Change, rotation: Rotation): Changed {
    const { identity, tombstone } = rotation;
    const aliases = () => this.#shelf.aliasesOf(session);
    const turn = turnOf(session, trail, change, rotation, aliases);
    switch (turn) {
      case "alias":
      case "signs-in":
        return { state: turn };
      case "ended":
        this.#keeper.bury([session.id, ...trail], signedOver(session, identity, []), tombstone);
        return { state: turn };
      case "replaced":
        return this.#replace(session, trail, change, rotation);
      case "keeps its id":
        return this.#write(session, change, null);
      default:
        return this.#write(session, change, () => {
          this.#rotate(session, trail, turn, change, rotation);
        });
    }
  }

  #write(session: Session, change: Change, rotate: (() => void) | null): Changed {
    const life = { idleTimeout: change.idleTimeout, absoluteDeadline: null };
    return this.#keeper.write(session, change, life, rotate);
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
    this.#shelf.makeRoom(weightOf(fields, texts), session);
    this.#keeper.bury([session.id, ...trail], signedOver(session, identity, references), tombstone);
    const made = this.#keeper.make(to, fields, references, this.#lifeOf(replacement));
    return changed(made, true);
  }

  #rotate(
    session: Session,
    trail: readonly string[],
    turn: Extract<Turn, "renewed" | "renewed for good">,
    { references }: Change,
    { to, identity, grace, tombstone }: Rotation,
  ): void {
    const leavesAlias = turn === "renewed" && grace > 0;
    const ids = [session.id, ...trail];
    this.#keeper.move(session, to, leavesAlias ? this.#keeper.after(grace) : null);
    if (!leavesAlias) this.#keeper.bury(ids, signedOver(session, identity, references), tombstone);
  }

  async command(id: string, asked: Command): Promise<Commanded> {
    return command(this.#keeper, id, asked);
  }

  async end(id: string, options: EndOptions = {}): Promise<string | null> {
    const { byName = false, reference, tombstone, replicas } = options;
    refuseReplicas(replicas);
    const { kept: session, trail } = this.#lookUp(id, byName, MAX_RENEWALS);
    if (session?.kind !== "session") return null;
    if (reference && !this.#keeper.sets.has(reference, session)) return null;
    const { stays = 0, lineage = session.lineage } = tombstone ?? {};
    const left = lineage === session.lineage ? stays : 0;
    this.#keeper.bury(
      [session.id, ...trail],
      { by: "delete", hadIdentity: false, named: [] },
      left,
    );
    return session.lineage;
  }

  /** What an id leads to; by its name, a session is found by its lineage, too. */
  #lookUp(id: string, byName: boolean, hops: number) {
    const found = this.#shelf.resolve(id, hops);
    const session =
      byName && found.kept?.kind !== "session" ? this.#keeper.ofLineage(id) : undefined;
    if (!session || this.#shelf.live(session.id) !== session) return found;
    return { kept: session, trail: [] };
  }

  async count(reference: Reference): Promise<number> {
    const { length } = this.#members(reference);
    if (length === 0) this.#lookAlike(reference);
    return length;
  }

  async has(reference: Reference, id: string): Promise<boolean> {
    const { kept } = this.#lookUp(id, true, MAX_RENEWALS);
    return kept?.kind === "session" && this.#keeper.sets.has(reference, kept);
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
        .filter((session) => this.#shelf.live(session.id) === session)
        .filter((session) => this.#keeper.sets.has(reference, session))
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
      this.#shelf.makeRoom(weightAfter(session, changes), session);
      this.#keeper.apply(session, changes);
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
    for (const session of doomed) this.#shelf.drop(session.id);
    return doomed.length;
  }

  #lookAlike({ lookalike, ...reference }: Reference): void {
    if (lookalike && this.#members({ ...reference, ...lookalike }).length > 0) lookalike.tell();
  }

  async *walk(withFields: boolean): AsyncGenerator<StoredSession[], void> {
    const ids = this.#shelf.ids();
    for (let from = 0; from < ids.length; from += PAGE_SESSIONS) {
      const page = ids
        .slice(from, from + PAGE_SESSIONS)
        .map((id) => this.#shelf.live(id))
        .filter((kept) => kept?.kind === "session")
        .map((session) => given(session, withFields ? undefined : []));
      if (page.length > 0) yield page;
    }
  }

  reindex(references: readonly DeclaredReference[], options: RepairOptions) {
    return reindexKept(this.#shelf, this.#keeper.sets, references, options);
  }

  sessionKey(id: string): string {
    return `s:${id}`;
  }

  setKey({ field, text }: Reference): string {
    return `r:${encodeURIComponent(field)}:${encodeURIComponent(text)}`;
  }

  async close(): Promise<void> {
    this.#keeper.clear();
  }

  #members(reference: Reference): Session[] {
    return this.#keeper.sets
      .members(reference)
      .filter((session) => this.#shelf.live(session.id) === session);
  }

  get #shelf() {
    return this.#keeper.shelf;
  }
}

function refuseReplicas(replicas: number | undefined): void {
  if (replicas === undefined) return;
  throw misconfigured(
    "The memory store has no replicas to wait for; leave replicas out, or use redisStore. Nothing was ended",
    { option: "replicas" },
  );
}
