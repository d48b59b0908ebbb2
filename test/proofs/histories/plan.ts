/*
 * The steps of the processes of one history, as plain records made from a seed: they are printed as they
 * are, run again, and shrunk. Sessions are named by numbers, counted back from the last one that the
 * process has come to know; values of references are numbers that each world has its own names for.
 */

import type { Limit } from "./calls.ts";

export type Values = Readonly<Record<string, unknown>>;

export interface NewSession {
  readonly values: Values;
  readonly idle: number | null;
  readonly absolute: number | null;
}

/** A session by an id, or by the lineage of that one. */
export interface Name {
  readonly id: number;
  readonly lineage: boolean;
}

/** A session that there is from the beginning, and how often it was renewed by then. */
export interface FirstSession extends NewSession {
  readonly renewals: number;
  /** How long each of its old ids leads to it (ms). */
  readonly grace: number;
}

export interface PlannedSet {
  readonly field: string;
  readonly value: number;
}

/**
 * The fate of the first command of a step that writes: it is carried out and its answer lost;
 * it is never sent; it is sent twice; or it is sent when the caller has long stopped waiting.
 */
export type Fault = "answer lost" | "not sent" | "sent twice" | "sent late";

/** How long before the call the credentials were read that it goes by (ms); null: it doesn't say. */
export interface Dated {
  readonly asOf: number | null;
}

export type Work =
  | ({ readonly do: "create" } & NewSession & Dated)
  | {
      readonly do: "get";
      readonly token: number;
      readonly fields: string[] | null;
      readonly touch: boolean;
    }
  | { readonly do: "set"; readonly token: number; readonly values: Values }
  | { readonly do: "unset"; readonly token: number; readonly fields: string[] }
  | { readonly do: "touch"; readonly token: number; readonly idle: number | null }
  | ({
      readonly do: "rotate";
      readonly token: number;
      readonly values: Values;
      readonly grace: number | null;
    } & Dated)
  /** Null: without a token. */
  | ({
      readonly do: "sign in";
      readonly token: number | null;
      readonly keep: string[];
    } & NewSession &
      Dated)
  | { readonly do: "delete"; readonly token: number }
  | ({ readonly do: "get by id"; readonly fields: string[] | null } & Name)
  | ({ readonly do: "delete by id" } & Name)
  | { readonly do: "size" | "ids" | "iterate"; readonly of: PlannedSet }
  | { readonly do: "list"; readonly of: PlannedSet; readonly limit: number }
  | ({ readonly do: "has" | "delete of set"; readonly of: PlannedSet } & Name)
  | { readonly do: "set all"; readonly of: PlannedSet; readonly values: Values }
  | { readonly do: "unset all"; readonly of: PlannedSet; readonly fields: string[] }
  | { readonly do: "clear"; readonly of: PlannedSet; readonly except: Name | null }
  | { readonly do: "trim"; readonly of: PlannedSet; readonly keep: number }
  /** Listens, from then on, to how the session ends. */
  | ({ readonly do: "watch" } & Name)
  /** Cuts the connections on which all processes listen. */
  | { readonly do: "cut" };

export type Step = Work & {
  /** How long the process waits before it (ms). */
  readonly pause: number;
  readonly fault: Fault | null;
};

export interface Plan {
  readonly seed: number;
  /** How many sessions the values of some references may have, by a name in LIMITS; null: any number. */
  readonly limits: LimitsName | null;
  /** Whether operations on sets take a session a page, so that others come between the pages. */
  readonly smallPages: boolean;
  /** Made before the programs begin; all processes know their tokens. */
  readonly sessions: readonly FirstSession[];
  /** One for each process. */
  readonly programs: readonly (readonly Step[])[];
}

/** The session sets there are. */
export const SETS: readonly PlannedSet[] = [
  { field: "user_id", value: 0 },
  { field: "user_id", value: 1 },
  { field: "team_ids", value: 0 },
  { field: "team_ids", value: 1 },
  { field: "tag", value: 0 },
];

/** The limits that the references of a history may have. */
export const LIMITS = {
  "users end the oldest": {
    user_id: { limit: 2, whenFull: "end-oldest" },
    team_ids: { limit: 2, whenFull: "reject" },
  },
  "users reject": {
    user_id: { limit: 2, whenFull: "reject" },
    team_ids: { limit: 1, whenFull: "end-oldest" },
  },
} as const satisfies Record<string, Record<string, Limit>>;

export type LimitsName = keyof typeof LIMITS;

/** No deadline that passes is further away (ms). */
export const LONGEST_SHORT = 80;

/** The one that sessions are in to begin with. */
const USER: PlannedSet = { field: "user_id", value: 0 };

/** Those that may be written, and kept: all but the user. */
const OTHERS = ["team_ids", "tag", "theme", "note"];
const FIELDS = ["user_id", ...OTHERS];

/**
 * Short: deadlines pass. Clearing and updating: that is what is mostly done, to more sessions than a
 * page takes, while they are used. Renewing: of one session, so that many aliases lead to it. Limiting: many
 * sessions enter few sets, which have limits.
 */
const KINDS = [
  ...(["any", "any", "any", "short", "clearing", "updating", "renewing"] as const),
  ...(["limiting", "limiting"] as const),
];
export type Kind = (typeof KINDS)[number];

/** How much more often than else something is done. */
const PREFERRED: Partial<Record<Kind, Partial<Record<Work["do"], number>>>> = {
  clearing: { clear: 4, rotate: 4, trim: 4 },
  limiting: { create: 4, "sign in": 2, watch: 4, set: 2, trim: 2 },
  renewing: { rotate: 10, delete: 3, "sign in": 3 },
  updating: { "set all": 6, set: 4, get: 4 },
};

const WATCH = { do: "watch", lineage: false, pause: 0, fault: null } as const;
const CUT = { do: "cut", pause: 0, fault: null } as const;

/** The plan of a seed, of a kind if that is given: always the same one. */
export function createPlan(seed: number, processes: number, given?: Kind): Plan {
  const random = new Random(seed);
  const drawn = random.of(KINDS);
  const kind = given ?? drawn;
  const crowded = kind === "clearing" || kind === "updating";
  const smallPages = crowded || random.chance(0.5);
  const maker = new Maker(random, kind, { sliding: smallPages });
  const names = Object.keys(LIMITS) as LimitsName[];
  return {
    seed,
    limits: kind === "limiting" ? random.of(names) : null,
    smallPages,
    sessions: Array.from(
      { length: crowded ? 5 : kind === "renewing" ? 1 : 1 + random.below(3) },
      () => maker.first(),
    ),
    programs: Array.from({ length: processes }, () => {
      const length = 1 + random.below(kind === "renewing" ? 7 : 4);
      const listens = random.chance(kind === "limiting" ? 0.7 : 0.2);
      const watched = listens ? [0, 1].map((id) => ({ ...WATCH, id })) : [];
      const steps = Array.from({ length }, () => maker.step());
      return [...watched, ...steps, ...(random.chance(0.002) ? [CUT] : [])];
    }),
  };
}

class Maker {
  readonly #random: Random;
  readonly #kind: Kind;
  /** Whether deadlines pass. */
  readonly #short: boolean;
  /**
   * Whether a rotation always puts the deadline off. Among more than a page of sessions that expire
   * in one and the same millisecond, one that rotates with its deadline unchanged may be missed
   * (docs/design.md, "Promises and limits").
   */
  readonly #sliding: boolean;
  #written = 0;

  constructor(random: Random, kind: Kind, { sliding }: { readonly sliding: boolean }) {
    this.#random = random;
    this.#kind = kind;
    this.#short = kind === "short";
    this.#sliding = sliding;
  }

  session(): NewSession {
    const { idle, absolute } = this.#random.of<Omit<NewSession, "values">>(
      this.#short
        ? [
            { idle: 25, absolute: null },
            { idle: 60, absolute: this.#sliding ? null : 40 },
            { idle: 15, absolute: this.#sliding ? null : 35 },
          ]
        : [
            { idle: null, absolute: null },
            { idle: null, absolute: null },
            { idle: 3_000_000, absolute: 90_000_000 },
          ],
    );
    return { values: { user_id: 0, tag: 0, ...this.#values(), ...this.#user() }, idle, absolute };
  }

  /**
   * Renewed before the programs begin, so often that its first ids are no way in; or, among many,
   * once and without aliases, so that its first id is not the one before.
   */
  first(): FirstSession {
    const renewing = this.#kind === "renewing";
    const renewals = renewing ? this.#random.below(7) : Number(this.#kind === "clearing");
    return { ...this.session(), renewals, grace: renewing ? 2000 : 0 };
  }

  #signIn(): NewSession & Dated & { readonly keep: string[] } {
    const { idle, absolute } = this.session();
    const user_id = this.#random.of([0, 0, 1, [0, 1]]);
    const keep = this.#some(OTHERS);
    return { values: { ...this.#values(), user_id }, idle, absolute, keep, asOf: this.#asOf() };
  }

  /** Just before the call, a while before, longer ago than anything is remembered, or in the future. */
  #asOf(): number | null {
    return this.#random.of([null, null, null, 0, 0, 1000, 1000, 7_200_000, -60_000]);
  }

  step(): Step {
    const random = this.#random;
    const pause = random.chance(this.#short ? 0.5 : 0.1) ? random.below(this.#short ? 20 : 4) : 0;
    const faults = ["answer lost", "not sent", "sent twice", "sent late"] as const;
    const fault = random.chance(0.06) ? random.of(faults) : null;
    return { ...this.#work(), pause, fault };
  }

  #work(): Work {
    const random = this.#random;
    const renewing = this.#kind === "renewing";
    const token = random.below(renewing ? 7 : 5);
    const latest = renewing && random.chance(0.8) ? 0 : token;
    const name: Name = { id: random.below(renewing ? 7 : 5), lineage: random.chance(0.3) };
    const of = random.chance(0.3) ? USER : random.of(SETS);
    const works: readonly (readonly [weight: number, work: Work])[] = [
      [2, { do: "create", ...this.session(), asOf: this.#asOf() }],
      [3, { do: "get", token, fields: this.#fields(), touch: random.chance(0.7) }],
      [5, { do: "set", token, values: this.#values() }],
      [2, { do: "unset", token, fields: this.#some(OTHERS) }],
      [2, { do: "touch", token, idle: random.chance(0.5) ? this.#idle() : null }],
      [6, { do: "rotate", token: latest, ...this.#rotation() }],
      [5, { do: "sign in", token: random.chance(0.9) ? token : null, ...this.#signIn() }],
      [2, { do: "delete", token }],
      [2, { do: "get by id", fields: this.#fields(), ...name }],
      [1, { do: "delete by id", ...name }],
      [2, { do: random.of(["size", "ids", "iterate"] as const), of }],
      [1, { do: "list", of, limit: random.of([1, 2, 100]) }],
      [2, { do: random.of(["has", "delete of set"] as const), of, ...name }],
      [2, { do: "set all", of, values: this.#values() }],
      [1, { do: "unset all", of, fields: this.#some(OTHERS) }],
      [4, { do: "clear", of, except: random.chance(0.6) ? name : null }],
      [1, { do: "trim", of, keep: 1 + random.below(3) }],
      [2, { do: "watch", ...name }],
    ];
    const preferred = PREFERRED[this.#kind] ?? {};
    return random.weighted(
      works.map(([weight, work]) => [weight * (preferred[work.do] ?? 1), work] as const),
    );
  }

  /** Longer than before: what is brought forward may be missed by a page (docs/design.md, "Promises and limits"). */
  #idle(): number {
    return this.#short ? LONGEST_SHORT : 4_000_000;
  }

  #grace(): number | null {
    const none = this.#kind === "clearing" ? [0, 0, 0] : [];
    return this.#random.of([null, null, 0, this.#short ? 10 : 150, ...none]);
  }

  #fields(): string[] | null {
    return this.#random.chance(0.5) ? null : this.#some(FIELDS);
  }

  #some(fields: readonly string[]): string[] {
    return fields.filter(() => this.#random.chance(0.4));
  }

  #rotation() {
    const values = this.#rotated();
    // Without values it enters no set.
    const asOf = Object.keys(values).length > 0 ? this.#asOf() : null;
    return { values, grace: this.#grace(), asOf };
  }

  #rotated(): Values {
    if (this.#random.chance(this.#kind === "renewing" ? 0.8 : 0.5)) return {};
    return { ...this.#values(), ...this.#user() };
  }

  /** Often the same one as before, or none. */
  #user(): Values {
    const users = [0, 0, 1, [0, 1], null] as const;
    return this.#random.chance(0.5) ? { user_id: this.#random.of(users) } : {};
  }

  #values(): Values {
    const random = this.#random;
    const values: Record<string, unknown> = {};
    if (random.chance(0.4)) values.team_ids = random.of([0, 1, [0], [1], [0, 1], [], null]);
    if (random.chance(0.2)) values.tag = random.of([0, null]);
    // Each write is of its own, so that it is seen whose was read.
    if (random.chance(0.5)) values.theme = `theme ${++this.#written}`;
    if (random.chance(0.5)) values.note = ++this.#written;
    return values;
  }
}

/** A sequence of numbers that a seed decides: mulberry32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  weighted<T>(list: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.below(list.reduce((sum, [weight]) => sum + weight, 0));
    const found = list.find(([weight]) => {
      left -= weight;
      return left < 0;
    });
    return (found as readonly [number, T])[1];
  }
}
