import { waitForAll } from "../../../shared/wait-for-all.ts";
import type { FeedListener } from "../../feed.ts";
import type { Keys } from "../layout/keys.ts";
import type { Executor } from "../scripts/executor.ts";
import type { Connection } from "../wire/connection.ts";
import { runWithTimeout } from "../wire/failures.ts";
import { Links } from "./links.ts";
import { createUnableError, findRefusal } from "./refusals.ts";
import { createRelay } from "./relay.ts";
import { type FeedTools, ShardFeed } from "./shard-feed.ts";

/** How an error calls it. */
const HEARING = "hear what ends sessions";

/** What happens to sessions, as the scripts publish it, for those who listen. */
export class Feed {
  readonly #tools: FeedTools | null;
  readonly #keys: Keys;
  readonly #timeout: number;
  readonly #shards = new Map<number, ShardFeed>();
  #isClosed = false;

  constructor({ findMaster }: Connection, executor: Executor, keys: Keys, timeout: number) {
    this.#keys = keys;
    this.#timeout = timeout;
    this.#tools = findMaster && {
      findMaster,
      links: new Links(timeout),
      timeout,
      findRefusal: (error) => findRefusal(error, keys.deriveChannel("*")),
      async sayHello(key, nonce) {
        const [word, why] = await executor.read(HEARING, "sayHello", key, [nonce]);
        if (word !== "said") throw new Error(String(why));
      },
    };
  }

  /**
   * Resolves once all these shards are heard, to what stops it.
   *
   * @throws SessionError ERR_SESSION_CONFIG where the setup must be changed first;
   * ERR_STORE_UNAVAILABLE where a shard isn't heard within the time limit.
   */
  async subscribe(shards: readonly number[], listener: FeedListener): Promise<() => Promise<void>> {
    const tools = this.#tools;
    if (!tools) throw createUnableError();
    const feeds = shards.map((shard) => this.#getShard(shard, tools));
    const { relay, stop } = createRelay(listener, shards.length > 1);
    const leave = () => {
      stop();
      for (const feed of feeds) feed.leave(relay);
    };
    const join = async () => {
      if (this.#isClosed) throw new Error("the store was closed");
      await waitForAll(feeds.map((feed) => feed.join(relay)));
    };
    const findFailure = () => feeds.find((feed) => feed.failure !== undefined)?.failure;
    try {
      await runWithTimeout(HEARING, this.#timeout, join, findFailure);
    } catch (error) {
      leave();
      throw error;
    }
    return async () => leave();
  }

  /** Ends all subscriptions. */
  close(): void {
    this.#isClosed = true;
    for (const feed of this.#shards.values()) feed.close();
    this.#tools?.links.close();
  }

  #getShard(shard: number, tools: FeedTools): ShardFeed {
    const known = this.#shards.get(shard);
    if (known) return known;
    const key = this.#keys.deriveKey(shard, "s:");
    const feed = new ShardFeed({ key, channel: this.#keys.deriveChannel(shard) }, tools);
    this.#shards.set(shard, feed);
    return feed;
  }
}
