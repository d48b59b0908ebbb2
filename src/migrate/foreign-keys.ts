import { decodeHash } from "../store/redis/layout/decode.ts";
import { ENTRY_SCAN_COUNT, KEY_SCAN_COUNT, type ScanSource } from "../store/redis/reindex/scan.ts";
import { runScript } from "../store/redis/scripts/run-script.ts";
import type { Connection } from "../store/redis/wire/connection.ts";
import { checkReach, runWithTimeout } from "../store/redis/wire/failures.ts";
import { findSlotKey, SLOT_COUNT } from "../store/redis/wire/slots.ts";

/*
 * Keys that other libraries wrote. They are in any slot, so each is read and removed by commands of
 * its own.
 */

/** The value at a foreign key. */
export interface ForeignValue {
  /** A string, or a hash as name and value. */
  readonly value: string | ReadonlyMap<string, string>;
  /** When the key expires (ms); null where it does not. */
  readonly expiresAt: number | null;
}

/** A page of the members of a foreign index. */
export interface IndexPage {
  readonly members: readonly string[];
  /** "0" at the end. */
  readonly next: string;
}

/** The type of the key of an index. */
export type IndexType = "set" | "sorted set";

export class ForeignKeys {
  readonly #connection: Connection;
  readonly #timeout: number;

  constructor(connection: Connection, timeout: number) {
    this.#connection = connection;
    this.#timeout = timeout;
  }

  /** Reads a key of this type. Null: there is nothing. Undefined: the key has another type. */
  async read(key: string, type: "string" | "hash"): Promise<ForeignValue | null | undefined> {
    const name = type === "hash" ? "HGETALL" : "GET";
    try {
      const [expiry, reply] = await this.#runWithTimeout("read a session to migrate", key, () =>
        Promise.all([
          this.#connection.send(key, "PEXPIRETIME", [key]),
          this.#connection.send(key, name, [key]),
        ]),
      );
      if (Number(expiry) === -2 || reply === null) return null;
      const value = type === "hash" ? decodeHash(reply) : String(reply);
      if (typeof value !== "string" && value.size === 0) return null; // gone between the two
      return { value, expiresAt: Number(expiry) < 0 ? null : Number(expiry) };
    } catch (error) {
      const { cause } = error as Error;
      if (cause instanceof Error && /\bWRONGTYPE\b/i.test(cause.message)) return undefined;
      throw error;
    }
  }

  async has(key: string): Promise<boolean> {
    return Number(await this.#send("look for a session to migrate", key, "EXISTS", [key])) > 0;
  }

  async remove(key: string): Promise<void> {
    await this.#send("remove a migrated session", key, "DEL", [key]);
  }

  /** Reads one step of an index. A member that is there from the first step to the last is given. */
  async readMembers(key: string, type: IndexType, cursor: string): Promise<IndexPage> {
    const name = type === "set" ? "SSCAN" : "ZSCAN";
    const reply = await this.#send("read an index to migrate", key, name, [
      key,
      cursor,
      "COUNT",
      String(ENTRY_SCAN_COUNT),
    ]);
    const [next, found] = reply as [string, unknown[]];
    const flat = found.flat().map(String); // with RESP3 a sorted set's members may come in pairs
    const members = type === "set" ? flat : flat.filter((_, i) => i % 2 === 0);
    return { members, next: String(next) };
  }

  async removeMembers(key: string, type: IndexType, members: readonly string[]): Promise<void> {
    if (members.length === 0) return;
    const name = type === "set" ? "SREM" : "ZREM";
    await this.#send("remove from a migrated index", key, name, [key, ...members]);
  }

  /** Lets a scan read all keys that match a glob-style pattern, on all masters. */
  createScanSource(pattern: string): ScanSource {
    const { cluster } = this.#connection;
    const scanPage = (shard: number, scan: string) => this.#scanPage(pattern, shard, scan);
    return {
      shards: cluster ? SLOT_COUNT : 1,
      scanPage,
      findServers: async (slots) => {
        const [first = 0] = slots;
        if (!cluster) return new Map([[(await scanPage(first, "")).server, [...slots]]]);
        const servers = new Map<string, number[]>();
        const wanted = new Set(slots);
        for (const owned of await this.#readSlotsByServer(first)) {
          const here = owned.filter((slot) => wanted.has(slot));
          const [one] = here;
          if (one === undefined) continue;
          const { server } = await scanPage(one, "");
          servers.set(server, [...(servers.get(server) ?? []), ...here]);
        }
        return servers;
      },
    };
  }

  async #scanPage(pattern: string, slot: number, scan: string) {
    const key = findSlotKey(slot);
    const args = [scan, String(KEY_SCAN_COUNT), pattern];
    const reply = await this.#runWithTimeout("scan the keys of sessions to migrate", key, () =>
      runScript((...sent) => this.#connection.send(key, ...sent), {
        name: "scanKeys",
        key,
        notAfter: "",
        args,
        inCluster: this.#connection.cluster,
      }),
    );
    const [, , server, next, keys] = reply as [unknown, unknown, string, string, string[]];
    return { server, next, keys };
  }

  async #readSlotsByServer(slot: number): Promise<number[][]> {
    const key = findSlotKey(slot);
    const reply = await this.#send("find the servers of a cluster", key, "CLUSTER", ["SLOTS"]);
    const servers = new Map<string, number[]>();
    for (const [from, to, [host, port]] of reply as [number, number, [string, number]][]) {
      const name = `${host}:${port}`;
      const owned = servers.get(name) ?? [];
      for (let one = Number(from); one <= Number(to); one++) owned.push(one);
      servers.set(name, owned);
    }
    return [...servers.values()];
  }

  #send(operation: string, key: string, name: string, args: readonly string[]): Promise<unknown> {
    return this.#runWithTimeout(operation, key, () => this.#connection.send(key, name, args));
  }

  #runWithTimeout<T>(operation: string, key: string, work: () => Promise<T>): Promise<T> {
    return runWithTimeout(operation, this.#timeout, async () => {
      try {
        return await work();
      } catch (error) {
        checkReach(error, this.#connection);
        throw stripKey(error, key);
      }
    });
  }
}

/** Escapes a text in a glob-style pattern, so that it matches only itself. */
export function escapePattern(text: string): string {
  return text.replace(/[*?[\]^\\]/g, "\\$&");
}

/** A foreign key may hold a token, and a server may quote the key in its message. */
function stripKey(error: unknown, key: string): unknown {
  if (!(error instanceof Error) || !error.message.includes(key)) return error;
  return new Error(error.message.replaceAll(key, "…"));
}
