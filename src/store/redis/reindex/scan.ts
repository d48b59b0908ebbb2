import type { Keys } from "../layout/keys.ts";
import type { Executor } from "../scripts/executor.ts";
import type { ScanPosition, ScanScope } from "./scan-cursor.ts";

/** How many keys of a server SCAN looks at in one step. */
export const KEY_SCAN_COUNT = 200;
/** How many entries of a set ZSCAN or SSCAN looks at in one step. */
export const ENTRY_SCAN_COUNT = 100;
/** How many of the keys that were scanned are worked on at a time. */
export const MAX_PARALLEL_KEYS = 50;

/** What is walked over: the keys of so many shards, which stand for all keys of the servers they are on. */
export interface ScanSource {
  readonly shards: number;
  /** Which servers have these shards. */
  findServers(shards: readonly number[]): Promise<Map<string, number[]>>;
  /** One step of SCAN on the server of a shard: that server, where SCAN goes on ("0": the end), the keys. */
  scanPage(shard: number, scan: string): Promise<{ server: string; next: string; keys: string[] }>;
}

/** The keys that one step of a walk came by. */
export interface ScanPage {
  readonly keys: readonly string[];
  /** Where to go on to get this page again. */
  readonly here: ScanPosition;
  /** Where to go on after it; null after the last page of a server. */
  readonly next: ScanPosition | null;
}

/**
 * Walks over all keys of all shards, a server after the other, in bounded steps. A key that is there
 * from the first step to the last is met, perhaps more than once.
 *
 * SCAN's cursor is good for the one process of a server that gave it, so a shard is done when a
 * whole SCAN was made on one server that had it when it began and has it when it ends: after a
 * failover, a restart or a move of its slot it is walked over again.
 */
export class KeyScan {
  readonly #source: ScanSource;
  readonly #from: ScanPosition;
  readonly #done: Set<number>;

  constructor(source: ScanSource, from: ScanPosition) {
    this.#source = source;
    this.#from = from;
    this.#done = new Set(from.done);
  }

  async *pages(): AsyncGenerator<ScanPage, void> {
    let position = this.#from;
    for (;;) {
      position = await this.#findNext(position);
      if (position.shards.size === 0) return;
      yield* this.#scanServer(position);
    }
  }

  /** Where to go on: at the position, if its server still has shards of it; or at the next server. */
  async #findNext({ server, scan, shards }: ScanPosition): Promise<ScanPosition> {
    const done = this.#done;
    const left = createRange(this.#source.shards).filter((shard) => !done.has(shard));
    const servers = await this.#source.findServers(left);
    const still = (servers.get(server) ?? []).filter((shard) => shards.has(shard));
    if (still.length > 0) return { server, scan, shards: new Set(still), done };
    const [first] = servers;
    return first
      ? { server: first[0], scan: "0", shards: new Set(first[1]), done }
      : { server: "", scan: "0", shards: new Set(), done };
  }

  /** Walks over one server, from a position to the end, or until its shards are elsewhere. */
  async *#scanServer(from: ScanPosition): AsyncGenerator<ScanPage, void> {
    const { server, shards } = from;
    const via = Math.min(...shards);
    for (let { scan } = from; ; ) {
      const page = await this.#source.scanPage(via, scan);
      if (page.server !== server) return;
      const createPosition = (cursor: string) => ({ ...from, scan: cursor, done: this.#done });
      yield {
        keys: page.keys,
        here: createPosition(scan),
        next: page.next === "0" ? null : createPosition(page.next),
      };
      scan = page.next;
      if (scan === "0") break;
    }
    const servers = await this.#source.findServers([...shards]);
    for (const shard of servers.get(server) ?? []) this.#done.add(shard);
  }
}

/** The keys of a store's shards, without what all keys of the prefix begin with. */
export class ShardKeys implements ScanSource {
  readonly #executor: Executor;
  readonly #keys: Keys;
  readonly #scope: ScanScope;

  constructor(executor: Executor, keys: Keys, scope: ScanScope) {
    this.#executor = executor;
    this.#keys = keys;
    this.#scope = scope;
  }

  get shards(): number {
    return this.#scope.shards;
  }

  async findServers(shards: readonly number[]): Promise<Map<string, number[]>> {
    const servers = new Map<string, number[]>();
    const [first = 0] = shards;
    if (!this.#scope.cluster && shards.length > 0) {
      return servers.set((await this.scanPage(first, "")).server, [...shards]);
    }
    for (const shard of shards) {
      const { server } = await this.scanPage(shard, "");
      servers.set(server, [...(servers.get(server) ?? []), shard]);
    }
    return servers;
  }

  async scanPage(shard: number, scan: string) {
    const key = this.#keys.inShard(shard, "s:");
    const args = [scan, String(KEY_SCAN_COUNT), ""];
    const [, server, next, keys] = await this.#executor.read(
      "scan all keys",
      "scanKeys",
      key,
      args,
    );
    return { server: String(server), next: String(next), keys: keys as string[] };
  }
}

function createRange(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
