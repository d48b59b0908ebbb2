/** Every code that an error of this library carries. */
export type SessionErrorCode = keyof SessionErrorDetails;

/**
 * The details of an error of each code. They never hold a field's value or a token: a text that may hold
 * one is left out. They aren't enumerable, so JSON of the error doesn't have them.
 */
export interface SessionErrorDetails {
  ERR_SESSION_CONFIG: {
    /** The wrong option or argument, if the error is about one. Of several, the first in the hint. */
    readonly option?: string | undefined;
    /** The field that isn't declared, or doesn't fit its declaration, if the error is about one. */
    readonly field?: string | undefined;
  };
  ERR_SESSION_VALUE: {
    /** The field, or the argument of a verb under `compat/`, if the error is about one. */
    readonly field?: string | undefined;
    /** How many values the references would have, if they are too many. */
    readonly references?: number | undefined;
    /** How many values they may have, if they are too many. */
    readonly maxReferences?: number | undefined;
  };
  ERR_SESSION_TOO_LARGE: {
    /**
     * How many bytes the fields' names and values would have. It is a lower bound where one value alone
     * is too large.
     */
    readonly bytes: number;
    readonly maxBytes: number;
  };
  ERR_SESSION_GONE: {
    /** The identity that the session has no value of. Undefined if the session has ended. */
    readonly field?: string | undefined;
  };
  ERR_SESSION_LIMIT: {
    /** The reference one of whose values has as many sessions as it may. */
    readonly field: string;
    /** How many it may have. */
    readonly limit: number;
  };
  ERR_STORE_UNAVAILABLE: {
    /** The operation that failed, such as "change a session". One of a few texts: count errors by it. */
    readonly operation: string;
  };
  ERR_STORE_FULL: {
    readonly maxSessions: number;
    readonly maxTotalBytes: number;
  };
  ERR_REPLICAS: {
    /** As for ERR_STORE_UNAVAILABLE. */
    readonly operation: string;
    /** How many replicas had to acknowledge it. */
    readonly replicas: number;
    /** How many did, if the master answered in time. */
    readonly acknowledged?: number | undefined;
  };
  ERR_COOKIE: {
    /** The cookie's full name. Undefined if the response lacks another header instead. */
    readonly cookie?: string | undefined;
  };
  ERR_CSRF: {
    /**
     * `"origin"`: a page of another origin sent the request. `"bearer"`: the request passed the guard
     * because of its bearer header, and then asked for a session by cookie.
     */
    readonly reason: "origin" | "bearer";
    /** The page's origin, if the request names a well-formed one. */
    readonly origin?: string | undefined;
  };
}

/** The properties of an error of each code. */
export interface SessionErrorBase<Code extends SessionErrorCode> extends Error {
  readonly name: "SessionError";
  readonly code: Code;
  /** The HTTP status that fits. Frameworks that look for `status` answer with it. */
  readonly status: 403 | 409 | 413 | 500 | 503;
  /**
   * Whether the message may be shown to the client of an HTTP request. It may where the status is below
   * 500, and then it is a sentence for the visitor.
   */
  readonly expose: boolean;
  /**
   * What failed and what to do about it, for the developer. It equals the message unless that is for
   * the visitor. It is part of `stack`, as are the code and where it is documented. Frameworks don't send
   * it.
   */
  readonly hint: string;
}

/** An error of one code, or without a type argument of any: `switch (error.code)` tells them apart. */
export type SessionError<Code extends SessionErrorCode = SessionErrorCode> = {
  [One in Code]: SessionErrorBase<One> & SessionErrorDetails[One];
}[Code];

/** The details of an error, and its `cause` if any. Optional for codes without required details. */
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

/** The HTTP status of each code. */
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

/** The page with a heading for each code, as a path in node_modules: the package has it. */
const ERRORS_PAGE = "session-sets/docs/errors.md";

/** The messages of the errors that may be shown to a visitor. */
const VISITOR_MESSAGES: Partial<Record<SessionErrorCode, string>> = {
  ERR_SESSION_TOO_LARGE: "This could not be saved: there is too much in your session.",
  ERR_SESSION_GONE: "Your session has ended. Please sign in again.",
  ERR_SESSION_LIMIT: "There are too many sessions already. Please end one of them first.",
  ERR_CSRF: "This request came from another site and was refused.",
};

/**
 * The only class of error that this library throws or rejects with. `code` is stable. The message,
 * `hint` and `cause` never hold a token.
 *
 * | code | when |
 * | --- | --- |
 * | `ERR_SESSION_CONFIG` | an option is wrong, or a reference isn't declared: a mistake in the program |
 * | `ERR_SESSION_VALUE` | a field's name or value cannot be stored as it is |
 * | `ERR_SESSION_TOO_LARGE` | the session would grow over `maxBytes` |
 * | `ERR_SESSION_GONE` | the session ended while this request was using it |
 * | `ERR_SESSION_LIMIT` | a value has as many sessions as its reference's `limit` allows |
 * | `ERR_STORE_UNAVAILABLE` | the store is down, slow, read-only, loading or out of memory |
 * | `ERR_STORE_FULL` | the memory store is full of sessions that have a user |
 * | `ERR_REPLICAS` | too few replicas acknowledged an ending with `{ replicas }` in time |
 * | `ERR_COOKIE` | a cookie cannot be sent: the headers were sent already, or the connection is insecure |
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
    // Not enumerable, so JSON that an application makes of the error doesn't have it.
    Object.defineProperty(this, "hint", { value: hint });
    const { cause: _, ...details } = options ?? {};
    for (const [name, value] of Object.entries(details)) {
      if (isFitToShow(value)) Object.defineProperty(this, name, { value });
    }
    // A program's Error.prepareStackTrace may turn the stack into anything.
    if (typeof this.stack === "string") {
      const shown = visitorMessage === undefined ? hint : `${visitorMessage}\n  hint: ${hint}`;
      const head = `SessionError [${code}]: ${shown}\n  docs: ${ERRORS_PAGE}#${code.toLowerCase()}`;
      const stack = replaceHead(this.stack, this.message, head);
      Object.defineProperty(this, "stack", { value: stack, writable: true, configurable: true });
    }
    // Hono answers with this response. Without it, Hono logs the error and answers 500.
    if (this.status !== 500) {
      const body = this.expose ? this.message : null;
      const getResponse = () => new Response(body, { status: this.status });
      Object.defineProperty(this, "getResponse", { value: getResponse });
    }
  }
} as unknown as SessionErrorConstructor;

/**
 * Replaces the name and the message that a stack begins with. The code stands in it, in brackets as in
 * Node's own errors, and the heading of that code in docs/errors.md.
 */
function replaceHead(stack: string, message: string, head: string): string {
  if (message === "") return stack.replace(/^.*/, () => head);
  const at = stack.indexOf(message);
  return at === -1 ? stack : head + stack.slice(at + message.length);
}

/**
 * Shows a value in a message. A string is quoted, escaped and shortened. What may be a token is masked:
 * a program may have mixed up two arguments. An object may hold such a string, so only its kind is shown.
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

/** Whether a value that a program gave may be a detail of an error: no object, and no token. */
function isFitToShow(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && maskTokens(value) === value);
}

/** Returns the name of a field for the details, or undefined where a program gave something else. */
export function toFieldName(field: unknown): string | undefined {
  return typeof field === "string" ? field : undefined;
}

/** Whether a value is an array. For a revoked Proxy it is false, because asking throws. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * Makes an error the cause of another one. JavaScript may quote a value that it cannot read or write, so
 * a message that may hold a token is replaced in a copy of the error.
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

/** Masks what may be a token in a text. A token has 34 characters. */
function maskTokens(text: string): string {
  return text.replace(/[A-Za-z0-9_-]{30,}/g, "…");
}

/**
 * Makes a message fit for a log, whatever it quotes from a client or a server: one line, and nothing
 * that may be a token.
 */
export function toMessage(text: string): string {
  return maskTokens(text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, " "));
}

/** Creates the error of an option that cannot work, or of a field that isn't declared for it. */
export function createConfigError(
  message: string,
  about?: SessionErrorDetails["ERR_SESSION_CONFIG"],
): SessionError {
  return new SessionError("ERR_SESSION_CONFIG", message, about);
}

/** Lists the names of the options in an interface. The compiler compares the two. */
export function listOptionNames<Options>(names: Record<keyof Options, true>): readonly string[] {
  return Object.keys(names);
}

/** How many values all references of one session may have together. */
export const MAX_REFERENCES = 1000;

/**
 * Creates the error of a session whose references would have `count` values. The options name the
 * `field` if one reference alone has them, and say what was `written` all the same.
 */
export function createTooManyReferencesError(
  count: number,
  { field, written = "nothing was written" }: { field?: string; written?: string } = {},
): SessionError {
  const what = field === undefined ? "The references" : `The reference ${quote(field)}`;
  return new SessionError(
    "ERR_SESSION_VALUE",
    `${what} of the session would have ${count} values; ${MAX_REFERENCES} are allowed in all, because every write renews an entry for each; ${written}`,
    { field, references: count, maxReferences: MAX_REFERENCES },
  );
}

/** Creates the error of a session that would exceed a reference's limit. */
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

/** Creates the error of a change after which a session's fields would have `bytes` bytes. */
export function createTooLargeError(
  bytes: number,
  maxBytes: number,
  written = "nothing was written",
): SessionError {
  return new SessionError(
    "ERR_SESSION_TOO_LARGE",
    `The names and values of the session's fields would have ${bytes} bytes, over maxBytes (${maxBytes}); ${written}. Keep large data elsewhere and its key in the session`,
    { bytes, maxBytes },
  );
}

/** The error of a cursor that isn't one of this library's. */
export function createCursorError(): SessionError {
  return createConfigError("cursor must be the cursor of an earlier progress, or null", {
    option: "cursor",
  });
}
