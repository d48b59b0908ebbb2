import { createConfigError, createLimitError, quote, SessionError } from "../shared/errors.ts";
import type { Refused } from "../store/entering.ts";

/** A session was not let into one of the sets that it would be in. */
export function createRefusedError(refused: Refused): SessionError {
  if (refused.state === "full") return createLimitError(refused.field, refused.limit);
  return new SessionError(
    "ERR_SESSION_GONE",
    "A set that the session would be in was cleared since its credentials were read (asOf), or they were read more than an hour ago; nothing was written or ended. Read the credentials again and check them, which is to ask the user to sign in once more",
  );
}

/**
 * When credentials were read, in ms.
 *
 * @throws SessionError ERR_SESSION_CONFIG for what is no moment.
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
