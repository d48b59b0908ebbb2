import { createConfigError, quote } from "../../shared/errors.ts";
import { waitForAll } from "../../shared/wait-for-all.ts";
import type { SessionStore } from "../../store/contract.ts";
import { type FeedStore, isFeedStore } from "../../store/feed.ts";
import type { EndingCallback, EndingGap, ToldEnding } from "./ending.ts";
import { Looks } from "./looks.ts";
import { ShardWatches } from "./shard-watches.ts";
import { EndingStream } from "./stream.ts";
import { Listener } from "./watch.ts";

/** Tells how the sessions of a store end. It costs nothing until it is asked to. */
export class SessionEndings {
  readonly #store: SessionStore;
  readonly #looks = new Looks();
  readonly #shards = new Map<string, ShardWatches>();
  /** Those whose loops have begun. */
  readonly #streams = new Set<EndingStream>();

  constructor(store: SessionStore) {
    this.#store = store;
  }

  /** Tells the callback once how the session of an id or lineage ends. Resolves to what stops it. */
  async onEnd(name: string, callback: EndingCallback): Promise<() => Promise<void>> {
    const store = this.#requireFeed("onEnd");
    const listener = new Listener(checkCallback(callback));
    const watches = this.#getShard(name, store);
    await watches.add(name, listener);
    return () => watches.remove(listener);
  }

  /** @throws SessionError ERR_SESSION_CONFIG at once if the store tells no endings. */
  iterate(): AsyncGenerator<ToldEnding | EndingGap, void> {
    const store = this.#requireFeed("endings");
    return new EndingStream(this.#streams).iterate(store);
  }

  /** Ends all watches, of which no callback is told, and all loops. */
  async close(): Promise<void> {
    for (const stream of this.#streams) stream.close();
    await waitForAll([...this.#shards.values()].map((watches) => watches.clear()));
  }

  /** Ids begin with the number of their shard, and so do lineages. */
  #getShard(name: string, store: FeedStore): ShardWatches {
    const shard = name.slice(0, 2);
    const watches = this.#shards.get(shard) ?? new ShardWatches(store, this.#looks);
    this.#shards.set(shard, watches);
    return watches;
  }

  #requireFeed(call: string): FeedStore {
    const store = this.#store;
    if (isFeedStore(store)) return store;
    throw createConfigError(
      `${call} needs a store that tells how its sessions end, by the method subscribe; this one has none. redisStore(client) and memoryStore() have it`,
      { option: "store" },
    );
  }
}

function checkCallback(callback: EndingCallback): EndingCallback {
  if (typeof callback === "function") return callback;
  throw createConfigError(
    `onEnd takes a function as its last argument: onEnd(id, (ending) => { … }), or in a request session.onEnd((ending) => { … }); got ${quote(callback)}`,
  );
}
