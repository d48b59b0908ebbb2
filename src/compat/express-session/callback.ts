// Not process.nextTick, which fake timers replace: a request would wait for ever.
import { nextTick } from "node:process";
import { createConfigError, type SessionError } from "../../shared/errors.ts";
import { warn } from "../../shared/warnings.ts";

/** How the middlewares are told what became of a call: with an error, or with null and the value. */
export type StoreCallback<Value = void> = (error?: SessionError | null, value?: Value) => void;

/** How they are told of sessions, whose type is each middleware's own. */
// biome-ignore lint/suspicious/noExplicitAny: apps declare the fields of their sessions to the middleware
export type SessionCallback = (error: unknown, session?: any) => void;

/** @throws SessionError ERR_SESSION_CONFIG where there is none: nothing else would tell what became of the call. */
export function checkCallback(method: string, callback: unknown): void {
  if (typeof callback !== "function")
    throw createConfigError(`${method} takes a callback, last of all`);
}

/**
 * Tells the callback what became of the work; without one, the promise does.
 *
 * The callback is called outside of the promise, so that what it throws is an uncaught exception and
 * no unhandled rejection, but for a framework's complaint that there are two answers. A
 * promise that nobody waits for does not end the process where the work fails:
 * `req.session.destroy()` takes its callback or does without.
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
 * Whether Fastify has found, in its hook that saves the session, that the answer was sent already. It
 * takes what an async handler returns for an answer, even if the handler has called `reply.send` and
 * that one is waiting for the save. With a store that answers at once nobody sees it. A callback of
 * the application's own that writes headers twice is not in Fastify's sending when it does. Nothing but
 * the stack says so: where the program leaves that empty, the error is uncaught.
 */
function isSecondAnswer(error: unknown): boolean {
  const { code, stack } = Object(error) as { code?: unknown; stack?: unknown };
  const isSent = code === "ERR_HTTP_HEADERS_SENT" || code === "ERR_HTTP2_HEADERS_SENT";
  return isSent && /\bonSendEnd\b|\bwrapOnSendEnd\b/.test(String(stack));
}
