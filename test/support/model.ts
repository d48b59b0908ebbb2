import { isDeepStrictEqual } from "node:util";

/*
 * What sessions are, in the plainest words: records that are found by looking at all of them. The
 * library's own answer to each question is compared with this one's.
 */

export type Data = Record<string, unknown>;

/** From one moment to another, both included: between them something happened on the store. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What is at an id. */
export type Place = ModelSession | Alias | Tombstone;

export interface ModelSession {
  readonly kind: "session";
  id: string;
  data: Data;
  readonly createdAt: number;
  readonly absoluteDeadline: number | null;
  idleTimeout: number | null;
  /** When it may have been seen last: one of these spans, until `learn` tells the moment. */
  seen: readonly Span[];
}

export interface Alias {
  readonly kind: "alias";
  readonly target: string;
  readonly expires: Span;
}

export interface Tombstone {
  readonly kind: "tombstone";
  readonly hadIdentity: boolean;
  readonly expires: Span;
}

/** The set of the sessions whose field has this value, alone or as an element. */
export interface Of {
  readonly field: string;
  readonly value: string | number | boolean;
}

const HOPS = 3;

export class Model {
  readonly places = new Map<string, Place>();
  /** The field whose change is a sign-in. */
  readonly #identity: string;

  constructor(identity: string) {
    this.#identity = identity;
  }

  get sessions(): ModelSession[] {
    return [...this.places.values()].filter((place) => place.kind === "session");
  }

  members(of: Of): ModelSession[] {
    return this.sessions.filter(({ data }) => valuesOf(data[of.field]).includes(of.value));
  }

  /** What an id leads to, and the ids of the aliases on the way. */
  resolve(id: string): { place: Exclude<Place, Alias> | undefined; trail: string[] } {
    const trail: string[] = [];
    let at = id;
    for (;;) {
      const place = this.places.get(at);
      if (place?.kind !== "alias") return { place, trail };
      if (trail.length === HOPS) return { place: undefined, trail };
      trail.push(at);
      at = place.target;
    }
  }

  /** The session that an id leads to. */
  live(id: string): ModelSession | undefined {
    const { place } = this.resolve(id);
    return place?.kind === "session" ? place : undefined;
  }

  create(session: Omit<ModelSession, "kind">): void {
    this.places.set(session.id, { kind: "session", ...session, data: copy(session.data) });
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

  /** Whether a rotation with these values through `id` is to be done. */
  rotates(id: string, values: Data): boolean {
    const { place, trail } = this.resolve(id);
    return place?.kind === "session" && (trail.length === 0 || this.#signsIn(place, values));
  }

  /** Rotates what `id` leads to, `rotates` having said yes. */
  rotate(id: string, to: string, values: Data, grace: number, when: Span): void {
    const { place: session, trail } = this.resolve(id);
    if (session?.kind !== "session") throw new Error("no session to rotate");
    const expires = { from: when.from + grace, to: when.to + grace };
    const signsIn = this.#signsIn(session, values);
    const hadIdentity = valuesOf(session.data[this.#identity]).length > 0;
    for (const old of signsIn ? [session.id, ...trail] : [session.id]) {
      this.places.delete(old);
      if (grace === 0) continue;
      this.places.set(
        old,
        signsIn
          ? { kind: "tombstone", hadIdentity, expires }
          : { kind: "alias", target: to, expires },
      );
    }
    session.id = to;
    this.places.set(to, session);
    this.set(session, values);
    this.see(session, when);
  }

  #signsIn(session: ModelSession, values: Data): boolean {
    const value = copy(values)[this.#identity];
    if (value === undefined) return false;
    const before = new Set(valuesOf(session.data[this.#identity]));
    return !isDeepStrictEqual(before, new Set(valuesOf(value)));
  }

  /** Ends what an id leads to, with the aliases on the way; whether there was a session. */
  end(id: string): boolean {
    const { place, trail } = this.resolve(id);
    if (place?.kind !== "session") return false;
    for (const gone of [place.id, ...trail]) this.places.delete(gone);
    return true;
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

/** What a field's value is found by. */
export function valuesOf(value: unknown): unknown[] {
  const elements = Array.isArray(value) ? value : [value];
  return elements.filter((element) => element !== null && element !== undefined);
}

/** Values as they come back: without what is undefined, and nothing shared with the caller. */
function copy(values: Data): Data {
  return JSON.parse(JSON.stringify(values)) as Data;
}
