import { performance } from "node:perf_hooks";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";

export class TooLateError extends Error {}

/** Resolves as the promise does, and rejects at `moment` on `performance.now()`. */
export async function waitUntil<T>(moment: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const stop = () => reject(new TooLateError("no answer in time"));
    timer = setTimeout(() => setImmediate(stop), Math.max(0, moment - performance.now()));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
