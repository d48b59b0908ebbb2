import { performance } from "node:perf_hooks";
import type { Connection } from "./connection.ts";
import { ServerClock } from "./server-clock.ts";
import {
  isInfoRefused,
  mayBeActiveActive,
  mayBeInCluster,
  parseTime,
  refuseUnfit,
  TIME_AND_INFO,
} from "./server-info.ts";

/** The times of the servers that have the keys. Before it tells any, it checks what kind of server it is. */
export class ServerTimes {
  readonly #connection: Connection;
  /** In a cluster by hash tag, as all keys of a shard are on one server. */
  readonly #clocks = new Map<string, ServerClock>();
  readonly #onlyClock: ServerClock | null;
  /** In a cluster, the first server that was asked stands for all. */
  #checked = false;
  #inCluster = true;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#onlyClock = connection.cluster ? null : new ServerClock();
  }

  /** Whether the server was checked. */
  get isChecked(): boolean {
    return this.#checked;
  }

  /** Whether the server may be a node of a cluster. It is taken for one until it says that it isn't. */
  get inCluster(): boolean {
    return this.#inCluster;
  }

  /** Whether the time of a key's server is known. */
  isKnown(key: string): boolean {
    return this.#checked && this.#getClock(key).isKnown;
  }

  /** The time (ms) of a key's server at a moment of `performance.now()`; known after any answer. */
  estimate(key: string, moment: number): number {
    return this.#getClock(key).estimateAt(moment);
  }

  /** Learns from a reply to what was `sent` at this moment of `performance.now()`. */
  learn(key: string, now: number, sent: number): void {
    this.#getClock(key).learn(now, sent);
  }

  /** Asks the server, unless its time is known. */
  async find(key: string): Promise<void> {
    if (!this.isKnown(key)) await this.ask(key);
  }

  async ask(key: string): Promise<void> {
    const sent = performance.now();
    const now = this.#checked ? await this.#readTime(key) : await this.#checkServer(key);
    this.learn(key, now, sent);
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
    this.#inCluster = mayBeInCluster(info);
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
    if (this.#onlyClock !== null) return this.#onlyClock;
    const server = key.slice(0, key.indexOf("}"));
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
