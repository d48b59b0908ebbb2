/* The queue in which the calls of one request are carried out. */
import { expect, test } from "vitest";
import { Queue } from "../../../src/shared/queue.ts";

/** Work that ends when the test says so, and notes when it begins and ends. */
function createWork(log: string[], name: string) {
  let end = () => {};
  let fail = () => {};
  const promise = new Promise<string>((resolve, reject) => {
    end = () => resolve(name);
    fail = () => reject(new Error(name));
  });
  const run = async () => {
    log.push(`${name} begins`);
    try {
      return await promise;
    } finally {
      log.push(`${name} ends`);
    }
  };
  return { run, end, fail };
}

/** Lets everything run that waits for nothing. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("a call starts when the call before it has ended, in the order of the calls", async () => {
  const log: string[] = [];
  const queue = new Queue();
  const [first, second, third] = [createWork(log, "1"), createWork(log, "2"), createWork(log, "3")];
  const results = [first, second, third].map(({ run }) => queue.run(run));
  third.end();
  second.end();
  await settle();
  expect(log).toEqual(["1 begins"]);
  first.end();
  expect(await Promise.all(results)).toEqual(["1", "2", "3"]);
  expect(log).toEqual(["1 begins", "1 ends", "2 begins", "2 ends", "3 begins", "3 ends"]);
});

test("a call that fails tells its caller, and the next one starts", async () => {
  const log: string[] = [];
  const queue = new Queue();
  const [first, second] = [createWork(log, "1"), createWork(log, "2")];
  const failed = expect(queue.run(first.run)).rejects.toThrow("1");
  const next = queue.run(second.run);
  first.fail();
  second.end();
  await failed;
  expect(await next).toBe("2");
});

test("work that throws at once rejects its own call alone", async () => {
  const queue = new Queue();
  const failed = queue.run(() => {
    throw new Error("at once");
  });
  await expect(failed).rejects.toThrow("at once");
  expect(await queue.run(async () => "next")).toBe("next");
});

test("a call made after all others have ended starts", async () => {
  const queue = new Queue();
  expect(await queue.run(async () => 1)).toBe(1);
  await settle();
  expect(await queue.run(async () => 2)).toBe(2);
});

test("calls of two queues do not wait for each other", async () => {
  const log: string[] = [];
  const stuck = createWork(log, "stuck");
  const waiting = new Queue().run(stuck.run);
  expect(await new Queue().run(async () => "other")).toBe("other");
  stuck.end();
  await waiting;
});
