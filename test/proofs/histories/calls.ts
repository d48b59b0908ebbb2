/*
 * The record of a history: the calls that several processes made to one small world of
 * sessions, each with its start, its end and its answer. Times are in ms on the servers' clock,
 * which all processes of this machine share.
 */

export type Data = Readonly<Record<string, unknown>>;

/** The session set of one value of a reference. */
export interface Of {
  readonly field: string;
  readonly value: unknown;
}

/** How many sessions a value of a reference may have. */
export interface Limit {
  readonly limit: number;
  readonly whenFull: "end-oldest" | "reject";
}

/** A session was not let into a set: it was cleared (`asOf`), or it is full. */
export type Refused = "cleared" | "full";

/** A session as it was given. */
export interface Seen {
  readonly id: string;
  readonly lineage: string;
  readonly data: Data;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
  readonly absoluteDeadline: number | null;
}

/** A call without its times. Sessions are named by ids: a token is named by the id it stands for. */
export type Action =
  | {
      readonly do: "create";
      readonly id: string;
      readonly values: Data;
      readonly idle: number | null;
      readonly absolute: number | null;
      /** When the credentials were read, if the call says so. */
      readonly asOf?: number | undefined;
      readonly answer?: Seen | Refused;
    }
  | {
      readonly do: "get";
      readonly id: string;
      /** Null: all of them. */
      readonly fields: readonly string[] | null;
      readonly touch: boolean;
      /** Whether the id is a name, and not that of a token. */
      readonly byName: boolean;
      readonly answer?: Seen | null;
    }
  /** `set`, `unset` and `touch` are this. */
  | {
      readonly do: "change";
      readonly id: string;
      readonly values: Data;
      readonly unset: readonly string[];
      /** A new idle timeout; null leaves it. */
      readonly idle: number | null;
      readonly answer?: boolean | "full";
    }
  | {
      readonly do: "rotate";
      readonly id: string;
      readonly to: string;
      readonly values: Data;
      readonly grace: number;
      /** The timeouts of another session that takes its place. */
      readonly idle: number | null;
      readonly absolute: number | null;
      readonly asOf?: number | undefined;
      /** `ended`: both the token and the session are null. */
      readonly answer?: Seen | "ended" | Refused | null;
    }
  | {
      readonly do: "sign in";
      /** Empty where there was no token. */
      readonly id: string;
      readonly to: string;
      readonly values: Data;
      readonly keep: readonly string[];
      readonly idle: number | null;
      readonly absolute: number | null;
      readonly asOf?: number | undefined;
      readonly answer?: Seen | Refused;
    }
  /** With `of`, only where it is in that set. */
  | {
      readonly do: "end";
      readonly id: string;
      readonly of: Of | null;
      readonly byName: boolean;
      readonly answer?: boolean;
    }
  | { readonly do: "has"; readonly id: string; readonly of: Of; readonly answer?: boolean }
  | { readonly do: "size"; readonly of: Of; readonly answer?: number }
  | { readonly do: "ids"; readonly of: Of; readonly answer?: readonly string[] }
  /** With a `limit`, the latest first by `order`; without one, by iterating. */
  | {
      readonly do: "list";
      readonly of: Of;
      readonly limit: number | null;
      /** @default "lastSeenAt" */
      readonly order?: "lastSeenAt" | "expiresAt";
      readonly answer?: readonly Seen[];
    }
  | {
      readonly do: "change all";
      readonly of: Of;
      readonly values: Data;
      readonly unset: readonly string[];
      readonly answer?: number | "full";
    }
  | { readonly do: "trim"; readonly of: Of; readonly keep: number; readonly answer?: number }
  | {
      readonly do: "clear";
      readonly of: Of;
      readonly except: string | null;
      /** When it was known which session to leave alone: by the end of its first page. */
      readonly knownBy?: number;
      readonly answer?: number;
    };

/** A call without an answer has failed: it may have been carried out or not. */
export type Call = Action & {
  /** Which process made it. */
  readonly by: number;
  readonly start: number;
  readonly end: number;
  /** No effect begins later, whatever becomes of the call. */
  readonly notAfter: number;
  /** What a listener is told of the sessions that it ends; no other call gives the same. */
  readonly reason?: string;
  /** Whether a command of it may have been carried out once more than its answer tells. */
  readonly again: boolean;
};

/** What was told of a session that is watched. */
export interface Heard {
  readonly id: string;
  readonly lineage: string;
  readonly how: string;
  readonly reason: string | null;
  /** When it ended, as it was told. */
  readonly at: number;
  /** When that was heard. */
  readonly heardAt: number;
}

/** A session that a process listens to, from some moment to the end. */
export interface Watch {
  readonly by: number;
  /** An id, or the first one. */
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly heard: readonly Heard[];
}

export interface History {
  readonly calls: readonly Call[];
  /** When all of them are waited for, every session has been ended, after all calls (`OVER`). */
  readonly watches: readonly Watch[];
  /** By field. */
  readonly limits: Readonly<Record<string, Limit>>;
  /** Whether a limit is exact at every moment, and not only once parallel calls have returned. */
  readonly isOneShard: boolean;
  /** How much the recorded times may differ from the servers' own (ms). */
  readonly slack: number;
}

/** Whether a call was answered by a session. */
export function isSeen(answer: unknown): answer is Seen {
  return typeof answer === "object" && answer !== null && !Array.isArray(answer);
}

export function isRefusal(answer: unknown): answer is Refused {
  return answer === "cleared" || answer === "full";
}

/** What is told of a session that nothing but the end of the history has ended. */
export const OVER = "over";

/** One line a call, in the order of their starts, with short names for ids. */
export function print({ calls, watches }: History): string {
  const names = new Map<string, string>();
  const from = Math.min(...calls.map(({ start }) => start));
  const short = (text: string) =>
    text.replace(/(?<![\w-])[\w-]{24}(?![\w-])/g, (id) => {
      if (!names.has(id)) names.set(id, `#${names.size + 1}`);
      return names.get(id) ?? id;
    });
  const at = (time: number) => (time - from).toFixed(2).padStart(8);
  const listened = watches.map(({ by, id, start, end, heard }) => {
    const told = heard.map(
      ({ how, reason, at: moment, heardAt, ...names }) =>
        `${how} (${reason}) at${at(moment)}, heard at${at(heardAt)} ${JSON.stringify(names)}`,
    );
    return short(`${at(start)} -${at(end)}  ${by}: watch ${id}: ${told.join("; ") || "nothing"}`);
  });
  const called = [...calls]
    .sort((a, b) => a.start - b.start)
    .map(({ by, start, end, notAfter, again, do: what, ...rest }) => {
      const { answer, ...asked } = rest as { answer?: unknown };
      const told =
        answer === undefined
          ? `no answer (until${at(notAfter)})`
          : JSON.stringify(answer, (key, value) =>
              /(?:At|Deadline)$/.test(key) && value !== null ? Number(at(value as number)) : value,
            );
      const twice = again ? " (perhaps once more)" : "";
      return short(
        `${at(start)} -${at(end)}  ${by}: ${what} ${JSON.stringify(asked)} = ${told}${twice}`,
      );
    });
  return [...called, ...listened].join("\n");
}
