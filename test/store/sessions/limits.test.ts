/* Values that a session cannot hold are refused, naming the field, before anything is written. */
import { createSessions, type Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import { type Client, clients, freshPrefix, openMemory } from "../../support/stores/stores.ts";

type Data = Record<string, unknown>;

let client: Client;
beforeAll(() => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());

class Point {
  x = 1;
}
const cycle: { self?: unknown } = {};
cycle.self = cycle;
const sparse = [1, 2, 3];
delete sparse[1];

const badValues: [what: string, value: unknown][] = [
  ["NaN", Number.NaN],
  ["Infinity", Number.NEGATIVE_INFINITY],
  ["a function", () => {}],
  ["a symbol", Symbol("s")],
  ["a BigInt", 1n],
  ["a Date", new Date()],
  ["a Map", new Map()],
  ["a Set", new Set()],
  ["a typed array", new Uint8Array(2)],
  ["an object of a class", new Point()],
  ["a sparse array", sparse],
  ["a cycle", cycle],
  ["undefined in an object", { a: undefined }],
  ["undefined in an array", [undefined]],
  ["a Date in an array", { a: [{ b: new Date() }] }],
];

const badNames: [what: string, name: string][] = [
  ["an empty name", ""],
  ["a name of the library's own", "@r"],
  ["__proto__", "__proto__"],
  ["a lone surrogate", "a\ud800"],
  ["a name over 256 bytes", "é".repeat(129)],
];

describe.each(["memory", "Redis"])("in %s", (kind) => {
  let prefix: string;
  let sessions: Sessions<Data>;
  let token: string;
  beforeEach(async () => {
    prefix = freshPrefix();
    sessions = open();
    ({ token } = await sessions.create({ user_id: 1, a: "first" }));
  });

  function open(maxBytes?: number): Sessions<Data> {
    const store =
      kind === "memory"
        ? openMemory().store
        : redisStore(client, { prefix, timeout: "20 seconds" });
    const references = { user_id: {}, team_ids: { identity: false } };
    const options = { store, references, idleTimeout: "1 hour" } as const;
    return createSessions<Data>(maxBytes === undefined ? options : { ...options, maxBytes });
  }

  /** All that is stored: in memory what can be read of it. */
  async function stored(): Promise<unknown> {
    const all: unknown[] = [(await sessions.get(token, { touch: false }))?.data];
    all.push(await sessions.by("user_id", 1).size());
    if (kind === "memory") return all;
    for (const key of (await client.keys(`*${prefix}*`)).sort()) {
      all.push(key, await client.dumpBuffer(key), await client.pexpiretime(key));
    }
    return all;
  }

  async function expectRefused(values: Data, code: string, says: RegExp): Promise<void> {
    const before = await stored();
    const writes: (() => Promise<unknown>)[] = [
      () => sessions.create(values),
      () => sessions.set(token, values),
      () => sessions.rotate(token, values),
      () => sessions.by("user_id", 1).set(values),
    ];
    if (Object.getPrototypeOf(values) === Object.prototype) {
      writes.push(() => sessions.signIn(token, { user_id: 1, ...values }));
    }
    for (const write of writes) {
      await expect(write()).rejects.toThrowError(
        expect.objectContaining({ code, hint: expect.stringMatching(says) }),
      );
      expect(await stored()).toEqual(before);
    }
  }

  test.each(badValues)("%s is refused, and the field is named", async (_, value) => {
    await expectRefused({ b: 1, wrong: value }, "ERR_SESSION_VALUE", /"wrong"/);
  });

  test.each(badNames)("%s is refused as a field's name", async (_, name) => {
    const values = Object.fromEntries([["b", 1] as const, [name, 1] as const]);
    await expectRefused(values, "ERR_SESSION_VALUE", /^The field name "/);
    await expect(sessions.unset(token, [name])).rejects.toHaveProperty("code", "ERR_SESSION_VALUE");
    await expect(sessions.get(token, [name])).rejects.toHaveProperty("code", "ERR_SESSION_VALUE");
  });

  test.each<[string, unknown]>([
    ["an object", { id: 1 }],
    ["an array of objects", [{ id: 1 }]],
    ["an array of arrays", [[1]]],
    ["over a thousand values", Array.from({ length: 1001 }, (_, i) => i)],
  ])("%s is refused as a reference's value", async (_, value) => {
    await expectRefused(
      { team_ids: value },
      "ERR_SESSION_VALUE",
      /"team_ids" is a reference|The reference "team_ids"/,
    );
  });

  test.each<unknown>([null, undefined, {}, [], [1], Number.NaN])(
    "by refuses the value %j",
    (value) => {
      expect(() => sessions.by("user_id", value as number)).toThrowError(
        expect.objectContaining({
          code: "ERR_SESSION_VALUE",
          message: expect.stringMatching(/user_id/),
        }),
      );
    },
  );

  test.each<[string, unknown]>([
    ["a text", "text"],
    ["a number", 5],
    ["true", true],
    ["an array", ["a"]],
    ["an empty array", []],
    ["a Map", new Map([["theme", "dark"]])],
    ["an empty Map", new Map()],
    ["a Set", new Set(["theme"])],
    ["a Date", new Date()],
    ["a promise of values", Promise.resolve({ theme: "dark" })],
    ["an error", new Error("theme")],
    ["a function", () => ({ theme: "dark" })],
  ])("%s is refused as the values", async (_, values) => {
    await expectRefused(values as Data, "ERR_SESSION_VALUE", /must be an object of fields/);
  });

  test("null is refused as the values of a change", async () => {
    const says = { code: "ERR_SESSION_VALUE" };
    const none = null as unknown as Data;
    await expect(sessions.set(token, none)).rejects.toMatchObject(says);
    await expect(sessions.rotate(token, none)).rejects.toMatchObject(says);
    await expect(sessions.by("user_id", 1).set(none)).rejects.toMatchObject(says);
  });

  test("an instance of a class of fields, or what has no prototype, is fine as the values", async () => {
    class Visit {
      theme = "light";
    }
    await sessions.set(token, new Visit() as unknown as Data);
    expect((await sessions.get(token))?.data).toMatchObject({ theme: "light" });
    await sessions.set(token, Object.assign(Object.create(null), { theme: "dark" }));
    expect((await sessions.get(token))?.data).toMatchObject({ theme: "dark" });
  });

  test.each<unknown>(["theme", "", 5, null, { theme: true }, new Set(["theme"])])(
    "%j is refused as the fields to unset",
    async (fields) => {
      await sessions.set(token, { theme: "dark", t: 1, h: 2 });
      const before = await stored();
      for (const refused of [
        () => sessions.unset(token, fields as string[]),
        () => sessions.by("user_id", 1).unset(fields as string[]),
      ]) {
        await expect(refused()).rejects.toThrowError(
          expect.objectContaining({
            code: "ERR_SESSION_VALUE",
            message: expect.stringMatching(/must be a list/),
          }),
        );
        expect(await stored()).toEqual(before);
      }
    },
  );

  test("a thousand references, null, an empty array and duplicates are fine", async () => {
    const team_ids = Array.from({ length: 999 }, (_, i) => i + 1); // and the user
    expect(await sessions.set(token, { team_ids: [...team_ids, ...team_ids] })).toBe(true);
    expect(await sessions.by("team_ids", 999).size()).toBe(1);
    expect(await sessions.set(token, { team_ids: [] })).toBe(true);
    expect(await sessions.set(token, { team_ids: null })).toBe(true);
    expect(await sessions.by("team_ids", 999).size()).toBe(0);
    expect((await sessions.get(token))?.data).toEqual({ user_id: 1, team_ids: null, a: "first" });
  });

  describe("maxBytes", () => {
    // Names and values as they are stored: user_id 1, a "first" are 14 bytes.
    const MOST = 40;
    async function make(): Promise<void> {
      sessions = open(MOST);
      ({ token } = await sessions.create({ user_id: 1, a: "first" }));
    }

    test("counts the names and the values of the merged session, to the byte", async () => {
      await make();
      const room = MOST - 14 - "b".length;
      expect(await sessions.set(token, { b: "x".repeat(room) })).toBe(true);
      await expectRefused(
        { b: "x".repeat(MOST) },
        "ERR_SESSION_TOO_LARGE",
        /41 bytes|over maxBytes \(40\)/,
      );
      const before = await stored();
      await expect(sessions.set(token, { b: "x".repeat(room + 1) })).rejects.toThrowError(
        expect.objectContaining({
          code: "ERR_SESSION_TOO_LARGE",
          status: 413,
          hint: expect.stringMatching(
            /would have 41 bytes, over maxBytes \(40\); nothing was written/,
          ),
        }),
      );
      await expect(sessions.set(token, { c: 1 })).rejects.toHaveProperty(
        "code",
        "ERR_SESSION_TOO_LARGE",
      );
      expect(await stored()).toEqual(before);
    });

    test("counts bytes, not characters", async () => {
      await make();
      expect(await sessions.set(token, { b: "é".repeat(12) })).toBe(true); // 24 and the name
      await expect(sessions.set(token, { b: "é".repeat(13) })).rejects.toHaveProperty(
        "code",
        "ERR_SESSION_TOO_LARGE",
      );
      await expect(sessions.create({ é: "€".repeat(13) })).rejects.toHaveProperty(
        "hint",
        expect.stringMatching(/would have 41 bytes/),
      );
      await sessions.create({ é: "€".repeat(12) });
    });

    test("counts a field that is replaced once, and one that is unset no more", async () => {
      await make();
      expect(await sessions.set(token, { b: "x".repeat(25) })).toBe(true);
      expect(await sessions.set(token, { b: "y".repeat(25) })).toBe(true);
      await sessions.unset(token, ["b"]);
      expect(await sessions.set(token, { c: "x".repeat(25) })).toBe(true);
    });

    test("is 64 KiB where nothing is said", async () => {
      const wide = open();
      const value = "x".repeat(65_536 - 1);
      const { token: full } = await wide.create({ b: value });
      expect((await wide.get(full))?.data.b).toBe(value);
      await expect(wide.create({ b: `${value}x` })).rejects.toHaveProperty(
        "code",
        "ERR_SESSION_TOO_LARGE",
      );
      await expect(wide.set(full, { c: 1 })).rejects.toHaveProperty(
        "code",
        "ERR_SESSION_TOO_LARGE",
      );
    });
  });
});

test("a session that is too large by an older limit can shrink, be used and end", async () => {
  const store = redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" });
  const options = { store, references: { user_id: {} }, idleTimeout: "1 hour" } as const;
  const { token } = await createSessions<Data>(options).create({ user_id: 2, b: "x".repeat(100) });
  const sessions = createSessions<Data>({ ...options, maxBytes: 40 });
  await expect(sessions.set(token, { c: 1 })).rejects.toHaveProperty(
    "hint",
    expect.stringMatching(/would have 111 bytes/),
  );
  expect(await sessions.touch(token)).toBe(true);
  const rotated = await sessions.rotate(token);
  expect(rotated).not.toBeNull();
  expect(await sessions.by("user_id", 2).unset(["b"])).toBe(1);
  expect(await sessions.set(rotated?.token, { c: 1 })).toBe(true);
  expect(await sessions.delete(rotated?.token)).toBe(true);
});

test("where one session of a set is too large, it and those after it are left as they are", async () => {
  const store = redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" });
  const references = { user_id: {} };
  const sessions = createSessions<Data>({ store, references, idleTimeout: "1 hour", maxBytes: 40 });
  const small = await sessions.create({ user_id: 1 });
  const large = await sessions.create({ user_id: 1, b: "x".repeat(30) });
  const set = sessions.by("user_id", 1).set({ c: "12345" });
  await expect(set).rejects.toMatchObject({
    code: "ERR_SESSION_TOO_LARGE",
    hint: expect.stringMatching(/; its page of the set is as it was, and other pages may/),
  });
  expect((await sessions.get(large.token))?.data).toEqual({ user_id: 1, b: "x".repeat(30) });
  expect((await sessions.get(small.token))?.data).toEqual({ user_id: 1 }); // of the same page
});
