/* What SessionSetsStore keeps within bounds: memory, values, and what it remembers of sessions. */
import { Redis } from "ioredis";
import { SessionError } from "session-sets";
import {
  type SessionData,
  SessionSetsStore,
  type SessionSetsStoreOptions,
} from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { afterAll, describe, expect, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const cookie = { originalMaxAge: 3_600_000, path: "/" };
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("a memory store that is full", () => {
  test.each([
    ["a field", { user_id: {} }, { user_id: 1 }],
    ["a function", { user_id: { from: (s: SessionData) => s.who?.id } }, { who: { id: 1 } }],
  ])(
    "keeps a user's session, known by %s, from a flood of nobody's",
    async (_by, references, user) => {
      const store = new SessionSetsStore({ store: memoryStore({ maxSessions: 3 }), references });
      await store.set("user", { cookie, ...user });
      for (let i = 0; i < 10; i++) await store.set(`nobody ${i}`, { cookie, n: i });
      expect(await store.get("user")).toEqual({ cookie, ...user });
      expect(await store.length()).toBe(3);
    },
  );

  test("keeps one also where a set has changed whose it is", async () => {
    const store = new SessionSetsStore({
      store: memoryStore({ maxSessions: 3 }),
      references: { user_id: {} },
    });
    await store.set("user", { cookie, user_id: 1 });
    expect(await store.by("user_id", 1).set({ user_id: 2 })).toBe(1);
    for (let i = 0; i < 10; i++) await store.set(`nobody ${i}`, { cookie });
    expect(await store.by("user_id", 2).size()).toBe(1);
  });
});

type Options = Omit<SessionSetsStoreOptions, "store" | "client">;
describe.each([
  ["in memory", (options?: Options) => new SessionSetsStore({ store: memoryStore(), ...options })],
  [
    "on Redis",
    (options?: Options) =>
      new SessionSetsStore({ client, prefix: freshPrefix(), timeout: "20 seconds", ...options }),
  ],
])("a store %s", (_where, openStore) => {
  test("refuses a value of very many parts", async () => {
    const store = openStore();
    const wide = Object.fromEntries(numbers(200_000).map((i) => [`k${i}`, i]));
    const error = await store.set("sid", { cookie, wide }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "ERR_SESSION_TOO_LARGE",
      hint: expect.stringContaining("would have 400000 bytes"), // its parts, and not its text
    });
    expect(await store.length()).toBe(0);
  });

  test("takes a thousand values of references in all, and no more", async () => {
    const store = openStore({ references: { user_id: {}, tags: {} }, maxBytes: 200_000 });
    const session = { cookie, user_id: 1, tags: numbers(999) };
    await store.set("sid", session);
    const given = (await store.get("sid")) ?? {};
    const more = Object.assign(given, { user_id: [1, 2] });
    const refused = { code: "ERR_SESSION_VALUE", message: expect.stringContaining("1001 values") };
    await expect(store.set("sid", more)).rejects.toMatchObject(refused);
    await expect(store.set("new", { ...session, user_id: [1, 2] })).rejects.toMatchObject(refused);
    expect(await store.by("tags", 7).ids()).toEqual([store.idOf("sid")]);
    expect(await store.by("user_id", 2).size()).toBe(0);
  });

  test("brings nothing back by a deep copy whose cookie ends with the browser", async () => {
    const store = openStore({ references: { user_id: {} } });
    const ofBrowser = { originalMaxAge: null, expires: null, path: "/" };
    await store.set("sid", { cookie: ofBrowser, user_id: 1, cart: { a: 1 } });
    const given = (await store.get("sid")) ?? {};
    const copies = [structuredClone({ ...given }), JSON.parse(JSON.stringify(given))];
    await store.set("sid", Object.assign(given, { theme: "dark" }));
    copies.push(structuredClone({ ...given }), JSON.parse(JSON.stringify(given)));
    await store.destroy("sid");
    for (const copy of copies) {
      await store.touch("sid", copy);
      await store.set("sid", copy);
      await store.set("sid", Object.assign(copy, { late: true }));
      expect(await store.length()).toBe(0);
    }
    await store.set("sid", { cookie: { ...ofBrowser }, user_id: 2 });
    expect(await store.by("user_id", 2).size()).toBe(1);
  });

  test("answers whatever it is given with a SessionError, or a result", async () => {
    const store = openStore({ references: { r: {} } });
    await store.set("sid", { cookie, r: 1 });
    const bare = Object.assign(Object.create(null), { r: 1 });
    const loop: unknown[] = [];
    loop.push(loop);
    const odd: unknown[] = [
      ...[undefined, null, 0, 1n, Number.NaN, "", "x", true, Symbol("s"), () => {}],
      ...[[], [1], [null], [Symbol("s")], [[]], {}, bare, Object.create(null), loop, new Date()],
      ...[new Map(), { cookie: null }, { cookie: loop }, { except: Symbol("s") }, { limit: null }],
      ...[{ replicas: null }, { cursor: {} }, new Proxy({}, {})],
    ];
    const drain = async (all: AsyncIterable<unknown>) => {
      for await (const _ of all);
    };
    // biome-ignore lint/suspicious/noExplicitAny: callers without types
    const calls: ((value: any) => unknown)[] = [
      (value) => store.get(value),
      (value) => store.set(value, { cookie }),
      (value) => store.set("other", value),
      (value) => store.set("other", { cookie, r: value }),
      (value) => store.touch("sid", value),
      (value) => store.touch(value, { cookie }),
      (value) => store.destroy(value),
      (value) => store.idOf(value),
      (value) => store.by(value, 1),
      (value) => store.by("r", value).size(),
      (value) => drain(store.moveSessions(value)),
      (value) => store.by("r", 1).set(value),
      (value) => store.by("r", 1).set({ x: value }),
      (value) => store.by("r", 1).unset(value),
      (value) => store.by("r", 1).unset([value]),
      (value) => store.by("r", 1).list(value),
      (value) => store.by("r", 1).list({ limit: value }),
      (value) => store.by("r", 1).list({ after: value }),
      (value) => store.by("r", 1).has(value),
      (value) => store.by("r", 1).delete(value),
      (value) => store.by("r", 1).clear(value),
      (value) => new SessionSetsStore(value),
      (value) => new SessionSetsStore({ client, migrate: value }),
      (value) => drain(new SessionSetsStore({ client, migrate: { prefix: value } }).moveSessions()),
      (value) => new SessionSetsStore({ references: value }),
      (value) => new SessionSetsStore({ references: { r: value } }),
      (value) => new SessionSetsStore({ references: { r: { from: value } } }),
      (value) => new SessionSetsStore({ idleTimeout: value }),
      (value) => new SessionSetsStore({ maxBytes: value }),
    ];
    const wrong: unknown[] = [];
    for (const call of calls) {
      for (const value of odd) {
        const error = await (async () => call(value))().then(
          () => null,
          (reason: unknown) => reason,
        );
        if (error !== null && !(error instanceof SessionError)) wrong.push([String(call), error]);
      }
    }
    expect(wrong).toEqual([]);
    await expect(store.by("r", 1).unset([1 as never])).rejects.toThrow(/is not a string/);
    await expect(store.by("r", 1).clear(null as never)).rejects.toThrow(/options of clear/);
  });
});
