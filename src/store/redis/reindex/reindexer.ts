import { waitForAll } from "../../../shared/wait-for-all.ts";
import { MAX_HOPS } from "../../contract.ts";
import type { DeclaredReference, StoreReindexOptions } from "../../reindexing.ts";
import { MAX_SHARDS } from "../../shards.ts";
import { encodeList } from "../layout/encode.ts";
import { encodeName, encodeSetNames, type Keys } from "../layout/keys.ts";
import { decodeAlias } from "../layout/session-hash.ts";
import type { Executor, Reply } from "../scripts/executor.ts";
import type { ScriptName } from "../scripts/run-script.ts";
import { ENTRY_SCAN_COUNT, MAX_PARALLEL_KEYS } from "./scan.ts";

/** How many differences were found. */
export interface ReindexCounts {
  readonly added: number;
  readonly removed: number;
  readonly corrected: number;
}

export const NO_DIFFERENCES: ReindexCounts = { added: 0, removed: 0, corrected: 0 };

/** A session, or a page of a set, to compare. */
interface ReindexTask {
  readonly shard: number;
  readonly kind: "s" | "r" | "m";
  readonly name: string;
  readonly cursor: string;
}

interface TaskResult extends ReindexCounts {
  /** The cursor of the set's next page; "0" after the last one, and for a session. */
  readonly next: string;
}

/** A key as `KeyScan` returns it, without the beginning that all keys of the prefix share. */
const KEY_PATTERN = /^(0|[1-9]\d{0,3})\}:([srm]):(.*)$/s;

/** Compares sessions with their sets, and fixes them with scripts that read everything again. */
export class Reindexer {
  readonly #executor: Executor;
  readonly #keys: Keys;
  readonly #references: readonly DeclaredReference[];
  readonly #dryRun: boolean;

  constructor(
    executor: Executor,
    keys: Keys,
    references: readonly DeclaredReference[],
    { dryRun }: Pick<StoreReindexOptions, "dryRun">,
  ) {
    this.#executor = executor;
    this.#keys = keys;
    this.#references = references;
    this.#dryRun = dryRun;
  }

  /** Reindexes these keys in bounded parts, and yields the counts of each part. */
  async *reindex(keys: readonly string[]): AsyncGenerator<ReindexCounts, void> {
    const queue: ReindexTask[] = [];
    for (const key of keys) {
      const [, shard, kind, name = ""] = KEY_PATTERN.exec(key) ?? [];
      if (shard === undefined || Number(shard) >= MAX_SHARDS) continue;
      queue.push({ shard: Number(shard), kind: kind as ReindexTask["kind"], name, cursor: "0" });
    }
    while (queue.length > 0) {
      const part = queue.splice(0, MAX_PARALLEL_KEYS);
      const results = await waitForAll(part.map((task) => this.#reindexTask(task)));
      yield results.reduce(addCounts, NO_DIFFERENCES);
      for (const [i, { next }] of results.entries()) {
        const task = part[i];
        if (task && next !== "0") queue.push({ ...task, cursor: next });
      }
    }
  }

  async #reindexTask(task: ReindexTask): Promise<TaskResult> {
    if (task.kind !== "s") return this.#reindexSetPage(task);
    return { ...(await this.#reindexSession(task.shard, task.name)), next: "0" };
  }

  async #reindexSession(shard: number, id: string): Promise<ReindexCounts> {
    const { at, texts } = await this.#readTexts(shard, id);
    const references = this.#references.flatMap((reference, i) => {
      const { field, plain } = reference;
      const text = texts[i] ?? null;
      const values = text === null ? [] : reference.toTexts(text);
      const names = encodeSetNames({ field, texts: values, plain }).join(" ");
      return [field, encodeName(field), text === null ? "" : "1", text ?? "", names];
    });
    const counts = await this.#reindexHash(shard, at, references);
    return at === id ? counts : addCounts(counts, await this.#reindexHash(shard, id, []));
  }

  async #reindexHash(
    shard: number,
    id: string,
    references: readonly string[],
  ): Promise<ReindexCounts> {
    const [, ...numbers] = await this.#runScript(
      "reindexSession",
      this.#keys.deriveKey(shard, `s:${id}`),
      [id, this.#dryRun ? "" : "1", ...encodeList(references)],
    );
    return decodeCounts(numbers);
  }

  /** The texts of a session's references. It follows aliases, as the session may rotate during the scan. */
  async #readTexts(shard: number, id: string) {
    const fields = this.#references.map(({ field }) => field);
    let at = id;
    for (let hop = 0; ; hop++) {
      const key = this.#keys.deriveKey(shard, `s:${at}`);
      const reply = await this.#executor.runCommands("read a session", key, (send) =>
        send(key, "HMGET", [key, "@", ...fields]),
      );
      const [own, ...texts] = reply as (string | null)[];
      const target = typeof own === "string" ? decodeAlias(own) : undefined;
      if (target === undefined || hop === MAX_HOPS) return { at, texts };
      at = target;
    }
  }

  /** Reindexes one page of a set, because sets may be large. */
  async #reindexSetPage({ shard, kind, name, cursor }: ReindexTask): Promise<TaskResult> {
    const [, ...rest] = await this.#runScript(
      "reindexSet",
      this.#keys.deriveKey(shard, `${kind}:${name}`),
      [name, kind, cursor, String(ENTRY_SCAN_COUNT), this.#dryRun ? "" : "1"],
    );
    return { ...decodeCounts(rest), next: String(rest[3]) };
  }

  #runScript(script: ScriptName, key: string, args: readonly string[]): Promise<Reply> {
    return this.#dryRun
      ? this.#executor.read("compare a session with its sets", script, key, args)
      : this.#executor.write("reindex a session or a set", script, key, args);
  }
}

function decodeCounts([added, removed, corrected]: readonly unknown[]): ReindexCounts {
  return { added: Number(added), removed: Number(removed), corrected: Number(corrected) };
}

export function addCounts(a: ReindexCounts, b: ReindexCounts): ReindexCounts {
  return {
    added: a.added + b.added,
    removed: a.removed + b.removed,
    corrected: a.corrected + b.corrected,
  };
}
