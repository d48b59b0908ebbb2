/* Options that cannot work are refused where they are given, with what to do instead. */
import { Redis } from "ioredis";
import { createSessions, type SessionsOptions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { type RedisStoreOptions, redisStore } from "session-sets/redis";
import { afterAll, describe, expect, test } from "vitest";

type Options = Omit<SessionsOptions<Record<string, unknown>, string>, "references"> & {
  references?: object;
};

const client = new Redis({ lazyConnect: true });
afterAll(() => client.disconnect());

/** Fails unless it throws the error of a mistaken program, whose message says this. */
function expectRefused(work: () => unknown, says: RegExp): void {
  expect(work).toThrowError(
    expect.objectContaining({
      name: "SessionError",
      code: "ERR_SESSION_CONFIG",
      message: expect.stringMatching(says),
    }),
  );
}

/** What is wrong, options that are wrong so, and what the message says. */
type Case = [what: string, options: unknown, says: RegExp];

const DURATION = /must be a duration: milliseconds above zero or a string such as "30 minutes"/;
const badDurations: unknown[] = [
  0,
  -1,
  0.4,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "",
  "soon",
  "0 minutes",
  "-5 minutes",
  "5 fortnights",
  "1".repeat(101),
  "200 years",
  4e12,
  null,
  true,
  {},
  [1000],
];

describe("createSessions refuses", () => {
  const create = (options: unknown) => () =>
    createSessions(options as SessionsOptions<Record<string, unknown>, string>);
  const withIdle = (options: Options | Record<string, unknown>) => ({
    store: memoryStore(),
    idleTimeout: "30 minutes",
    ...options,
  });

  test.each<Case>([
    ["no options", undefined, /takes its options: \{ idleTimeout/],
    ["null for options", null, /takes its options/],
    ["a name for options", "shop", /takes its options/],
    ["no timeout at all", {}, /needs idleTimeout or absoluteTimeout, or both/],
    ["timeouts that are undefined", { idleTimeout: undefined }, /needs idleTimeout/],
    [
      "an option it does not have",
      withIdle({ ttl: 5 }),
      /no option "ttl"; its options are .*idleTimeout/,
    ],
    ["a misspelt option", withIdle({ idletimeout: 5 }), /no option "idletimeout"/],
    ["maxBytes 0", withIdle({ maxBytes: 0 }), /maxBytes must be a whole number above zero/],
    ["maxBytes 1.5", withIdle({ maxBytes: 1.5 }), /maxBytes/],
    ["maxBytes that is a text", withIdle({ maxBytes: "64kb" }), /maxBytes/],
    ["a negative grace", withIdle({ rotationGrace: -1 }), /rotationGrace must be a duration/],
    ["a grace that is no duration", withIdle({ rotationGrace: "a bit" }), /rotationGrace/],
  ])("%s", (_, options, says) => {
    expectRefused(create(options), says);
  });

  test.each(badDurations)("the duration %j", (duration) => {
    expectRefused(create({ idleTimeout: duration }), /^idleTimeout /);
    expectRefused(create({ idleTimeout: duration }), DURATION);
    expectRefused(create({ absoluteTimeout: duration }), /^absoluteTimeout /);
    expectRefused(create({ idleTimeout: "1 hour", absoluteTimeout: duration }), DURATION);
  });

  test.each<Case>([
    ["an empty name", { "": {} }, /The reference "" is empty/],
    ["a name of the library's own", { "@r": {} }, /begins with "@"/],
    ["__proto__", { ["__proto__"]: {} }, /"__proto__" is not allowed/],
    ["a lone surrogate", { "\ud800": {} }, /well-formed Unicode/],
    ["a name over 256 bytes", { ["é".repeat(129)]: {} }, /over 256 bytes/],
    ["options that are none", { user_id: true }, /"user_id" takes its options: \{\} is enough/],
    ["null for options", { user_id: null }, /takes its options/],
    ["a list of names", ["user_id"], /takes its options/],
    [
      "an unknown option",
      { user_id: { unique: true } },
      /"user_id" has no option "unique"; its options are rotate, as/,
    ],
    [
      "a rotate that is no boolean",
      { user_id: { rotate: "no" } },
      /rotate that is neither true nor false/,
    ],
    ["an as that is not known", { user_id: { as: "list" } }, /as that is not "set"/],
  ])("references with %s", (_, references, says) => {
    expectRefused(create(withIdle({ references: references as object })), says);
  });

  test("a plain set in several shards", () => {
    const store = redisStore(client, { shards: 4 });
    expectRefused(
      create(withIdle({ store, references: { user_id: { as: "set" } } })),
      /\{ as: "set" \}, which needs a store of one shard; this one has 4/,
    );
  });

  test.each([
    ["a Redis client", client],
    ["a URL", "redis://127.0.0.1"],
    ["an object", {}],
    ["the store's function", memoryStore],
  ])("%s for a store", (_, store) => {
    expectRefused(create(withIdle({ store })), /store must be .*redisStore\(client\)/);
  });
});

test("createSessions takes durations as numbers and in words, and either timeout alone", () => {
  for (const duration of [1, 1000, 0.6, "1 ms", "30 minutes", "28 days", "1.5h", "100 years"]) {
    const options = { store: memoryStore(), idleTimeout: duration as number };
    expect(() => createSessions(options)).not.toThrow();
    expect(() =>
      createSessions({ store: memoryStore(), absoluteTimeout: duration as number }),
    ).not.toThrow();
  }
  const idleLonger = { idleTimeout: "90 days", absoluteTimeout: "1 day" } as const;
  expect(() => createSessions({ ...idleLonger, rotationGrace: 0 })).not.toThrow();
});

describe("redisStore refuses", () => {
  test.each<Case>([
    ["an empty prefix", { prefix: "" }, /prefix must be letters, digits/],
    ["a prefix with a brace", { prefix: "{shop}" }, /prefix/],
    ["a prefix with a colon", { prefix: "shop:eu" }, /prefix/],
    ["a prefix with a space", { prefix: "my shop" }, /prefix/],
    ["a prefix with a star", { prefix: "shop*" }, /prefix/],
    ["a prefix beyond ASCII", { prefix: "läden" }, /prefix/],
    ["a prefix with a newline at its end", { prefix: "shop\n" }, /prefix/],
    ["no shard", { shards: 0 }, /shards must be a whole number from 1 to 4096/],
    ["minus one shard", { shards: -1 }, /shards/],
    ["4097 shards", { shards: 4097 }, /shards/],
    ["one and a half shards", { shards: 1.5 }, /shards/],
    ["shards in words", { shards: "4" }, /shards/],
    [
      "an option it does not have",
      { ttl: 5 },
      /redisStore has no option "ttl"; its options are prefix, timeout, shards/,
    ],
    ["a timeout over a timer's longest", { timeout: "30 days" }, /timeout must be at most 24 days/],
    ["a timeout one ms over it", { timeout: 2 ** 31 }, /timeout must be at most 24 days/],
    ["an option of another library", { keyPrefix: "x" }, /no option "keyPrefix"/],
  ])("%s", (_, options, says) => {
    expectRefused(() => redisStore(client, options as RedisStoreOptions), says);
  });

  test.each(badDurations)("the timeout %j", (timeout) => {
    expectRefused(
      () => redisStore(client, { timeout: timeout as number }),
      /^timeout must be a duration/,
    );
  });
});

test("redisStore takes any prefix, and shards and timeouts in their bounds", () => {
  for (const timeout of [1, "24 days", 2 ** 31 - 1] as const) redisStore(client, { timeout });
  for (const prefix of ["a", "shop", "Shop-1_eu.2", "0"]) redisStore(client, { prefix });
  for (const shards of [1, 2, 64, 100, 4096]) redisStore(client, { shards });
});

describe("memoryStore refuses", () => {
  test.each<Case>([
    ["room for none", { maxSessions: 0 }, /maxSessions must be a whole number above zero/],
    ["room for less", { maxSessions: -5 }, /maxSessions/],
    ["room for any number", { maxSessions: Number.POSITIVE_INFINITY }, /maxSessions/],
    ["room in words", { maxSessions: "10" }, /maxSessions/],
    [
      "a clock that stands",
      { now: 1_700_000_000_000 },
      /now must be a function that gives the time in ms/,
    ],
    [
      "an option it does not have",
      { max: 1 },
      /memoryStore has no option "max"; its options are maxSessions, now/,
    ],
  ])("%s", (_, options, says) => {
    expectRefused(() => memoryStore(options as object), says);
  });
});

describe("a call refuses", () => {
  const sessions = createSessions<{ user_id?: number; theme?: string }>({
    store: memoryStore(),
    references: { user_id: {} },
    idleTimeout: "1 hour",
  });
  const user = sessions.by("user_id", 1);

  async function expectRejected(work: () => Promise<unknown>, says: RegExp): Promise<void> {
    await expect(work()).rejects.toThrowError(
      expect.objectContaining({ code: "ERR_SESSION_CONFIG", message: expect.stringMatching(says) }),
    );
    expect(await user.size()).toBe(0);
  }

  test.each(badDurations)("the duration %j", async (bad) => {
    const duration = bad as number;
    const idle = { idleTimeout: duration };
    await expectRejected(() => sessions.create({ user_id: 1 }, idle), /^idleTimeout must be/);
    const absolute = { absoluteTimeout: duration };
    await expectRejected(
      () => sessions.create({ user_id: 1 }, absolute),
      /^absoluteTimeout must be/,
    );
    const { token } = await sessions.create({});
    await expectRejected(() => sessions.touch(token, idle), /^idleTimeout must be/);
    if (bad === 0 || bad === "0 minutes" || bad === 0.4) return; // no grace is a grace
    await expectRejected(() => sessions.rotate(token, {}, { grace: duration }), /^grace must be/);
    expect(await sessions.get(token)).not.toBeNull();
  });

  test.each([0, -1, 1.5, 501, Number.NaN, "20"])("the limit %j", async (limit) => {
    const list = () => user.list({ limit: limit as number });
    await expectRejected(list, /limit must be a whole number from 1 to 500.*for await/);
  });

  test.each(["", "x", `AA${"a".repeat(32)}`, "{sessions:0}:s:x", 5, {}])(
    "%j as the session that clear leaves",
    async (except) => {
      const { session } = await sessions.create({ user_id: 1 });
      await expect(user.clear({ except: except as string })).rejects.toHaveProperty(
        "code",
        "ERR_SESSION_CONFIG",
      );
      expect(await user.delete(session.id)).toBe(true);
    },
  );

  test("unknown options, and does nothing of what was asked", async () => {
    const { token, session } = await sessions.create({ theme: "dark" });
    const timeout = { timeout: "1 day" } as object;
    await expectRejected(
      () => sessions.create({ user_id: 1 }, timeout),
      /create has no option "timeout"; its options are idleTimeout, absoluteTimeout/,
    );
    const misspelt = { idletimeout: 5, absoluteTimeout: "1 day" } as object;
    await expectRejected(() => sessions.create({ user_id: 1 }, misspelt), /option "idletimeout"/);
    await expectRejected(
      () => sessions.rotate(token, { user_id: 1 }, { graceTime: 0 } as object),
      /rotate has no option "graceTime"; its options are grace/,
    );
    await expectRejected(() => user.list({ most: 5 } as object), /list has no option "most"/);
    expect((await sessions.get(token))?.data).toEqual({ theme: "dark" });
    expect((await sessions.get(token))?.id).toBe(session.id);
  });

  test("an option that clear does not have, and ends nothing", async () => {
    const all = [await sessions.create({ user_id: 1 }), await sessions.create({ user_id: 1 })];
    const exept = { exept: all[0]?.session.id } as object;
    await expect(user.clear(exept)).rejects.toThrowError(
      expect.objectContaining({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringMatching(/clear has no option "exept"; its options are except/),
      }),
    );
    expect((await user.ids()).sort()).toEqual(all.map(({ session }) => session.id).sort());
    expect(await user.clear()).toBe(2);
  });

  test("a field that is no declared reference, and names those that are", () => {
    for (const field of ["theme", "nothing", "", "@r", "__proto__", "toString"]) {
      const by = () => sessions.by(field as "user_id", 1);
      expectRefused(
        by,
        /is no declared reference \(declared: "user_id"\); add it to the references/,
      );
    }
    const none = createSessions({ store: memoryStore(), idleTimeout: 1000 });
    expectRefused(() => none.by("user_id", 1), /\(declared: none\)/);
  });
});
