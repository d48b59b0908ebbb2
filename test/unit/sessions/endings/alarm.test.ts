/* A timer for longer than Node's own can be set. */
import { expect, test, vi } from "vitest";
import { Alarm } from "../../../../src/sessions/endings/alarm.ts";
import { fakeOwnTimers } from "../../../support/own-timers.ts";

const MOST_MS = 2 ** 31 - 1;

test.each([2 * MOST_MS + 5, 2 * MOST_MS, MOST_MS + 1, MOST_MS, 1000])(
  "an alarm after %d ms rings once all of it has passed, and once",
  (delay) => {
    fakeOwnTimers();
    const ring = vi.fn();
    new Alarm().set(delay, ring);
    vi.advanceTimersByTime(delay - 1);
    expect(ring).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(ring).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  },
);

test.each([0, -5])("one for a moment that has passed, %d, rings at once", (delay) => {
  fakeOwnTimers();
  const ring = vi.fn();
  new Alarm().set(delay, ring);
  vi.advanceTimersByTime(1);
  expect(ring).toHaveBeenCalledTimes(1);
});
