import { performance } from "node:perf_hooks";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { setImmediate as allAsked } from "node:timers/promises";
import type { Connection, Master, OwnConnection, Send } from "./connection.ts";
import { createUnderReplicatedError, readMessage } from "./failures.ts";

/** A script that is run on a connection of our own, and is to be acknowledged by replicas. */
export interface ReplicatedWrite<Reply> {
  /** What it does, as errors say it. */
  readonly operation: string;
  readonly run: (send: Send) => Promise<Reply>;
  /** Whether this reply's write is to be waited for. */
  readonly isAwaited: (reply: Reply) => boolean;
  readonly replicas: number;
  /** By when, on `performance.now()`. */
  readonly deadline: number;
}

/** A write that did not come to its master, which may be another one now: to be tried again. */
export class MissedWriteError extends Error {
  override readonly name = "MissedWriteError";
  /** Whether there was no time left for it. */
  readonly isLate: boolean;

  constructor(cause: unknown, late = false) {
    super(readMessage(cause), { cause });
    this.isLate = late;
  }
}

/** The server is no master, or not yet. */
const NO_MASTER_PATTERN = /^(READONLY|MASTERDOWN|CLUSTERDOWN|LOADING)\b/;

/**
 * Parts of the time that is left: for WAIT, which servers end up to 100 ms late; and until nobody
 * waits for its answer any longer.
 */
const WAIT_SHARE = 0.85;
const ANSWER_SHARE = 0.95;

/**
 * Writes that wait for replicas. WAIT tells of the writes of its own connection only, so both go
 * over a connection of the store's own to the master, which is opened when it is first needed.
 */
export class Replication {
  readonly #lookUpMaster: NonNullable<Connection["findMaster"]>;
  readonly #queues = new Map<string, WriteQueue>();
  #closed = false;

  constructor(lookUpMaster: NonNullable<Connection["findMaster"]>) {
    this.#lookUpMaster = lookUpMaster;
  }

  async write<Reply>(key: string, write: ReplicatedWrite<Reply>): Promise<Reply> {
    const master = await this.#findMaster(key);
    if (this.#closed) throw new Error("the store was closed");
    // Who asks for fewer replicas does not wait behind who asks for more.
    const name = `${write.replicas} ${master.name}`;
    const queue = this.#queues.get(name) ?? new WriteQueue(master, write.replicas);
    this.#queues.set(name, queue);
    return queue.write(master, write);
  }

  async #findMaster(key: string): Promise<Master> {
    try {
      return await this.#lookUpMaster(key);
    } catch (error) {
      throw new MissedWriteError(error); // the client may know none in the middle of a failover
    }
  }

  close(): void {
    this.#closed = true;
    for (const queue of this.#queues.values()) queue.close();
  }
}

/** What is refused so shortly before the end (ms) was cut by it. */
const CUT_WITHIN_MS = 5;

/** A write whose turn has not come, or whose WAIT is not answered. */
class PendingWrite<Reply = unknown> {
  readonly promise: Promise<Reply>;
  readonly deadline: number;
  readonly #write: ReplicatedWrite<Reply>;
  #reply: Reply | undefined;
  #resolve!: (reply: Reply) => void;
  #reject!: (error: unknown) => void;

  constructor(write: ReplicatedWrite<Reply>) {
    this.#write = write;
    this.deadline = write.deadline;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Runs the script; resolves to whether it is to be waited for. Never rejects. */
  async run(connection: OwnConnection): Promise<boolean> {
    try {
      const reply = await this.#write.run(connection.send);
      if (this.#write.isAwaited(reply)) {
        this.#reply = reply;
        return true;
      }
      this.#resolve(reply);
    } catch (error) {
      if (NO_MASTER_PATTERN.test(readMessage(error))) connection.close();
      if (connection.lost) this.rejectAsMissed(error);
      else this.#reject(error);
    }
    return false;
  }

  /** Its script was not run, or nobody knows whether it was. */
  rejectAsMissed(error: unknown): void {
    this.#reject(new MissedWriteError(error, performance.now() > this.deadline - CUT_WITHIN_MS));
  }

  /** WAIT has answered how many replicas there are. */
  acknowledge(by: number): void {
    const { operation, replicas } = this.#write;
    if (by >= replicas) this.#resolve(this.#reply as Reply);
    else this.#reject(createUnderReplicatedError(operation, { replicas, acknowledged: by }));
  }

  /** WAIT has not answered. */
  rejectAsUnanswered(cause: unknown): void {
    const { operation, replicas } = this.#write;
    const why = cause instanceof TooLateError ? undefined : cause;
    this.#reject(createUnderReplicatedError(operation, { replicas, cause: why }));
  }
}

/**
 * One connection to one master, for one number of replicas. Its pairs of a script and a WAIT do not
 * overlap: what is asked for meanwhile waits, and then goes together, its scripts first and one WAIT
 * for all of them.
 */
class WriteQueue {
  readonly #replicas: number;
  #master: Master;
  #ownConnection: OwnConnection | undefined;
  #pending: PendingWrite[] = [];
  #isBusy = false;
  #isClosed = false;

  constructor(master: Master, replicas: number) {
    this.#master = master;
    this.#replicas = replicas;
  }

  write<Reply>(master: Master, write: ReplicatedWrite<Reply>): Promise<Reply> {
    this.#master = master; // behind Sentinel, another one in time
    const pending = new PendingWrite(write);
    this.#pending.push(pending as PendingWrite);
    void this.#drain();
    return pending.promise;
  }

  /** Closes the connection for good. */
  close(): void {
    this.#isClosed = true;
    this.#disconnect();
  }

  /** The next write opens another one. */
  #disconnect(): void {
    this.#ownConnection?.close();
    this.#ownConnection = undefined;
  }

  async #drain(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#pending.length > 0) {
      await allAsked(); // the shards of a set ask one after the other
      await this.#writeBatch(this.#pending.splice(0));
    }
    this.#isBusy = false;
  }

  /** Never rejects, and ends in time: who comes next has not much more of it. */
  async #writeBatch(batch: PendingWrite[]): Promise<void> {
    const end = Math.max(...batch.map((one) => one.deadline));
    try {
      const connection = await this.#connect(end);
      const now = performance.now();
      const awaited = batch.filter((one) => one.deadline > now); // nobody waits for the others
      const runs = await waitUntil(end, Promise.all(awaited.map((one) => one.run(connection))));
      const written = awaited.filter((_, i) => runs[i]);
      if (written.length > 0) await this.#waitForReplicas(connection, written);
    } catch (error) {
      this.#disconnect();
      for (const one of batch) one.rejectAsMissed(error);
    }
    if (this.#ownConnection?.lost) this.#disconnect();
  }

  async #connect(end: number): Promise<OwnConnection> {
    if (this.#ownConnection && !this.#ownConnection.lost) return this.#ownConnection;
    this.#disconnect();
    const own = this.#master.open(Math.max(1, Math.floor(end - performance.now())));
    try {
      await waitUntil(end, own.ready);
      if (this.#isClosed) throw new Error("the store was closed");
    } catch (error) {
      own.close();
      throw error;
    }
    this.#ownConnection = own;
    return own;
  }

  async #waitForReplicas(connection: OwnConnection, written: PendingWrite[]): Promise<void> {
    const now = performance.now();
    const left = Math.max(...written.map(({ deadline }) => deadline)) - now;
    const limit = Math.max(1, Math.floor(left * WAIT_SHARE)); // 0 would be without end
    const answer = connection.send("WAIT", [String(this.#replicas), String(limit)]).then(Number);
    const settle = async (one: PendingWrite) => {
      try {
        one.acknowledge(await waitUntil(now + (one.deadline - now) * ANSWER_SHARE, answer));
      } catch (cause) {
        one.rejectAsUnanswered(cause);
      }
    };
    await Promise.all(written.map(settle));
    // Who calls again may find another master; and without an answer the connection stays busy.
    const by = await waitUntil(now, answer).catch(() => 0);
    if (by < this.#replicas) this.#disconnect();
  }
}

class TooLateError extends Error {}

/** The result, or a rejection at a moment of `performance.now()`. */
async function waitUntil<T>(moment: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const stop = () => reject(new TooLateError("no answer in time"));
    timer = setTimeout(() => setImmediate(stop), Math.max(0, moment - performance.now()));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
