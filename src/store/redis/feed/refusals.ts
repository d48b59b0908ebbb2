import { createConfigError, SessionError } from "../../../shared/errors.ts";
import { readMessage } from "../wire/failures.ts";

/** The error of a client that can't be subscribed with, whatever its server does. */
export function createUnableError(): SessionError {
  return createConfigError(
    "To hear of endings, the store needs a connection of its own, and a client of Valkey GLIDE can't open one. Give redisStore a client of ioredis or redis. Sessions still end without it",
    { option: "client" },
  );
}

/**
 * What a failure to subscribe says about the setup: no later try can succeed until that is changed.
 * Null for any other failure.
 */
export function findRefusal(error: unknown, channels: string): SessionError | null {
  if (error instanceof SessionError && error.code === "ERR_SESSION_CONFIG") return error;
  const messages = [readMessage(error), readMessage((error as Error | undefined)?.cause)];
  if (messages.some((message) => NO_RIGHT_PATTERN.test(message))) {
    return createConfigError(
      `The client's user lacks the rights to hear of endings: sessions still end, but no process is told. Give it the rights &${channels} +ssubscribe +sunsubscribe +spublish (ACL SETUSER)`,
      { option: "client" },
    );
  }
  if (messages.some((message) => /unknown (redis )?command/i.test(message))) {
    return createConfigError(
      "The server has no sharded channels (SSUBSCRIBE and SPUBLISH), by which endings are heard; Redis 7.0 or Valkey 7.2 and later have them. Sessions end all the same",
      { option: "client" },
    );
  }
  return null;
}

/** Servers' words for a command or channel that an ACL forbids, outside of scripts and inside. */
const NO_RIGHT_PATTERN = /\bNOPERM\b|ACL failure|user executing the script can't|no permissions/i;
