import { SessionError } from "../../errors.ts";
import { MAX_HOPS } from "../contract.ts";
import type { Kept, Session } from "./kept.ts";

/** How often expired sessions are looked for, besides when the store is full. */
const SWEEP_EVERY = 60_000;

/** What is kept at ids, each until it expires. */
export class Shelf {
  readonly #max: number;
  readonly #now: () => number;
  readonly #onDrop: (session: Session) => void;
  readonly #kept = new Map<string, Kept>();
  #sweeper: NodeJS.Timeout | undefined;

  /** @param onDrop is told of each session that is dropped. */
  constructor(max: number, now: () => number, onDrop: (session: Session) => void) {
    this.#max = max;
    this.#now = now;
    this.#onDrop = onDrop;
  }

  /** What is kept at an id, unless it has expired. */
  live(id: string): Kept | undefined {
    const kept = this.#kept.get(id);
    if (!kept || kept.expiresAt >= this.#now()) return kept;
    this.drop(id, kept);
    return undefined;
  }

  /** What an id leads to over at most so many aliases, and those on the way. */
  resolve(id: string, hops = MAX_HOPS): { kept: Kept | undefined; trail: string[] } {
    const trail: string[] = [];
    let at = id;
    let kept = this.live(at);
    while (kept?.kind === "alias" && trail.length < hops) {
      trail.push(at);
      at = kept.target;
      kept = this.live(at);
    }
    return { kept, trail };
  }

  /** How many aliases, one after the other, lead to a session. */
  aliasesOf(session: Session): number {
    let count = 0;
    for (let before = session.previous; before !== null; count++) {
      const kept = this.live(before);
      if (kept?.kind !== "alias") break;
      before = kept.previous;
    }
    return count;
  }

  put(id: string, kept: Kept): void {
    this.#kept.set(id, kept);
  }

  /** Forgets an id; what was kept there may be kept at another. */
  remove(id: string): void {
    this.#kept.delete(id);
  }

  /** Forgets an id and what was kept there. */
  drop(id: string, kept: Kept): void {
    this.#kept.delete(id);
    if (kept.kind === "session") this.#onDrop(kept);
  }

  /** All ids, also those of what has expired. */
  ids(): string[] {
    return [...this.#kept.keys()];
  }

  /** Refuses to keep one more than may be kept, once what has expired is gone. */
  makeRoom(): void {
    if (this.#kept.size >= this.#max) this.#sweep();
    if (this.#kept.size >= this.#max) {
      throw new SessionError(
        "ERR_STORE_FULL",
        `The memory store keeps ${this.#max} sessions and is full; raise maxSessions, shorten the timeouts, or use redisStore`,
      );
    }
    // unref: sessions that wait to expire keep no process alive.
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_EVERY).unref();
  }

  clear(): void {
    this.#kept.clear();
    this.#sweep();
  }

  #sweep(): void {
    for (const id of this.ids()) this.live(id);
    if (this.#kept.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}
