import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { createConfigError } from "../../../shared/errors.ts";
import type { Connection, Send } from "../wire/connection.ts";
import { checkReach, isCrowded, isMovingSlot, runWithTimeout } from "../wire/failures.ts";
import { MissedWriteError, type ReplicatedWrite, Replication } from "../wire/replicas.ts";
import { ServerClock } from "../wire/server-clock.ts";
import {
  isInfoRefused,
  mayBeActiveActive,
  parseTime,
  refuseUnfit,
  TIME_AND_INFO,
} from "../wire/server-info.ts";
import { runScript, type ScriptName } from "./run-script.ts";

/** A script's answer without the time, which comes first: a word, and what belongs to it. */
export type Reply = readonly [word: string, ...rest: unknown[]];

/** Where a script runs, and with which arguments. */
export interface Target {
  readonly key: string;
  readonly args: readonly string[];
}

/** How a script that writes runs. */
export interface WriteOptions {
  /** How many replicas must acknowledge the write before its reply is given. */
  readonly replicas?: number | undefined;
  /**
   * Whether to wait for replicas after this reply.
   * @default after any
   */
  readonly isAwaited?: (reply: Reply) => boolean;
}

/** How long to wait (ms) before trying again what was refused for the moment. */
const RETRY_DELAY_MS = 20;

/** Runs scripts and reads on the servers, within a time limit, and by the servers' own clocks. */
export class Executor {
  readonly #connection: Connection;
  readonly #timeout: number;
  readonly #replication: Replication | null;
  /** By hash tag, as all keys of a shard are on one server; a single clock for a single server. */
  readonly #clocks = new Map<string, ServerClock>();
  /** Whether the server was checked. In a cluster, the first server that was asked stands for all. */
  #checked = false;

  constructor(connection: Connection, timeout: number) {
    this.#connection = connection;
    this.#timeout = timeout;
    this.#replication = connection.findMaster && new Replication(connection.findMaster);
  }

  /** Closes the connections on which writes wait for replicas. */
  close(): void {
    this.#replication?.close();
  }

  /** The time (ms) of a key's server at a moment of `performance.now()`; known after any answer. */
  estimateTime(key: string, moment: number): number {
    return this.#getClock(key).estimateAt(moment);
  }

  /**
   * Runs a script that writes. When its connection comes back, a client may send a command again, or
   * hours late. So the command carries the moment after which the caller has stopped waiting, and
   * does nothing after it.
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
      // This command lets the client find the master, which may be another server by now.
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
   * Runs a script that writes at the first target whose slot isn't moving. After the last target,
   * where `findTarget` gives null, it begins again, within one time limit. A script that is refused
   * for a moving slot has done nothing.
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

  /**
   * Runs a script that writes. If it answers that it is late while the caller still waits, the
   * estimate of the server's clock was wrong. The answer has corrected that, so it runs again.
   */
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

  /** A function that runs writes which this many replicas must acknowledge. */
  #createReplicatedRun(replicas: number) {
    const replication = this.#replication;
    if (!replication) {
      throw createConfigError(
        "Waiting for replicas takes a connection that isn't reopened silently, and a client of Valkey GLIDE reopens its own; give redisStore a client of ioredis or redis, or leave replicas out. Nothing was ended",
        { option: "replicas" },
      );
    }
    return (key: string, write: Omit<ReplicatedWrite<Reply>, "replicas">) =>
      replication.write(key, { ...write, replicas });
  }

  /** Runs a script that only reads, and drops entries that have expired. */
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

  /** Runs plain commands that read, within one time limit. */
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

  /** Does a piece of work within the time limit, and again where it was refused for the moment. */
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
          // A refusal before the time was up says more than that it was.
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
    const now = this.#checked ? await this.#readTime(key) : await this.#checkServer(key);
    this.#getClock(key).learn(now, sent);
  }

  async #readTime(key: string): Promise<number> {
    // TIME has no key by which a cluster's client would find the server. A script has one.
    const reply = this.#connection.cluster
      ? await this.#connection.send(key, "EVAL", ["return redis.call('TIME')", "1", key])
      : await this.#connection.send(key, "TIME", []);
    return toMilliseconds(reply as string[]);
  }

  /**
   * Checks what kind of server this is, at first use and before anything is written. Its time.
   *
   * @throws SessionError ERR_SESSION_CONFIG for a server that can't keep the store's promises.
   */
  async #checkServer(key: string): Promise<number> {
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

  /** A section of INFO; empty where the server refuses to say it. */
  async #readInfo(key: string, section: string): Promise<string> {
    try {
      return String(await this.#connection.send(key, "INFO", [section]));
    } catch (error) {
      if (isInfoRefused(error)) return "";
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

/** The answer of TIME, in ms. */
function toMilliseconds([seconds, micros]: readonly string[]): number {
  return Math.floor(Number(seconds) * 1000 + Number(micros) / 1000);
}

/** Whether a refusal is only temporary. */
function isTransient(error: unknown): boolean {
  return isCrowded(error) || isMovingSlot(error) || error instanceof MissedWriteError;
}

/** Whether a write missed its master because no time was left. */
function isLate(error: unknown): boolean {
  return error instanceof MissedWriteError && error.isLate;
}
