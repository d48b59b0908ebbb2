/* Timers that a test watches are its own. */
import { once } from "node:events";
import { setTimeout as set } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { watchOwnTimer } from "../../support/own-timers.ts";

/** Sets a timer again and again, as what an earlier test has left. */
const left = new EventTarget();
function ring(): void {
  left.dispatchEvent(new Event("ring"));
  set(ring, 1).unref();
}
ring();

test("a timer that the test sets is watched, also after it has waited", async () => {
  const watched = watchOwnTimer("setTimeout");
  set(() => {}, 2).unref();
  await once(left, "ring");
  await sleep(5);
  set(() => set(() => {}, 4).unref(), 3);
  await expect.poll(() => watched.mock.calls.map(([, delay]) => delay)).toEqual([2, 3, 4]);
});
