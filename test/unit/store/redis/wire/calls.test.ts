/* Calls with a time limit: none is late before its time, and one timer is enough for all. */
import { performance } from "node:perf_hooks";
import timers from "node:timers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Call, Calls } from "../../../../../src/store/redis/wire/calls.ts";
import { fakeOwnTimers, watchOwnTimer } from "../../../../support/own-timers.ts";
import { fc, runs } from "../../../../support/properties.ts";

const TIMEOUT = 1000;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Begins a call. It notes how the call ends. */
function begin(calls: Calls) {
  const begun = { call: undefined as unknown as Call<string>, end: "" };
  const promise = calls.begin<string>("do this", performance.now(), (call) => {
    begun.call = call;
  });
  promise.then(
    (answer) => {
      begun.end = answer;
    },
    (error: Error) => {
      begun.end = error.message;
    },
  );
  return begun;
}

/** A clock that only `pass` moves, with all timers that are due. */
function stopClock() {
  fakeOwnTimers();
  let now = 5000.25;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return async (ms: number) => {
    now += ms;
    vi.advanceTimersByTime(ms);
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  };
}

const LATE = /^The session store could not do this: no answer within 1000 ms/;

describe("a call", () => {
  test("ends as it is settled, once", async () => {
    const calls = new Calls(TIMEOUT);
    const [one, other] = [begin(calls), begin(calls)];
    one.call.resolve("answer");
    one.call.reject(new Error("too late"));
    other.call.reject(new Error("no way"));
    other.call.resolve("too late");
    await nextTurn();
    expect(one.end).toBe("answer");
    expect(other.end).toMatch(/could not do this: no way/);
  });

  test("that isn't settled is late after its time, and not before", async () => {
    const pass = stopClock();
    const calls = new Calls(TIMEOUT);
    const one = begin(calls);
    await pass(TIMEOUT - 1);
    expect(one.end).toBe("");
    await pass(1);
    expect(one.end).toMatch(LATE);
  });

  test("isn't late if its timer rings early", async () => {
    const pass = stopClock();
    const calls = new Calls(TIMEOUT);
    const one = begin(calls);
    vi.advanceTimersByTime(0.5); // the timers' clock is ahead by this much
    await pass(TIMEOUT - 0.5);
    expect(one.end).toBe("");
    await pass(1);
    expect(one.end).toMatch(LATE);
  });

  test("isn't late if its answer is read in the same turn", async () => {
    const pass = stopClock();
    const calls = new Calls(TIMEOUT);
    const one = begin(calls);
    timers.setImmediate(() => one.call.resolve("answer"));
    await pass(TIMEOUT);
    expect(one.end).toBe("answer");
  });

  test("that begins while others are being given up is late after its own time", async () => {
    const pass = stopClock();
    const calls = new Calls(TIMEOUT);
    const one = begin(calls);
    let next = one;
    timers.setImmediate(() => {
      next = begin(calls);
    });
    await pass(TIMEOUT);
    expect(one.end).toMatch(LATE);
    await pass(TIMEOUT - 1);
    expect(next.end).toBe("");
    await pass(1);
    expect(next.end).toMatch(LATE);
  });

  test("that is over holds no others, even while its client holds it", async () => {
    const pass = stopClock();
    const calls = new Calls(TIMEOUT);
    const [one, other, last] = [begin(calls), begin(calls), begin(calls)];
    other.call.resolve("answer");
    await pass(TIMEOUT);
    for (const { call } of [one, other, last]) {
      expect([call.isOver, call.previous, call.next]).toEqual([true, null, null]);
    }
  });

  test("that was refused before ends with that", async () => {
    const pass = stopClock();
    const calls = new Calls(TIMEOUT);
    const one = begin(calls);
    one.call.refusal = new Error("TRYAGAIN");
    await pass(TIMEOUT);
    expect(one.end).toMatch(/slot of the key is being moved/);
  });
});

test("each of many calls is late by its own time", async () => {
  const event = fc.record({ after: fc.nat(400), lasts: fc.nat(1600) });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 12 }), async (events) => {
      const pass = stopClock();
      const calls = new Calls(TIMEOUT);
      const begun: { begun: ReturnType<typeof begin>; ends: number; lasts: number }[] = [];
      let now = 0;
      const check = () => {
        for (const one of begun) {
          const start = one.ends - one.lasts;
          if (!one.begun.call.isOver && one.ends <= now) one.begun.call.resolve("answer");
          if (one.begun.call.isOver)
            expect(now).toBeGreaterThanOrEqual(Math.min(one.ends, start + TIMEOUT));
          else expect(now).toBeLessThan(start + TIMEOUT);
        }
      };
      const step = async (ms: number) => {
        for (let left = ms; left > 0; left -= 40) {
          const part = Math.min(40, left);
          now += part;
          await pass(part);
          check();
        }
      };
      for (const { after, lasts } of events) {
        await step(after);
        begun.push({ begun: begin(calls), ends: now + lasts, lasts });
      }
      await step(2000);
      await nextTurn();
      for (const { begun: one, lasts } of begun) {
        if (lasts < TIMEOUT - 40) expect(one.end).toBe("answer");
        if (lasts > TIMEOUT + 40) expect(one.end).toMatch(LATE);
      }
      vi.restoreAllMocks();
    }),
    { ...runs(20) },
  );
});

describe("the timer", () => {
  test("is one for all calls that wait, and for those that follow", async () => {
    const set = watchOwnTimer("setTimeout");
    const calls = new Calls(60_000);
    const first = Array.from({ length: 100 }, () => begin(calls));
    for (const { call } of first) call.resolve("answer");
    for (let n = 0; n < 100; n++) begin(calls).call.resolve("answer");
    expect(set.mock.calls.map(([, ms]) => ms)).toEqual([60_000]);
    timers.clearTimeout(set.mock.results[0]?.value as NodeJS.Timeout);
  });

  test("keeps the process alive while a call waits, and only then", () => {
    const set = watchOwnTimer("setTimeout");
    const calls = new Calls(60_000);
    const [one, other] = [begin(calls), begin(calls)];
    const timer = set.mock.results[0]?.value as NodeJS.Timeout;
    other.call.resolve("answer");
    expect(timer.hasRef()).toBe(true);
    one.call.resolve("answer");
    expect(timer.hasRef()).toBe(false);
    const next = begin(calls);
    expect(timer.hasRef()).toBe(true);
    next.call.resolve("answer");
    expect(timer.hasRef()).toBe(false);
    timers.clearTimeout(timer);
  });
});
