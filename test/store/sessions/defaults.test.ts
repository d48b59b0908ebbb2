/* The defaults, to the millisecond and to the session. */
import { createSessions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { type RedisStoreOptions, redisStore } from "session-sets/redis";
import { afterEach, describe, expect, test, vi } from "vitest";
import { watchOwnTimer } from "../../support/own-timers.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { clients, freshPrefix } from "../../support/stores/stores.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("an operation on Redis", () => {
  /**
   * How long (ms) the timers run that the first reads and writes of a store start within the limit of the first.
   * Where the machine is so busy that this one has run off, the next measures what is left for a later call.
   */
  async function limits(limit: number, options: RedisStoreOptions): Promise<unknown[]> {
    const client = clients["ioredis 6"](redisUrl());
    await client.ping();
    const store = redisStore(client, { prefix: freshPrefix(), ...options });
    const sessions = createSessions({ store, idleTimeout: "1 hour" });
    const timers = watchOwnTimer("setTimeout");
    const start = performance.now();
    const { token } = await sessions.create({});
    await sessions.get(token, { touch: false });
    await sessions.touch(token);
    const delays = timers.mock.calls.map(([, delay]) => delay);
    await client.quit();
    const hasRunOff = performance.now() - start >= limit;
    return hasRunOff ? delays.filter((delay) => Number(delay) >= limit) : delays;
  }

  test("may take two seconds, which one timer measures for all", async () => {
    expect(await limits(2000, {})).toEqual([2000]);
  });

  test("may take as long as timeout says", async () => {
    expect(await limits(7000, { timeout: "7 seconds" })).toEqual([7000]);
  });
});

test("list gives a hundred sessions", async () => {
  const sessions = createSessions<{ user_id?: number }>({
    store: memoryStore(),
    references: ["user_id"],
  });
  for (let n = 0; n < 101; n++) await sessions.create({ user_id: 1 });
  const set = sessions.by("user_id", 1);
  expect(await set.list()).toHaveLength(100);
  expect(await set.list({})).toHaveLength(100);
  expect(await set.list({ limit: 101 })).toHaveLength(101);
});

describe("a read counts as use", () => {
  test.each([
    ["a minute", { idleTimeout: "30 days" }, 60_000],
    [
      "a minute, also without an idle deadline",
      { idleTimeout: null, absoluteTimeout: "30 days" },
      60_000,
    ],
    ["a minute, which is less than a twentieth of a week", {}, 60_000],
    ["a minute, which is a twentieth of 20 minutes", { idleTimeout: "20 minutes" }, 60_000],
    ["a twentieth of an idle timeout of 10 minutes", { idleTimeout: "10 minutes" }, 30_000],
    ["a twentieth of an idle timeout of 2 seconds", { idleTimeout: "2 seconds" }, 100],
  ] as const)("after %s, and not a millisecond before", async (_, deadlines, after) => {
    let now = 1_700_000_000_000;
    const sessions = createSessions({ store: memoryStore({ now: () => now }), ...deadlines });
    const { token } = await sessions.create({});
    const seen = async () => (await sessions.get(token, { touch: false }))?.lastSeenAt.getTime();
    const made = now;
    now = made + after - 1;
    expect((await sessions.get(token))?.lastSeenAt.getTime()).toBe(made);
    expect(await seen()).toBe(made);
    now = made + after;
    expect((await sessions.get(token))?.lastSeenAt.getTime()).toBe(now);
    expect(await seen()).toBe(now);
  });
});
