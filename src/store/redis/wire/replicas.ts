import { performance } from "node:perf_hooks";
import { setImmediate as waitForTurn } from "node:timers/promises";
import type { Connection, Master, OwnConnection, Send } from "./connection.ts";
import { createUnderReplicatedError, readMessage } from "./failures.ts";
import { TooLateError, waitUntil } from "./wait-until.ts";

/** A script that runs on a connection of the store's own, and that replicas must acknowledge. */
export interface ReplicatedWrite<Reply> {
  /** What it does, in the words of errors. */
  readonly operation: string;
  readonly run: (send: Send) => Promise<Reply>;
  /** Whether to wait for replicas after this reply. */
  readonly isAwaited: (reply: Reply) => boolean;
  readonly replicas: number;
  /** On `performance.now()`. */
  readonly deadline: number;
}

/** A write that missed its master, which may be another server by now. It can be tried again. */
export class MissedWriteError extends Error {
  override readonly name = "MissedWriteError";
  /** Whether no time was left for it. */
  readonly isLate: boolean;

  constructor(cause: unknown, { isLate = false }: { readonly isLate?: boolean } = {}) {
    super(readMessage(cause), { cause });
    this.isLate = isLate;
  }
}

/** Refusals of a server that isn't a master, or isn't one yet. */
const NO_MASTER_PATTERN = /^(READONLY|MASTERDOWN|CLUSTERDOWN|LOADING)\b/;

/** The share of the time left that WAIT gets; servers end it up to 100 ms late. */
const WAIT_SHARE = 0.85;
/** The share of the time left after which WAIT's answer is no longer waited for. */
const ANSWER_SHARE = 0.95;

/**
 * Writes that wait for replicas. WAIT counts only the writes of its own connection. So a write and
 * its WAIT share a connection of the store's own to the master, which is opened at first use.
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
    // A write for fewer replicas doesn't wait behind one for more.
    const name = `${write.replicas} ${master.name}`;
    const queue = this.#queues.get(name) ?? new WriteQueue(master, write.replicas);
    this.#queues.set(name, queue);
    return queue.write(master, write);
  }

  async #findMaster(key: string): Promise<Master> {
    try {
      return await this.#lookUpMaster(key);
    } catch (error) {
      throw new MissedWriteError(error); // during a failover the client may know no master
    }
  }

  close(): void {
    this.#closed = true;
    for (const queue of this.#queues.values()) queue.close();
  }
}

/** A write that fails this close to its deadline, or after it, had no time left. */
const CUT_WITHIN_MS = 5;

/** A write whose turn hasn't come, or whose WAIT isn't answered yet. */
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

  /** Runs the script; resolves to whether replicas are waited for. Never rejects. */
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

  /** For a script that didn't run, or may not have. */
  rejectAsMissed(error: unknown): void {
    const isLate = performance.now() > this.deadline - CUT_WITHIN_MS;
    this.#reject(new MissedWriteError(error, { isLate }));
  }

  /** WAIT has answered how many replicas have acknowledged the write. */
  acknowledge(acknowledged: number): void {
    const { operation, replicas } = this.#write;
    if (acknowledged >= replicas) this.#resolve(this.#reply as Reply);
    else this.#reject(createUnderReplicatedError(operation, { replicas, acknowledged }));
  }

  /** WAIT hasn't answered. */
  rejectAsUnanswered(cause: unknown): void {
    const { operation, replicas } = this.#write;
    const why = cause instanceof TooLateError ? undefined : cause;
    this.#reject(createUnderReplicatedError(operation, { replicas, cause: why }));
  }
}

/**
 * One connection to one master, for one number of replicas. It runs one batch at a time: scripts,
 * and then one WAIT for all of them. Writes that come meanwhile form the next batch.
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
    this.#master = master; // behind Sentinel, it changes over time
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

  /** The next write opens another connection. */
  #disconnect(): void {
    this.#ownConnection?.close();
    this.#ownConnection = undefined;
  }

  async #drain(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#pending.length > 0) {
      await waitForTurn(); // the shards of a set ask one after the other
      await this.#writeBatch(this.#pending.splice(0));
    }
    this.#isBusy = false;
  }

  /** Never rejects, and ends by the last deadline: the next batch has little more time. */
  async #writeBatch(batch: PendingWrite[]): Promise<void> {
    const end = Math.max(...batch.map((one) => one.deadline));
    try {
      const connection = await this.#connect(end);
      const now = performance.now();
      const awaited = batch.filter((one) => one.deadline > now); // the others' callers have given up
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
    const limit = Math.max(1, Math.floor(left * WAIT_SHARE)); // 0 would wait forever
    const answer = connection.send("WAIT", [String(this.#replicas), String(limit)]).then(Number);
    const settle = async (one: PendingWrite) => {
      try {
        one.acknowledge(await waitUntil(now + (one.deadline - now) * ANSWER_SHARE, answer));
      } catch (cause) {
        one.rejectAsUnanswered(cause);
      }
    };
    await Promise.all(written.map(settle));
    // A repeated call may find another master, and an unanswered WAIT keeps the connection busy.
    const acknowledged = await waitUntil(now, answer).catch(() => 0);
    if (acknowledged < this.#replicas) this.#disconnect();
  }
}
