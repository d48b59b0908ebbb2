import { createConfigError, createLimitError, quote, SessionError } from "../shared/errors.ts";
import type { Refused } from "../store/entering.ts";

/** Creates the error of a session that was not let into one of its sets. */
export function createRefusedError(refused: Refused): SessionError {
  if (refused.state === "full") return createLimitError(refused.field, refused.limit);
  return new SessionError(
    "ERR_SESSION_GONE",
    "A set that the session would be in was cleared since its credentials were read (asOf), or they were read more than an hour ago. Nothing was written or ended. Read the credentials again and check them: ask the user to sign in again",
  );
}

/**
 * Parses the moment at which credentials were read, to ms.
 *
 * @throws SessionError ERR_SESSION_CONFIG if it isn't a moment.
 */
export function parseAsOf(asOf: unknown): number | undefined {
  if (asOf === undefined) return undefined;
  const moment = asOf instanceof Date ? asOf.getTime() : asOf;
  if (typeof moment === "number" && Number.isFinite(moment)) return Math.floor(moment);
  throw createConfigError(
    `asOf must be a Date, or milliseconds since 1970: the moment at which the credentials were read, such as Date.now() before the query; got ${quote(asOf)}`,
    { option: "asOf" },
  );
}
