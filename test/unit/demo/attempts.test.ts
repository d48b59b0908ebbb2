/* How the demo slows down the guessing of passwords: by user and by address. */
import { expect, test } from "vitest";
import { Attempts } from "../../../demo/users/attempts.ts";

const MINUTE = 60_000;

/** How many of this many attempts at once may be made. */
function tries(attempts: Attempts, times: number, who: (i: number) => [string, string]): number {
  return Array.from({ length: times }, (_, i) => attempts.mayTry(...who(i))).filter(Boolean).length;
}

test("five wrong passwords of a user from an address are the last, for a quarter of an hour", () => {
  let now = 0;
  const attempts = new Attempts(() => now);
  expect(tries(attempts, 7, () => ["ada", "192.0.2.1"])).toBe(5);
  expect(attempts.mayTry("ADA", "192.0.2.1"), "in any case").toBe(false);
  expect(attempts.mayTry("ada", "192.0.2.2"), "who is elsewhere is not locked out").toBe(true);
  expect(attempts.mayTry("grace", "192.0.2.1")).toBe(true);
  now = 15 * MINUTE - 1;
  expect(attempts.mayTry("ada", "192.0.2.1")).toBe(false);
  now = 15 * MINUTE;
  expect(tries(attempts, 7, () => ["ada", "192.0.2.1"])).toBe(5);
});

test("the right password makes up for the wrong ones before it", () => {
  const attempts = new Attempts();
  for (let round = 0; round < 12; round++) {
    expect(tries(attempts, 5, () => ["ada", "192.0.2.1"])).toBe(5);
    attempts.succeeded("ada", "192.0.2.1");
  }
  // Of the address, what was wrong counts on: 12 times 4 by now.
  expect(tries(attempts, 5, (i) => [`user-${i}`, "192.0.2.1"])).toBe(2);
});

test("one address tries fifty names, and one name is tried from a hundred addresses", () => {
  expect(tries(new Attempts(), 60, (i) => [`user-${i}`, "192.0.2.1"])).toBe(50);
  expect(tries(new Attempts(), 120, (i) => ["ada", `192.0.2.${i}`])).toBe(100);
});
