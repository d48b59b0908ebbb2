import type { Keys } from "../layout/keys.ts";
import type { Server } from "../scripts/executor.ts";
import type { Place, Position } from "./scan-cursor.ts";

/** How many keys of the server SCAN looks at in one step. */
export const STEP_KEYS = 200;

/** What is walked over: the keys of so many shards, which stand for all keys of the servers they are on. */
export interface Walkable {
  readonly shards: number;
  /** Which servers have these shards. */
  serversOf(shards: readonly number[]): Promise<Map<string, number[]>>;
  /** One step of SCAN on the server of a shard: that server, where SCAN goes on ("0": the end), the keys. */
  page(shard: number, scan: string): Promise<{ server: string; next: string; keys: string[] }>;
}

/** The keys that one step of a walk came by. */
export interface WalkPage {
  readonly keys: readonly string[];
  /** Where to go on to get this page again. */
  readonly here: Position;
  /** Where to go on after it; null after the last page of a server. */
  readonly next: Position | null;
}

/**
 * Walks over all keys of all shards, a server after the other, in bounded steps. A key that is there
 * from the first step to the last is met, perhaps more than once.
 *
 * SCAN's cursor is good for the one process of a server that gave it, so a shard is done when a
 * whole SCAN was made on one server that had it when it began and has it when it ends: after a
 * failover, a restart or a move of its slot it is walked over again.
 */
export class Walk {
  readonly #over: Walkable;
  readonly #from: Position;
  readonly #done: Set<number>;

  constructor(over: Walkable, from: Position) {
    this.#over = over;
    this.#from = from;
    this.#done = new Set(from.done);
  }

  async *pages(): AsyncGenerator<WalkPage, void> {
    let position = this.#from;
    for (;;) {
      position = await this.#next(position);
      if (position.shards.size === 0) return;
      yield* this.#serverOf(position);
    }
  }

  /** Where to go on: at the position, if its server still has shards of it; or at the next server. */
  async #next({ server, scan, shards }: Position): Promise<Position> {
    const done = this.#done;
    const left = range(this.#over.shards).filter((shard) => !done.has(shard));
    const servers = await this.#over.serversOf(left);
    const still = (servers.get(server) ?? []).filter((shard) => shards.has(shard));
    if (still.length > 0) return { server, scan, shards: new Set(still), done };
    const [first] = servers;
    return first
      ? { server: first[0], scan: "0", shards: new Set(first[1]), done }
      : { server: "", scan: "0", shards: new Set(), done };
  }

  /** Walks over one server, from a position to the end, or until its shards are elsewhere. */
  async *#serverOf(from: Position): AsyncGenerator<WalkPage, void> {
    const { server, shards } = from;
    const via = Math.min(...shards);
    for (let { scan } = from; ; ) {
      const page = await this.#over.page(via, scan);
      if (page.server !== server) return;
      const at = (cursor: string) => ({ ...from, scan: cursor, done: this.#done });
      yield { keys: page.keys, here: at(scan), next: page.next === "0" ? null : at(page.next) };
      scan = page.next;
      if (scan === "0") break;
    }
    const servers = await this.#over.serversOf([...shards]);
    for (const shard of servers.get(server) ?? []) this.#done.add(shard);
  }
}

/** The keys of a store's shards, without what all keys of the prefix begin with. */
export class ShardKeys implements Walkable {
  readonly #server: Server;
  readonly #keys: Keys;
  readonly #place: Place;

  constructor(server: Server, keys: Keys, place: Place) {
    this.#server = server;
    this.#keys = keys;
    this.#place = place;
  }

  get shards(): number {
    return this.#place.shards;
  }

  async serversOf(shards: readonly number[]): Promise<Map<string, number[]>> {
    const servers = new Map<string, number[]>();
    const [first = 0] = shards;
    if (!this.#place.cluster && shards.length > 0) {
      return servers.set((await this.page(first, "")).server, [...shards]);
    }
    for (const shard of shards) {
      const { server } = await this.page(shard, "");
      servers.set(server, [...(servers.get(server) ?? []), shard]);
    }
    return servers;
  }

  async page(shard: number, scan: string) {
    const key = this.#keys.inShard(shard, "s:");
    const args = [scan, String(STEP_KEYS), ""];
    const [, server, next, keys] = await this.#server.read(
      "walk over all keys",
      "scanKeys",
      key,
      args,
    );
    return { server: String(server), next: String(next), keys: keys as string[] };
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
