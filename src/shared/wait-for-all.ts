import { SessionError } from "./errors.ts";

/**
 * Resolves to all results. When some promises reject, it waits for the others and throws the first
 * failure. Any other failure comes before ERR_REPLICAS, which says that the work was done.
 */
export async function waitForAll<T>(promises: Promise<T>[]): Promise<T[]> {
  const failures = (await Promise.allSettled(promises)).filter((one) => one.status === "rejected");
  const reasons = failures.map(({ reason }) => reason as unknown);
  const undone = reasons.filter((reason) => !isUnderReplicated(reason));
  if (reasons.length > 0) throw [...undone, ...reasons][0];
  return Promise.all(promises);
}

function isUnderReplicated(reason: unknown): boolean {
  return reason instanceof SessionError && reason.code === "ERR_REPLICAS";
}
