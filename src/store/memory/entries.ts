// An application's tests may replace the global timers. One that runs all of them would never finish with
// this one, and would lose its sessions meanwhile.
import { clearInterval, setInterval } from "node:timers";
import { SessionError } from "../../shared/errors.ts";
import { MAX_HOPS } from "../contract.ts";
import type { Alias, Entry, Session, Tombstone } from "./entry.ts";

/** How often expired sessions are removed. They are also removed when the store is full. */
const SWEEP_INTERVAL_MS = 60_000;

/** How much a memory store holds at most. */
export interface MemoryLimits {
  readonly maxSessions: number;
  readonly maxTotalBytes: number;
}

/**
 * The entries by id, each kept until it expires. Aliases and tombstones don't count as sessions: they have
 * a map of their own, and when there are too many, the oldest is removed.
 */
export class Entries {
  readonly #limits: MemoryLimits;
  readonly #now: () => number;
  readonly #onDrop: (session: Session) => void;
  readonly #sessions = new Map<string, Session>();
  readonly #markers = new Map<string, Alias | Tombstone>();
  /** The sessions without a user, the oldest first. */
  readonly #anonymous = new Set<Session>();
  #bytes = 0;
  /** No session expires before this. Until then, a full store doesn't look for expired sessions. */
  #earliest = Number.POSITIVE_INFINITY;
  #sweeper: NodeJS.Timeout | undefined;

  /** @param onDrop is called with each session that is dropped. */
  constructor(limits: MemoryLimits, now: () => number, onDrop: (session: Session) => void) {
    this.#limits = limits;
    this.#now = now;
    this.#onDrop = onDrop;
  }

  /** The entry at an id, unless it has expired. */
  find(id: string): Entry | undefined {
    const entry = this.#sessions.get(id) ?? this.#markers.get(id);
    if (!entry || entry.expiresAt >= this.#now()) return entry;
    this.drop(id);
    return undefined;
  }

  /** The entry that an id leads to over at most `maxHops` aliases, and the ids of those aliases. */
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

  /** The length of the chain of aliases that leads to a session. */
  countAliases(session: Session): number {
    let count = 0;
    for (let before = session.previous; before !== null; count++) {
      const entry = this.find(before);
      if (entry?.kind !== "alias") break;
      before = entry.previous;
    }
    return count;
  }

  /** Adds a session; there must be room. */
  put(session: Session): void {
    this.#markers.delete(session.id);
    this.#sessions.set(session.id, session);
    this.updateBytes(session, session.bytes, 0);
    this.noteExpiry(session);
    // Sessions that wait to expire must not keep the process alive.
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();
  }

  /** Gives a session another id. */
  changeId(session: Session, id: string): void {
    this.#sessions.delete(session.id);
    session.id = id;
    this.#sessions.set(id, session);
  }

  /** Puts an alias or a tombstone at an id. */
  putMarker(id: string, marker: Alias | Tombstone): void {
    this.#markers.delete(id);
    this.#markers.set(id, marker);
    if (this.#markers.size <= this.#limits.maxSessions) return;
    for (const oldest of this.#markers.keys()) {
      this.#markers.delete(oldest);
      break;
    }
  }

  /** Removes the entry at an id. */
  drop(id: string): void {
    this.#markers.delete(id);
    const session = this.#sessions.get(id);
    if (!session) return;
    this.#sessions.delete(id);
    this.#anonymous.delete(session);
    this.#bytes -= session.bytes;
    this.#onDrop(session);
  }

  /** Records that a session's size has changed, and perhaps whether it has a user. */
  updateBytes(session: Session, bytes: number, before = session.bytes): void {
    this.#bytes += bytes - before;
    session.bytes = bytes;
    if (session.identities.size > 0) this.#anonymous.delete(session);
    else this.#anonymous.add(session);
  }

  /** Records that a session's deadline has changed. */
  noteExpiry({ expiresAt }: Session): void {
    this.#earliest = Math.min(this.#earliest, expiresAt);
  }

  /** All ids, including those of expired entries. */
  listIds(): string[] {
    return [...this.#sessions.keys(), ...this.#markers.keys()];
  }

  /**
   * Makes room for a session of this size, beside the `leaving` sessions that are about to be dropped. It
   * drops expired entries, then the oldest sessions without a user, and returns these.
   *
   * @throws SessionError ERR_STORE_FULL if that isn't enough. Only expired entries are dropped then.
   */
  makeRoom(bytes: number, leaving: readonly Session[]): Session[] {
    if (this.#hasRoom(bytes, leaving)) return [];
    if (this.#now() > this.#earliest) this.#sweep();
    if (this.#hasRoom(bytes, leaving)) return [];
    const pushedOut: Session[] = [];
    let freed = 0;
    for (const session of this.#anonymous) {
      if (this.#hasRoom(bytes - freed, leaving, pushedOut.length)) break;
      if (leaving.includes(session)) continue;
      pushedOut.push(session);
      freed += session.bytes;
    }
    if (!this.#hasRoom(bytes - freed, leaving, pushedOut.length)) throw this.#createFullError();
    for (const { id } of pushedOut) this.drop(id);
    return pushedOut;
  }

  #hasRoom(bytes: number, leaving: readonly Session[], pushedOut = 0): boolean {
    const { maxSessions, maxTotalBytes } = this.#limits;
    const sessions = this.#sessions.size - leaving.length - pushedOut + 1;
    const left = this.#bytes - leaving.reduce((sum, session) => sum + session.bytes, 0);
    return sessions <= maxSessions && left + bytes <= maxTotalBytes;
  }

  #createFullError(): SessionError {
    const { maxSessions, maxTotalBytes } = this.#limits;
    return new SessionError(
      "ERR_STORE_FULL",
      `The memory store is full of sessions with a user: it holds ${this.#sessions.size} of at most ${maxSessions} sessions, and ${this.#bytes} of at most ${maxTotalBytes} bytes. Raise maxSessions or maxTotalBytes, shorten the timeouts, or use redisStore`,
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
