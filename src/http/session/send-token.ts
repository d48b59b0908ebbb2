import { SessionError } from "../../shared/errors.ts";
import type { Cause } from "../../store/feed.ts";

/** Why a session is ended whose token reaches nobody. */
const UNSENT: Cause = { initiator: "system", reason: "its cookie could not be set" };

/**
 * Sends a new token by `send`. The response may have gone out since the call began, because the call was not
 * awaited. Nobody would hold the token then, so the session is ended, and the error says so. Then comes
 * `after` in any case.
 *
 * @throws SessionError ERR_COOKIE if the token cannot be sent.
 */
export async function sendToken(
  send: () => void,
  end: (how: { readonly cause: Cause }) => Promise<unknown>,
  after: () => Promise<unknown> = async () => {},
): Promise<void> {
  try {
    send();
  } catch (error) {
    // Anything else comes from the application's own function, and then the token was sent.
    if (!(error instanceof SessionError && error.code === "ERR_COOKIE")) throw error;
    const ended = await end({ cause: UNSENT }).then(
      () => true,
      () => false,
    );
    throw createUnsentError(error, { ended });
  } finally {
    await after();
  }
}

function createUnsentError(
  { hint, cookie, cause }: SessionError<"ERR_COOKIE">,
  { ended }: { readonly ended: boolean },
): SessionError {
  const outcome = ended
    ? "The session has been ended, because its new token reaches nobody"
    : "The session's new token reaches nobody, and ending the session failed, too: it stays until its deadline";
  const options = cause === undefined ? { cookie } : { cookie, cause };
  return new SessionError("ERR_COOKIE", `${hint}. ${outcome}. Await the call`, options);
}
