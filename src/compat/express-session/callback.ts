// Not process.nextTick, which fake timers replace: a request would wait for ever.
import { nextTick } from "node:process";
import { createConfigError, type SessionError } from "../../shared/errors.ts";
import { warn } from "../../shared/warnings.ts";

/** Tells a middleware the result of a call: an error, or null and the value. */
export type StoreCallback<Value = void> = (error?: SessionError | null, value?: Value) => void;

/** Gives a middleware a session, whose type is the middleware's own. */
// biome-ignore lint/suspicious/noExplicitAny: apps declare the fields of their sessions to the middleware
export type SessionCallback = (error: unknown, session?: any) => void;

/** @throws SessionError ERR_SESSION_CONFIG without a callback: nothing else would tell the result of the call. */
export function checkCallback(method: string, callback: unknown): void {
  if (typeof callback !== "function")
    throw createConfigError(`${method} takes a callback as its last argument`);
}

/**
 * Gives the result of work to the callback or, without one, returns it as a promise.
 *
 * The callback is called outside of the promise. So an error that it throws is an uncaught exception,
 * not an unhandled rejection, unless it is a framework's complaint about a second answer. A returned
 * promise that nobody awaits does not end the process when the work fails, because
 * `req.session.destroy()` may be called without a callback.
 */
export function answer<Value>(
  work: Promise<Value>,
  callback: StoreCallback<Value> | undefined,
): Promise<Value> | undefined {
  if (typeof callback === "function") {
    work.then(
      (value) => nextTick(call, () => callback(null, value)),
      (error) => nextTick(call, () => callback(error)),
    );
    return undefined;
  }
  work.catch(() => {});
  return work;
}

function call(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    if (!isSecondAnswer(error)) throw error;
    warn(
      "SESSION_SETS_SECOND_ANSWER",
      "A request was answered twice, and its first answer was sent: an async handler of Fastify that calls reply.send, or redirects, must return the reply or await it",
    );
  }
}

/**
 * Whether Fastify, in the hook that saves the session, found that the answer was already sent. Fastify
 * sends the value that an async handler returns, even if the handler has called `reply.send` and that
 * answer is waiting for the save. With a store that answers at once, nothing shows it. An application's
 * own callback that writes headers twice is not called by Fastify's sending. Only the stack tells the
 * two apart: if the program turns stacks off, the error is uncaught.
 */
function isSecondAnswer(error: unknown): boolean {
  const { code, stack } = Object(error) as { code?: unknown; stack?: unknown };
  const isSent = code === "ERR_HTTP_HEADERS_SENT" || code === "ERR_HTTP2_HEADERS_SENT";
  return isSent && /\bonSendEnd\b|\bwrapOnSendEnd\b/.test(String(stack));
}
