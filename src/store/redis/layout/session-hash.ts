import type { StoredSession, Times } from "../../contract.ts";

const AT = "@".charCodeAt(0);

/** The largest time that a Date can hold. */
const MAX_TIME_MS = 8_640_000_000_000_000;

/** A session's hash, taken field by field: the library's own fields, which decode.ts describes, and the others. */
export class SessionHash {
  readonly #id: string;
  readonly #fields = new Map<string, string>();
  #created: string | undefined;
  #seen: string | undefined;
  #idle: string | undefined;
  #absolute: string | undefined;
  #lineage: string | undefined;
  #target: string | undefined;
  #tombstone: string | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  take(name: string, text: string): void {
    if (name.charCodeAt(0) === AT) this.#takeOwn(name, text);
    else this.#fields.set(name, text);
  }

  #takeOwn(name: string, text: string): void {
    switch (name) {
      case "@c":
        this.#created = text;
        break;
      case "@s":
        this.#seen = text;
        break;
      case "@i":
        this.#idle = text;
        break;
      case "@a":
        this.#absolute = text;
        break;
      case "@l":
        this.#lineage = text;
        break;
      case "@to":
        this.#target = text;
        break;
      case "@x":
        this.#tombstone = text;
        break;
    }
  }

  get isSession(): boolean {
    return this.#created !== undefined;
  }

  get id(): string {
    return this.#id;
  }

  get lineage(): string {
    return this.#lineage ?? this.#id;
  }

  /** When the session was created (µs), as text. */
  get created(): string | undefined {
    return this.#created;
  }

  /** Whether it is a session that a set may list: not what else an entry that was written by hand leads to. */
  get isListed(): boolean {
    return this.isSession && this.#seen !== undefined;
  }

  /** The id that an alias leads to. */
  get target(): string | undefined {
    return this.#target;
  }

  get tombstone(): string | undefined {
    return this.#tombstone;
  }

  toSession(): StoredSession {
    const id = this.#id;
    const times = composeTimes(this.#created, this.#seen, this.#idle, this.#absolute);
    return { id, lineage: this.#lineage ?? id, fields: this.#fields, ...times };
  }
}

/** The times that these texts stand for. An empty or undefined one is none. */
export function composeTimes(
  created: string | undefined,
  seen: string | undefined,
  idle: string | undefined,
  absolute: string | undefined,
): Times {
  const lastSeenAt = Number(seen);
  const idleTimeout = parseMs(idle);
  const absoluteDeadline = parseMs(absolute);
  return {
    createdAt: Math.floor(Number(created) / 1000),
    lastSeenAt,
    idleTimeout,
    absoluteDeadline,
    expiresAt: Math.min(
      idleTimeout === null ? Number.POSITIVE_INFINITY : lastSeenAt + idleTimeout,
      absoluteDeadline ?? Number.POSITIVE_INFINITY,
    ),
  };
}

/** A time or duration. Any other text was written by hand, and counts as none. */
function parseMs(text: string | undefined): number | null {
  const number = text ? Number(text) : Number.NaN;
  return Math.abs(number) <= MAX_TIME_MS ? number : null;
}
