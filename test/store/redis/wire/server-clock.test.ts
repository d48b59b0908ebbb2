/* The Redis store's estimate of the server's time, and when it asks anew. */
import { redisStore } from "session-sets/redis";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ServerClock } from "../../../../src/store/redis/wire/server-clock.ts";
import { change, create } from "../../../../src/testing/steps.ts";
import { intercepted } from "../../../support/intercept.ts";
import { redisUrl } from "../../../support/redis/shared.ts";
import { clients, freshPrefix } from "../../../support/stores/stores.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the estimate of the server's time", () => {
  /** Two clocks of this machine, which a test moves. */
  function openClocks() {
    const clocks = { wall: 1_700_000_000_000, monotonic: 5000 };
    vi.spyOn(Date, "now").mockImplementation(() => clocks.wall);
    vi.spyOn(performance, "now").mockImplementation(() => clocks.monotonic);
    return clocks;
  }

  test("is not known before a reply, and runs on with the monotonic clock then", () => {
    openClocks();
    const clock = new ServerClock();
    expect(clock.isKnown).toBe(false);
    clock.learn(900_000, 5000);
    expect(clock.isKnown).toBe(true);
    expect(clock.estimateAt(5000)).toBe(900_000);
    expect(clock.estimateAt(65_000.7)).toBe(960_000);
  });

  test("stays known for days while both clocks run alike, or almost", () => {
    const clocks = openClocks();
    const clock = new ServerClock();
    clock.learn(900_000, 5000);
    clocks.wall += 86_400_900;
    clocks.monotonic += 86_400_000;
    expect(clock.isKnown).toBe(true);
  });

  test("stays as it is where a reply agrees with it that this process came to read late", () => {
    const clocks = openClocks();
    const clock = new ServerClock();
    clock.learn(900_000, 5000);
    clocks.monotonic += 700;
    clocks.wall += 700;
    clock.learn(900_100, 5050); // answered 100 ms later, and read 600 ms after that
    expect(clock.estimateAt(5700)).toBe(900_700);
  });

  test("follows a reply that disagrees", () => {
    const clocks = openClocks();
    const clock = new ServerClock();
    clock.learn(900_000, 5000);
    clock.learn(899_000, 5000); // the server's clock was set back
    expect(clock.estimateAt(5000)).toBe(899_000);
    clocks.monotonic += 10;
    clock.learn(950_000, 5000); // and forward
    expect(clock.estimateAt(5010)).toBe(950_000);
  });

  test.each([
    ["slept, for which the monotonic clock stood still", 1100],
    ["slept for a day", 86_400_000],
    ["had its wall clock set back", -1100],
  ])("is known no more after the machine %s, until the next reply", (_, jump) => {
    const clocks = openClocks();
    const clock = new ServerClock();
    clock.learn(900_000, 5000);
    clocks.wall += jump;
    expect(clock.isKnown).toBe(false);
    clock.learn(2_000_000, 5000);
    expect(clock.isKnown).toBe(true);
    expect(clock.estimateAt(5000)).toBe(2_000_000);
  });
});

test("a store asks the server what it is and its time at first, and its time again after the machine slept", async () => {
  const client = clients["ioredis 6"](redisUrl());
  let sent: string[] = [];
  const recorded = intercepted(client, ({ name }, pass) => {
    sent.push(name);
    return pass();
  });
  const store = redisStore(recorded, { prefix: freshPrefix(), timeout: "20 seconds" });
  const id = await create(store);
  expect(sent[0]).toBe("INFO");
  sent = [];
  await change(store, id);
  await change(store, id);
  expect(new Set(sent)).not.toContain("INFO");
  expect(new Set(sent)).not.toContain("TIME");

  const { now } = Date;
  vi.spyOn(Date, "now").mockImplementation(() => now() + 3_600_000);
  sent = [];
  await change(store, id);
  expect(sent).toEqual(["TIME", "EVALSHA"]);
  sent = [];
  await change(store, id);
  expect(sent).toEqual(["EVALSHA"]);
  await client.quit();
});
