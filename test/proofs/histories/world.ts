/* One process's part of one history: carries out its steps and records the calls. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Session, SessionError, type Sessions } from "session-sets";
import type { Action, Call, Data, Of, Refused, Seen } from "./calls.ts";
import { type Context, runWithin, SHORT_TIMEOUT } from "./interference.ts";
import {
  type Dated,
  type LimitsName,
  type Name,
  type NewSession,
  type PlannedSet,
  SETS,
  type Step,
  type Values,
  type Work,
} from "./plan.ts";
import type { Watches } from "./watching.ts";

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
  readonly limits: LimitsName | null;
  readonly known: readonly Known[];
}

/** The library as a process uses it. */
export interface Library {
  readonly sessions: Sessions<Fields>;
  /** The same ones, with a store that waits for SHORT_TIMEOUT. */
  readonly impatient: Sessions<Fields>;
  readonly watches: Watches;
  /** Cuts the connections on which all processes listen. */
  cut(): Promise<void>;
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

/** The errors that say why a session was not let into a set. */
const REFUSALS: Partial<Record<SessionError["code"], Refused>> = {
  ERR_SESSION_GONE: "cleared",
  ERR_SESSION_LIMIT: "full",
};

export class World {
  readonly calls: Call[] = [];
  readonly known: Known[];
  readonly #ids: string[];
  /** By each id that was met, the first one of its session. */
  readonly #lineages = new Map<string, string>();
  readonly #place: Place;
  readonly #library: Library;
  #reasons = 0;

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
    if (step.do === "cut") return this.#library.cut();
    if (step.do === "watch") return this.#watch(step);
    if ("of" in step) return this.#ofSet(step, fault);
    if ("id" in step) return this.#byId(step, fault);
    if (step.do === "create") return this.#create(step, fault);
    const known = this.known.at(-1 - ((step.token ?? 0) % this.known.length));
    if (step.do === "sign in") {
      return this.#signIn(step, step.token === null ? undefined : known, fault);
    }
    if (known) await this.#ofToken(step, known, fault);
  }

  async #watch(name: Name): Promise<void> {
    const { sessions, watches, now } = this.#library;
    const id = this.#named(name);
    if (id) await watches.add(sessions, { ...this.#place, id }, now);
  }

  async #create({ values, asOf, ...times }: Extract<Work, { do: "create" }>, fault: Step["fault"]) {
    const real = this.#reals(values);
    const dated = this.#date({ asOf });
    await this.#record(
      { do: "create", id: "", values: real, ...this.#timeouts(times), ...dated },
      fault,
      async ({ sessions }) =>
        this.#learn(await sessions.create(real, { ...toDeadlines(times), ...dated })),
    );
  }

  /** As it is given to a call: nothing where it doesn't say. */
  #date({ asOf }: Dated): { readonly asOf?: number } {
    return asOf === null ? {} : { asOf: Math.floor(this.#library.now()) - asOf };
  }

  async #signIn(
    { values, keep, asOf, ...times }: Extract<Work, { do: "sign in" }>,
    known: Known | undefined,
    fault: Step["fault"],
  ): Promise<void> {
    const real = this.#reals(values);
    const dated = this.#date({ asOf });
    await this.#record(
      {
        do: "sign in",
        id: known?.id ?? "",
        to: "",
        values: real,
        keep,
        ...this.#timeouts(times),
        ...dated,
      },
      fault,
      async ({ sessions }, cause) => {
        const options = { keep, ...toDeadlines(times), ...dated, ...cause };
        return this.#learn(await sessions.signIn(known?.token, real, options));
      },
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
        const dated = this.#date(step);
        return this.#record(
          { do: "rotate", id, to: "", values, grace, ...this.#timeouts(DEFAULTS), ...dated },
          fault,
          async ({ sessions }, cause) => {
            const options = { ...(step.grace === null ? {} : { grace }), ...dated, ...cause };
            const rotated = await sessions.rotate(token, values, options);
            if (!rotated) return null;
            return rotated.token === null ? "ended" : this.#learn(rotated);
          },
        );
      }
      default:
        return this.#record(
          { do: "end", id, of: null, byName: false },
          fault,
          ({ sessions }, cause) => sessions.delete(token, cause),
        );
    }
  }

  async #byId(step: Extract<Work, { do: "get by id" | "delete by id" }>, fault: Step["fault"]) {
    const id = this.#named(step);
    const named = { id, byName: true } as const;
    if (step.do === "delete by id") {
      return this.#record({ do: "end", of: null, ...named }, fault, ({ sessions }, cause) =>
        sessions.byId(id).delete(cause),
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
        return this.#record({ do: "end", of, id, byName: true }, fault, (one, cause) =>
          set(one).delete(id, cause),
        );
      }
      default:
        return this.#changeSet(step, of, set, fault);
    }
  }

  async #changeSet(
    step: Extract<Work, { do: "set all" | "unset all" | "clear" | "trim" }>,
    of: Of,
    set: (library: Pick<Library, "sessions">) => ReturnType<Sessions<Fields>["by"]>,
    fault: Step["fault"],
  ): Promise<void> {
    if (step.do === "clear") {
      const except = step.except === null ? null : this.#named(step.except);
      return this.#record({ do: "clear", of, except }, fault, (one, cause) =>
        set(one).clear({ except, ...cause }),
      );
    }
    if (step.do === "trim") {
      const { keep } = step;
      return this.#record({ do: "trim", of, keep }, fault, (one, cause) =>
        set(one).trim({ keep, ...cause }),
      );
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
    work: (
      library: Pick<Library, "sessions">,
      cause: { readonly reason: string },
    ) => Promise<Answer<Do>>,
  ): Promise<void> {
    const { sessions, impatient, timeout, now } = this.#library;
    const late = fault === "sent late";
    const { smallPages, by } = this.#place;
    const told = { made: null, notAfter: 0, knownBy: null, again: false };
    const context: Context = { smallPages, fault, now, ...told };
    const reason = `${by}.${++this.#reasons}`;
    const start = now();
    let answered: { answer?: Answer<Do> | Refused } = {};
    try {
      const answer = await runWithin(context, () =>
        work({ sessions: late ? impatient : sessions }, { reason }),
      );
      answered = { answer };
    } catch (error) {
      answered = toAnswer(error);
    }
    const end = now();
    const { made, again, knownBy } = context;
    const makes = MAKES[action.do];
    if (makes !== undefined && made === null && !("answer" in answered)) return; // never sent
    this.calls.push({
      ...action,
      reason,
      ...(makes === undefined ? {} : { [makes]: made ?? "" }),
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

/** The answer that an error is; none where the call may have been carried out or not. */
function toAnswer(error: unknown): { answer?: Refused } {
  if (!(error instanceof SessionError)) throw error;
  if (error.code === "ERR_STORE_UNAVAILABLE") return {};
  const answer = REFUSALS[error.code];
  if (answer === undefined) throw error;
  return { answer };
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
