/*
 * The Redis store under fake timers: its server's time is real, so its time limits are, too. They need
 * nobody to run them, and no jump of a faked clock reaches them.
 */

import { createSessions } from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import sinon from "sinon";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { intercepted } from "../../../../support/intercept.ts";
import { redisUrl } from "../../../../support/redis/shared.ts";
import { openSilentProxy } from "../../../../support/redis/silent-proxy.ts";
import { type Connect, singleClients } from "../../../../support/stores/clients.ts";
import { clients, freshPrefix } from "../../../../support/stores/stores.ts";

const DAY = 86_400_000;
const port = Number(new URL(redisUrl()).port);

afterEach(() => {
  vi.useRealTimers();
});

/** node-redis writes to its socket in a setImmediate, so that must be real. */
const isNodeRedis = (name: string) => name.startsWith("redis ");
const BUT_SET_IMMEDIATE = [
  ...["Date", "setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
] as ["Date"];

async function open(connect: Connect, at = port) {
  const { client, close } = await connect(at);
  onTestFinished(async () => {
    vi.useRealTimers();
    await close();
  });
  return client;
}

function openSessions(client: RedisClient, timeout = 10_000) {
  return createSessions({
    data: {} as { user_id?: number; theme?: string },
    references: ["user_id"],
    store: redisStore(client, { prefix: freshPrefix(), timeout }),
    idleTimeout: "30 minutes",
  });
}

/** The calls that are made while the faked clock jumps. */
async function whileItJumps<T>(call: Promise<T>, jump: (ms: number) => void): Promise<T> {
  jump(DAY);
  const result = await call;
  jump(DAY);
  return result;
}

async function expectEverything(client: RedisClient, jump: (ms: number) => void): Promise<void> {
  const sessions = openSessions(client);
  const all = <T>(call: Promise<T>) => whileItJumps(call, jump);
  const { token, session } = await all(sessions.create({ user_id: 1 }));
  expect(Math.abs(session.createdAt.getTime() - Date.now())).toBeGreaterThan(DAY / 2);
  expect(await all(sessions.set(token, { theme: "dark" }))).toBe(true);
  expect((await all(sessions.get(token)))?.data).toEqual({ user_id: 1, theme: "dark" });
  const rotated = await all(sessions.rotate(token));
  const signedIn = await all(sessions.signIn(rotated?.token, { user_id: 2 }, { keep: ["theme"] }));
  expect(signedIn.session.data).toEqual({ user_id: 2 });
  await all(sessions.create({ user_id: 2 }));
  expect(await all(sessions.by("user_id", 2).list())).toHaveLength(2);
  expect(await all(sessions.by("user_id", 2).clear())).toBe(2);
}

/** A pool closes idle connections by a timer of its own, which a jump runs: it fakes the date alone. */
const pools = Object.entries(singleClients).filter(([name]) => name.includes("pool"));
const single = Object.entries(singleClients).filter(([name]) => !name.includes("pool"));

test.each([...single, ...pools])("%s works where the date alone is faked", async (_, connect) => {
  const client = await open(connect);
  vi.useFakeTimers({ toFake: ["Date"] });
  await expectEverything(client, (ms) => void vi.setSystemTime(Date.now() + ms));
});

describe.each(single)("%s", (name, connect) => {
  test.each(["before", "after"])("works where timers are faked %s it is made", async (when) => {
    const fake = () => vi.useFakeTimers(isNodeRedis(name) ? { toFake: BUT_SET_IMMEDIATE } : {});
    if (when === "before") fake();
    const client = await open(connect);
    if (when === "after") fake();
    await expectEverything(client, (ms) => void vi.advanceTimersByTime(ms));
    expect(vi.getTimerCount()).toBe(0);
  });

  test("works under sinon's fake timers", async () => {
    const client = await open(connect);
    const toFake = ["Date", "setTimeout", "setInterval", "performance"] as const;
    const clock = sinon.useFakeTimers({ toFake: [...toFake] }); // from 1970 on
    onTestFinished(() => clock.restore());
    await expectEverything(client, (ms) => void clock.tick(ms));
  });

  test("that gets no answer is ERR_STORE_UNAVAILABLE, and nobody runs a timer for it", async () => {
    const proxy = await openSilentProxy(port);
    onTestFinished(() => proxy.close());
    const sessions = openSessions(await open(connect, proxy.port), 100);
    proxy.silence();
    vi.useFakeTimers();
    await expect(sessions.create({})).rejects.toMatchObject({
      code: "ERR_STORE_UNAVAILABLE",
      message: expect.stringMatching(/within 100 ms.*setImmediate or process\.nextTick/),
    });
    vi.useRealTimers();
    await expect(sessions.create({})).rejects.toMatchObject({
      code: "ERR_STORE_UNAVAILABLE",
      message: expect.not.stringContaining("timers"),
    });
  });
});

test("a client that waits for a faked timer is told of, and does not hang", async () => {
  const sessions = openSessions(await open(singleClients["redis 6"] as Connect), 100);
  vi.useFakeTimers();
  await expect(sessions.create({})).rejects.toMatchObject({
    code: "ERR_STORE_UNAVAILABLE",
    message: expect.stringMatching(/fake only the Date/),
  });
});

test("waiting for replicas ends in time where there are too few", async () => {
  const sessions = openSessions(await open(singleClients["ioredis 6"] as Connect), 3_000);
  const create = () => sessions.create({ user_id: 1 }).catch(() => null);
  const made = await vi.waitUntil(create, 60_000);
  vi.useFakeTimers();
  await expect(sessions.delete(made?.token, { replicas: 1 })).rejects.toMatchObject({
    code: "ERR_REPLICAS",
  });
  await sessions.close();
});

test("the server's clock is the server's: no session ends by a faked date", async () => {
  const sessions = openSessions(await open(singleClients["ioredis 6"] as Connect));
  vi.useFakeTimers();
  const { token, session } = await sessions.create({ user_id: 1 });
  vi.setSystemTime(Date.now() + 365 * DAY);
  vi.advanceTimersByTime(365 * DAY);
  expect((await sessions.get(token))?.expiresAt).toEqual(session.expiresAt);
});

test.each(["the date", "all timers"])("no command is sent more where %s is faked", async (what) => {
  const client = clients["ioredis 6"](redisUrl());
  onTestFinished(() => client.disconnect());
  const sent: string[] = [];
  const recorded = intercepted(client, ({ name }, pass) => {
    sent.push(name);
    return pass();
  });
  const sessions = openSessions(recorded);
  const { token } = await sessions.create({ user_id: 1 });
  vi.useFakeTimers(what === "the date" ? { toFake: ["Date"] } : {});
  sent.length = 0;
  for (let i = 0; i < 3; i++) {
    await sessions.set(token, { theme: "dark" });
    vi.setSystemTime(Date.now() + DAY);
  }
  expect(sent.filter((name) => name !== "EVAL")).toEqual(Array(3).fill("EVALSHA"));
});
