/* Only the memory store has these: a bound, a clock to inject, and no timers that keep a process. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createSessions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { afterEach, describe, expect, test, vi } from "vitest";
import { newId, newIdBeside } from "../../../../src/testing/ids.ts";
import {
  assertGone,
  assertMembers,
  change,
  create,
  createChanges,
  createForUser,
  createRotation,
  createSignIn,
  findLive,
  of,
  signIn,
} from "../../../../src/testing/steps.ts";
import { fakeOwnTimers, watchOwnTimer } from "../../../support/own-timers.ts";

const HOUR = 3_600_000;
const FULL = expect.objectContaining({
  code: "ERR_STORE_FULL",
  status: 503,
  message: expect.stringMatching(/Raise maxSessions or maxTotalBytes.*redisStore/),
});

afterEach(() => {
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
      await createForUser(store, "1"),
      await createForUser(store, "1"),
      await createForUser(store, "1"),
    ];
    await expect(createForUser(store, "1")).rejects.toThrowError(FULL);
    await expect(create(store)).rejects.toThrowError(FULL);
    await assertMembers(store, of("user_id", "1"), ids);
  });

  test("is 100,000 sessions where nothing is said", async () => {
    const { store } = open();
    for (let i = 0; i < 100_000; i++) await createForUser(store, "1");
    await expect(createForUser(store, "1")).rejects.toThrowError(FULL);
  });

  test("has room again when one is ended, and when one expires", async () => {
    const { store, clock } = open(2);
    const id = await createForUser(store, "1", { idleTimeout: HOUR });
    await createForUser(store, "1", { idleTimeout: 2 * HOUR });
    await expect(createForUser(store, "1")).rejects.toThrowError(FULL);
    await store.end(id);
    await createForUser(store, "1", { idleTimeout: 2 * HOUR });
    clock.now += 2 * HOUR;
    await expect(createForUser(store, "1")).rejects.toThrowError(FULL);
    clock.now += 1;
    await createForUser(store, "1");
    await createForUser(store, "1");
    await expect(createForUser(store, "1")).rejects.toThrowError(FULL);
  });

  test("lets a sign-in take the place of the session that it ends", async () => {
    const { store } = open(2);
    const [a, b] = [await createForUser(store, "1"), await createForUser(store, "1")];
    const { to } = await signIn(store, a, "1");
    await assertMembers(store, of("user_id", "1"), [to, b]);
    const rotation = createRotation(newIdBeside(a), { when: "user-changes" });
    const naming = { set: { user_id: "2" }, references: { user_id: ["2"] } };
    await change(store, to, { ...naming, rotation });
    await assertMembers(store, of("user_id", "2"), [rotation.to]);
  });

  test("stops a sign-in without a session before anything is made", async () => {
    const { store } = open(2);
    const ids = [await createForUser(store, "1"), await createForUser(store, "1")];
    await expect(signIn(store, newId(1), "1")).rejects.toThrowError(FULL);
    await assertMembers(store, of("user_id", "1"), ids);
  });

  test("does not stop a sign-in that is sent again", async () => {
    const { store } = open(2);
    const id = await createForUser(store, "1");
    const sent = createSignIn(id, "1");
    const answer = await store.signIn(id, sent);
    expect(await store.signIn(id, sent)).toEqual(answer);
    await assertMembers(store, of("user_id", "1"), [sent.id]);
  });

  test("does not stop a create that is called again", async () => {
    const { store } = open(1);
    const id = newId(1);
    await create(store, { id });
    await create(store, { id });
    await findLive(store, id);
  });

  test("is what createSessions reports, too", async () => {
    const store = memoryStore({ maxSessions: 1 });
    const sessions = createSessions({ store, references: ["user_id"] });
    await sessions.create({ user_id: 1 });
    await expect(sessions.create({ user_id: 1 })).rejects.toThrowError(FULL);
    await expect(sessions.create()).rejects.toThrowError(FULL);
  });
});

describe("of a full store", () => {
  test("the oldest session of nobody makes room, and those of users stay", async () => {
    const { store } = open(4);
    const user = await createForUser(store, "1");
    const guests = [await create(store), await create(store), await create(store)];
    const other = await createForUser(store, "2");
    await assertGone(store, guests[0] as string);
    const guest = await create(store);
    await assertGone(store, guests[1] as string);
    for (const id of [user, other, guest, guests[2] as string]) await findLive(store, id);
  });

  test("a session whose user is signed out makes room, and one that is signed in does not", async () => {
    const sessions = createSessions({
      store: memoryStore({ maxSessions: 2 }),
      references: ["user_id", { team_id: { identity: false } }],
    });
    const a = await sessions.create({ team_id: 1 });
    const b = await sessions.create({ user_id: 1 });
    const c = await sessions.create({ user_id: 2 }); // a has no user
    expect(await sessions.get(a.token)).toBeNull();
    const out = await sessions.rotate(b.token, { user_id: null });
    await sessions.create({ user_id: 3 }); // b has none any more
    expect(await sessions.get(out?.token)).toBeNull();
    expect(await sessions.get(c.token)).not.toBeNull();
  });

  test("one that makes room is ended whole: its sets, its aliases and its lineage", async () => {
    const { store } = open(1);
    const id = await create(store, { references: { team: ["7"] } });
    const to = newIdBeside(id);
    await change(store, id, { rotation: createRotation(to) });
    await create(store);
    await assertGone(store, id, to);
    await assertMembers(store, of("team", "7"), []);
    expect(await store.find(id, { byName: true })).toEqual({ state: "gone" });
  });

  test("what rotations and endings leave takes no session's place, and is bounded itself", async () => {
    const { store } = open(3);
    const guests: string[] = [];
    for (let i = 0; i < 10; i++) {
      const id = await createForUser(store, "1");
      await store.end(id, { tombstone: { stays: HOUR } });
      guests.push(id);
    }
    const left = await Promise.all(guests.map((id) => store.find(id)));
    expect(left.map(({ state }) => state)).toEqual([
      ...Array(7).fill("gone"),
      ...Array(3).fill("superseded"),
    ]);
    for (let i = 0; i < 3; i++) await createForUser(store, "2");
  });
});

describe("a full store", () => {
  test("makes room for a session of nobody that grows, and not by that session itself", async () => {
    const store = memoryStore({ maxTotalBytes: 20_000 });
    const [first, second] = [await create(store), await create(store)];
    const third = await create(store, { fields: { a: "x".repeat(12_000) } });
    await change(store, first, { set: { a: "x".repeat(6_000) } });
    await assertGone(store, second);
    await assertGone(store, third);
    expect((await findLive(store, first)).fields.get("a")).toHaveLength(6_000);
  });

  test("is not gone through for every session that is refused or takes another's place", async () => {
    let asked = 0;
    const clock = { now: 1_700_000_000_000 };
    const store = memoryStore({
      maxSessions: 1000,
      now: () => {
        asked++;
        return clock.now;
      },
    });
    for (let i = 0; i < 1000; i++) await create(store);
    asked = 0;
    for (let i = 0; i < 100; i++) await create(store);
    expect(asked).toBeLessThan(2000); // going through all once is a thousand
  });

  test("keeps the session of a user whose reference was declared later", async () => {
    const store = memoryStore({ maxSessions: 2 });
    const before = createSessions<{ user_id?: number }>({ store });
    const { token } = await before.create({ user_id: 1 });
    const after = createSessions<{ user_id?: number }>({ store, references: ["user_id"] });
    for await (const _ of after.reindex());
    for (let i = 0; i < 5; i++) await after.create();
    expect(await after.get(token)).not.toBeNull();
  });
});

describe("the bytes", () => {
  test("are those that V8 takes: two a character that is not Latin, and some for each field", async () => {
    const store = memoryStore({ maxTotalBytes: 50_000 });
    await expect(create(store, { fields: { text: "€".repeat(25_000) } })).rejects.toThrowError(
      FULL,
    );
    await create(store, { fields: { text: "é".repeat(25_000) } });
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`f${i}`, "x"]));
    await expect(createForUser(store, "1", { fields: many })).rejects.toThrowError(FULL);
  });

  const fields = { text: "x".repeat(9000) };

  test("of all sessions are bounded, no matter whose they are", async () => {
    const store = memoryStore({ maxTotalBytes: 107_500 });
    const guests = [];
    for (let i = 0; i < 30; i++) guests.push(await create(store, { fields }));
    const states = await Promise.all(guests.map((id) => store.find(id)));
    expect(states.filter(({ state }) => state === "live")).toHaveLength(10);
    expect(states.slice(-10).every(({ state }) => state === "live")).toBe(true);
    for (let i = 0; i < 10; i++) await createForUser(store, "1", { fields });
    await expect(createForUser(store, "1", { fields })).rejects.toThrowError(FULL);
    await createForUser(store, "1"); // a small one has room
  });

  test("that a session grows by count, and those it gives back do not", async () => {
    const store = memoryStore({ maxTotalBytes: 29_000 });
    const [a, b] = [
      await createForUser(store, "1", { fields }),
      await createForUser(store, "1", { fields }),
    ];
    const grown = { set: { more: "y".repeat(9000) } };
    await expect(change(store, a, grown)).rejects.toThrowError(FULL);
    expect((await findLive(store, a)).fields.has("more")).toBe(false);
    await change(store, b, { unset: ["text"] });
    await change(store, a, grown);
    await store.end(a);
    await createForUser(store, "1", { fields });
    await createForUser(store, "1", { fields });
    await expect(createForUser(store, "1", { fields })).rejects.toThrowError(FULL);
  });

  test("a change of a set leaves those alone that it has pushed out itself", async () => {
    const store = memoryStore({ maxTotalBytes: 10_000 });
    const team = of("team", "7");
    const inTeam = () => create(store, { fields: { team: "7" }, references: { team: ["7"] } });
    const [first, second] = [await inTeam(), await inTeam()];
    const grow = createChanges({ set: { text: "x".repeat(8000) } });
    expect(await store.changeAll(team, grow)).toBe(1);
    expect(await store.count(team)).toBe(1);
    for (const id of [first, second]) await store.end(id);
    await createForUser(store, "1", { fields: { text: "x".repeat(8000) } }); // all is given back
  });

  test("of one session that no room is enough for are refused, and nobody is ended for it", async () => {
    const store = memoryStore({ maxTotalBytes: 30_000 });
    const guest = await create(store);
    const huge = { text: "x".repeat(40_000) };
    await expect(create(store, { fields: huge })).rejects.toThrowError(FULL);
    await findLive(store, guest);
  });

  test("are 128 MiB where nothing is said: anonymous posts do not end the process", async () => {
    const store = memoryStore();
    const large = { text: "x".repeat(60_000) };
    const first = await create(store, { fields: large });
    const user = await createForUser(store, "1");
    for (let i = 0; i < 2300; i++) await create(store, { fields: large });
    await assertGone(store, first);
    await findLive(store, user);
  });

  test.each([0, -1, 1.5, "1 GB"])("are a whole number above zero, and not %s", (maxTotalBytes) => {
    expect(() => memoryStore({ maxTotalBytes } as object)).toThrowError(/maxTotalBytes must be/);
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

describe("an injected clock", () => {
  const MINUTE = 60_000;

  /** Sessions with a clock that stands still but where it is moved. */
  function openSessions() {
    const { store, clock } = open();
    const sessions = createSessions({
      data: {} as { user_id?: number; device?: string },
      references: ["user_id"],
      store,
      idleTimeout: "30 minutes",
      absoluteTimeout: "1 hour",
      rotationGrace: "10 seconds",
    });
    return { store, sessions, clock, mine: sessions.by("user_id", 1) };
  }

  test("ends a session in all of its sets, names and iterations in the same millisecond", async () => {
    const { store, sessions, clock, mine } = openSessions();
    const { token, session } = await sessions.create({ user_id: 1 });
    const rotated = await sessions.rotate(token);
    const fresh = rotated?.token ?? "";
    const ways: Record<string, () => Promise<unknown>> = {
      size: () => mine.size(),
      list: async () => (await mine.list()).length,
      ids: async () => (await mine.ids()).length,
      iterating: async () => {
        const found: unknown[] = [];
        for await (const one of mine) found.push(one);
        return found.length;
      },
      "has, by its id": async () => Number(await mine.has(rotated?.session?.id ?? "")),
      "has, by its lineage": async () => Number(await mine.has(session.lineage)),
      "byId, by its lineage": async () =>
        Number((await sessions.byId(session.lineage).get()) !== null),
      get: async () => Number((await sessions.get(fresh, { touch: false })) !== null),
      "set of the set": () => mine.set({ device: "phone" }),
    };
    clock.now += 30 * MINUTE;
    for (const [way, count] of Object.entries(ways)) expect(await count(), way).toBe(1);
    clock.now += 1;
    for (const [way, count] of Object.entries(ways)) expect(await count(), way).toBe(0);
    expect(await sessions.set(fresh, { device: "phone" })).toBe(false);
    expect(await sessions.touch(fresh)).toBe(false);
    expect(await sessions.delete(fresh)).toBe(false);
    expect(await mine.clear()).toBe(0);
    await store.close();
  });

  test("ends aliases and tombstones when their grace is over, and not before", async () => {
    const { store, sessions, clock } = openSessions();
    const renewed = await sessions.create({ user_id: 1 });
    const fresh = await sessions.rotate(renewed.token);
    const signedOver = await sessions.create({});
    await sessions.signIn(signedOver.token, { user_id: 2 });
    const findState = async (id: string) => (await store.find(id)).state;
    clock.now += 10_000;
    expect(await sessions.get(renewed.token)).not.toBeNull();
    expect(await findState(signedOver.session.id)).toBe("superseded");
    clock.now += 1;
    expect(await sessions.get(renewed.token)).toBeNull();
    expect(await findState(signedOver.session.id)).toBe("gone");
    expect(await sessions.get(fresh?.token)).not.toBeNull();
  });

  test("ends a busy session at its absolute deadline", async () => {
    const { sessions, clock } = openSessions();
    const { token } = await sessions.create({ user_id: 1 });
    for (let i = 0; i < 3; i++) {
      clock.now += 20 * MINUTE;
      expect(await sessions.get(token), `after ${20 * (i + 1)} minutes`).not.toBeNull();
    }
    clock.now += 1;
    expect(await sessions.get(token)).toBeNull();
  });

  test("that stands still leaves lists in the order of last use, the latest first", async () => {
    const { sessions, clock, mine } = openSessions();
    const devices = async () => (await mine.list()).map(({ data }) => data.device);
    const tokens: string[] = [];
    for (const device of ["phone", "desk", "tablet"]) {
      tokens.push((await sessions.create({ user_id: 1, device })).token);
    }
    expect(await devices()).toEqual(["tablet", "desk", "phone"]);
    await sessions.touch(tokens[1]);
    expect(await devices()).toEqual(["desk", "tablet", "phone"]);
    clock.now += MINUTE;
    await sessions.touch(tokens[0]);
    expect(await devices()).toEqual(["phone", "desk", "tablet"]);
    clock.now -= 2 * MINUTE; // a clock that is set back
    await sessions.touch(tokens[0]);
    expect(await devices()).toEqual(["desk", "tablet", "phone"]);
  });

  test("that is no function of a time is refused", async () => {
    for (const now of [1, "now", null, new Date(), {}]) {
      expect(() => memoryStore({ now } as never)).toThrowError(/now must be a function.*Date\.now/);
    }
    for (const time of [undefined, null, Number.NaN, Infinity, "1", 1n, new Date()]) {
      const sessions = createSessions({ store: memoryStore({ now: () => time as number }) });
      await expect(sessions.create({})).rejects.toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringMatching(/now must be a function that gives the time in ms.*it gave/),
      });
    }
  });

  test("may be any function of a time, a fraction and one before 1970 among them", async () => {
    for (const time of [0, -1, 0.5, performance.now()]) {
      const sessions = createSessions({ store: memoryStore({ now: () => time }) });
      const { token } = await sessions.create({ a: 1 });
      expect((await sessions.get(token))?.data).toEqual({ a: 1 });
    }
  });
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
    const intervals = watchOwnTimer("setInterval");
    const timeouts = watchOwnTimer("setTimeout");
    const { store } = open();
    for (let i = 0; i < 1000; i++) await create(store, { idleTimeout: HOUR });
    expect(timeouts).not.toHaveBeenCalled();
    expect(intervals).toHaveBeenCalledTimes(1);
    expect(intervals.mock.results[0]?.value.hasRef()).toBe(false);
    await store.close();
  });

  test("leave within a minute with nobody asking, and the last one takes the timer along", async () => {
    fakeOwnTimers();
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
    const memory = fileURLToPath(new URL("../../../../src/memory.ts", import.meta.url));
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
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 300_000 });
    expect(stdout.trim()).toBe("made");
  });
});

test("close forgets everything and ends the timer", async () => {
  fakeOwnTimers();
  const sessions = createSessions({ store: memoryStore(), idleTimeout: HOUR });
  const { token } = await sessions.create({ a: 1 });
  expect(vi.getTimerCount()).toBe(1);
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
