/* The memory of this process while something runs. */

export interface MemoryWatch {
  readonly seconds: number;
  /** In bytes: before, and the most that was seen. */
  readonly heap: readonly [before: number, most: number];
  readonly resident: readonly [before: number, most: number];
}

const INTERVAL_MS = 5;

export async function watchMemory(work: () => Promise<void>): Promise<MemoryWatch> {
  const before = process.memoryUsage();
  let [heap, resident] = [before.heapUsed, before.rss];
  function look(): void {
    const now = process.memoryUsage();
    heap = Math.max(heap, now.heapUsed);
    resident = Math.max(resident, now.rss);
  }
  const timer = setInterval(look, INTERVAL_MS);
  const begin = performance.now();
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  look();
  return {
    seconds: (performance.now() - begin) / 1000,
    heap: [before.heapUsed, heap],
    resident: [before.rss, resident],
  };
}
