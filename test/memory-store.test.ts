import { createSessions } from "session-sets";
import { type MemoryStoreOptions, memoryStore } from "session-sets/memory";
import { newId, newIdBeside } from "session-sets/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { changeOf, create, draft, rotationTo, signIn } from "../src/testing/steps.ts";

const full = { code: "ERR_STORE_FULL", status: 503 };

describe("a memory store of three sessions", () => {
  let now: number;
  const open = () => memoryStore({ maxSessions: 3, now: () => now });
  const fill = async (store: ReturnType<typeof open>, idleTimeout?: number) => {
    const session = idleTimeout === undefined ? {} : { idleTimeout };
    return [
      await create(store, session),
      await create(store, session),
      await create(store, session),
    ];
  };

  beforeEach(() => {
    now = Date.now();
  });

  test("refuses a fourth, and keeps the three", async () => {
    const store = open();
    const ids = await fill(store);
    const refused = draft(store);
    await expect(store.create(refused)).rejects.toMatchObject(full);
    expect(await store.find(refused.id)).toEqual({ state: "gone" });
    for (const id of ids) expect((await store.find(id)).state).toBe("live");
  });

  test("has room again when one was ended", async () => {
    const store = open();
    const [first = ""] = await fill(store);
    await store.end(first);
    await create(store);
    await expect(create(store)).rejects.toMatchObject(full);
  });

  test("has room again when some have expired, though nobody asked for them", async () => {
    const store = open();
    await fill(store, 1000);
    now += 1001;
    await fill(store);
    await expect(create(store)).rejects.toMatchObject(full);
  });

  test("still makes no second session of the same id", async () => {
    const store = open();
    const made = draft(store);
    const times = await store.create(made);
    await create(store);
    await create(store);
    expect(await store.create(made)).toEqual(times);
  });

  test("counts what rotations leave, until its grace is over", async () => {
    const store = open();
    const id = await create(store);
    const second = newIdBeside(id);
    await store.change(id, changeOf({ rotation: rotationTo(second, { grace: 1000 }) }));
    const third = newIdBeside(id);
    await store.change(second, signIn(third, "1", { grace: 1000 }));
    await expect(create(store)).rejects.toMatchObject(full);
    const fourth = newIdBeside(id);
    const rotation = changeOf({ rotation: rotationTo(fourth, { grace: 1000 }) });
    await expect(store.change(third, rotation)).rejects.toMatchObject(full);
    expect(await store.find(third)).toMatchObject({ state: "live", session: { id: third } });
    now += 1001;
    await create(store);
    await create(store);
    expect((await store.find(third)).state).toBe("live");
  });

  test("rotates without grace also when it is full", async () => {
    const store = open();
    const [id = ""] = await fill(store);
    const to = newIdBeside(id);
    const answer = await store.change(id, changeOf({ rotation: rotationTo(to, { grace: 0 }) }));
    expect(answer).toMatchObject({ state: "changed", id: to });
  });
});

describe("the memory store's housekeeping", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("takes one timer for all sessions, and none when there are none left", async () => {
    const store = memoryStore();
    expect(vi.getTimerCount()).toBe(0);
    for (let i = 0; i < 100; i++) await create(store, { idleTimeout: 90_000 });
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(80_000);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(50_000);
    expect(vi.getTimerCount()).toBe(0);
    await create(store);
    expect(vi.getTimerCount()).toBe(1);
    await store.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("sessions in memory keep no process alive", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const store = memoryStore();
  await create(store);
  expect(timers()).toBe(before);
  await store.close();
});

test("closing forgets all sessions", async () => {
  const store = memoryStore();
  const id = await create(store, { references: { user_id: ["1"] } });
  await store.close();
  expect(await store.find(id)).toEqual({ state: "gone" });
  expect(await store.count({ field: "user_id", text: "1", plain: false })).toBe(0);
});

test("what is given out and taken in is a copy", async () => {
  const store = memoryStore();
  const fields = new Map([["a", "1"]]);
  const id = newId(1);
  await store.create({ ...draft(store), id, fields });
  fields.set("a", "2");
  const found = await store.find(id);
  if (found.state !== "live") throw new Error("the session is gone");
  (found.session.fields as Map<string, string>).set("a", "3");
  expect(await store.find(id)).toMatchObject({ session: { fields: new Map([["a", "1"]]) } });
});

test.each<[string, object]>([
  ["an unknown option", { max: 1 }],
  ["no sessions at all", { maxSessions: 0 }],
  ["half a session", { maxSessions: 1.5 }],
  ["a clock that is none", { now: 1 }],
])("%s is refused", (_name, options) => {
  expect(() => memoryStore(options as MemoryStoreOptions)).toThrow(
    expect.objectContaining({ code: "ERR_SESSION_CONFIG" }),
  );
});

describe("where no store is given", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  test.each([
    ["production", 1],
    ["development", 0],
  ])("NODE_ENV %s gives %i warning(s)", async (environment, warnings) => {
    vi.stubEnv("NODE_ENV", environment);
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const sessions = createSessions({ idleTimeout: "1 hour" });
    expect(warn).toHaveBeenCalledTimes(warnings);
    const { token } = await sessions.create({ theme: "dark" });
    expect((await sessions.get(token))?.data).toEqual({ theme: "dark" });
    await sessions.close();
  });
});
