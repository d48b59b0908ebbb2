/** All results; when some have failed, waits for the others and throws the first failure. */
export async function settled<T>(promises: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
