import type { Connection } from "./connection.ts";
import { runScript, type ScriptName } from "./scripts.ts";
import { ServerClock } from "./server-clock.ts";
import { withinTimeout } from "./unavailable.ts";

/** What a script answers after the time: a word, and what belongs to it. */
export type Reply = readonly [word: string, ...rest: unknown[]];

/** The server as the store uses it: scripts and reads, within a time limit, on the server's clock. */
export class Server {
  readonly #connection: Connection;
  readonly #timeout: number;
  readonly #clock = new ServerClock();

  constructor(connection: Connection, timeout: number) {
    this.#connection = connection;
    this.#timeout = timeout;
  }

  /** The server's time, in ms, at a moment of `performance.now()`; known after any answer. */
  timeAt(moment: number): number {
    return this.#clock.at(moment);
  }

  /**
   * Runs a script that writes. A client may send a command again, or hours late, when its connection
   * comes back: it carries the moment after which the caller has stopped waiting, and does nothing
   * after it. Where the server answers that it is too late although the caller still waits, the
   * estimate of its clock was wrong; the answer has corrected it.
   */
  write(operation: string, script: ScriptName, key: string, args: readonly string[]) {
    const start = performance.now();
    return withinTimeout(operation, this.#timeout, async () => {
      for (;;) {
        await this.#learnTime(key);
        const notAfter = String(this.#clock.at(start + this.#timeout));
        const reply = await this.#run(script, key, [notAfter, ...args]);
        if (reply[0] !== "late") return reply;
        if (performance.now() >= start + this.#timeout) {
          throw new Error("the server was reached too late");
        }
      }
    });
  }

  /** Runs a script that only reads (and drops entries that have expired). */
  read(operation: string, script: ScriptName, key: string, args: readonly string[]) {
    return withinTimeout(operation, this.#timeout, () => this.#run(script, key, ["", ...args]));
  }

  /** Runs plain commands that read, one after the other if it takes several, in one time limit. */
  async commands<T>(
    operation: string,
    key: string,
    work: (send: Connection["send"]) => Promise<T>,
  ): Promise<T> {
    return withinTimeout(operation, this.#timeout, async () => {
      const [result] = await Promise.all([work(this.#connection.send), this.#learnTime(key)]);
      return result;
    });
  }

  async #run(script: ScriptName, key: string, args: readonly string[]): Promise<Reply> {
    const reply = await runScript(this.#connection, script, key, args);
    const [now, ...rest] = reply as [unknown, ...Reply];
    this.#clock.learn(Number(now));
    return rest;
  }

  async #learnTime(key: string): Promise<void> {
    if (this.#clock.known) return;
    const [seconds, micros] = (await this.#connection.send(key, "TIME", [])) as [string, string];
    this.#clock.learn(Math.floor(Number(seconds) * 1000 + Number(micros) / 1000));
  }
}
