/* What only the memory store has: a bound, a clock to inject, and no timers that keep a process. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createSessions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { afterEach, describe, expect, test, vi } from "vitest";
import { newId, newIdBeside } from "../src/testing/ids.ts";
import {
  assertMembers,
  change,
  create,
  createOf,
  live,
  of,
  rotationTo,
  signIn,
  signInOf,
} from "../src/testing/steps.ts";

const HOUR = 3_600_000;
const FULL = expect.objectContaining({
  code: "ERR_STORE_FULL",
  status: 503,
  message: expect.stringMatching(/raise maxSessions.*redisStore/),
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** A store with a clock that moves when `clock.now` does. */
function open(maxSessions?: number) {
  const clock = { now: 1_700_000_000_000 };
  const now = () => clock.now;
  return { clock, store: memoryStore(maxSessions === undefined ? { now } : { now, maxSessions }) };
}

describe("the bound", () => {
  test("refuses one session too many, and keeps those that are there", async () => {
    const { store } = open(3);
    const ids = [
      await createOf(store, "1"),
      await createOf(store, "1"),
      await createOf(store, "1"),
    ];
    await expect(createOf(store, "1")).rejects.toThrowError(FULL);
    await assertMembers(store, of("user_id", "1"), ids);
  });

  test("is 100,000 sessions where nothing is said", async () => {
    const { store } = open();
    for (let i = 0; i < 100_000; i++) await create(store);
    await expect(create(store)).rejects.toThrowError(FULL);
  });

  test("has room again when one is ended, and when one expires", async () => {
    const { store, clock } = open(2);
    const id = await create(store, { idleTimeout: HOUR });
    await create(store, { idleTimeout: 2 * HOUR });
    await expect(create(store)).rejects.toThrowError(FULL);
    await store.end(id);
    await create(store, { idleTimeout: 2 * HOUR });
    clock.now += 2 * HOUR;
    await expect(create(store)).rejects.toThrowError(FULL);
    clock.now += 1;
    await create(store);
    await create(store);
    await expect(create(store)).rejects.toThrowError(FULL);
  });

  test("counts what a rotation leaves, and lets a session rotate that leaves nothing", async () => {
    const { store, clock } = open(2);
    const [a, b] = [await createOf(store, "1"), await createOf(store, "1")];
    const to = newIdBeside(a);
    await expect(change(store, a, { rotation: rotationTo(to) })).rejects.toThrowError(FULL);
    await live(store, a);
    await assertMembers(store, of("user_id", "1"), [a, b]);
    await change(store, a, { rotation: rotationTo(to, { grace: 0 }) });
    await assertMembers(store, of("user_id", "1"), [to, b]);
    await store.end(b);
    await change(store, to, { rotation: rotationTo(newIdBeside(a), { grace: 1000 }) });
    await expect(create(store)).rejects.toThrowError(FULL);
    clock.now += 1001;
    await create(store);
  });

  test("stops a sign-in before it ends anything, and leaves no second session", async () => {
    const { store, clock } = open(2);
    const [a, b] = [await createOf(store, "1"), await createOf(store, "1")];
    await expect(signIn(store, a, "1")).rejects.toThrowError(FULL);
    const rotation = rotationTo(newIdBeside(a), { when: "user-changes" });
    const naming = { set: { user_id: "2" }, references: { user_id: ["2"] } };
    await expect(change(store, a, { ...naming, rotation })).rejects.toThrowError(FULL);
    await assertMembers(store, of("user_id", "1"), [a, b]);
    await assertMembers(store, of("user_id", "2"), []);
    await store.end(b);
    const { to } = await signIn(store, a, "1", { tombstone: 1000 });
    await assertMembers(store, of("user_id", "1"), [to]);
    await expect(create(store)).rejects.toThrowError(FULL);
    clock.now += 1001;
    await create(store);
  });

  test("does not stop a sign-in that is sent again", async () => {
    const { store } = open(2);
    const id = await createOf(store, "1");
    const sent = signInOf(id, "1");
    const answer = await store.signIn(id, sent);
    expect(await store.signIn(id, sent)).toEqual(answer);
    await assertMembers(store, of("user_id", "1"), [sent.id]);
  });

  test("does not stop a create that is called again", async () => {
    const { store } = open(1);
    const id = newId(1);
    await create(store, { id });
    await create(store, { id });
    await live(store, id);
  });

  test("is what createSessions reports, too", async () => {
    const sessions = createSessions({ store: memoryStore({ maxSessions: 1 }), idleTimeout: HOUR });
    await sessions.create();
    await expect(sessions.create()).rejects.toThrowError(FULL);
  });
});

test("the clock may be injected: sessions live and expire by it", async () => {
  const { store, clock } = open();
  const sessions = createSessions({ store, idleTimeout: "30 minutes", absoluteTimeout: "1 hour" });
  const { token, session } = await sessions.create({ a: 1 });
  expect(session.createdAt.getTime()).toBe(clock.now);
  expect(session.expiresAt.getTime()).toBe(clock.now + HOUR / 2);
  clock.now += 20 * 60_000;
  expect((await sessions.get(token))?.expiresAt.getTime()).toBe(clock.now + HOUR / 2);
  clock.now += 25 * 60_000;
  expect((await sessions.get(token))?.expiresAt.getTime()).toBe(session.createdAt.getTime() + HOUR);
  clock.now += 15 * 60_000;
  expect(await sessions.get(token)).not.toBeNull();
  clock.now += 1;
  expect(await sessions.get(token)).toBeNull();
});

test("what a program does with the data it was given or gave changes no session", async () => {
  const sessions = createSessions<{ cart?: string[] }>({ store: memoryStore(), idleTimeout: HOUR });
  const cart = ["a"];
  const { token, session } = await sessions.create({ cart });
  cart.push("b");
  session.data.cart?.push("c");
  (await sessions.get(token))?.data.cart?.push("d");
  expect((await sessions.get(token))?.data).toEqual({ cart: ["a"] });
});

describe("expired sessions", () => {
  test("take one timer for all, which keeps no process alive", async () => {
    const intervals = vi.spyOn(globalThis, "setInterval");
    const timeouts = vi.spyOn(globalThis, "setTimeout");
    const { store } = open();
    for (let i = 0; i < 1000; i++) await create(store, { idleTimeout: HOUR });
    expect(timeouts).not.toHaveBeenCalled();
    expect(intervals).toHaveBeenCalledTimes(1);
    expect(intervals.mock.results[0]?.value.hasRef()).toBe(false);
    await store.close();
  });

  test("leave within a minute with nobody asking, and the last one takes the timer along", async () => {
    vi.useFakeTimers();
    const store = memoryStore();
    await create(store, { idleTimeout: 30_000 });
    await create(store, { idleTimeout: 90_000 });
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vi.getTimerCount()).toBe(0);
    await create(store);
    expect(vi.getTimerCount()).toBe(1);
  });

  test("wait for nobody: a program ends when it has nothing else to do", async () => {
    const memory = fileURLToPath(new URL("../src/memory.ts", import.meta.url));
    // Node 20 does not run TypeScript: vite's loader does.
    const script = `
      import { runnerImport } from "vite";
      const { module } = await runnerImport(${JSON.stringify(memory)});
      const store = module.memoryStore();
      const times = { idleTimeout: 3_600_000, absoluteTimeout: null };
      await store.create({ id: "AA" + "a".repeat(22), fields: new Map(), references: [], ...times });
      console.log("made");
    `;
    const args = ["--input-type=module", "-e", script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    expect(stdout.trim()).toBe("made");
  });
});

test("close forgets everything and ends the timer", async () => {
  vi.useFakeTimers();
  const sessions = createSessions({ store: memoryStore(), idleTimeout: HOUR });
  const { token } = await sessions.create({ a: 1 });
  await sessions.close();
  expect(vi.getTimerCount()).toBe(0);
  expect(await sessions.get(token)).toBeNull();
  await sessions.close();
});

describe("without a store", () => {
  function warningsIn(environment: string, options: object = {}): unknown[][] {
    vi.stubEnv("NODE_ENV", environment);
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    createSessions({ idleTimeout: HOUR, ...options });
    return warn.mock.calls;
  }

  test("sessions are kept in memory", async () => {
    const sessions = createSessions({ idleTimeout: HOUR });
    const { token } = await sessions.create({ a: 1 });
    expect((await sessions.get(token))?.data).toEqual({ a: 1 });
  });

  test("production is warned, with a code and what to do", () => {
    expect(warningsIn("production")).toEqual([
      [
        expect.stringMatching(/memory of this process.*redisStore\(client\)/),
        expect.objectContaining({ code: "SESSION_SETS_MEMORY_STORE" }),
      ],
    ]);
  });

  test("nobody else is, nor who chose the memory store", () => {
    expect(warningsIn("development")).toEqual([]);
    expect(warningsIn("production", { store: memoryStore() })).toEqual([]);
  });
});
