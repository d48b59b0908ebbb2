import type { SessionError } from "../../errors.ts";

/** How the middlewares are told what became of a call: with an error, or with null and the value. */
export type StoreCallback<Value = void> = (error?: SessionError | null, value?: Value) => void;

/** How they are told of sessions, whose type is each middleware's own. */
// biome-ignore lint/suspicious/noExplicitAny: apps declare the fields of their sessions to the middleware
export type SessionCallback = (error: unknown, session?: any) => void;

/**
 * Tells the callback what became of the work; without one, the promise does.
 *
 * The callback is called outside of the promise, so that what it throws is no unhandled rejection. A
 * promise that nobody waits for does not end the process where the work fails:
 * `req.session.destroy()` takes its callback or does without.
 */
export function answer<Value>(
  work: Promise<Value>,
  callback: StoreCallback<Value> | undefined,
): Promise<Value> | undefined {
  if (typeof callback === "function") {
    work.then(
      (value) => process.nextTick(callback, null, value),
      (error) => process.nextTick(callback, error),
    );
    return undefined;
  }
  work.catch(() => {});
  return work;
}
