/* The type of errors: a union by code. Compiled, never run. */
import { SessionError, type SessionErrorCode, type SessionErrorDetails } from "session-sets";
import { SessionError as SameError } from "session-sets/compat/express-session";
import { type Equal, same } from "./equal.ts";

/** What a program knows of an error that it has caught. */
export async function handle(work: () => Promise<void>): Promise<string> {
  try {
    await work();
    return "done";
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    same<Equal<typeof error, SessionError>>();
    // @ts-expect-error: it belongs to another code, perhaps
    error.bytes;
    // @ts-expect-error: no code has that
    error.token;
    const all: [string, string, number, boolean, unknown] = [
      error.message,
      error.hint,
      error.status,
      error.expose,
      error.cause,
    ];
    return `${all.join()} ${told(error)}`;
  }
}

/** Each code has its own, and there are no others. */
function told(error: SessionError): string {
  switch (error.code) {
    case "ERR_SESSION_CONFIG":
      same<Equal<typeof error.option, string | undefined>>();
      same<Equal<typeof error.field, string | undefined>>();
      return error.option ?? "";
    case "ERR_SESSION_VALUE":
      same<Equal<typeof error.field, string | undefined>>();
      same<Equal<typeof error.references, number | undefined>>();
      same<Equal<typeof error.maxReferences, number | undefined>>();
      // @ts-expect-error: of another code
      return error.option;
    case "ERR_SESSION_TOO_LARGE":
      same<Equal<typeof error.bytes, number>>();
      return `${error.bytes - error.maxBytes}`;
    case "ERR_SESSION_GONE":
      same<Equal<typeof error.field, string | undefined>>();
      // @ts-expect-error: of another code
      return error.bytes;
    case "ERR_SESSION_LIMIT":
      same<Equal<typeof error.field, string>>();
      return `${error.field} ${error.limit + 1}`;
    case "ERR_STORE_UNAVAILABLE":
      // @ts-expect-error: of another code
      error.replicas;
      return error.operation.toUpperCase();
    case "ERR_STORE_FULL":
      return `${error.maxSessions * error.maxTotalBytes}`;
    case "ERR_REPLICAS":
      same<Equal<typeof error.acknowledged, number | undefined>>();
      return `${error.operation} ${error.replicas - (error.acknowledged ?? 0)}`;
    case "ERR_COOKIE":
      same<Equal<typeof error.cookie, string | undefined>>();
      return error.cookie ?? "";
    case "ERR_CSRF":
      same<Equal<typeof error.reason, "origin" | "bearer">>();
      same<Equal<typeof error.origin, string | undefined>>();
      return error.hint;
    default:
      return error satisfies never;
  }
}

/** By `if`, by a type and by a promise's rejection. */
export function narrowed(error: SessionError, unknown: unknown): number {
  type TooLarge = Extract<SessionError, { code: "ERR_SESSION_TOO_LARGE" }>;
  same<Equal<TooLarge["maxBytes"], number>>();
  same<Equal<TooLarge, SessionError<"ERR_SESSION_TOO_LARGE">>>();
  same<Equal<SessionError["code"], SessionErrorCode>>();
  same<Equal<keyof SessionErrorDetails, SessionErrorCode>>();
  same<Equal<SameError, SessionError>>();
  const isFull = (one: SessionError): one is SessionError<"ERR_STORE_FULL"> =>
    one.code === "ERR_STORE_FULL";
  if (unknown instanceof SameError && isFull(unknown)) return unknown.maxSessions;
  if (error.code === "ERR_SESSION_TOO_LARGE" || error.code === "ERR_STORE_FULL") {
    return "bytes" in error ? error.bytes : error.maxTotalBytes;
  }
  if (error.code !== "ERR_SESSION_VALUE" && error.code !== "ERR_SESSION_GONE") return 0;
  return error.field?.length ?? 0;
}

/** What is read of an error cannot be changed. */
export function change(error: SessionError<"ERR_SESSION_TOO_LARGE">): void {
  // @ts-expect-error: read-only
  error.bytes = 1;
  // @ts-expect-error: read-only
  error.code = "ERR_SESSION_TOO_LARGE";
}

/** A store of one's own throws errors with what belongs to them. */
export const made: SessionError[] = [
  new SessionError("ERR_STORE_UNAVAILABLE", "down", { operation: "find a session" }),
  new SessionError("ERR_STORE_UNAVAILABLE", "down", { operation: "find", cause: new Error("x") }),
  new SessionError("ERR_SESSION_CONFIG", "wrong"),
  new SessionError("ERR_SESSION_VALUE", "wrong", { cause: new Error("x") }),
  // @ts-expect-error: without what it must have
  new SessionError("ERR_STORE_UNAVAILABLE", "down"),
  // @ts-expect-error: with a part of what it must have
  new SessionError("ERR_SESSION_TOO_LARGE", "much", { bytes: 1 }),
  // @ts-expect-error: with what belongs to another code
  new SessionError("ERR_STORE_FULL", "full", { operation: "find a session" }),
  // @ts-expect-error: no code
  new SessionError("ERR_SESSION", "wrong"),
];

export class StoreFull extends SessionError<"ERR_STORE_FULL"> {
  readonly shard: number = 0;
}
export const full = (error: unknown): number =>
  error instanceof StoreFull ? error.shard + error.maxSessions : 0;
export const alike: SessionError = new StoreFull("ERR_STORE_FULL", "full", {
  maxSessions: 1,
  maxTotalBytes: 1,
});
