/** A session that lives for so long is no longer too short for any machine (ms). */
const LONG = 60_000;

/**
 * Runs steps on a session that expires after so long (ms). A busy machine may take longer for them. What
 * fails then says nothing: they are run again from the beginning, with a session that lives twice as long.
 */
export async function withLifetime<T>(
  first: number,
  steps: (lifetime: number) => Promise<T>,
): Promise<T> {
  for (let lifetime = first; ; lifetime *= 2) {
    const start = performance.now();
    try {
      return await steps(lifetime);
    } catch (error) {
      if (performance.now() - start < lifetime / 2 || lifetime > LONG) throw error;
    }
  }
}
