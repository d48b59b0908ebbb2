import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

const TIMEOUT = 20_000;
const PAUSE = 20;

/** Waits until something that servers do by themselves has come about; outside of tests, too. */
export async function eventually(
  what: string,
  expected: unknown,
  look: () => Promise<unknown>,
): Promise<void> {
  const deadline = Date.now() + TIMEOUT;
  for (;;) {
    const seen = await look().catch((error: unknown) => error);
    if (isDeepStrictEqual(seen, expected)) return;
    if (Date.now() > deadline) {
      throw new Error(`${what} did not come about in ${TIMEOUT} ms; last seen:`, { cause: seen });
    }
    await sleep(PAUSE);
  }
}
