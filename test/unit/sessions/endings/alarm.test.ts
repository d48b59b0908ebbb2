/* A timer for longer than Node's own can be set. */
import { createRequire, syncBuiltinESMExports } from "node:module";
import { expect, onTestFinished, test } from "vitest";
import { Alarm } from "../../../../src/sessions/endings/alarm.ts";

const timers: typeof import("node:timers") = createRequire(import.meta.url)("node:timers");
const MOST = 2 ** 31 - 1;

/** Puts a clock in the place of Node's timers, until the test has ended. It holds one timer. */
function takeTimers() {
  const { setTimeout } = timers;
  let fire: (() => void) | undefined;
  const delays: number[] = [];
  const held = { unref: () => held };
  Object.assign(timers, {
    setTimeout(callback: () => void, delay: number) {
      fire = callback;
      delays.push(delay);
      return held;
    },
  });
  syncBuiltinESMExports();
  onTestFinished(() => {
    Object.assign(timers, { setTimeout });
    syncBuiltinESMExports();
  });
  return { delays, fire: () => fire?.() };
}

test("an alarm for longer than a timer of Node can wait rings once all of it has passed", () => {
  const { delays, fire } = takeTimers();
  let rung = 0;
  new Alarm().set(2 * MOST + 5, () => rung++);
  fire();
  fire();
  expect(rung).toBe(0);
  fire();
  expect([rung, delays]).toEqual([1, [MOST, MOST, 5]]);
});

test("one for a moment that has passed rings at the next occasion", () => {
  const { delays, fire } = takeTimers();
  let rung = 0;
  new Alarm().set(-5, () => rung++);
  fire();
  expect([rung, delays]).toEqual([1, [1]]);
});
