/* How the demo slows down the guessing of passwords: by user and by address. */
import { expect, test } from "vitest";
import { Attempts } from "../demo/attempts.ts";

const MINUTE = 60_000;

/** How many of so many attempts at once may be made. */
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
  for (let i = 0; i < 100; i++) {
    expect(attempts.mayTry("ada", "192.0.2.1")).toBe(true);
    if (i % 2 === 1) attempts.succeeded("ada", "192.0.2.1");
    if (i === 95) break;
  }
});

test("one address tries fifty names, and one name is tried from a hundred addresses", () => {
  expect(tries(new Attempts(), 60, (i) => [`user-${i}`, "192.0.2.1"])).toBe(50);
  expect(tries(new Attempts(), 120, (i) => ["ada", `192.0.2.${i}`])).toBe(100);
});

test("a flood of names and addresses takes no more memory than ten thousand counters", () => {
  const attempts = new Attempts();
  const before = process.memoryUsage().heapUsed;
  tries(attempts, 30_000, (i) => [`${i}${"x".repeat(10_000)}`, `${i}${"y".repeat(10_000)}`]);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
  expect(attempts.mayTry("ada", "192.0.2.1")).toBe(true);
});
