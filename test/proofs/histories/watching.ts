/* The sessions that one process of the histories listens to, and what it is told of them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Ending } from "session-sets";
import type { Heard, Watch } from "./calls.ts";
import type { Library, Place } from "./world.ts";

/** How long to wait for what should have been heard long ago (ms). */
const PATIENCE = 20_000;

export class Watches {
  readonly #watches = new Map<string, Watch[]>();

  /** Listens to the session of an id or a first id, for as long as the process lives. */
  async add(
    sessions: Library["sessions"],
    { name, by, id }: Pick<Place, "name" | "by"> & { readonly id: string },
    now: Library["now"],
  ): Promise<void> {
    const heard: Heard[] = [];
    const start = now();
    await sessions.onEnd(id, (ending) => void heard.push(toHeard(ending, now())));
    const all = this.#watches.get(name) ?? [];
    this.#watches.set(name, [...all, { by, id, start, end: now(), heard }]);
  }

  /** The watches of a history, once each has heard of its session: all sessions have been ended. */
  async collect(name: string): Promise<readonly Watch[]> {
    const watches = this.#watches.get(name) ?? [];
    const end = performance.now() + PATIENCE;
    while (watches.some(({ heard }) => heard.length === 0) && performance.now() < end) {
      await sleep(2);
    }
    this.#watches.delete(name);
    return watches;
  }
}

function toHeard({ id, lineage, how, reason, at }: Ending, heardAt: number): Heard {
  return { id, lineage, how, reason, at: at.getTime(), heardAt };
}
