/*
 * Sessions in the plainest words: records that are found by looking at all of them. The
 * library's own answer to each question is compared with this one's.
 */

export type Data = Record<string, unknown>;

/** From one moment to another, both included: between them something happened on the store. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The entry at an id. */
export type Place = ModelSession | Alias | Tombstone;

export interface ModelSession {
  readonly kind: "session";
  id: string;
  /** Its first id. */
  readonly lineage: string;
  /** The id before this one, if an alias was left there. */
  previous: string | null;
  data: Data;
  readonly createdAt: number;
  /** When it was created, more exactly: of two sessions the one with the lower number is older. */
  readonly birth: number;
  readonly absoluteDeadline: number | null;
  idleTimeout: number | null;
  /** When it may have been seen last: one of these spans, until `learn` tells the moment. */
  seen: readonly Span[];
}

/** A session that was just made. */
export type NewModelSession = Omit<ModelSession, "kind" | "lineage" | "previous">;

/** What ends a session, as a store tells it. */
export interface EndingKind {
  readonly how: "delete" | "clear" | "trim" | "limit" | "sign-in";
  readonly initiator: string | null;
  readonly reason: string | null;
}

/** What the store tells about a session: that it has ended, or has another id. */
export type Told =
  | ({ readonly type: "ended"; readonly id: string; readonly lineage: string } & EndingKind)
  | {
      readonly type: "rotated";
      readonly from: string;
      readonly to: string;
      readonly lineage: string;
    };

export interface Alias {
  readonly kind: "alias";
  readonly target: string;
  /** The id before this one, if there was an alias when this one was left. */
  readonly previous: string | null;
  readonly expires: Span;
}

export interface Tombstone {
  readonly kind: "tombstone";
  /** Of a sign-in: whether the session had a user. Sessions without a request leave no other one. */
  readonly says: "0" | "1";
  readonly expires: Span;
}

/** The set of the sessions whose field has this value, alone or as an element. */
export interface Of {
  readonly field: string;
  readonly value: string | number | boolean;
}

/**
 * The outcome for a session that is to be rotated: nothing, or it ends; it is renewed, leaving an
 * alias or, for good, none; or another one takes its place.
 */
export type RotationOutcome = "nothing" | "ended" | "renewed" | "renewed for good" | "replaced";

/** Over how many aliases an id is a way in. */
const MAX_HOPS = 3;
/** How many aliases lead to one session, one after the other; endings follow them all. */
export const MAX_ALIASES = 32;

export class Model {
  readonly places = new Map<string, Place>();
  /** What a listener should have been told since this was last emptied. */
  readonly told: Told[] = [];
  /** The field that says who the user is. */
  readonly #identity: string;
  /** How long tombstones stay; 0: there are none. */
  readonly #tombstone: number;

  constructor(identity: string, tombstone: number) {
    this.#identity = identity;
    this.#tombstone = tombstone;
  }

  get sessions(): ModelSession[] {
    return [...this.places.values()].filter((place) => place.kind === "session");
  }

  members(of: Of): ModelSession[] {
    return this.sessions.filter(({ data }) => listValues(data[of.field]).includes(of.value));
  }

  /** The entry that an id leads to over at most this many aliases, and the ids of those on the way. */
  resolve(id: string, hops = MAX_HOPS): { session: ModelSession | undefined; trail: string[] } {
    const trail: string[] = [];
    let at = id;
    for (;;) {
      const place = this.places.get(at);
      if (place?.kind === "session") return { session: place, trail };
      if (place?.kind !== "alias" || trail.length === hops) return { session: undefined, trail };
      trail.push(at);
      at = place.target;
    }
  }

  /** The session that a token of this id leads to. */
  live(id: string): ModelSession | undefined {
    return this.resolve(id).session;
  }

  /** The session that a name means: an id, over at most this many aliases, or a lineage. */
  named(name: string, hops = MAX_ALIASES): ModelSession | undefined {
    const { session } = this.resolve(name, hops);
    return session ?? this.sessions.find(({ lineage }) => lineage === name);
  }

  create(session: NewModelSession): void {
    this.places.set(session.id, {
      kind: "session",
      ...session,
      lineage: session.id,
      previous: null,
      data: copy(session.data),
    });
  }

  set(session: ModelSession, values: Data): void {
    session.data = { ...session.data, ...copy(values) };
  }

  unset(session: ModelSession, fields: readonly string[]): void {
    const kept = Object.entries(session.data).filter(([field]) => !fields.includes(field));
    session.data = Object.fromEntries(kept);
  }

  see(session: ModelSession, when: Span): void {
    session.seen = [when];
  }

  /** A write to fields counts as use after a twentieth of the idle timeout, or a minute. */
  write(session: ModelSession, when: Span): void {
    const delay = Math.min((session.idleTimeout ?? Number.POSITIVE_INFINITY) / 20, 60_000);
    const mayBeUse = session.seen.some(({ from }) => when.to - from >= delay);
    const mayBeNone = session.seen.filter(({ to }) => when.from - to < delay);
    session.seen = mayBeUse ? [...mayBeNone, when] : mayBeNone;
  }

  /** The outcome of a rotation with these values through `id`. */
  decideRotation(id: string, values: Data, grace: number): RotationOutcome {
    const { session, trail } = this.resolve(id);
    if (!session) return "nothing";
    const owner = this.#owner(session, values);
    if (owner === "nobody" || owner === "another") return "replaced";
    if (owner === "same") return "renewed for good";
    if (trail.length > 0) return grace === 0 ? "ended" : "nothing";
    if (this.#countAliases(session) >= MAX_ALIASES) return "nothing";
    return grace === 0 ? "renewed for good" : "renewed";
  }

  /** Gives what `id` leads to another id, `turn` having said so. */
  rotate(id: string, to: string, values: Data, grace: number, when: Span): void {
    const turn = this.decideRotation(id, values, grace);
    const { session, trail } = this.resolve(id);
    if (!session || !turn.startsWith("renewed")) throw new Error("no session to rotate");
    if (turn === "renewed") {
      const expires = { from: when.from + grace, to: when.to + grace };
      const previous = this.#aliasBefore(session)?.id ?? null;
      this.places.set(session.id, { kind: "alias", target: to, previous, expires });
      session.previous = session.id;
    } else {
      this.#putTombstones(session, [session.id, ...trail], when);
      session.previous = null;
    }
    this.told.push({ type: "rotated", from: session.id, to, lineage: session.lineage });
    session.id = to;
    this.places.set(to, session);
    this.set(session, values);
    this.see(session, when);
  }

  /** The fields that a sign-in through `id` keeps of the old session. */
  kept(id: string, values: Data, keep: readonly string[]): Data {
    const { session } = this.resolve(id);
    if (!session || this.#owner(session, values) === "another") return {};
    const given = copy(values);
    const wanted = keep.filter(
      (field) => Object.hasOwn(session.data, field) && !Object.hasOwn(given, field),
    );
    return Object.fromEntries(wanted.map((field) => [field, session.data[field]]));
  }

  /** The fields of a session that a rotation puts in place of another: no user that signs out. */
  replacing(values: Data): Data {
    const { [this.#identity]: _, ...others } = copy(values);
    return this.namesUser(values) ? copy(values) : others;
  }

  /** Ends what `id` leads to, over all aliases, for a session that takes its place. */
  supersede(id: string, when: Span, kind: EndingKind): void {
    const { session, trail } = this.resolve(id, MAX_ALIASES);
    if (session) this.#tellEnded(session, kind);
    if (session) this.#putTombstones(session, [session.id, ...trail], when);
    else if (!this.#hasTombstone(id)) this.#leave(id, "0", when);
  }

  #putTombstones(session: ModelSession, ids: readonly string[], when: Span): void {
    const hadIdentity = listValues(session.data[this.#identity]).length > 0;
    for (const id of ids) this.#leave(id, hadIdentity ? "1" : "0", when);
  }

  #leave(id: string, says: Tombstone["says"], { from, to }: Span): void {
    this.places.delete(id);
    if (this.#tombstone === 0) return;
    const expires = { from: from + this.#tombstone, to: to + this.#tombstone };
    this.places.set(id, { kind: "tombstone", says, expires });
  }

  /** Whether a tombstone tells already that nothing is there. */
  #hasTombstone(id: string): boolean {
    for (let place = this.places.get(id); ; place = this.places.get(place.target)) {
      if (place?.kind !== "alias") return place?.kind === "tombstone";
    }
  }

  #countAliases(session: ModelSession): number {
    let count = 0;
    for (let alias = this.#aliasBefore(session); alias; alias = this.#aliasBefore(alias.place)) {
      count++;
    }
    return count;
  }

  #aliasBefore({ previous }: ModelSession | Alias) {
    const place = previous === null ? undefined : this.places.get(previous);
    return place?.kind === "alias" && previous !== null ? { id: previous, place } : undefined;
  }

  /** Whether a session that signs in with these values has a user. */
  namesUser(values: Data): boolean {
    return listValues(copy(values)[this.#identity]).length > 0;
  }

  /** Whose a session is that the values name a user for; null where they name none. */
  #owner(session: ModelSession, values: Data): "same" | "nobody" | "another" | null {
    const value = copy(values)[this.#identity];
    if (value === undefined) return null;
    const [before, after] = [listValues(session.data[this.#identity]), listValues(value)];
    if (before.length === 0) return after.length === 0 ? null : "nobody";
    return after.some((one) => before.includes(one)) ? "same" : "another";
  }

  /** Ends what a token of this id leads to, with the aliases on the way; whether there was one. */
  end(id: string, kind: EndingKind): boolean {
    const { session, trail } = this.resolve(id, MAX_ALIASES);
    if (!session) return false;
    this.#tellEnded(session, kind);
    for (const gone of [session.id, ...trail]) this.places.delete(gone);
    return true;
  }

  /** Ends the session that a name means; whether there was one. */
  endNamed(name: string, kind: EndingKind): boolean {
    return this.end(name, kind) || this.end(this.named(name)?.id ?? name, kind);
  }

  #tellEnded({ id, lineage }: ModelSession, kind: EndingKind): void {
    this.told.push({ type: "ended", id, lineage, ...kind });
  }

  /** The spans in which the place's deadline may be. */
  deadlines(place: Place): Span[] {
    if (place.kind !== "session") return [place.expires];
    const { idleTimeout, absoluteDeadline, seen } = place;
    const deadline = (lastSeenAt: number) =>
      Math.min(
        idleTimeout === null ? Number.POSITIVE_INFINITY : lastSeenAt + idleTimeout,
        absoluteDeadline ?? Number.POSITIVE_INFINITY,
      );
    return seen.map(({ from, to }) => ({ from: deadline(from), to: deadline(to) }));
  }

  /** The nearest moment at which something may be expired, for the first time or for certain. */
  nextDeadline(): number {
    const spans = [...this.places.values()].flatMap((place) => this.deadlines(place));
    return Math.min(Number.POSITIVE_INFINITY, ...spans.map(({ to }) => to));
  }

  /** Whether something may have expired between two moments. */
  mayExpire({ from, to }: Span): boolean {
    return [...this.places.values()]
      .flatMap((place) => this.deadlines(place))
      .some((deadline) => deadline.from < to && deadline.to >= from);
  }

  /** Forgets what is expired at a moment that is no deadline's. */
  expire(now: number): void {
    for (const [id, place] of this.places) {
      if (this.deadlines(place).every(({ to }) => to < now)) this.places.delete(id);
    }
  }
}

/** The texts by which a field's value is found. */
export function listValues(value: unknown): unknown[] {
  const elements = Array.isArray(value) ? value : [value];
  return elements.filter((element) => element !== null && element !== undefined);
}

/** Values as they come back: without what is undefined, and nothing shared with the caller. */
function copy(values: Data): Data {
  return JSON.parse(JSON.stringify(values)) as Data;
}
