import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { createConfigError } from "../../../shared/errors.ts";
import { type Call, Calls } from "../wire/calls.ts";
import type { Connection, Send } from "../wire/connection.ts";
import { checkReach, isCrowded, isMovingSlot } from "../wire/failures.ts";
import { MissedWriteError, type ReplicatedWrite, Replication } from "../wire/replicas.ts";
import { ServerTimes } from "../wire/server-times.ts";
import { composeScriptCall, runScript, type ScriptCall, type ScriptName } from "./run-script.ts";

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

/** A plain command that reads, and what its reply says. */
export interface PlainRead<Found, Answer> {
  readonly operation: string;
  readonly key: string;
  readonly name: string;
  readonly args: readonly string[];
  /** Undefined where the reply leads on. */
  readonly decode: (reply: unknown) => Found | undefined;
  /** Does the whole read, which begins with the same command. */
  readonly readOn: (send: Connection["send"]) => Promise<Found>;
  /** Called once the server's time is known. The read was asked for at this moment of `performance.now()`. */
  readonly compose: (found: Found, asked: number) => Answer;
}

/**
 * Does a call as it may have to be done: it asks for the time, follows, tries again. Its first command may
 * have been `sent` already.
 */
type Work<Answer> = (start: number, sent: Sent | null) => Promise<Answer>;

/** The reply to a command that was sent. */
type Sent = Promise<unknown>;

/** How long to wait (ms) before trying again what was refused for the moment. */
const RETRY_DELAY_MS = 20;

/**
 * Runs scripts and reads on the servers, within a time limit, and by the servers' own clocks.
 *
 * Where the server's time is known, a call sends its command at once, and its reply settles the call. Any
 * other reply and any refusal is left to the call's `Work`, within the same time limit.
 */
export class Executor {
  readonly #connection: Connection;
  readonly #timeout: number;
  readonly #calls: Calls;
  readonly #times: ServerTimes;
  readonly #replication: Replication | null;

  constructor(connection: Connection, timeout: number) {
    this.#connection = connection;
    this.#timeout = timeout;
    this.#calls = new Calls(timeout);
    this.#times = new ServerTimes(connection);
    this.#replication = connection.findMaster && new Replication(connection.findMaster);
  }

  /** Closes the connections on which writes wait for replicas. */
  close(): void {
    this.#replication?.close();
  }

  /** The time (ms) of a key's server at a moment of `performance.now()`; known after any answer. */
  estimateTime(key: string, moment: number): number {
    return this.#times.estimate(key, moment);
  }

  /**
   * Runs a script that writes. When its connection comes back, a client may send a command again, or
   * hours late. So the command carries the moment after which the caller has stopped waiting, and
   * does nothing after it.
   */
  write<Answer = Reply>(
    operation: string,
    script: ScriptName,
    key: string,
    args: readonly string[],
    { replicas, isAwaited = () => true }: WriteOptions = {},
    decode: (reply: Reply) => Answer = asItIs,
  ): Promise<Answer> {
    const acknowledged = replicas === undefined ? null : this.#createReplicatedRun(replicas);
    let tries = 0;
    const work: Work<Answer> = async (start, sent) => {
      const deadline = start + this.#timeout;
      // This command lets the client find the master, which may be another server by now.
      if (acknowledged && tries++ > 0) await this.#times.ask(key);
      const send = replay(this.#createSend(key), sent);
      const reply = await this.#runWrite(script, { key, args }, deadline, (run) =>
        acknowledged
          ? acknowledged(key, {
              operation,
              run,
              isAwaited: (r) => r[0] !== "late" && isAwaited(r),
              deadline,
            })
          : run(send),
      );
      return decode(reply);
    };
    return acknowledged
      ? this.#runInTime(operation, performance.now(), work)
      : this.#writeAtOnce(operation, script, { key, args }, decode, work);
  }

  /**
   * Runs a script that writes at the first target whose slot isn't moving. After the last target,
   * where `findTarget` gives null, it begins again, within one time limit. A script that is refused
   * for a moving slot has done nothing. `findTarget` gives the same target for the same number.
   */
  writeAnywhere<One extends Target, Answer>(
    operation: string,
    script: ScriptName,
    findTarget: (n: number) => One | null,
    decode: (reply: Reply, target: One) => Answer,
  ): Promise<Answer> {
    const work: Work<Answer> = async (start, sent) => {
      const end = start + this.#timeout;
      let refusal: unknown;
      for (let n = 0; ; n++) {
        const target = findTarget(n);
        if (target === null) throw refusal;
        const send = replay(this.#createSend(target.key), n === 0 ? sent : null);
        try {
          return decode(await this.#runWrite(script, target, end, (run) => run(send)), target);
        } catch (error) {
          if (!isMovingSlot(error)) throw error;
          refusal = error;
        }
      }
    };
    const first = findTarget(0) as One;
    return this.#writeAtOnce(operation, script, first, (reply) => decode(reply, first), work);
  }

  #writeAtOnce<Answer>(
    operation: string,
    script: ScriptName,
    { key, args }: Target,
    decode: (reply: Reply) => Answer,
    work: Work<Answer>,
  ): Promise<Answer> {
    const start = performance.now();
    if (!this.#times.isKnown(key)) return this.#runInTime(operation, start, work);
    const notAfter = String(this.#times.estimate(key, start + this.#timeout));
    return this.#calls.begin(operation, start, (call) => {
      const sent = this.#send(
        key,
        "EVALSHA",
        composeScriptCall(this.#describe(script, key, notAfter, args)),
      );
      this.#settle(call, work, sent, (reply) => {
        const rest = this.#learn(key, reply, start);
        if (rest[0] === "late") return false;
        call.resolve(decode(rest));
        return true;
      });
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
      const notAfter = String(this.#times.estimate(key, end));
      return this.#runScript(script, key, notAfter, args, over);
    };
    for (;;) {
      await this.#times.find(key);
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
        "Waiting for replicas takes a connection that isn't reopened silently, and a client of Valkey GLIDE reopens its own. Give redisStore a client of ioredis or redis, or leave replicas out. Nothing was ended",
        { option: "replicas" },
      );
    }
    return (key: string, write: Omit<ReplicatedWrite<Reply>, "replicas">) =>
      replication.write(key, { ...write, replicas });
  }

  /** Runs a script that only reads, and drops entries that have expired. */
  read<Answer = Reply>(
    operation: string,
    script: ScriptName,
    key: string,
    args: readonly string[],
    decode: (reply: Reply) => Answer = asItIs,
  ): Promise<Answer> {
    const start = performance.now();
    const work: Work<Answer> = async (_start, sent) => {
      if (!this.#times.isChecked) await this.#times.ask(key);
      const send = replay(this.#createSend(key), sent);
      return decode(await this.#runScript(script, key, "", args, send));
    };
    if (!this.#times.isChecked) return this.#runInTime(operation, start, work);
    return this.#calls.begin(operation, start, (call) => {
      const sent = this.#send(
        key,
        "EVALSHA",
        composeScriptCall(this.#describe(script, key, "", args)),
      );
      this.#settle(call, work, sent, (reply) => {
        call.resolve(decode(this.#learn(key, reply, start)));
        return true;
      });
    });
  }

  /** Reads by one plain command, or by several where the reply to the first leads on. */
  readPlainly<Found, Answer>(read: PlainRead<Found, Answer>): Promise<Answer> {
    const { operation, key, name, args, decode, readOn, compose } = read;
    const start = performance.now();
    const work: Work<Answer> = async (_start, sent) =>
      compose(await this.#readOn(key, replay(this.#connection.send, sent), readOn), start);
    if (!this.#times.isKnown(key)) return this.#runInTime(operation, start, work);
    return this.#calls.begin(operation, start, (call) => {
      const sent = this.#send(key, name, args);
      this.#settle(call, work, sent, (reply) => {
        const found = decode(reply);
        if (found === undefined) return false;
        call.resolve(compose(found, start));
        return true;
      });
    });
  }

  /** Runs plain commands that read, within one time limit. */
  runCommands<T>(
    operation: string,
    key: string,
    work: (send: Connection["send"]) => Promise<T>,
  ): Promise<T> {
    return this.#runInTime(operation, performance.now(), () =>
      this.#readOn(key, this.#connection.send, work),
    );
  }

  async #readOn<T>(
    key: string,
    send: Connection["send"],
    work: (send: Connection["send"]) => Promise<T>,
  ): Promise<T> {
    const [result] = await Promise.all([work(send), this.#times.find(key)]);
    return result;
  }

  /** Lets the reply to the first command settle a call, or else the call's work. */
  #settle<Answer>(
    call: Call<Answer>,
    work: Work<Answer>,
    sent: Sent,
    decode: (reply: unknown) => boolean,
  ): void {
    const doWork = () => void this.#finish(call, work, sent);
    sent.then((reply) => {
      try {
        if (!decode(reply)) doWork();
      } catch (error) {
        call.reject(error);
      }
    }, doWork);
  }

  /** Does a piece of work within the time limit. */
  #runInTime<T>(operation: string, start: number, work: Work<T>): Promise<T> {
    return this.#calls.begin(operation, start, (call) => void this.#finish(call, work, null));
  }

  /** Settles a call by its work, which is done again where it was refused for the moment. Never rejects. */
  async #finish<T>(call: Call<T>, work: Work<T>, sent: Sent | null): Promise<void> {
    let first = sent;
    try {
      while (!call.isOver) {
        try {
          call.resolve(await work(call.start, first));
        } catch (error) {
          this.#checkRefusal(error, call);
          await sleep(RETRY_DELAY_MS);
        }
        first = null;
      }
    } catch (error) {
      call.reject(error);
    }
  }

  /** Throws what a refused call ends with, unless it may be tried again. */
  #checkRefusal(error: unknown, call: Call<never>): void {
    checkReach(error, this.#connection);
    // A refusal before the time was up says more than that it was.
    if (!isLate(error) || call.refusal === undefined) call.refusal = error;
    const end = call.start + this.#timeout - RETRY_DELAY_MS;
    if (!isTransient(error) || performance.now() > end) throw call.refusal;
  }

  /** Sends a command. A client that throws has refused it. */
  #send(key: string, name: string, args: readonly string[]): Sent {
    try {
      return this.#connection.send(key, name, args);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #createSend(key: string): Send {
    return (name, args) => this.#connection.send(key, name, args);
  }

  async #runScript(
    script: ScriptName,
    key: string,
    notAfter: string,
    args: readonly string[],
    send: Send,
  ): Promise<Reply> {
    const sent = performance.now();
    return this.#learn(
      key,
      await runScript(send, this.#describe(script, key, notAfter, args)),
      sent,
    );
  }

  #describe(name: ScriptName, key: string, notAfter: string, args: readonly string[]): ScriptCall {
    return { name, key, notAfter, args, inCluster: this.#times.inCluster };
  }

  /** Learns the server's time from a script's answer. The rest of the answer. */
  #learn(key: string, reply: unknown, sent: number): Reply {
    const [now] = reply as unknown[];
    this.#times.learn(key, Number(now), sent);
    return (reply as unknown[]).slice(1) as unknown as Reply;
  }
}

/** Sends commands, but takes the reply to the first one from what was sent already. */
function replay<Args extends unknown[]>(
  send: (...args: Args) => Promise<unknown>,
  sent: Sent | null,
): (...args: Args) => Promise<unknown> {
  let first = sent;
  return (...args) => {
    const reply = first ?? send(...args);
    first = null;
    return reply;
  };
}

function asItIs<Answer>(reply: Reply): Answer {
  return reply as unknown as Answer;
}

/** Whether a refusal is only temporary. */
function isTransient(error: unknown): boolean {
  return isCrowded(error) || isMovingSlot(error) || error instanceof MissedWriteError;
}

/** Whether a write missed its master because no time was left. */
function isLate(error: unknown): boolean {
  return error instanceof MissedWriteError && error.isLate;
}
