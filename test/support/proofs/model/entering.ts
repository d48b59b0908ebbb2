/*
 * Who may enter a set, in the plainest words: what `limit` and `asOf` of the README say. All sessions
 * are looked at each time.
 */
import {
  type Data,
  listValues,
  type Model,
  type ModelSession,
  type Of,
  type Span,
} from "./model.ts";
import { REFERENCES } from "./steps.ts";

export interface Limit {
  readonly limit: number;
  readonly whenFull: "end-oldest" | "reject";
}

/** The limits by field. */
export type Limits = Readonly<Record<string, Limit>>;

/** How a session comes into sets: in the place of another one, as it is already, or made anew. */
export interface Entering {
  /** The one that is ended in any case. */
  readonly leaving?: ModelSession | undefined;
  /** The one that is there, and only enters sets. */
  readonly own?: ModelSession | undefined;
}

/** The field of a set that is full, or the sessions that are ended so that there is room. */
export type Room =
  | { readonly full: string }
  | { readonly full: null; readonly doomed: ModelSession[] };

const MARGIN = 2000;
const HOUR = 3_600_000;

export class Doors {
  readonly limits: Limits;
  /**
   * Whether what is ended at one limit makes room at another one. Over several shards those that reject
   * are asked before anything is ended.
   */
  readonly #isOneShard: boolean;
  readonly #model: Model;
  /** When each set was last cleared. */
  readonly #clears = new Map<string, Span>();

  constructor(model: Model, limits: Limits, isOneShard: boolean) {
    this.#model = model;
    this.limits = limits;
    this.#isOneShard = isOneShard;
  }

  clear(of: Of, when: Span): void {
    this.#clears.set(JSON.stringify(of), when);
  }

  /** Whether a session may enter the sets of these values that goes by what was read at `asOf`. */
  judge(
    asOf: number | undefined,
    values: Data,
    { from, to }: Span,
  ): "refused" | "let in" | "either" {
    if (asOf === undefined) return "let in";
    const earliest = Math.min(asOf, from) - MARGIN;
    const latest = Math.min(asOf, to) - MARGIN;
    const clears = listSets(values).flatMap((of) => this.#clears.get(JSON.stringify(of)) ?? []);
    const isCleared = clears.some((clear) => clear.from >= latest) || latest < from - HOUR;
    const mayBeCleared = clears.some((clear) => clear.to >= earliest) || earliest < to - HOUR;
    if (isCleared) return "refused";
    return mayBeCleared ? "either" : "let in";
  }

  /** Finds room in the sets of these values. */
  findRoom(values: Data, entering: Entering): Room {
    const ending = this.#listLimited(values, "end-oldest");
    const rejecting = this.#listLimited(values, "reject");
    const leaving = new Set(entering.leaving ? [entering.leaving] : []);
    const before = leaving.size;
    const all = this.#isOneShard ? [...ending, ...rejecting] : [...rejecting, ...ending];
    for (const of of all) {
      const surplus = this.#findSurplus(of, leaving, entering.own);
      if (this.#isClosed(of, surplus, entering.own)) return { full: of.field };
      if (this.#isOneShard) for (const session of surplus) leaving.add(session);
    }
    for (const of of ending) {
      for (const session of this.#findSurplus(of, leaving, entering.own)) leaving.add(session);
    }
    return { full: null, doomed: [...leaving].slice(before) };
  }

  /** The oldest sessions, for which there is no room beside one more; none if it is there already. */
  #findSurplus(of: Of, leaving: ReadonlySet<ModelSession>, own?: ModelSession): ModelSession[] {
    const members = this.#model.members(of).filter((session) => !leaving.has(session));
    if (own && members.includes(own)) return [];
    const count = Math.max(0, members.length + 1 - this.#findMost(of));
    return members.sort(compareAges).slice(0, count);
  }

  /** Whether there is no room for one more because those stay who are there. */
  #isClosed({ field }: Of, surplus: readonly ModelSession[], own?: ModelSession): boolean {
    const youngest = surplus.at(-1);
    if (!youngest) return false;
    const rejects = this.limits[field]?.whenFull === "reject";
    return rejects || (own !== undefined && compareAges(own, youngest) < 0);
  }

  /** The field of a set that would have too many sessions if these all had the values; null for none. */
  findOverfull(sessions: readonly ModelSession[], values: Data): string | null {
    for (const of of [
      ...this.#listLimited(values, "reject"),
      ...this.#listLimited(values, "end-oldest"),
    ]) {
      const there = this.#model.members(of);
      const entering = sessions.filter((session) => !there.includes(session));
      if (entering.length > 0 && there.length + entering.length > this.#findMost(of)) {
        return of.field;
      }
    }
    return null;
  }

  /** Those that a trim of a set ends. */
  listTrimmed(of: Of, keep: number): ModelSession[] {
    return this.#model.members(of).sort(compareAges).slice(0, -keep);
  }

  #listLimited(values: Data, whenFull: Limit["whenFull"]): Of[] {
    return listSets(values).filter(({ field }) => this.limits[field]?.whenFull === whenFull);
  }

  #findMost({ field }: Of): number {
    return this.limits[field]?.limit ?? Number.POSITIVE_INFINITY;
  }
}

function compareAges(one: ModelSession, other: ModelSession): number {
  return one.birth - other.birth || (one.lineage < other.lineage ? -1 : 1);
}

/** The sets of a session with this data. */
function listSets(data: Data): Of[] {
  return REFERENCES.flatMap((field) =>
    [...new Set(listValues(data[field]))].map(
      (value): Of => ({ field, value: value as Of["value"] }),
    ),
  );
}
