import type { StoredSession, Times } from "../../contract.ts";

/** What `@` says of a session: created, last seen, idle timeout, absolute deadline. */
const SESSION = /^(\d+) (-?\d+) (-?\d*) (-?\d*)$/;
const ALIAS = "alias ";
const TOMBSTONE = "tombstone ";

const AT = "@".charCodeAt(0);

/** The largest time that a Date can hold. */
const MAX_TIME_MS = 8_640_000_000_000_000;

/** A session's hash, taken field by field: the library's own fields, which decode.ts describes, and the others. */
export class SessionHash {
  readonly #id: string;
  readonly #fields = new Map<string, string>();
  #own = "";
  #times: RegExpExecArray | null = null;
  #lineage: string | undefined;
  #setNames: string[] | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  take(name: string, text: string): void {
    if (name.charCodeAt(0) !== AT) {
      this.#fields.set(name, text);
    } else if (name === "@") {
      this.#own = text;
      this.#times = SESSION.exec(text);
    } else if (name === "@l") {
      this.#lineage = text;
    } else if (/^@r\d*$/.test(name)) {
      this.#setNames ??= [];
      this.#setNames.push(text);
    }
  }

  get isSession(): boolean {
    return this.#times !== null;
  }

  get id(): string {
    return this.#id;
  }

  get lineage(): string {
    return this.#lineage ?? this.#id;
  }

  /** When the session was created (µs), as text. */
  get created(): string | undefined {
    return this.#times?.[1];
  }

  /** The names of the sets that the session is in. */
  get setNames(): string[] {
    const names = this.#setNames?.flatMap((text) => text.split(" ")) ?? [];
    return names.filter((name) => name.includes(":"));
  }

  /** The id that an alias leads to. */
  get target(): string | undefined {
    return decodeAlias(this.#own);
  }

  get tombstone(): string | undefined {
    return this.#own.startsWith(TOMBSTONE) ? this.#own.slice(TOMBSTONE.length) : undefined;
  }

  toSession(): StoredSession {
    const { lineage } = this;
    return { id: this.#id, lineage, fields: this.#fields, ...composeTimes(this.#times) };
  }
}

/** The id that a hash's `@` says it leads to; undefined if it is of no alias. */
export function decodeAlias(own: string): string | undefined {
  return own.startsWith(ALIAS) ? own.slice(ALIAS.length) : undefined;
}

/** The times of a session by its `@`. */
export function decodeTimes(own: unknown): Times {
  return composeTimes(SESSION.exec(String(own)));
}

function composeTimes(texts: RegExpExecArray | null): Times {
  const lastSeenAt = Number(texts?.[2]);
  const idleTimeout = parseMs(texts?.[3]);
  const absoluteDeadline = parseMs(texts?.[4]);
  return {
    createdAt: Math.floor(Number(texts?.[1]) / 1000),
    lastSeenAt,
    idleTimeout,
    absoluteDeadline,
    expiresAt: Math.min(
      idleTimeout === null ? Number.POSITIVE_INFINITY : lastSeenAt + idleTimeout,
      absoluteDeadline ?? Number.POSITIVE_INFINITY,
    ),
  };
}

/** A time or duration. Any other text, such as "-", counts as none. */
function parseMs(text: string | undefined): number | null {
  const number = text ? Number(text) : Number.NaN;
  return Math.abs(number) <= MAX_TIME_MS ? number : null;
}
