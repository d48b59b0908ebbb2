import type { FindOptions, Lookup } from "../../store/contract.ts";
import type { FeedEvent, FeedListener, FeedStore } from "../../store/feed.ts";
import { Beginning } from "./beginning.ts";
import { createFoundEnding, type Ending, toEndings } from "./ending.ts";
import type { Looks } from "./looks.ts";
import { type Listener, Watch } from "./watch.ts";

/** No field is read, and the name of a watched session is its lineage. */
const LOOK: FindOptions = { names: [], byName: true };

/**
 * The watches of one shard, by lineage. They share one subscription, which begins with the first watch
 * and ends with the last one.
 */
export class ShardWatches implements FeedListener {
  readonly #store: FeedStore;
  readonly #looks: Looks;
  readonly #watches = new Map<string, Watch>();
  readonly #watchesByListener = new WeakMap<Listener, Watch>();
  readonly #beginnings = new Set<Beginning>();
  #subscription: Promise<() => Promise<void>> | null = null;

  constructor(store: FeedStore, looks: Looks) {
    this.#store = store;
    this.#looks = looks;
  }

  /**
   * Begins to watch a session by its id or lineage. If it is gone, the listener is told so.
   *
   * @throws SessionError what `subscribe` and `find` of the store reject with. Nothing is watched then.
   */
  async add(name: string, listener: Listener): Promise<void> {
    const beginning = new Beginning(name);
    this.#beginnings.add(beginning);
    try {
      await this.#subscribe(name);
      const found = await this.#find(name, beginning);
      if (!beginning.isOver) this.#begin(name, found, beginning, listener);
    } finally {
      this.#beginnings.delete(beginning);
      await this.#stopIfEmpty();
    }
  }

  /** Stops telling this listener. */
  async remove(listener: Listener): Promise<void> {
    listener.stop();
    const watch = this.#watchesByListener.get(listener);
    watch?.listeners.delete(listener);
    if (watch && !watch.isOver && watch.listeners.size === 0) this.#end(watch, null);
    await this.#stopIfEmpty();
  }

  /** Ends all watches. No listener is told. */
  async clear(): Promise<void> {
    for (const watch of this.#watches.values()) this.#end(watch, null);
    for (const beginning of this.#beginnings) beginning.isOver = true;
    this.#beginnings.clear();
    await this.#stopIfEmpty();
  }

  onEvent(event: FeedEvent): void {
    for (const beginning of this.#beginnings) beginning.note(event);
    if (event.type === "rotated") {
      const watch = this.#watches.get(event.lineage);
      if (watch) watch.id = event.to;
      return;
    }
    if (event.type === "shortened") {
      this.#watches.get(event.lineage)?.shorten(event);
      return;
    }
    for (const ending of toEndings(event)) {
      const watch = this.#watches.get(ending.lineage);
      if (watch) this.#end(watch, ending);
    }
    void this.#stopIfEmpty();
  }

  onGap(): void {
    for (const beginning of this.#beginnings) beginning.hasGap = true;
    for (const watch of this.#watches.values()) this.#looks.add(watch);
  }

  async #subscribe(name: string): Promise<void> {
    this.#subscription ??= this.#store.subscribe(name, this);
    const subscription = this.#subscription;
    try {
      await subscription;
    } catch (error) {
      if (this.#subscription === subscription) this.#subscription = null; // the next watch tries again
      throw error;
    }
  }

  async #stopIfEmpty(): Promise<void> {
    const subscription = this.#subscription;
    if (this.#watches.size + this.#beginnings.size > 0 || subscription === null) return;
    this.#subscription = null;
    try {
      const stop = await subscription;
      await stop();
    } catch {
      // Who waited for the subscription was told why it failed. Nobody listens any more.
    }
  }

  /** Looks the session up. If it got another id meanwhile, it is looked up by its lineage. */
  async #find(name: string, beginning: Beginning): Promise<Lookup> {
    const found = await this.#store.find(name, LOOK);
    const { lineage } = beginning;
    if (found.state === "live" || lineage === name || beginning.findEnding(lineage)) return found;
    return this.#store.find(lineage, LOOK);
  }

  #begin(name: string, found: Lookup, beginning: Beginning, listener: Listener): void {
    const lineage = found.state === "live" ? found.session.lineage : beginning.lineage;
    const told = beginning.findEnding(lineage);
    if (told) {
      listener.tell(told); // it may have ended after it was found
    } else if (found.state === "live") {
      const watch = this.#watches.get(lineage) ?? this.#createWatch(found.session);
      watch.listeners.add(listener);
      this.#watchesByListener.set(listener, watch);
      watch.wait(found);
      const shortened = beginning.findShortened(lineage);
      if (shortened) watch.shorten(shortened); // it may have been after it was found
      if (beginning.hasGap) this.#looks.add(watch);
    } else {
      listener.tell(createFoundEnding({ id: name, lineage }, "unknown", Date.now()));
    }
  }

  #createWatch(session: ConstructorParameters<typeof Watch>[0]): Watch {
    const watch: Watch = new Watch(session, this.#looks, () => this.#look(watch));
    this.#watches.set(watch.lineage, watch);
    return watch;
  }

  async #look(watch: Watch): Promise<void> {
    watch.prepareLook();
    const found = await this.#store.find(watch.lineage, LOOK);
    if (watch.isOver) return;
    if (found.state === "live") {
      watch.wait(found);
      return;
    }
    const ending = watch.isDue
      ? createFoundEnding(watch, "expire", watch.expiresAt)
      : createFoundEnding(watch, "unknown", Date.now());
    this.#end(watch, ending);
    await this.#stopIfEmpty();
  }

  #end(watch: Watch, ending: Ending | null): void {
    this.#watches.delete(watch.lineage);
    watch.end(ending);
  }
}
