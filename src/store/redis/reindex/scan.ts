import type { Keys } from "../layout/keys.ts";
import type { Executor } from "../scripts/executor.ts";
import type { ScanPosition, ScanScope } from "./scan-cursor.ts";

/** How many keys of a server SCAN looks at in one step. */
export const KEY_SCAN_COUNT = 200;
/** How many entries of a set ZSCAN or SSCAN looks at in one step. */
export const ENTRY_SCAN_COUNT = 100;
/** How many of the keys that were scanned are worked on at a time. */
export const MAX_PARALLEL_KEYS = 50;

/** A key space that is scanned server by server. Each shard stands for the server that owns it now. */
export interface ScanSource {
  readonly shards: number;
  /** Returns the servers that own these shards now. */
  findServers(shards: readonly number[]): Promise<Map<string, number[]>>;
  /**
   * Runs one step of SCAN on the server of a shard, and returns that server, the cursor of the next
   * step ("0" at the end) and the keys. An empty `scan` only asks for the server.
   */
  scanPage(shard: number, scan: string): Promise<{ server: string; next: string; keys: string[] }>;
}

/** The keys of one step of a scan. */
export interface ScanPage {
  readonly keys: readonly string[];
  /** The position to continue from to scan this page again. */
  readonly here: ScanPosition;
  /** The position to continue from after this page; null after the last page of a server. */
  readonly next: ScanPosition | null;
}

/**
 * Scans all keys of all shards, one server after the other, in bounded steps. A key that is there
 * from the first step to the last is included, perhaps more than once.
 *
 * A SCAN cursor is valid only in the server process that returned it. So a shard is done when one
 * server has completed a whole SCAN, and owned the shard both at its beginning and at its end. After a
 * failover, a restart or a move of its slot, a shard is scanned again.
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

  /** The position itself if its server still has some of its shards; otherwise that of the next server. */
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

  /** Scans one server, from a position to the end, or until another server answers for its shards. */
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

/** The keys of a store's shards, without the beginning that all keys of the prefix share. */
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
    const key = this.#keys.deriveKey(shard, "s:");
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
