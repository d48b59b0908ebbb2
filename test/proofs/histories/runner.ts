/*
 * Runs histories against real servers: several processes, many small worlds at once, each of users
 * and sessions of its own. Afterwards everything is read, all keys are checked, and all is ended.
 */
import { AssertionError } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { sources } from "../../../generated/scripts.js";
import { type AnyMutationName, allMutations } from "../../support/proofs/all-mutations.ts";
import { mutatedSources } from "../../support/proofs/mutations.ts";
import { omitMarks } from "../../support/stores/clearing-marks.ts";
import { checkInvariants, type Layout } from "../../support/stores/invariants.ts";
import { elapseOn, freshPrefix } from "../../support/stores/stores.ts";
import type { Call, History } from "./calls.ts";
import { check, type Refusal } from "./checker.ts";
import type { Crew } from "./crew.ts";
import { LIMITS, LONGEST_SHORT, type Plan } from "./plan.ts";
import { listReferences, type Order, type Task } from "./protocol.ts";
import type { Known, Place } from "./world.ts";

export interface Servers {
  /** The URLs or Unix sockets of all masters; one, where there is no cluster. */
  readonly addresses: readonly string[];
  readonly cluster: boolean;
}

export interface RunnerOptions {
  /** A fault of the store that is to be found. */
  readonly mutation?: AnyMutationName;
}

/** The result of one plan. */
export interface Outcome {
  readonly plan: Plan;
  readonly history: History;
  readonly refusal: Refusal | null;
}

const CLUSTER_SHARDS = 6;

/** How much the recorded times may be off, beside the drift between the clocks (ms). */
const SLACK = 1.5;

export class Runner {
  readonly #crew: Crew;
  readonly #masters: readonly Redis[];
  readonly #prefix: string;
  readonly #shards: number;
  readonly #base: bigint;
  #worlds = 0;

  private constructor(crew: Crew, servers: Servers) {
    this.#crew = crew;
    this.#prefix = freshPrefix();
    this.#shards = servers.cluster ? CLUSTER_SHARDS : 1;
    this.#base = process.hrtime.bigint();
    this.#masters = servers.addresses.map((address) => new Redis(address));
  }

  static async start(
    crew: Crew,
    servers: Servers,
    { mutation }: RunnerOptions = {},
  ): Promise<Runner> {
    const runner = new Runner(crew, servers);
    await crew.prepare({
      address: servers.addresses[0] as string,
      cluster: servers.cluster,
      prefix: runner.#prefix,
      shards: runner.#shards,
      mutation: mutation ?? null,
      base: String(runner.#base),
    });
    const texts = { ...sources, ...(mutation ? mutatedSources(allMutations[mutation]) : {}) };
    for (const text of [...Object.values(sources), ...Object.values(texts)]) {
      await Promise.all(runner.#masters.map((master) => master.call("SCRIPT", ["LOAD", text])));
    }
    return runner;
  }

  stop(): void {
    for (const master of this.#masters) master.disconnect();
  }

  /** Runs plans side by side. Rejects where all can be explained and the keys are wrong. */
  async run(
    plans: readonly Plan[],
    { checksKeys = true }: { readonly checksKeys?: boolean } = {},
  ): Promise<Outcome[]> {
    const names = plans.map(() => `w${++this.#worlds}`);
    const place = (i: number, by: number, known: readonly Known[]): Place => ({
      name: names[i] as string,
      by,
      smallPages: plans[i]?.smallPages ?? false,
      limits: plans[i]?.limits ?? null,
      known,
    });
    const before = this.#offset();
    const order = (tasks: Task[]): Order => ({ offset: before, tasks });
    const made = await this.#crew.ask(
      0,
      order(plans.map(({ sessions }, i) => ({ do: "set up", sessions, place: place(i, 0, []) }))),
    );
    const done = await this.#crew.askAll((by) =>
      order(
        plans.map(({ programs }, i) => ({
          do: "run",
          steps: programs[by] ?? [],
          place: place(i, by + 1, made[i]?.known ?? []),
        })),
      ),
    );
    const known = (i: number) =>
      removeDuplicates(done.flatMap((results) => results[i]?.known ?? []));
    const read = await this.#crew.ask(
      0,
      order(plans.map((_, i) => ({ do: "read all", place: place(i, 0, known(i)) }))),
    );
    const fault = checksKeys ? await this.#findFault(() => this.#checkKeysInTime()) : null;
    const calls = plans.map((_, i) =>
      [made, ...done, read].flatMap((results) => results[i]?.calls ?? []),
    );
    const ends = calls.map((list, i): Task => {
      return { do: "end all", ids: listMadeIds(list), place: place(i, 0, []) };
    });
    await this.#crew.ask(0, order(ends));
    const collections = plans.map((_, i): Task => ({ do: "collect", place: place(i, 0, []) }));
    const heard = await this.#crew.askAll(() => order(collections));
    const slack = SLACK + Math.abs(this.#offset() - before);
    const outcomes = plans.map((plan, i): Outcome => {
      const history: History = {
        calls: calls[i] ?? [],
        watches: heard.flatMap((results) => results[i]?.watches ?? []),
        limits: plan.limits ? LIMITS[plan.limits] : {},
        isOneShard: this.#shards === 1,
        slack,
      };
      return { plan, history, refusal: check(history) };
    });
    const explained = outcomes.every(({ refusal }) => refusal === null);
    if (explained && fault) throw fault;
    if (explained && checksKeys) await this.#checkEnded();
    return outcomes;
  }

  /** The error of a check. It counts only where all answers are explained, which say more. */
  async #findFault(checkAll: () => Promise<void>): Promise<Error | null> {
    try {
      await checkAll();
      return null;
    } catch (error) {
      return error as Error;
    }
  }

  /** I3: after everything is ended and the last old id has expired, nothing but the marks of clears is left. */
  async checkNothingLeft(): Promise<void> {
    const deadline = Date.now() + 100_000;
    for (;;) {
      const left = omitMarks(await this.#keys("*"));
      if (left.length === 0) return;
      if (Date.now() > deadline)
        throw new AssertionError({ message: `I3: these keys stay: ${left.slice(0, 5)}` });
      await sleep(50);
    }
  }

  /**
   * A session that expires while its keys are checked may seem to be missing from its sets. So they
   * are checked again when the last of the short deadlines is over.
   */
  async #checkKeysInTime(): Promise<void> {
    try {
      await this.#checkKeys();
    } catch {
      await Promise.all(this.#masters.map((master) => elapseOn(master, LONGEST_SHORT)));
      await this.#checkKeys();
    }
  }

  /** I1, I2 and, where something has no end, I3. */
  async #checkKeys(): Promise<void> {
    const references: Layout["references"] = listReferences(this.#shards);
    const layout = { prefix: this.#prefix, shards: this.#shards, references };
    await Promise.all(this.#masters.map((master) => checkInvariants(master, layout)));
  }

  /** I3: no set outlives the sessions that were in it, and no pointer the one it leads to. */
  async #checkEnded(): Promise<void> {
    const kinds = await Promise.all(["r:*", "m:*", "l:*"].map((kind) => this.#keys(kind)));
    const left = kinds.flat();
    if (left.length === 0) return this.#checkKeys();
    throw new AssertionError({ message: `I3: all sessions are ended, not so ${left.slice(0, 5)}` });
  }

  async #keys(kind: string): Promise<string[]> {
    const pattern = `{${this.#prefix}:*}:${kind}`;
    return (await Promise.all(this.#masters.map((master) => master.keys(pattern)))).flat();
  }

  /**
   * The servers' clock, which is this machine's, less the monotonic one, from `base` (ms). Each
   * sample is at most what is looked for: Date.now() rounds down, and the monotonic clock is read
   * after it, however long this process had to wait in between.
   */
  #offset(): number {
    let offset = Number.NEGATIVE_INFINITY;
    const end = performance.now() + 3;
    for (let samples = 0; samples < 2000 || performance.now() < end; samples++) {
      const now = Date.now();
      const monotonic = Number(process.hrtime.bigint() - this.#base) / 1e6;
      offset = Math.max(offset, now - monotonic);
    }
    return offset;
  }
}

function removeDuplicates(all: readonly Known[]): Known[] {
  return [...new Map(all.map((one) => [one.id, one])).values()];
}

function listMadeIds(calls: readonly Call[]): string[] {
  const ids = calls.flatMap((call) => {
    if (call.do === "create") return [call.id];
    return call.do === "rotate" || call.do === "sign in" ? [call.to] : [];
  });
  return ids.filter((id) => id !== "");
}
