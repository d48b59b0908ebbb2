import { settled } from "../../../shared/wait-for-all.ts";
import type { DeclaredReference } from "../../reindexing.ts";
import { MOST_SHARDS } from "../../shards.ts";
import { counted } from "../layout/encode.ts";
import { encodeName, type Keys, setNames } from "../layout/keys.ts";
import type { Reply, Server } from "../scripts/executor.ts";
import type { ScriptName } from "../scripts/run-script.ts";

/** What was wrong. */
export interface Mended {
  readonly added: number;
  readonly removed: number;
  readonly corrected: number;
}

const NOTHING: Mended = { added: 0, removed: 0, corrected: 0 };

/** How many entries ZSCAN or SSCAN looks at in one step. */
const STEP_ENTRIES = 100;
/** How many keys are mended at a time. */
const TOGETHER = 50;
/** How many aliases are followed from an id. */
const HOPS = 3;

/** A session, or a page of a set. */
interface Task {
  readonly shard: number;
  readonly kind: "s" | "r" | "m";
  readonly name: string;
  readonly cursor: string;
}

/** `next`: where the set goes on, or "0". */
interface Done extends Mended {
  readonly next: string;
}

/** A key as the walk gives it, without what all keys of the prefix begin with. */
const KEY = /^(0|[1-9]\d{0,3})\}:([srm]):(.*)$/s;

/** Mends sessions and sets, each by scripts that look again and go by what is there. */
export class Mender {
  readonly #server: Server;
  readonly #keys: Keys;
  readonly #references: readonly DeclaredReference[];
  readonly #dryRun: boolean;

  constructor(
    server: Server,
    keys: Keys,
    references: readonly DeclaredReference[],
    dryRun: boolean,
  ) {
    this.#server = server;
    this.#keys = keys;
    this.#references = references;
    this.#dryRun = dryRun;
  }

  /** Mends what the keys hold, in bounded parts, and tells after each what was wrong. */
  async *mend(keys: readonly string[]): AsyncGenerator<Mended, void> {
    const queue: Task[] = [];
    for (const key of keys) {
      const [, shard, kind, name = ""] = KEY.exec(key) ?? [];
      if (shard === undefined || Number(shard) >= MOST_SHARDS) continue;
      queue.push({ shard: Number(shard), kind: kind as Task["kind"], name, cursor: "0" });
    }
    while (queue.length > 0) {
      const part = queue.splice(0, TOGETHER);
      const results = await settled(part.map((task) => this.#do(task)));
      yield results.reduce(plus, NOTHING);
      for (const [i, { next }] of results.entries()) {
        const task = part[i];
        if (task && next !== "0") queue.push({ ...task, cursor: next });
      }
    }
  }

  async #do(task: Task): Promise<Done> {
    if (task.kind !== "s") return this.#set(task);
    return { ...(await this.#session(task.shard, task.name)), next: "0" };
  }

  async #session(shard: number, id: string): Promise<Mended> {
    const { at, texts } = await this.#read(shard, id);
    const references = this.#references.flatMap((reference, i) => {
      const { field, plain } = reference;
      const text = texts[i] ?? null;
      const values = text === null ? [] : reference.textsOf(text);
      const names = setNames({ field, texts: values, plain }).join(" ");
      return [field, encodeName(field), text === null ? "" : "1", text ?? "", names];
    });
    const mended = await this.#mendHash(shard, at, references);
    return at === id ? mended : plus(mended, await this.#mendHash(shard, id, []));
  }

  async #mendHash(shard: number, id: string, references: readonly string[]): Promise<Mended> {
    const [, ...numbers] = await this.#run("reindexSession", this.#keys.inShard(shard, `s:${id}`), [
      id,
      this.#dryRun ? "" : "1",
      ...counted(references),
    ]);
    return mendedOf(numbers);
  }

  /** The texts of a session's references, aliases followed: it may be rotated while keys are walked. */
  async #read(shard: number, id: string) {
    const fields = this.#references.map(({ field }) => field);
    let at = id;
    for (let hop = 0; ; hop++) {
      const key = this.#keys.inShard(shard, `s:${at}`);
      const reply = await this.#server.commands("read a session", key, (send) =>
        send(key, "HMGET", [key, "@to", ...fields]),
      );
      const [target, ...texts] = reply as (string | null)[];
      if (typeof target !== "string" || hop === HOPS) return { at, texts };
      at = target;
    }
  }

  /** One page of a set: it may be large. */
  async #set({ shard, kind, name, cursor }: Task): Promise<Done> {
    const [, ...rest] = await this.#run(
      "reindexSet",
      this.#keys.inShard(shard, `${kind}:${name}`),
      [name, kind, cursor, String(STEP_ENTRIES), this.#dryRun ? "" : "1"],
    );
    return { ...mendedOf(rest), next: String(rest[3]) };
  }

  #run(script: ScriptName, key: string, args: readonly string[]): Promise<Reply> {
    return this.#dryRun
      ? this.#server.read("compare a session with its sets", script, key, args)
      : this.#server.write("mend a session or a set", script, key, args);
  }
}

function mendedOf([added, removed, corrected]: readonly unknown[]): Mended {
  return { added: Number(added), removed: Number(removed), corrected: Number(corrected) };
}

function plus(a: Mended, b: Mended): Mended {
  return {
    added: a.added + b.added,
    removed: a.removed + b.removed,
    corrected: a.corrected + b.corrected,
  };
}
