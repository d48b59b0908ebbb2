import type { Stored } from "./reading.ts";

/** For how long a page marks what is new, changed or deleted. */
const MARKED_MS = 4000;

/** Something in the store, and what has just happened to it. */
export interface Marked {
  readonly stored: Stored;
  readonly mark: "new" | "gone" | null;
  /** The names of the entries that are new, or have another value. */
  readonly changed: ReadonlySet<string>;
}

interface Tracked extends Marked {
  readonly until: number;
}

const NOTHING: ReadonlySet<string> = new Set();

/** Compares readings, one after the other, and marks for a few seconds what is different. */
export class Changes {
  #tracked: ReadonlyMap<string, Tracked> | null = null;

  /** The ids of the sessions in the last reading, ended ones among them. */
  get ids(): string[] {
    const all = [...(this.#tracked?.values() ?? [])];
    return all.flatMap(({ stored, mark }) =>
      stored.session && mark !== "gone" ? [stored.session.id] : [],
    );
  }

  /** What is in the store, then what was deleted just before. */
  compare(reading: readonly Stored[], now = Date.now()): Marked[] {
    const before = this.#tracked;
    const tracked = new Map<string, Tracked>();
    for (const stored of reading) tracked.set(stored.key, track(stored, before, now));
    for (const [key, one] of before ?? []) {
      if (tracked.has(key)) continue;
      const until = one.mark === "gone" ? one.until : now + MARKED_MS;
      if (until > now) tracked.set(key, { ...one, mark: "gone", changed: NOTHING, until });
    }
    this.#tracked = tracked;
    return [...tracked.values()];
  }
}

function track(stored: Stored, before: ReadonlyMap<string, Tracked> | null, now: number): Tracked {
  const earlier = before?.get(stored.key);
  if (!before) return { stored, mark: null, changed: NOTHING, until: now };
  const until = now + MARKED_MS;
  if (!earlier || earlier.mark === "gone") return { stored, mark: "new", changed: NOTHING, until };
  const values = new Map(earlier.stored.entries.map(({ name, value }) => [name, value]));
  const changed = stored.entries.filter(({ name, value }) => values.get(name) !== value);
  if (changed.length > 0) {
    const names = new Set(changed.map(({ name }) => name));
    return { stored, mark: earlier.until > now ? earlier.mark : null, changed: names, until };
  }
  const { mark, changed: marked } = earlier;
  if (earlier.until > now) return { stored, mark, changed: marked, until: earlier.until };
  return { stored, mark: null, changed: NOTHING, until: now };
}

/** Beyond this number, the changes that were begun first are dropped. */
const MAX_SESSIONS = 1000;

/** The changes that each session was shown, which go on from one of its pages to the next. */
export class ShownChanges {
  readonly #changes = new Map<string, Changes>();

  of(lineage: string): Changes {
    const changes = this.#changes.get(lineage) ?? new Changes();
    this.#changes.set(lineage, changes);
    const [oldest] = this.#changes.keys();
    if (this.#changes.size > MAX_SESSIONS && oldest !== undefined) this.#changes.delete(oldest);
    return changes;
  }
}
