import { countBytes } from "../../shared/codec.ts";
import { createConfigError, createTooLargeError } from "../../shared/errors.ts";
import type { Command, Commanded, CommandStore } from "../commanding.ts";
import {
  type Change,
  type Changed,
  type Created,
  type EndAllOptions,
  type EndOptions,
  type FieldChanges,
  type FieldReferences,
  type FindOptions,
  type Lookup,
  MAX_HOPS,
  MAX_RENEWALS,
  type NewSession,
  type Reference,
  type Rotation,
  type SignedIn,
  type SignIn,
  type StoredSession,
  type TrimOptions,
} from "../contract.ts";
import type { Refused } from "../entering.ts";
import type { FeedListener, FeedStore } from "../feed.ts";
import type { IterableStore } from "../iterating.ts";
import {
  byDeadline,
  byLastSeen,
  type ListOptions,
  MAX_LIST_LIMIT,
  MAX_PAGE_SESSIONS,
  type PageOptions,
} from "../listing.ts";
import type { DeclaredReference, ReindexableStore, StoreReindexOptions } from "../reindexing.ts";
import { isTouchDue } from "../touch-delay.ts";
import { applyCommand } from "./commands.ts";
import type { MemoryLimits } from "./entries.ts";
import {
  checkReferences,
  countBytesAfter,
  describeReplacement,
  describeSuperseded,
  estimateBytes,
  estimateBytesAfter,
  mergeKept,
  type Session,
  toAbsent,
  toChanged,
  toSignedIn,
  toStoredSession,
  toTimes,
} from "./entry.ts";
import { type Clock, Keeper } from "./keeper.ts";
import { checkLimitsOfAll, compareAges, type Entering, planRoom, type Room } from "./limits.ts";
import { reindexEntries } from "./reindex.ts";
import { decideRotation, type RotationOutcome } from "./rotation.ts";

/** Every method does its work in one synchronous run, which makes it atomic. */
export class MemoryStore implements CommandStore, ReindexableStore, IterableStore, FeedStore {
  readonly shards = 1;
  readonly #keeper: Keeper;

  constructor(limits: MemoryLimits, clock: Clock) {
    this.#keeper = new Keeper(limits, clock);
  }

  async create(created: NewSession): Promise<Created | Refused> {
    const { id, fields, references, asOf } = created;
    const { entry } = this.#entries.resolve(id);
    if (entry?.kind === "session") return { state: "created", id, ...toTimes(entry) };
    checkReferences(null, references);
    if (this.#keeper.clearings.wasCleared(asOf, references)) return { state: "cleared" };
    const room = this.#planRoom(references);
    if ("state" in room) return room;
    const made = this.#keeper.createSession(id, fields, references, created, room.doomed);
    return { state: "created", id, ...toTimes(made) };
  }

  async signIn(id: string, asked: SignIn): Promise<SignedIn> {
    const { identity, tombstone, maxBytes, cause } = asked;
    const done = this.#entries.find(asked.id);
    if (done?.kind === "session") return toSignedIn(done, { ended: true });
    const { entry, trail } = this.#entries.resolve(id, MAX_RENEWALS);
    const old = entry?.kind === "session" ? entry : null;
    const { fields, references } = mergeKept(asked, trail.length > MAX_HOPS ? null : old);
    const bytes = countBytes(fields);
    checkReferences(null, references);
    if (this.#keeper.clearings.wasCleared(asked.asOf, references)) return { state: "cleared" };
    const leaving = this.#listLeaving(asked.leaving, old);
    const room = this.#planRoom(asked.references, { leaving });
    if ("state" in room) return room;
    if (bytes > maxBytes) return { state: "too-large", bytes };
    const texts = references.map((one) => one.texts);
    this.#keeper.makeRoom(estimateBytes(fields, texts), old ? [old, ...room.doomed] : room.doomed);
    const left = describeSuperseded(old, identity, asked.references);
    const kind = { how: describeReplacement(identity, asked.references), cause };
    if (old) this.#keeper.endSession(old, trail, kind, left, tombstone);
    else if (!entry) this.#keeper.leaveTombstones([id], left, tombstone);
    const made = this.#keeper.createSession(asked.id, fields, references, asked, room.doomed);
    return toSignedIn(made, { ended: old !== null });
  }

  async find(id: string, { names, byName = false }: FindOptions = {}): Promise<Lookup> {
    const { entry } = this.#resolve(id, byName ? MAX_RENEWALS : MAX_HOPS, { byName });
    if (entry?.kind === "session") {
      return { state: "live", session: toStoredSession(entry, names), now: this.#keeper.now() };
    }
    return toAbsent(entry);
  }

  async change(id: string, change: Change): Promise<Changed> {
    const { rotation, where } = change;
    const done = rotation && this.#entries.find(rotation.to);
    if (done?.kind === "session") return toChanged(done, { rotated: true });
    const { entry: session, trail } = this.#entries.resolve(id);
    if (session?.kind !== "session")
      return toAbsent(session, change.references, rotation?.identity);
    if (where && !this.#keeper.sets.has(where, session)) return { state: "elsewhere" };
    if (this.#keeper.clearings.wasCleared(rotation?.asOf, change.references)) {
      return { state: "cleared" };
    }
    return rotation
      ? this.#rotate(session, trail, change, rotation)
      : this.#write(session, change, null);
  }

  /** Makes a change that may give the session a new id, or replace it. */
  #rotate(session: Session, trail: readonly string[], change: Change, rotation: Rotation): Changed {
    const { identity, tombstone, cause } = rotation;
    const countAliases = () => this.#entries.countAliases(session);
    const outcome = decideRotation(session, trail, change, rotation, countAliases);
    switch (outcome) {
      case "alias":
      case "signs-in":
        return { state: outcome };
      case "ended":
        this.#keeper.endSession(
          session,
          trail,
          { how: "delete", cause },
          describeSuperseded(session, identity, []),
          tombstone,
        );
        return { state: outcome };
      case "replaced":
        return this.#replace(session, trail, change, rotation);
      case "keeps its id":
        return this.#write(session, change, null);
      default:
        return this.#write(session, change, () => {
          this.#assignId(session, trail, outcome, change, rotation);
        });
    }
  }

  #write(session: Session, change: Change, rotate: (() => void) | null): Changed {
    const room = this.#planRoom(change.references, { own: session });
    if ("state" in room) return room;
    const { idleTimeout, set, unset } = change;
    const writesFields = set.size + unset.length > 0;
    const isPlain = rotate === null && idleTimeout === null && writesFields;
    const pushes = !isPlain || isTouchDue({ session, now: this.#keeper.now() });
    const lifetime = { idleTimeout, absoluteDeadline: null, pushes };
    return this.#keeper.writeChanges(session, change, lifetime, rotate, room.doomed);
  }

  /** Replaces a session that isn't the same user's by one with the change's fields alone. */
  #replace(
    session: Session,
    trail: readonly string[],
    { set, references, maxBytes }: Change,
    { to, identity, tombstone, replacement, leaving, cause }: Rotation,
  ): Changed {
    const room = this.#planRoom(references, { leaving: this.#listLeaving(leaving, session) });
    if ("state" in room) return room;
    const fields = new Map([...set].filter(([name]) => !replacement.without.includes(name)));
    const bytes = countBytes(fields);
    if (bytes > maxBytes) return { state: "too-large", bytes };
    const texts = references.map((one) => one.texts);
    this.#keeper.makeRoom(estimateBytes(fields, texts), [session, ...room.doomed]);
    this.#keeper.endSession(
      session,
      trail,
      { how: describeReplacement(identity, references), cause },
      describeSuperseded(session, identity, references),
      tombstone,
    );
    const made = this.#keeper.createSession(to, fields, references, replacement, room.doomed);
    return toChanged(made, { rotated: true });
  }

  #assignId(
    session: Session,
    trail: readonly string[],
    outcome: Extract<RotationOutcome, "renewed" | "renewed for good">,
    { references }: Change,
    { to, identity, grace, tombstone }: Rotation,
  ): void {
    const leavesAlias = outcome === "renewed" && grace > 0;
    const ids = [session.id, ...trail];
    this.#keeper.changeId(session, to, leavesAlias ? this.#keeper.toDeadline(grace) : null);
    if (!leavesAlias)
      this.#keeper.leaveTombstones(
        ids,
        describeSuperseded(session, identity, references),
        tombstone,
      );
  }

  async command(id: string, asked: Command): Promise<Commanded> {
    return applyCommand(this.#keeper, id, asked, (session) =>
      this.#planRoom(asked.references, { own: session }),
    );
  }

  async end(id: string, options: EndOptions = {}): Promise<string | null> {
    const { byName = false, reference, tombstone, replicas, cause } = options;
    refuseReplicas(replicas);
    const { entry: session, trail } = this.#resolve(id, MAX_RENEWALS, { byName });
    if (session?.kind !== "session") return null;
    if (reference && !this.#keeper.sets.has(reference, session)) return null;
    const { stays = 0, lineage = session.lineage } = tombstone ?? {};
    const left = lineage === session.lineage ? stays : 0;
    this.#keeper.endSession(
      session,
      trail,
      { how: "delete", cause },
      { by: "delete", hadIdentity: false, named: [] },
      left,
    );
    return session.lineage;
  }

  /** The entry that an id leads to; with `byName`, also the session that a lineage leads to. */
  #resolve(id: string, maxHops: number, { byName }: { readonly byName: boolean }) {
    const found = this.#entries.resolve(id, maxHops);
    const session =
      byName && found.entry?.kind !== "session" ? this.#keeper.findByLineage(id) : undefined;
    if (!session || this.#entries.find(session.id) !== session) return found;
    return { entry: session, trail: [] };
  }

  async count(reference: Reference): Promise<number> {
    const { length } = this.#select(reference);
    if (length === 0) this.#checkLookalike(reference);
    return length;
  }

  async has(reference: Reference, id: string): Promise<boolean> {
    const { entry } = this.#resolve(id, MAX_RENEWALS, { byName: true });
    return entry?.kind === "session" && this.#keeper.sets.has(reference, entry);
  }

  async list(
    reference: Reference,
    { limit, order, after = null }: ListOptions,
  ): Promise<StoredSession[]> {
    const members = this.#select(reference);
    if (members.length === 0 && after === null) this.#checkLookalike(reference);
    const ordered = members
      .filter((session) => after === null || byDeadline(after, session) < 0)
      .sort(byDeadline);
    const listed =
      order === "deadline"
        ? ordered
        : ordered
            .slice(0, MAX_LIST_LIMIT)
            .sort((a, b) => byLastSeen(a, b) || b.lastUse - a.lastUse);
    return listed.slice(0, limit).map((session) => toStoredSession(session));
  }

  async *pages(
    reference: Reference,
    { withFields = false }: PageOptions = {},
  ): AsyncGenerator<StoredSession[]> {
    const names = withFields ? undefined : [];
    const members = this.#select(reference);
    for (let from = 0; from < members.length; from += MAX_PAGE_SESSIONS) {
      const page = members
        .slice(from, from + MAX_PAGE_SESSIONS)
        .filter((session) => this.#entries.find(session.id) === session)
        .filter((session) => this.#keeper.sets.has(reference, session))
        .map((session) => toStoredSession(session, names));
      if (page.length > 0) yield page;
    }
  }

  async changeAll(reference: Reference, changes: FieldChanges): Promise<number> {
    const members = this.#select(reference);
    checkLimitsOfAll(members, changes.references, (one) => this.#select(one));
    for (const session of members) {
      checkReferences(session, changes.references);
      const bytes = countBytesAfter(session, changes);
      if (bytes > changes.maxBytes) throw createTooLargeError(bytes, changes.maxBytes);
    }
    let changed = 0;
    for (const session of members) {
      // Another one that grew may have pushed it out.
      if (this.#entries.find(session.id) !== session) continue;
      this.#keeper.makeRoom(estimateBytesAfter(session, changes), [session]);
      this.#keeper.applyChanges(session, changes);
      changed++;
    }
    return changed;
  }

  async endAll(reference: Reference, options: EndAllOptions = {}): Promise<number> {
    const { except = null, leavesMark = true, replicas, cause } = options;
    refuseReplicas(replicas);
    const members = this.#select(reference);
    if (members.length === 0) this.#checkLookalike(reference);
    const spared =
      except === null ? undefined : this.#resolve(except, MAX_RENEWALS, { byName: true }).entry;
    const doomed = members.filter((session) => session !== spared);
    this.#keeper.endSessions(doomed, { how: "clear", cause });
    if (leavesMark) this.#keeper.clearings.add(reference);
    return doomed.length;
  }

  async trim(
    reference: Reference,
    keep: number,
    { replicas, cause }: TrimOptions = {},
  ): Promise<number> {
    refuseReplicas(replicas);
    const doomed = this.#select(reference).sort(compareAges).slice(0, -keep);
    this.#keeper.endSessions(doomed, { how: "trim", cause });
    return doomed.length;
  }

  #planRoom(references: readonly FieldReferences[], sessions?: Entering): Room {
    return planRoom(references, (reference) => this.#select(reference), sessions);
  }

  /** The session that is replaced, and those that these ids lead to. */
  #listLeaving(ids: readonly string[] = [], replaced: Session | null): Session[] {
    const others = ids.map((id) => this.#entries.resolve(id, MAX_RENEWALS).entry);
    return [replaced, ...others].filter((entry) => entry?.kind === "session");
  }

  #checkLookalike({ lookalike, ...reference }: Reference): void {
    if (lookalike && this.#select({ ...reference, ...lookalike }).length > 0) lookalike.onFound();
  }

  async *iterate({ withFields = false }: PageOptions = {}): AsyncGenerator<StoredSession[], void> {
    const ids = this.#entries.listIds();
    for (let from = 0; from < ids.length; from += MAX_PAGE_SESSIONS) {
      const page = ids
        .slice(from, from + MAX_PAGE_SESSIONS)
        .map((id) => this.#entries.find(id))
        .filter((kept) => kept?.kind === "session")
        .map((session) => toStoredSession(session, withFields ? undefined : []));
      if (page.length > 0) yield page;
    }
  }

  reindex(references: readonly DeclaredReference[], options: StoreReindexOptions) {
    return reindexEntries(this.#entries, this.#keeper.sets, references, options);
  }

  async subscribe(_id: string | null, listener: FeedListener): Promise<() => Promise<void>> {
    const stop = this.#keeper.feed.subscribe(listener);
    return async () => stop();
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

  #select(reference: Reference): Session[] {
    return this.#keeper.sets
      .listMembers(reference)
      .filter((session) => this.#entries.find(session.id) === session);
  }

  get #entries() {
    return this.#keeper.entries;
  }
}

function refuseReplicas(replicas: number | undefined): void {
  if (replicas === undefined) return;
  throw createConfigError(
    "The memory store has no replicas to wait for; leave replicas out, or use redisStore. Nothing was ended",
    { option: "replicas" },
  );
}
