import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { FeedListener } from "../../feed.ts";
import type { Connection } from "../wire/connection.ts";
import { TooLateError, waitUntil } from "../wire/wait-until.ts";
import { createLostError, type Link, type LinkListener, type Links } from "./links.ts";
import { decodeMessage } from "./messages.ts";
import { Pause } from "./pause.ts";

/** What a shard's messages are found by. */
export interface FeedPlace {
  /** Any key of the shard. */
  readonly key: string;
  readonly channel: string;
}

/** What shards need to be heard. */
export interface FeedTools {
  readonly links: Links;
  readonly findMaster: NonNullable<Connection["findMaster"]>;
  /** Publishes a hello on the channel of a key's shard, by way of the store's ordinary connection. */
  readonly sayHello: (key: string, nonce: string) => Promise<unknown>;
  /** What an error says about the setup; null if a later try may succeed. */
  readonly findRefusal: (error: unknown) => Error | null;
  readonly timeout: number;
}

/** How often a shard that is heard gets a hello (ms). */
const HEARTBEAT_MS = 10_000;
/** How long to wait before the shard is listened to again (ms): doubled with each failure. */
const MIN_DELAY_MS = 50;
const MAX_DELAY_MS = 5000;

/** What waits for something to be heard. */
interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

/** A hello that hasn't come back yet, and the listeners that had come when it was said. */
interface Hello extends Waiting {
  readonly nonce: string;
  readonly joining: readonly FeedListener[];
}

/**
 * Listens to one shard for as long as it has listeners. A shard counts as heard from the moment when a
 * hello, published as the scripts publish, came back on the listening connection. A hello that doesn't
 * come back shows what no client tells: a connection that hangs, a shard on another server, a master
 * that has become a replica. Then it tries again, and never gives up.
 */
export class ShardFeed {
  readonly #key: string;
  readonly #channel: string;
  readonly #tools: FeedTools;
  readonly #listeners = new Set<FeedListener>();
  readonly #joining = new Map<FeedListener, Waiting>();
  readonly #pause = new Pause();
  #isHeard = false;
  #isRunning = false;
  #hello: Hello | undefined;
  /** Why the last try failed; undefined while the shard is heard. */
  failure: unknown;

  constructor({ key, channel }: FeedPlace, tools: FeedTools) {
    this.#key = key;
    this.#channel = channel;
    this.#tools = tools;
  }

  /** Resolves once the listener is told of everything. Rejects only if the setup must be changed. */
  join(listener: FeedListener): Promise<void> {
    const joined = new Promise<void>((resolve, reject) => {
      this.#joining.set(listener, { resolve, reject });
    });
    this.#pause.end(); // the next hello may be seconds away
    if (!this.#isRunning) void this.#run();
    return joined;
  }

  leave(listener: FeedListener): void {
    this.#listeners.delete(listener);
    this.#joining.delete(listener);
    if (this.#isIdle) this.#pause.end();
  }

  /** Ends it for all listeners, also for those who wait. */
  close(): void {
    this.#listeners.clear();
    this.#refuse(new Error("the store was closed"));
    this.#pause.end();
  }

  get #isIdle(): boolean {
    return this.#listeners.size === 0 && this.#joining.size === 0;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let failures = 0; !this.#isIdle; ) {
      const listener = this.#createLinkListener();
      let link: Link | undefined;
      try {
        if (failures > 0) {
          // A client learns from the answer to a command that a shard has moved.
          await this.#tools.sayHello(this.#key, "");
        }
        link = await this.#subscribe(listener);
        await this.#greet(link);
        failures = 0;
        await this.#stay(link);
      } catch (error) {
        failures++;
        this.#fail(error);
      }
      this.#isHeard = false;
      link?.leave(this.#channel, listener);
      if (!this.#isIdle) await this.#pause.wait(computeDelay(failures));
    }
    this.#isRunning = false;
  }

  async #subscribe(listener: LinkListener): Promise<Link> {
    const { findMaster, links, timeout } = this.#tools;
    const end = performance.now() + timeout;
    const master = await waitUntil(end, Promise.resolve(findMaster(this.#key)));
    const link = links.open(master);
    try {
      await closeIfLate(link, waitUntil(end, link.join(this.#channel, listener)));
    } catch (error) {
      link.leave(this.#channel, listener);
      throw error;
    }
    return link;
  }

  #createLinkListener(): LinkListener {
    return {
      onMessage: (text) => this.#take(text),
      onLost: () => {
        this.#isHeard = false;
        this.#hello?.reject(createLostError());
        this.#pause.end();
      },
    };
  }

  #take(text: string): void {
    for (const line of decodeMessage(text)) {
      if (line.type !== "hello") for (const listener of this.#listeners) listener.onEvent(line);
      else if (line.nonce === this.#hello?.nonce) this.#begin(this.#hello);
    }
  }

  /**
   * A hello came back, so the shard is heard. Done at once, because the next event may have come with
   * it. Those who listened before have a gap if the shard wasn't heard meanwhile.
   */
  #begin({ joining, resolve }: Hello): void {
    const missing = this.#isHeard ? [] : [...this.#listeners];
    this.#isHeard = true;
    this.failure = undefined;
    for (const listener of joining) {
      const waiting = this.#joining.get(listener);
      if (!waiting) continue; // it has left
      this.#joining.delete(listener);
      this.#listeners.add(listener);
      waiting.resolve();
    }
    resolve();
    for (const listener of missing) listener.onGap();
  }

  /**
   * Resolves once a hello has come back on the link. By then the client knows which master has the shard.
   * A former one of a cluster may pass on what the new one publishes, but not from the first moment on.
   */
  async #greet(link: Link): Promise<void> {
    if (link.lost) throw createLostError(); // a hello that begins now isn't told of it
    const nonce = randomBytes(9).toString("base64url");
    const heard = new Promise<void>((resolve, reject) => {
      this.#hello = { nonce, joining: [...this.#joining.keys()], resolve, reject };
    });
    heard.catch(() => {}); // it may be lost while the hello is said
    try {
      await this.#tools.sayHello(this.#key, nonce);
      const end = performance.now() + this.#tools.timeout;
      await closeIfLate(link, waitUntil(end, heard));
      const { name } = await waitUntil(end, Promise.resolve(this.#tools.findMaster(this.#key)));
      if (name !== link.name) throw new Error("another server is the shard's master now");
    } finally {
      this.#hello = undefined;
    }
  }

  /** Returns when the link is lost or nobody listens; throws when a hello isn't heard. */
  async #stay(link: Link): Promise<void> {
    while (this.#isHeard && !this.#isIdle) {
      if (this.#joining.size === 0) await this.#pause.wait(HEARTBEAT_MS);
      if (this.#isHeard && !this.#isIdle) await this.#greet(link);
    }
  }

  #fail(error: unknown): void {
    const refusal = this.#tools.findRefusal(error);
    this.failure = refusal ?? error;
    if (refusal !== null) this.#refuse(refusal);
  }

  #refuse(error: Error): void {
    for (const { reject } of this.#joining.values()) reject(error);
    this.#joining.clear();
  }
}

/** A connection on which something isn't heard in time is of no use to other shards either. */
async function closeIfLate<T>(link: Link, waiting: Promise<T>): Promise<T> {
  try {
    return await waiting;
  } catch (error) {
    if (error instanceof TooLateError) link.close();
    throw error;
  }
}

/** Not all processes try again at the same moment. */
function computeDelay(failures: number): number {
  return Math.min(MIN_DELAY_MS * 2 ** failures, MAX_DELAY_MS) * (0.5 + Math.random() / 2);
}
