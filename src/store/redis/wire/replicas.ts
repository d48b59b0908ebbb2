import { performance } from "node:perf_hooks";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { setImmediate as allAsked } from "node:timers/promises";
import type { Connection, Master, OwnConnection, Send } from "./connection.ts";
import { messageOf, underReplicated } from "./failures.ts";

/** A script that is run on a connection of our own, and is to be acknowledged by replicas. */
export interface Write<Reply> {
  /** What it does, as errors say it. */
  readonly operation: string;
  readonly run: (send: Send) => Promise<Reply>;
  /** Whether this reply's write is to be waited for. */
  readonly waits: (reply: Reply) => boolean;
  readonly replicas: number;
  /** By when, on `performance.now()`. */
  readonly end: number;
}

/** A write that did not come to its master, which may be another one now: to be tried again. */
export class Missed extends Error {
  override readonly name = "Missed";
  /** Whether there was no time left for it. */
  readonly late: boolean;

  constructor(cause: unknown, late = false) {
    super(messageOf(cause), { cause });
    this.late = late;
  }
}

/** The server is no master, or not yet. */
const NO_MASTER = /^(READONLY|MASTERDOWN|CLUSTERDOWN|LOADING)\b/;

/**
 * Parts of the time that is left: for WAIT, which servers end up to 100 ms late; and until nobody
 * waits for its answer any longer.
 */
const FOR_WAIT = 0.85;
const FOR_ANSWER = 0.95;

/**
 * Writes that wait for replicas. WAIT tells of the writes of its own connection only, so both go
 * over a connection of the store's own to the master, which is opened when it is first needed.
 */
export class Replication {
  readonly #masterOf: NonNullable<Connection["master"]>;
  readonly #lines = new Map<string, Line>();
  #closed = false;

  constructor(masterOf: NonNullable<Connection["master"]>) {
    this.#masterOf = masterOf;
  }

  async write<Reply>(key: string, write: Write<Reply>): Promise<Reply> {
    const master = await this.#find(key);
    if (this.#closed) throw new Error("the store was closed");
    // Who asks for fewer replicas does not wait behind who asks for more.
    const name = `${write.replicas} ${master.name}`;
    const line = this.#lines.get(name) ?? new Line(master, write.replicas);
    this.#lines.set(name, line);
    return line.write(master, write);
  }

  async #find(key: string): Promise<Master> {
    try {
      return await this.#masterOf(key);
    } catch (error) {
      throw new Missed(error); // the client may know none in the middle of a failover
    }
  }

  close(): void {
    this.#closed = true;
    for (const line of this.#lines.values()) line.end();
  }
}

/** What is refused so shortly before the end (ms) was cut by it. */
const A_MOMENT = 5;

/** A write whose turn has not come, or whose WAIT is not answered. */
class Waiting<Reply = unknown> {
  readonly promise: Promise<Reply>;
  readonly end: number;
  readonly #write: Write<Reply>;
  #reply: Reply | undefined;
  #resolve!: (reply: Reply) => void;
  #reject!: (error: unknown) => void;

  constructor(write: Write<Reply>) {
    this.#write = write;
    this.end = write.end;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Runs the script; resolves to whether it is to be waited for. Never rejects. */
  async run(own: OwnConnection): Promise<boolean> {
    try {
      const reply = await this.#write.run(own.send);
      if (this.#write.waits(reply)) {
        this.#reply = reply;
        return true;
      }
      this.#resolve(reply);
    } catch (error) {
      if (NO_MASTER.test(messageOf(error))) own.close();
      if (own.lost) this.missed(error);
      else this.#reject(error);
    }
    return false;
  }

  /** Its script was not run, or nobody knows whether it was. */
  missed(error: unknown): void {
    this.#reject(new Missed(error, performance.now() > this.end - A_MOMENT));
  }

  /** WAIT has answered how many replicas there are. */
  acknowledged(by: number): void {
    const { operation, replicas } = this.#write;
    if (by >= replicas) this.#resolve(this.#reply as Reply);
    else this.#reject(underReplicated(operation, { replicas, acknowledged: by }));
  }

  /** WAIT has not answered. */
  unanswered(cause: unknown): void {
    const { operation, replicas } = this.#write;
    const why = cause instanceof TooLate ? undefined : cause;
    this.#reject(underReplicated(operation, { replicas, cause: why }));
  }
}

/**
 * One connection to one master, for one number of replicas. Its pairs of a script and a WAIT do not
 * overlap: what is asked for meanwhile waits, and then goes together, its scripts first and one WAIT
 * for all of them.
 */
class Line {
  readonly #replicas: number;
  #master: Master;
  #own: OwnConnection | undefined;
  #waiting: Waiting[] = [];
  #busy = false;
  #ended = false;

  constructor(master: Master, replicas: number) {
    this.#master = master;
    this.#replicas = replicas;
  }

  write<Reply>(master: Master, write: Write<Reply>): Promise<Reply> {
    this.#master = master; // behind Sentinel, another one in time
    const waiting = new Waiting(write);
    this.#waiting.push(waiting as Waiting);
    void this.#work();
    return waiting.promise;
  }

  /** Closes the connection for good. */
  end(): void {
    this.#ended = true;
    this.#close();
  }

  /** The next write opens another one. */
  #close(): void {
    this.#own?.close();
    this.#own = undefined;
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting.length > 0) {
      await allAsked(); // the shards of a set ask one after the other
      await this.#turn(this.#waiting.splice(0));
    }
    this.#busy = false;
  }

  /** Never rejects, and ends in time: who comes next has not much more of it. */
  async #turn(together: Waiting[]): Promise<void> {
    const end = Math.max(...together.map((one) => one.end));
    try {
      const own = await this.#connection(end);
      const now = performance.now();
      const awaited = together.filter((one) => one.end > now); // nobody waits for the others
      const runs = await before(end, Promise.all(awaited.map((one) => one.run(own))));
      const written = awaited.filter((_, i) => runs[i]);
      if (written.length > 0) await this.#wait(own, written);
    } catch (error) {
      this.#close();
      for (const one of together) one.missed(error);
    }
    if (this.#own?.lost) this.#close();
  }

  async #connection(end: number): Promise<OwnConnection> {
    if (this.#own && !this.#own.lost) return this.#own;
    this.#close();
    const own = this.#master.open(Math.max(1, Math.floor(end - performance.now())));
    try {
      await before(end, own.ready);
      if (this.#ended) throw new Error("the store was closed");
    } catch (error) {
      own.close();
      throw error;
    }
    this.#own = own;
    return own;
  }

  async #wait(own: OwnConnection, written: Waiting[]): Promise<void> {
    const now = performance.now();
    const left = Math.max(...written.map(({ end }) => end)) - now;
    const limit = Math.max(1, Math.floor(left * FOR_WAIT)); // 0 would be without end
    const answer = own.send("WAIT", [String(this.#replicas), String(limit)]).then(Number);
    const tell = async (one: Waiting) => {
      try {
        one.acknowledged(await before(now + (one.end - now) * FOR_ANSWER, answer));
      } catch (cause) {
        one.unanswered(cause);
      }
    };
    await Promise.all(written.map(tell));
    // Who calls again may find another master; and without an answer the connection stays busy.
    const by = await before(now, answer).catch(() => 0);
    if (by < this.#replicas) this.#close();
  }
}

class TooLate extends Error {}

/** The result, or a rejection at a moment of `performance.now()`. */
async function before<T>(moment: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const stop = () => reject(new TooLate("no answer in time"));
    timer = setTimeout(() => setImmediate(stop), Math.max(0, moment - performance.now()));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
