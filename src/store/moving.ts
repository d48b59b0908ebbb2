/*
 * While a slot of a cluster is being moved, a script that needs a key which does not exist yet is
 * refused by both nodes. What refuses an existing session is waited out; a new session can go to
 * another shard instead.
 */
const moving = new WeakSet<object>();

/** Marks an error as one of a slot that is being moved; gives it back. */
export function ofMovingSlot<E extends Error>(error: E): E {
  moving.add(error);
  return error;
}

/** Whether a store's `create` was refused because the slot of the id's shard is being moved. */
export function isOfMovingSlot(error: unknown): boolean {
  return typeof error === "object" && error !== null && moving.has(error);
}
