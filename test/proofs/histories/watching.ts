/* The sessions that one process of the histories listens to, and what it is told of them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Ending } from "session-sets";
import type { Heard, Watch } from "./calls.ts";
import type { Library, Place } from "./world.ts";

/** How long to wait for what should have been heard long ago (ms). */
const PATIENCE = 20_000;

/** A watch, and whether it has heard of an ending. */
interface Listening {
  readonly watch: Watch;
  readonly hasHeard: Promise<void>;
}

export class Watches {
  readonly #watches = new Map<string, Listening[]>();

  /** Listens to the session of an id or a first id, for as long as the process lives. */
  async add(
    sessions: Library["sessions"],
    { name, by, id }: Pick<Place, "name" | "by"> & { readonly id: string },
    now: Library["now"],
  ): Promise<void> {
    const heard: Heard[] = [];
    const start = now();
    let tell = () => {};
    const hasHeard = new Promise<void>((resolve) => {
      tell = resolve;
    });
    await sessions.onEnd(id, (ending) => {
      heard.push(toHeard(ending, now()));
      tell();
    });
    const all = this.#watches.get(name) ?? [];
    this.#watches.set(name, [...all, { watch: { by, id, start, end: now(), heard }, hasHeard }]);
  }

  /** The watches of a history, once each has heard of its session: all sessions have been ended. */
  async collect(name: string): Promise<readonly Watch[]> {
    const all = this.#watches.get(name) ?? [];
    const over = new AbortController();
    await Promise.race([
      Promise.all(all.map(({ hasHeard }) => hasHeard)),
      sleep(PATIENCE, undefined, { signal: over.signal }).catch(() => {}),
    ]);
    over.abort();
    this.#watches.delete(name);
    return all.map(({ watch }) => watch);
  }
}

function toHeard({ id, lineage, how, reason, at }: Ending, heardAt: number): Heard {
  return { id, lineage, how, reason, at: at.getTime(), heardAt };
}
