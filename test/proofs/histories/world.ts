/* One process's part of one history: carries out its steps and records the calls. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Session, SessionError, type Sessions } from "session-sets";
import type { Action, Call, Data, Of, Seen } from "./calls.ts";
import { type Context, runWithin, SHORT_TIMEOUT } from "./interference.ts";
import {
  type Name,
  type NewSession,
  type PlannedSet,
  SETS,
  type Step,
  type Values,
  type Work,
} from "./plan.ts";

export type Fields = {
  user_id?: string | string[] | null;
  team_ids?: string | string[] | null;
  tag?: string | null;
  [field: string]: unknown;
};

/** A session that a process has the token of. */
export interface Known {
  readonly token: string;
  readonly id: string;
  readonly lineage: string;
}

/** The part of a history that one process needs to know. */
export interface Place {
  /** The beginning of all values of references, so that no other history has them. */
  readonly name: string;
  readonly by: number;
  readonly smallPages: boolean;
  readonly known: readonly Known[];
}

/** The library as a process uses it. */
export interface Library {
  readonly sessions: Sessions<Fields>;
  /** The same ones, with a store that waits for SHORT_TIMEOUT. */
  readonly impatient: Sessions<Fields>;
  /** How long the other one waits (ms). */
  readonly timeout: number;
  readonly rotationGrace: number;
  readonly idleTimeout: number;
  readonly absoluteTimeout: number;
  /** The time on the servers' clock. */
  now(): number;
}

const REFERENCES: readonly string[] = SETS.map(({ field }) => field);

/** Where a call that makes an id has it. */
const MAKES: Partial<Record<Action["do"], "id" | "to">> = {
  create: "id",
  rotate: "to",
  "sign in": "to",
};

/** How many sessions `list` gives without a limit, ordered by when they were seen. */
const UNPAGED = 100;
/** The timeouts of a session that nobody gave any. */
const DEFAULTS = { idle: null, absolute: null };

type Answer<Do extends Action["do"]> = NonNullable<Extract<Action, { do: Do }>["answer"]> | null;

export class World {
  readonly calls: Call[] = [];
  readonly known: Known[];
  readonly #ids: string[];
  /** By each id that was met, the first one of its session. */
  readonly #lineages = new Map<string, string>();
  readonly #place: Place;
  readonly #library: Library;

  constructor(place: Place, library: Library) {
    this.#place = place;
    this.#library = library;
    this.known = [...place.known];
    this.#ids = place.known.map(({ id }) => id);
    for (const { id, lineage } of place.known) this.#lineages.set(id, lineage);
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.pause > 0) await sleep(step.pause);
      await this.#step(step);
    }
  }

  /** Reads everything there is, at the end. */
  async readAll(): Promise<void> {
    const step = { pause: 0, fault: null };
    for (const of of SETS) await this.#step({ do: "list", of, limit: 500, ...step });
    for (const { token, id } of this.known) {
      await this.#record(
        { do: "get", id, fields: null, touch: false, byName: false },
        null,
        async ({ sessions }) => toSeen(await sessions.get(token, { touch: false })),
      );
    }
  }

  async #step({ fault, ...step }: Step): Promise<void> {
    if ("of" in step) return this.#ofSet(step, fault);
    if ("id" in step) return this.#byId(step, fault);
    if (step.do === "create") return this.#create(step, fault);
    const known = this.known.at(-1 - ((step.token ?? 0) % this.known.length));
    if (step.do === "sign in") {
      return this.#signIn(step, step.token === null ? undefined : known, fault);
    }
    if (known) await this.#ofToken(step, known, fault);
  }

  async #create({ values, ...times }: Extract<Work, { do: "create" }>, fault: Step["fault"]) {
    const real = this.#reals(values);
    await this.#record(
      { do: "create", id: "", values: real, ...this.#timeouts(times) },
      fault,
      async ({ sessions }) => this.#learn(await sessions.create(real, toDeadlines(times))),
    );
  }

  async #signIn(
    { values, keep, ...times }: Extract<Work, { do: "sign in" }>,
    known: Known | undefined,
    fault: Step["fault"],
  ): Promise<void> {
    const real = this.#reals(values);
    await this.#record(
      {
        do: "sign in",
        id: known?.id ?? "",
        to: "",
        values: real,
        keep,
        ...this.#timeouts(times),
      },
      fault,
      async ({ sessions }) =>
        this.#learn(await sessions.signIn(known?.token, real, { keep, ...toDeadlines(times) })),
    );
  }

  /** The timeouts of a session that was made with these. */
  #timeouts({ idle, absolute }: Omit<NewSession, "values">) {
    const { idleTimeout, absoluteTimeout } = this.#library;
    return { idle: idle ?? idleTimeout, absolute: absolute ?? absoluteTimeout };
  }

  async #ofToken(
    step: Exclude<Extract<Work, { token: number | null }>, { do: "sign in" }>,
    { token, id }: Known,
    fault: Step["fault"],
  ): Promise<void> {
    const change = { do: "change", id, values: {}, unset: [], idle: null } as const;
    switch (step.do) {
      case "get": {
        const { fields, touch } = step;
        return this.#record(
          { do: "get", id, fields, touch, byName: false },
          fault,
          async ({ sessions }) =>
            toSeen(
              await (fields
                ? sessions.get(token, fields, { touch })
                : sessions.get(token, { touch })),
            ),
        );
      }
      case "set": {
        const values = this.#reals(step.values);
        return this.#record({ ...change, values }, fault, ({ sessions }) =>
          sessions.set(token, values),
        );
      }
      case "unset": {
        const { fields } = step;
        return this.#record({ ...change, unset: fields }, fault, ({ sessions }) =>
          sessions.unset(token, fields),
        );
      }
      case "touch": {
        const { idle } = step;
        return this.#record({ ...change, idle }, fault, ({ sessions }) =>
          sessions.touch(token, idle === null ? {} : { idleTimeout: idle }),
        );
      }
      case "rotate": {
        const values = this.#reals(step.values);
        const grace = step.grace ?? this.#library.rotationGrace;
        return this.#record(
          { do: "rotate", id, to: "", values, grace, ...this.#timeouts(DEFAULTS) },
          fault,
          async ({ sessions }) => {
            const rotated = await sessions.rotate(
              token,
              values,
              step.grace === null ? {} : { grace },
            );
            if (!rotated) return null;
            return rotated.token === null ? "ended" : this.#learn(rotated);
          },
        );
      }
      default:
        return this.#record({ do: "end", id, of: null, byName: false }, fault, ({ sessions }) =>
          sessions.delete(token),
        );
    }
  }

  async #byId(step: Extract<Work, { do: "get by id" | "delete by id" }>, fault: Step["fault"]) {
    const id = this.#named(step);
    const named = { id, byName: true } as const;
    if (step.do === "delete by id") {
      return this.#record({ do: "end", of: null, ...named }, fault, ({ sessions }) =>
        sessions.byId(id).delete(),
      );
    }
    const { fields } = step;
    return this.#record(
      { do: "get", fields, touch: false, ...named },
      fault,
      async ({ sessions }) =>
        this.#meetSeen(await (fields ? sessions.byId(id).get(fields) : sessions.byId(id).get())),
    );
  }

  async #ofSet(step: Extract<Work, { of: PlannedSet }>, fault: Step["fault"]): Promise<void> {
    const of = { field: step.of.field, value: this.#real(step.of.value) };
    const set = ({ sessions }: Pick<Library, "sessions">) => sessions.by(of.field, of.value);
    switch (step.do) {
      case "size":
        return this.#record({ do: "size", of }, fault, (one) => set(one).size());
      case "ids":
        return this.#record({ do: "ids", of }, fault, async (one) =>
          this.#meet(await set(one).ids()),
        );
      case "iterate":
        return this.#record({ do: "list", of, limit: null }, fault, async (one) => {
          const all: Seen[] = [];
          for await (const session of set(one)) all.push(this.#meetSeen(session) as Seen);
          return all;
        });
      case "list": {
        const { limit } = step;
        const isPage = limit !== UNPAGED;
        const order = isPage ? "expiresAt" : "lastSeenAt";
        return this.#record({ do: "list", of, limit, order }, fault, async (one) => {
          const all = await set(one).list(isPage ? { limit } : {});
          return all.map((session) => this.#meetSeen(session) as Seen);
        });
      }
      case "has": {
        const id = this.#named(step);
        return this.#record({ do: "has", of, id }, fault, (one) => set(one).has(id));
      }
      case "delete of set": {
        const id = this.#named(step);
        return this.#record({ do: "end", of, id, byName: true }, fault, (one) =>
          set(one).delete(id),
        );
      }
      default:
        return this.#changeSet(step, of, set, fault);
    }
  }

  async #changeSet(
    step: Extract<Work, { do: "set all" | "unset all" | "clear" }>,
    of: Of,
    set: (library: Pick<Library, "sessions">) => ReturnType<Sessions<Fields>["by"]>,
    fault: Step["fault"],
  ): Promise<void> {
    if (step.do === "clear") {
      const except = step.except === null ? null : this.#named(step.except);
      return this.#record({ do: "clear", of, except }, fault, (one) => set(one).clear({ except }));
    }
    const values = step.do === "set all" ? this.#reals(step.values) : {};
    const unset = step.do === "unset all" ? step.fields : [];
    return this.#record({ do: "change all", of, values, unset }, fault, (one) =>
      step.do === "set all" ? set(one).set(values) : set(one).unset(unset),
    );
  }

  /** Makes a call and records it: without an answer where it failed. */
  async #record<Do extends Action["do"]>(
    action: Extract<Action, { do: Do }>,
    fault: Step["fault"],
    work: (library: Pick<Library, "sessions">) => Promise<Answer<Do>>,
  ): Promise<void> {
    const { sessions, impatient, timeout, now } = this.#library;
    const late = fault === "sent late";
    const { smallPages, by } = this.#place;
    const told = { made: null, notAfter: 0, knownBy: null, again: false };
    const context: Context = { smallPages, fault, now, ...told };
    const start = now();
    let answered: { answer?: Answer<Do> } = {};
    try {
      const answer = await runWithin(context, () =>
        work({ sessions: late ? impatient : sessions }),
      );
      answered = { answer };
    } catch (error) {
      if (!(error instanceof SessionError && error.code === "ERR_STORE_UNAVAILABLE")) throw error;
    }
    const end = now();
    const { made, again, knownBy } = context;
    const makes = MAKES[action.do];
    if (makes !== undefined && made === null) return; // never sent
    this.calls.push({
      ...action,
      ...(makes === undefined ? {} : { [makes]: made }),
      ...(knownBy === null ? {} : { knownBy }),
      ...answered,
      by,
      start,
      end,
      notAfter: Math.min(context.notAfter || end, end + (late ? SHORT_TIMEOUT : timeout)),
      again: again && "answer" in answered,
    } as Call);
  }

  #learn({ token, session }: { token: string; session: Session<Fields> }): Seen {
    const { id, lineage } = session;
    this.known.push({ token, id, lineage });
    return this.#meetSeen(session) as Seen;
  }

  #meet(ids: string[]): string[] {
    this.#ids.push(...ids.filter((id) => !this.#ids.includes(id)));
    return ids;
  }

  #meetSeen(session: Session<Data> | null): Seen | null {
    if (!session) return null;
    this.#lineages.set(session.id, session.lineage);
    this.#meet([session.id]);
    return toSeen(session);
  }

  #named({ id: number, lineage }: Name): string {
    const id = this.#ids.at(-1 - (number % this.#ids.length)) ?? "";
    return (lineage ? this.#lineages.get(id) : undefined) ?? id;
  }

  /** The name of a reference's value in this world. */
  #real(value: unknown): string {
    return `${this.#place.name}.${value}`;
  }

  #reals(values: Values): Fields {
    const real = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(real);
      return value === null ? null : this.#real(value);
    };
    return Object.fromEntries(
      Object.entries(values).map(([field, value]) => [
        field,
        REFERENCES.includes(field) ? real(value) : value,
      ]),
    );
  }
}

/** As they are given to a call: null is left out. */
function toDeadlines({ idle, absolute }: Omit<NewSession, "values">) {
  return {
    ...(idle === null ? {} : { idleTimeout: idle }),
    ...(absolute === null ? {} : { absoluteTimeout: absolute }),
  };
}

function toSeen(session: Session<Data> | null): Seen | null {
  if (!session) return null;
  const { id, lineage, data, createdAt, lastSeenAt, expiresAt, absoluteDeadline } = session;
  return {
    id,
    lineage,
    data: { ...data },
    createdAt: createdAt.getTime(),
    lastSeenAt: lastSeenAt.getTime(),
    expiresAt: expiresAt.getTime(),
    absoluteDeadline: absoluteDeadline?.getTime() ?? null,
  };
}
