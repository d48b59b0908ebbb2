/* What the demo remembers of attempts to guess passwords does not grow with them. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Attempts } from "../../../demo/users/attempts.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("a flood of names and addresses takes no more memory than ten thousand counters", () => {
  const attempts = new Attempts();
  const heapUsed = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = heapUsed();
  for (let i = 0; i < 30_000; i++) {
    attempts.mayTry(`${i}${"x".repeat(10_000)}`, `${i}${"y".repeat(10_000)}`);
  }
  expect(heapUsed() - before).toBeLessThan(10_000_000);
  expect(attempts.mayTry("ada", "192.0.2.1")).toBe(true);
});
