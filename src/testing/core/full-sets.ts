import type { Limit } from "../../store/entering.ts";
import { createForUser, of } from "../steps.ts";
import type { StoreUnderTest } from "../store-test.ts";

/* The set of user 1, which may have two sessions, and what is answered where it is full. */

export const END_OLDEST: Limit = { most: 2, whenFull: "end-oldest" };
export const REJECT: Limit = { most: 2, whenFull: "reject" };
export const FULL = { state: "full", field: "user_id", limit: 2 };
export const USER = of("user_id", "1");

/** Makes sessions of user 1 one after the other, and gives their ids, the oldest first. */
export async function createInOrder(
  { store, elapse }: StoreUnderTest,
  count: number,
): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    ids.push(await createForUser(store, "1"));
    await elapse(2);
  }
  return ids;
}
