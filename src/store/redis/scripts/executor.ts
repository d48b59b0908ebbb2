import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { createConfigError } from "../../../shared/errors.ts";
import type { Connection, Send } from "../wire/connection.ts";
import { checkReach, isCrowded, isMovingSlot, runWithTimeout } from "../wire/failures.ts";
import { MissedWriteError, type ReplicatedWrite, Replication } from "../wire/replicas.ts";
import { ServerClock } from "../wire/server-clock.ts";
import {
  isUntold,
  mayBeActiveActive,
  parseTime,
  refuseUnfit,
  TIME_AND_INFO,
} from "../wire/server-info.ts";
import { runScript, type ScriptName } from "./run-script.ts";

/** What a script answers after the time: a word, and what belongs to it. */
export type Reply = readonly [word: string, ...rest: unknown[]];

/** Where a script is run, and with what. */
export interface Target {
  readonly key: string;
  readonly args: readonly string[];
}

/** How a script that writes is run. */
export interface WriteOptions {
  /** How many replicas must have acknowledged the write before the reply is given. */
  readonly replicas?: number | undefined;
  /**
   * Whether it is this reply that replicas are waited for.
   * @default each
   */
  readonly isAwaited?: (reply: Reply) => boolean;
}

/** How long to wait before what was refused for the moment is tried again (ms). */
const RETRY_DELAY_MS = 20;

/** The servers as the store uses them: scripts and reads, within a time limit, on their own clocks. */
export class Executor {
  readonly #connection: Connection;
  readonly #timeout: number;
  readonly #replication: Replication | null;
  /** By hash tag: all keys of a shard are on one server. One, where there is one server. */
  readonly #clocks = new Map<string, ServerClock>();
  /** Whether a server has said what it is: the first that was asked, for all of a cluster. */
  #checked = false;

  constructor(connection: Connection, timeout: number) {
    this.#connection = connection;
    this.#timeout = timeout;
    this.#replication = connection.findMaster && new Replication(connection.findMaster);
  }

  /** Closes the connections that were opened to wait for replicas. */
  close(): void {
    this.#replication?.close();
  }

  /** The time at a key's server, in ms, at a moment of `performance.now()`; known after any answer. */
  estimateTime(key: string, moment: number): number {
    return this.#getClock(key).estimateAt(moment);
  }

  /**
   * Runs a script that writes. A client may send a command again, or hours late, when its connection
   * comes back: it carries the moment after which the caller has stopped waiting, and does nothing
   * after it. Where the server answers that it is too late although the caller still waits, the
   * estimate of its clock was wrong; the answer has corrected it.
   */
  write(
    operation: string,
    script: ScriptName,
    key: string,
    args: readonly string[],
    { replicas, isAwaited = () => true }: WriteOptions = {},
  ): Promise<Reply> {
    const acknowledged = replicas === undefined ? null : this.#createReplicatedRun(replicas);
    let tries = 0;
    return this.#runInTime(operation, async (start) => {
      const deadline = start + this.#timeout;
      // By a command of its own, a client finds a master that has moved.
      if (acknowledged && tries++ > 0) await this.#askTime(key);
      return this.#runWrite(script, { key, args }, deadline, (run) =>
        acknowledged
          ? acknowledged(key, {
              operation,
              run,
              isAwaited: (r) => r[0] !== "late" && isAwaited(r),
              deadline,
            })
          : run(this.#createSend(key)),
      );
    });
  }

  /**
   * Runs a script that writes at the first target whose slot is not moving; where all are (there is
   * none at the next number), it begins again, within the one time limit. What was refused for a moving slot has done nothing.
   */
  writeAnywhere<One extends Target>(
    operation: string,
    script: ScriptName,
    findTarget: (n: number) => One | null,
  ): Promise<{ readonly target: One; readonly reply: Reply }> {
    return this.#runInTime(operation, async (start) => {
      const end = start + this.#timeout;
      let refusal: unknown;
      for (let n = 0; ; n++) {
        const target = findTarget(n);
        if (target === null) throw refusal;
        const send = this.#createSend(target.key);
        try {
          return { target, reply: await this.#runWrite(script, target, end, (run) => run(send)) };
        } catch (error) {
          if (!isMovingSlot(error)) throw error;
          refusal = error;
        }
      }
    });
  }

  /** Runs a script that writes, once more where the estimate of the server's clock was wrong. */
  async #runWrite(
    script: ScriptName,
    { key, args }: Target,
    end: number,
    by: (run: (over: Send) => Promise<Reply>) => Promise<Reply>,
  ): Promise<Reply> {
    const run = (over: Send) => {
      const notAfter = String(this.#getClock(key).estimateAt(end));
      return this.#runScript(script, key, [notAfter, ...args], over);
    };
    for (;;) {
      await this.#learnTime(key);
      const reply = await by(run);
      if (reply[0] !== "late") return reply;
      if (performance.now() >= end) {
        throw new Error("the server was reached too late, and has done nothing");
      }
    }
  }

  /** Runs writes that so many replicas must acknowledge. */
  #createReplicatedRun(replicas: number) {
    const replication = this.#replication;
    if (!replication) {
      throw createConfigError(
        "Waiting for replicas takes a connection that is never opened again in silence, which a client of Valkey GLIDE does; give redisStore a client of ioredis or redis, or leave replicas out. Nothing was ended",
        { option: "replicas" },
      );
    }
    return (key: string, write: Omit<ReplicatedWrite<Reply>, "replicas">) =>
      replication.write(key, { ...write, replicas });
  }

  /** Runs a script that only reads (and drops entries that have expired). */
  read(
    operation: string,
    script: ScriptName,
    key: string,
    args: readonly string[],
  ): Promise<Reply> {
    return this.#runInTime(operation, async () => {
      if (!this.#checked) await this.#askTime(key);
      return this.#runScript(script, key, ["", ...args], this.#createSend(key));
    });
  }

  /** Runs plain commands that read, one after the other if it takes several, in one time limit. */
  runCommands<T>(
    operation: string,
    key: string,
    work: (send: Connection["send"]) => Promise<T>,
  ): Promise<T> {
    return this.#runInTime(operation, async () => {
      const [result] = await Promise.all([work(this.#connection.send), this.#learnTime(key)]);
      return result;
    });
  }

  /** Does one piece of work within the time limit, and again where it was refused for the moment. */
  #runInTime<T>(operation: string, work: (start: number) => Promise<T>): Promise<T> {
    const start = performance.now();
    const end = start + this.#timeout - RETRY_DELAY_MS;
    let refusal: unknown;
    const runBeforeEnd = async () => {
      for (;;) {
        try {
          return await work(start);
        } catch (error) {
          checkReach(error, this.#connection);
          if (!isLate(error) || refusal === undefined) refusal = error;
          if (!isTransient(error) || performance.now() > end) throw refusal;
        }
        await sleep(RETRY_DELAY_MS);
      }
    };
    return runWithTimeout(operation, this.#timeout, runBeforeEnd, () => refusal);
  }

  #createSend(key: string): Send {
    return (name, args) => this.#connection.send(key, name, args);
  }

  async #runScript(
    script: ScriptName,
    key: string,
    args: readonly string[],
    send: Send,
  ): Promise<Reply> {
    const sent = performance.now();
    const reply = await runScript(send, script, key, args);
    const [now, ...rest] = reply as [unknown, ...Reply];
    this.#getClock(key).learn(Number(now), sent);
    return rest;
  }

  async #learnTime(key: string): Promise<void> {
    if (!this.#checked || !this.#getClock(key).isKnown) await this.#askTime(key);
  }

  async #askTime(key: string): Promise<void> {
    const sent = performance.now();
    const now = this.#checked ? await this.#readTime(key) : await this.#introduce(key);
    this.#getClock(key).learn(now, sent);
  }

  async #readTime(key: string): Promise<number> {
    // TIME has no key by which a cluster's client would find the server; a script has.
    const reply = this.#connection.cluster
      ? await this.#connection.send(key, "EVAL", ["return redis.call('TIME')", "1", key])
      : await this.#connection.send(key, "TIME", []);
    return toMilliseconds(reply as string[]);
  }

  /**
   * The time at a server that says what it is: at first use, before anything is written.
   *
   * @throws SessionError ERR_SESSION_CONFIG for one that cannot keep what is promised.
   */
  async #introduce(key: string): Promise<number> {
    const [info, now] = this.#connection.cluster
      ? await this.#askInScript(key)
      : await this.#askInfo(key);
    refuseUnfit(info);
    this.#checked = true;
    return now ?? (await this.#readTime(key));
  }

  async #askInScript(key: string): Promise<[info: string, now: number]> {
    const reply = await this.#connection.send(key, "EVAL", [TIME_AND_INFO, "1", key]);
    const [seconds = "", micros = "", info = ""] = reply as string[];
    return [info, toMilliseconds([seconds, micros])];
  }

  async #askInfo(key: string): Promise<[info: string, now: number | null]> {
    const info = await this.#readInfo(key, "server");
    const more = mayBeActiveActive(info) ? await this.#readInfo(key, "crdt") : "";
    return [info + more, parseTime(info)];
  }

  /** A section of INFO; empty where the server does not tell. */
  async #readInfo(key: string, section: string): Promise<string> {
    try {
      return String(await this.#connection.send(key, "INFO", [section]));
    } catch (error) {
      if (isUntold(error)) return "";
      throw error;
    }
  }

  #getClock(key: string): ServerClock {
    const server = this.#connection.cluster ? key.slice(0, key.indexOf("}")) : "";
    const known = this.#clocks.get(server);
    if (known) return known;
    const clock = new ServerClock();
    this.#clocks.set(server, clock);
    return clock;
  }
}

/** What TIME says, in ms. */
function toMilliseconds([seconds, micros]: readonly string[]): number {
  return Math.floor(Number(seconds) * 1000 + Number(micros) / 1000);
}

/** Whether a refusal is only for the moment. */
function isTransient(error: unknown): boolean {
  return isCrowded(error) || isMovingSlot(error) || error instanceof MissedWriteError;
}

/** Whether no time was left: what it was refused for before tells more. */
function isLate(error: unknown): boolean {
  return error instanceof MissedWriteError && error.isLate;
}
