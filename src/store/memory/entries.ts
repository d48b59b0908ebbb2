// Not the globals, which tests of an application replace: one that runs all timers would never come to an
// end of this one, and lose its sessions on the way.
import { clearInterval, setInterval } from "node:timers";
import { SessionError } from "../../shared/errors.ts";
import { MAX_HOPS } from "../contract.ts";
import type { Alias, Entry, Session, Tombstone } from "./entry.ts";

/** How often expired sessions are looked for, besides when the store is full. */
const SWEEP_INTERVAL_MS = 60_000;

/** How much is kept at most. */
export interface MemoryLimits {
  readonly maxSessions: number;
  readonly maxTotalBytes: number;
}

/**
 * What is kept at ids, each until it expires. What a rotation or an ending leaves has a place of its own:
 * it takes no session's, and of too many the oldest go.
 */
export class Entries {
  readonly #limits: MemoryLimits;
  readonly #now: () => number;
  readonly #onDrop: (session: Session) => void;
  readonly #sessions = new Map<string, Session>();
  readonly #markers = new Map<string, Alias | Tombstone>();
  /** The sessions that say of no one who the user is, the oldest first. */
  readonly #anonymous = new Set<Session>();
  #bytes = 0;
  /** No session expires before this: until then a full store need not go through all of them. */
  #earliest = Number.POSITIVE_INFINITY;
  #sweeper: NodeJS.Timeout | undefined;

  /** @param onDrop is told of each session that is dropped. */
  constructor(limits: MemoryLimits, now: () => number, onDrop: (session: Session) => void) {
    this.#limits = limits;
    this.#now = now;
    this.#onDrop = onDrop;
  }

  /** What is kept at an id, unless it has expired. */
  find(id: string): Entry | undefined {
    const entry = this.#sessions.get(id) ?? this.#markers.get(id);
    if (!entry || entry.expiresAt >= this.#now()) return entry;
    this.drop(id);
    return undefined;
  }

  /** What an id leads to over at most so many aliases, and those on the way. */
  resolve(id: string, maxHops = MAX_HOPS): { entry: Entry | undefined; trail: string[] } {
    const trail: string[] = [];
    let at = id;
    let entry = this.find(at);
    while (entry?.kind === "alias" && trail.length < maxHops) {
      trail.push(at);
      at = entry.target;
      entry = this.find(at);
    }
    return { entry, trail };
  }

  /** How many aliases, one after the other, lead to a session. */
  countAliases(session: Session): number {
    let count = 0;
    for (let before = session.previous; before !== null; count++) {
      const entry = this.find(before);
      if (entry?.kind !== "alias") break;
      before = entry.previous;
    }
    return count;
  }

  /** Puts a session where it is found from now on; there must be room. */
  put(session: Session): void {
    this.#markers.delete(session.id);
    this.#sessions.set(session.id, session);
    this.updateBytes(session, session.bytes, 0);
    this.noteExpiry(session);
    // unref: sessions that wait to expire keep no process alive.
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();
  }

  /** Puts a session that is kept already to its new id. */
  rename(session: Session, id: string): void {
    this.#sessions.delete(session.id);
    session.id = id;
    this.#sessions.set(id, session);
  }

  /** Leaves an alias or a tombstone at an id. */
  putMarker(id: string, marker: Alias | Tombstone): void {
    this.#markers.delete(id);
    this.#markers.set(id, marker);
    if (this.#markers.size <= this.#limits.maxSessions) return;
    for (const oldest of this.#markers.keys()) {
      this.#markers.delete(oldest);
      break;
    }
  }

  /** Forgets what is kept at an id. */
  drop(id: string): void {
    this.#markers.delete(id);
    const session = this.#sessions.get(id);
    if (!session) return;
    this.#sessions.delete(id);
    this.#anonymous.delete(session);
    this.#bytes -= session.bytes;
    this.#onDrop(session);
  }

  /** A session that is kept has other bytes now, and may say who the user is or no longer do so. */
  updateBytes(session: Session, bytes: number, before = session.bytes): void {
    this.#bytes += bytes - before;
    session.bytes = bytes;
    if (session.identities.size > 0) this.#anonymous.delete(session);
    else this.#anonymous.add(session);
  }

  /** A session that is kept has another deadline now. */
  noteExpiry({ expiresAt }: Session): void {
    this.#earliest = Math.min(this.#earliest, expiresAt);
  }

  /** All ids, also those of what has expired. */
  listIds(): string[] {
    return [...this.#sessions.keys(), ...this.#markers.keys()];
  }

  /**
   * Makes room for a session of so many bytes, in the place of another one if that is given: what has
   * expired goes, then the oldest sessions of nobody.
   *
   * @throws SessionError ERR_STORE_FULL where that is not enough; nothing but what has expired is gone.
   */
  makeRoom(bytes: number, old: Session | null): void {
    if (this.#hasRoom(bytes, old)) return;
    if (this.#now() > this.#earliest) this.#sweep();
    if (this.#hasRoom(bytes, old)) return;
    const doomed: Session[] = [];
    let freed = 0;
    for (const session of this.#anonymous) {
      if (this.#hasRoom(bytes - freed, old, doomed.length)) break;
      if (session === old) continue;
      doomed.push(session);
      freed += session.bytes;
    }
    if (!this.#hasRoom(bytes - freed, old, doomed.length)) throw this.#createFullError();
    for (const { id } of doomed) this.drop(id);
  }

  #hasRoom(bytes: number, old: Session | null, fewer = 0): boolean {
    const { maxSessions, maxTotalBytes } = this.#limits;
    const sessions = this.#sessions.size - fewer + (old ? 0 : 1);
    return sessions <= maxSessions && this.#bytes - (old?.bytes ?? 0) + bytes <= maxTotalBytes;
  }

  #createFullError(): SessionError {
    const { maxSessions, maxTotalBytes } = this.#limits;
    return new SessionError(
      "ERR_STORE_FULL",
      `The memory store keeps ${this.#sessions.size} of at most ${maxSessions} sessions, of ${this.#bytes} of at most ${maxTotalBytes} bytes, and is full of sessions that say who the user is; raise maxSessions or maxTotalBytes, shorten the timeouts, or use redisStore`,
      { maxSessions, maxTotalBytes },
    );
  }

  clear(): void {
    this.#sessions.clear();
    this.#markers.clear();
    this.#anonymous.clear();
    this.#bytes = 0;
    this.#sweep();
  }

  #sweep(): void {
    for (const id of this.listIds()) this.find(id);
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const session of this.#sessions.values()) this.noteExpiry(session);
    if (this.#sessions.size + this.#markers.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}
