import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

/** It hangs, then: a busy machine takes some of this. */
const TIMEOUT_MS = 100_000;
const RETRY_DELAY_MS = 20;

/** Waits until something that servers do by themselves has come about; outside of tests, too. */
export const eventually = createEventually(TIMEOUT_MS);

/** As `eventually`, with another limit, of the time that `now` tells. */
export function createEventually(timeout: number, now = () => Date.now()) {
  return async (what: string, expected: unknown, look: () => Promise<unknown>): Promise<void> => {
    const deadline = now() + timeout;
    for (;;) {
      const seen = await look().catch((error: unknown) => error);
      if (isDeepStrictEqual(seen, expected)) return;
      if (now() > deadline) {
        throw new Error(`${what} did not come about in ${timeout} ms; last seen:`, {
          cause: seen,
        });
      }
      await sleep(RETRY_DELAY_MS);
    }
  };
}
