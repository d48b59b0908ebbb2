import type { ListeningConnection, Master } from "../wire/connection.ts";

/** For a wait that the loss of its link ends. */
export function createLostError(): Error {
  return new Error("the connection that listens was lost");
}

/** What a shard that listens on a link is told. */
export interface LinkListener {
  onMessage(text: string): void;
  /** The link is lost, and the shard isn't on it any more. */
  onLost(): void;
}

/** The listening connections: one to each master that has a shard somebody listens to. */
export class Links {
  readonly #timeout: number;
  readonly #links = new Map<string, Link>();

  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** The link to this master. It closes when the last shard has left it. */
  open(master: Master): Link {
    const known = this.#links.get(master.name);
    if (known && !known.lost) return known;
    const link = new Link(master, this.#timeout);
    this.#links.set(master.name, link);
    return link;
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }
}

/** One listening connection, which the shards of a master share. */
export class Link {
  /** The name of its master. */
  readonly name: string;
  readonly #connection: ListeningConnection;
  readonly #ready: Promise<unknown>;
  readonly #listeners = new Map<string, LinkListener>();
  readonly #whenLost: Promise<never>;
  #rejectAsLost!: (error: Error) => void;
  #lost = false;

  constructor(master: Master, timeout: number) {
    this.name = master.name;
    this.#whenLost = new Promise((_, reject) => {
      this.#rejectAsLost = reject;
    });
    this.#whenLost.catch(() => {});
    this.#connection = master.listen(timeout, {
      onMessage: (channel, text) => this.#listeners.get(channel)?.onMessage(text),
      onLost: () => this.close(),
    });
    this.#ready = this.#connection.ready;
    this.#ready.catch(() => this.close());
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Resolves once the channel is subscribed to. */
  async join(channel: string, listener: LinkListener): Promise<void> {
    this.#listeners.set(channel, listener);
    await this.#ready;
    await Promise.race([this.#connection.subscribe(channel), this.#whenLost]);
  }

  leave(channel: string, listener: LinkListener): void {
    if (this.#listeners.get(channel) !== listener) return;
    this.#listeners.delete(channel);
    if (this.#listeners.size === 0) this.close();
    // Refused, it only means that messages come which nobody hears.
    else this.#connection.unsubscribe(channel).catch(() => {});
  }

  /** Closes the connection for good. */
  close(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#rejectAsLost(createLostError());
    this.#connection.close();
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const listener of listeners) listener.onLost();
  }
}
