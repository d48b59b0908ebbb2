/** Every code that an error of this library carries. */
export type SessionErrorCode = keyof SessionErrorDetails;

/**
 * What an error has besides, by its code. No value of a field is there, and no token: a text that may
 * hold one is left out. None of it is enumerable, so it is in no JSON of the error.
 */
export interface SessionErrorDetails {
  ERR_SESSION_CONFIG: {
    /** The option or argument that is wrong, where it is one; of several, the first in the hint. */
    readonly option?: string | undefined;
    /** The field that is not as it is declared, or not declared, where it is about one. */
    readonly field?: string | undefined;
  };
  ERR_SESSION_VALUE: {
    /** The field, or the argument of a verb under `compat/`, where it is about one. */
    readonly field?: string | undefined;
    /** How many values the references would have, where these are too many. */
    readonly references?: number | undefined;
    /** How many they may have at most, where there are too many. */
    readonly maxReferences?: number | undefined;
  };
  ERR_SESSION_TOO_LARGE: {
    /** How many bytes the fields' names and values would have; at least, where one value alone has too many. */
    readonly bytes: number;
    readonly maxBytes: number;
  };
  ERR_SESSION_GONE: {
    /** The identity that a session without a user was to have a value of; else the session has ended. */
    readonly field?: string | undefined;
  };
  ERR_SESSION_LIMIT: {
    /** The reference one of whose values has as many sessions as it may. */
    readonly field: string;
    /** How many it may have. */
    readonly limit: number;
  };
  ERR_STORE_UNAVAILABLE: {
    /** What the store could not do, such as "change a session": few texts, fit to count errors by. */
    readonly operation: string;
  };
  ERR_STORE_FULL: {
    readonly maxSessions: number;
    readonly maxTotalBytes: number;
  };
  ERR_REPLICAS: {
    /** As for ERR_STORE_UNAVAILABLE. */
    readonly operation: string;
    /** How many replicas were to acknowledge it. */
    readonly replicas: number;
    /** How many have, where the master told in time. */
    readonly acknowledged?: number | undefined;
  };
  ERR_COOKIE: {
    /** The cookie's whole name; undefined where the response lacks another header instead. */
    readonly cookie?: string | undefined;
  };
  ERR_CSRF: {
    /**
     * `"origin"`: a page of another origin has sent the request. `"bearer"`: the guard let it pass for
     * its bearer header, and it asks for a session by cookie.
     */
    readonly reason: "origin" | "bearer";
    /** The page's origin, where the request has named it in the form of one. */
    readonly origin?: string | undefined;
  };
}

/** What an error of each code has. */
export interface SessionErrorBase<Code extends SessionErrorCode> extends Error {
  readonly name: "SessionError";
  readonly code: Code;
  /** The HTTP status that fits: frameworks that look for `status` answer with it. */
  readonly status: 403 | 409 | 413 | 500 | 503;
  /**
   * Whether the message may be shown to the client of an HTTP request: where the status is below 500.
   * It is a sentence for the visitor, then.
   */
  readonly expose: boolean;
  /**
   * What failed and what to do about it, for the developer: the message itself where that is not for
   * the visitor. It is part of `stack`, and not of what frameworks send.
   */
  readonly hint: string;
}

/** An error of one code; without a code, of any: `switch (error.code)` tells which. */
export type SessionError<Code extends SessionErrorCode = SessionErrorCode> = {
  [One in Code]: SessionErrorBase<One> & SessionErrorDetails[One];
}[Code];

/** The details of an error and, perhaps, its cause; they may be left out where the code needs none. */
export type SessionErrorOptions<Code extends SessionErrorCode> = {
  [One in Code]: Partial<SessionErrorDetails[One]> extends SessionErrorDetails[One]
    ? [options?: SessionErrorDetails[One] & ErrorOptions]
    : [options: SessionErrorDetails[One] & ErrorOptions];
}[Code];

/** The class of all errors. A class that extends it names its code: `extends SessionError<"ERR_STORE_FULL">`. */
export interface SessionErrorConstructor {
  readonly prototype: SessionError;
  new <Code extends SessionErrorCode>(
    code: Code,
    text: string,
    ...options: SessionErrorOptions<Code>
  ): SessionError<Code>;
}

/** The HTTP status that stands for each code. */
const STATUS_BY_CODE: Record<SessionErrorCode, SessionErrorBase<SessionErrorCode>["status"]> = {
  ERR_SESSION_CONFIG: 500,
  ERR_SESSION_VALUE: 500,
  ERR_SESSION_TOO_LARGE: 413,
  ERR_SESSION_GONE: 409,
  ERR_SESSION_LIMIT: 409,
  ERR_STORE_UNAVAILABLE: 503,
  ERR_STORE_FULL: 503,
  ERR_REPLICAS: 503,
  ERR_COOKIE: 500,
  ERR_CSRF: 403,
};

/** What a visitor is told, where the error may be shown to one. */
const VISITOR_MESSAGES: Partial<Record<SessionErrorCode, string>> = {
  ERR_SESSION_TOO_LARGE: "This could not be saved: there is too much in your session.",
  ERR_SESSION_GONE: "Your session has ended. Please sign in again.",
  ERR_SESSION_LIMIT: "There are too many sessions already. Please end one of them first.",
  ERR_CSRF: "This request came from another site and was refused.",
};

/**
 * The one class of error that this library throws or rejects with. `code` is stable, and neither the
 * message nor `hint` nor `cause` ever holds a token.
 *
 * | code | when |
 * | --- | --- |
 * | `ERR_SESSION_CONFIG` | an option or an undeclared reference is a mistake of the program |
 * | `ERR_SESSION_VALUE` | a field's name or value cannot be stored as it is |
 * | `ERR_SESSION_TOO_LARGE` | the session would grow over `maxBytes` |
 * | `ERR_SESSION_GONE` | the session ended while this request was using it |
 * | `ERR_SESSION_LIMIT` | a value has as many sessions as its reference's `limit` allows |
 * | `ERR_STORE_UNAVAILABLE` | the store is down, slow, read-only, loading or out of memory |
 * | `ERR_STORE_FULL` | the memory store is full of sessions that have a user |
 * | `ERR_REPLICAS` | too few replicas have acknowledged in time what was ended with `{ replicas }` |
 * | `ERR_COOKIE` | a cookie cannot be sent: headers are sent already, or the connection is insecure |
 * | `ERR_CSRF` | a request that changes something comes from a page of another origin |
 */
export const SessionError = class SessionError<Code extends SessionErrorCode>
  extends Error
  implements SessionErrorBase<Code>
{
  override readonly name = "SessionError";
  readonly code: Code;
  readonly status: SessionErrorBase<Code>["status"];
  readonly expose: boolean;
  declare readonly hint: string;

  constructor(code: Code, text: string, options: SessionErrorDetails[Code] & ErrorOptions) {
    const hint = toMessage(typeof text === "string" ? text : quote(text));
    const visitorMessage = VISITOR_MESSAGES[code];
    super(visitorMessage ?? hint, options);
    this.code = code;
    this.status = STATUS_BY_CODE[code];
    this.expose = this.status < 500;
    // Not enumerable: so it is in no JSON that an application makes of the error.
    Object.defineProperty(this, "hint", { value: hint });
    const { cause: _, ...details } = options ?? {};
    for (const [name, value] of Object.entries(details)) {
      if (isTold(value)) Object.defineProperty(this, name, { value });
    }
    // A program's Error.prepareStackTrace may make anything of a stack.
    if (visitorMessage !== undefined && typeof this.stack === "string") {
      const stack = this.stack.replace(visitorMessage, () => `${visitorMessage}\n  hint: ${hint}`);
      Object.defineProperty(this, "stack", { value: stack, writable: true, configurable: true });
    }
    // Hono answers with what this makes, and otherwise logs the error and answers 500.
    if (this.status !== 500) {
      const body = this.expose ? this.message : null;
      const getResponse = () => new Response(body, { status: this.status });
      Object.defineProperty(this, "getResponse", { value: getResponse });
    }
  }
} as unknown as SessionErrorConstructor;

/**
 * A value as messages show it: a text quoted, escaped and short, and without what may be a token, which
 * comes here when a program takes one argument for another; of what may hold a text only its kind.
 */
export function quote(value: unknown): string {
  switch (typeof value) {
    case "string": {
      const masked = maskTokens(value);
      return JSON.stringify(masked.length > 60 ? `${masked.slice(0, 60)}…` : masked);
    }
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      if (value === null) return "null";
      return isArray(value) ? "an array" : "an object";
    default:
      return `a ${typeof value}`;
  }
}

/** Whether a detail may be on an error, whatever a program has given: no object, and no token. */
function isTold(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && maskTokens(value) === value);
}

/** The name of a field as details have it; none where a program gave something else for one. */
export function toFieldName(field: unknown): string | undefined {
  return typeof field === "string" ? field : undefined;
}

/** Whether a value is an array; of a Proxy that was revoked no one can tell. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * An error as the cause of another one. What the engine says of a value that it cannot read or write may
 * name what is in it, so a message that may hold a token comes without it.
 */
export function asCause(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack } = error;
  const shown = toMessage(message);
  if (shown === message) return error;
  const copy = new Error(shown);
  Object.defineProperty(copy, "name", { value: name });
  Object.defineProperty(copy, "stack", { value: stack?.replace(message, () => shown) });
  return copy;
}

/** A text without what may be a token: a token has 34 characters. */
function maskTokens(text: string): string {
  return text.replace(/[A-Za-z0-9_-]{30,}/g, "…");
}

/**
 * A message as it may stand in a log, whatever it quotes of a client or a server: on one line, and
 * without what may be a token.
 */
export function toMessage(text: string): string {
  return maskTokens(text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, " "));
}

/** The error of an option that cannot work, or of a field that is not declared for it. */
export function createConfigError(
  message: string,
  about?: SessionErrorDetails["ERR_SESSION_CONFIG"],
): SessionError {
  return new SessionError("ERR_SESSION_CONFIG", message, about);
}

/** The names of the options that an interface has, which the compiler compares with it. */
export function listOptionNames<Options>(names: Record<keyof Options, true>): readonly string[] {
  return Object.keys(names);
}

/**
 * Refuses what is no record of options, and option names that do not exist, which are typing mistakes
 * or come from other libraries.
 */
export function refuseUnknownKeys(what: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw createConfigError(
      `The options of ${what} are an object: { ${known[0]}: … }; got ${quote(options)}`,
    );
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw createConfigError(
        `${what} has no option ${quote(key)}; its options are ${known.join(", ")}`,
        { option: key },
      );
    }
  }
}

/** How many values all references of one session may have together. */
export const MAX_REFERENCES = 1000;

/**
 * The error of a session whose references would have so many values.
 *
 * @param of the one reference that alone has them, and what was written nevertheless.
 */
export function createTooManyReferencesError(
  count: number,
  { field, written = "nothing was written" }: { field?: string; written?: string } = {},
): SessionError {
  const what =
    field === undefined ? "The references" : `The field ${quote(field)} is a reference: those`;
  return new SessionError(
    "ERR_SESSION_VALUE",
    `${what} of the session would have ${count} values; ${MAX_REFERENCES} are allowed in all, for each is an entry that every write renews; ${written}`,
    { field, references: count, maxReferences: MAX_REFERENCES },
  );
}

/** The error of a change after which a session's fields would have `bytes` bytes. */
export function createLimitError(
  field: string,
  limit: number,
  written = "nothing was written or ended",
): SessionError {
  return new SessionError(
    "ERR_SESSION_LIMIT",
    `A value of ${quote(field)} has as many sessions as its reference allows (limit: ${limit}); ${written}. End one of them first, or declare the reference { whenFull: "end-oldest" }, which ends the oldest in a sign-in`,
    { field, limit },
  );
}

export function createTooLargeError(
  bytes: number,
  maxBytes: number,
  written = "nothing was written",
): SessionError {
  return new SessionError(
    "ERR_SESSION_TOO_LARGE",
    `The names and values of the session's fields would have ${bytes} bytes, over maxBytes (${maxBytes}); ${written}. Keep what is large elsewhere and its key in the session`,
    { bytes, maxBytes },
  );
}
