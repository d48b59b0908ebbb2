import type { DeclaredReference, ReindexProgress, RepairOptions } from "../repair.ts";
import type { Keys } from "./keys.ts";
import { type Mended, Mender } from "./mender.ts";
import type { Server } from "./server.ts";
import { type Place, type Position, positionOf, textOf } from "./walk-cursor.ts";

/** How many keys of the server SCAN looks at in one step. */
const STEP_KEYS = 200;

/**
 * Walks over all keys of all shards, a server after the other, and mends them.
 *
 * SCAN's cursor is good for the one process of a server that gave it, so a shard is done when a
 * whole SCAN was made on one server that had it when it began and has it when it ends: after a
 * failover, a restart or a move of its slot it is walked over again.
 */
export function reindex(
  server: Server,
  keys: Keys,
  place: Place,
  references: readonly DeclaredReference[],
  { dryRun, cursor }: RepairOptions,
): AsyncGenerator<ReindexProgress, void> {
  const from = positionOf(cursor, place.shards); // throws here, not in the generator
  const walk = new Walk(server, keys, place, from.done);
  return walk.steps(from, new Mender(server, keys, references, dryRun));
}

class Walk {
  readonly #server: Server;
  readonly #keys: Keys;
  readonly #place: Place;
  readonly #done: Set<number>;
  readonly #sum = { scanned: 0, added: 0, removed: 0, corrected: 0 };

  constructor(server: Server, keys: Keys, place: Place, done: ReadonlySet<number>) {
    this.#server = server;
    this.#keys = keys;
    this.#place = place;
    this.#done = new Set(done);
  }

  async *steps(from: Position, mender: Mender): AsyncGenerator<ReindexProgress, void> {
    let position = from;
    for (;;) {
      position = await this.#next(position);
      if (position.shards.size === 0) return yield this.#progress(null);
      yield* this.#serverOf(position, mender);
    }
  }

  /** Where to go on: at the position, if its server still has shards of it; or at the next server. */
  async #next({ server, scan, shards }: Position): Promise<Position> {
    const done = this.#done;
    const left = range(this.#place.shards).filter((shard) => !done.has(shard));
    const servers = await this.#serversOf(left);
    const still = (servers.get(server) ?? []).filter((shard) => shards.has(shard));
    if (still.length > 0) return { server, scan, shards: new Set(still), done };
    const [first] = servers;
    return first
      ? { server: first[0], scan: "0", shards: new Set(first[1]), done }
      : { server: "", scan: "0", shards: new Set(), done };
  }

  /** Walks over one server, from a position to the end, or until its shards are elsewhere. */
  async *#serverOf(from: Position, mender: Mender): AsyncGenerator<ReindexProgress, void> {
    const { server, shards } = from;
    const via = Math.min(...shards);
    for (let { scan } = from; ; ) {
      const page = await this.#page(via, scan);
      if (page.server !== server) return;
      for await (const mended of mender.mend(page.keys)) {
        this.#count(mended);
        // In the middle of a page: whoever goes on from here does the page again.
        yield this.#progress(textOf({ ...from, scan, done: this.#done }));
      }
      this.#sum.scanned += page.keys.length;
      scan = page.next;
      if (scan === "0") break;
      yield this.#progress(textOf({ ...from, scan, done: this.#done }));
    }
    const servers = await this.#serversOf([...shards]);
    for (const shard of servers.get(server) ?? []) this.#done.add(shard);
  }

  /** Which servers have these shards. */
  async #serversOf(shards: readonly number[]): Promise<Map<string, number[]>> {
    const servers = new Map<string, number[]>();
    const [first = 0] = shards;
    if (!this.#place.cluster && shards.length > 0) {
      return servers.set((await this.#page(first, "")).server, [...shards]);
    }
    for (const shard of shards) {
      const { server } = await this.#page(shard, "");
      servers.set(server, [...(servers.get(server) ?? []), shard]);
    }
    return servers;
  }

  async #page(shard: number, scan: string) {
    const key = this.#keys.inShard(shard, "s:");
    const args = [scan, String(STEP_KEYS)];
    const [, server, next, keys] = await this.#server.read("walk over all keys", "walk", key, args);
    return { server: String(server), next: String(next), keys: keys as string[] };
  }

  #count({ added, removed, corrected }: Mended): void {
    this.#sum.added += added;
    this.#sum.removed += removed;
    this.#sum.corrected += corrected;
  }

  #progress(cursor: string | null): ReindexProgress {
    return { cursor, ...this.#sum };
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
