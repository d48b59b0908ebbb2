/* Options that cannot work are refused where they are given, with what to do instead. */
import { Redis } from "ioredis";
import { createSessions, type Deadlines, type SessionsOptions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { type RedisStoreOptions, redisStore } from "session-sets/redis";
import { afterAll, describe, expect, test } from "vitest";

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

/** A fault, options with that fault, and the message's text. */
type Case = [what: string, options: unknown, says: RegExp];

const DURATION = /must be a duration: milliseconds above zero or a string such as "30 minutes"/;
/** Values that are a duration nowhere; null turns a deadline off, and is none where one is needed. */
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
  true,
  {},
  [1000],
];

describe("createSessions refuses", () => {
  const create = (options: unknown) => () => createSessions(options as SessionsOptions<object>);
  const withStore = (options: object) => ({ store: memoryStore(), ...options });

  test.each<Case>([
    [
      "null for options",
      null,
      /takes an object of options, such as \{ references: \["user_id"\] \}/,
    ],
    ["a name for options", "shop", /takes an object of options/],
    ["a client for options", () => client, /takes an object of options/],
    [
      "an option it does not have",
      withStore({ ttl: 5 }),
      /no option "ttl"; its options are .*idleTimeout/,
    ],
    ["an option of before", withStore({ rotate: false }), /createSessions has no option "rotate"/],
    ["a misspelt option", withStore({ idletimeout: 5 }), /no option "idletimeout"/],
    ["maxBytes 0", withStore({ maxBytes: 0 }), /maxBytes must be a whole number above zero/],
    ["maxBytes 1.5", withStore({ maxBytes: 1.5 }), /maxBytes/],
    ["maxBytes that is a text", withStore({ maxBytes: "64kb" }), /maxBytes/],
    [
      "a negative grace",
      withStore({ rotationGrace: -1 }),
      /rotationGrace must be a duration: milliseconds, zero or more, or a string/,
    ],
    ["a grace that is no duration", withStore({ rotationGrace: "a bit" }), /rotationGrace/],
  ])("%s", (_, options, says) => {
    expectRefused(create(options), says);
  });

  test.each(badDurations)("the duration %j", (duration) => {
    expectRefused(create({ idleTimeout: duration }), /^idleTimeout /);
    expectRefused(create({ idleTimeout: duration }), DURATION);
    expectRefused(create({ absoluteTimeout: duration }), /^absoluteTimeout /);
    expectRefused(create({ idleTimeout: "1 hour", absoluteTimeout: duration }), DURATION);
    expectRefused(create({ idleTimeout: null, absoluteTimeout: duration }), DURATION);
  });

  test.each<Case>([
    ["an empty name", { "": {} }, /The reference "" is empty/],
    ["a name of the library's own", { "@r": {} }, /begins with "@"/],
    ["__proto__", { ["__proto__"]: {} }, /"__proto__" is not allowed/],
    ["a lone surrogate", { "\ud800": {} }, /well-formed Unicode/],
    ["a name over 256 bytes", { ["é".repeat(129)]: {} }, /over 256 bytes/],
    [
      "false for options",
      { user_id: false },
      /"user_id" must be declared true, or with an object of options/,
    ],
    ["null for options", { user_id: null }, /must be declared true/],
    ["a name for options", { user_id: "string" }, /must be declared true/],
    [
      "an unknown option",
      { user_id: { unique: true } },
      /"user_id" has no option "unique"; its options are identity, type, as/,
    ],
    [
      "the option's name of before",
      { team_ids: { rotate: false } },
      /"team_ids" has no option "rotate"; its options are identity,/,
    ],
    [
      "an identity that is no boolean",
      { user_id: { identity: "no" } },
      /identity that is neither true nor false/,
    ],
    ["an identity that is null", { user_id: { identity: null } }, /neither true nor false/],
    ["a type that is not known", { user_id: { type: "boolean" } }, /neither "string" nor "number"/],
    ["a constructor for a type", { user_id: { type: Number } }, /neither "string" nor "number"/],
    ["a type that is null", { user_id: { type: null } }, /neither "string" nor "number"/],
    ["a name twice", ["user_id", "user_id"], /"user_id" is declared twice/],
    ["a name twice, once with options", ["user_id", { user_id: {} }], /declared twice/],
    ["a name in two records", [{ user_id: true }, { user_id: true }], /declared twice/],
    ["an empty name in a list", [""], /The reference "" is empty/],
    ["a name of the library's own in a list", ["@r"], /begins with "@"/],
    ["a name alone", "user_id", /references must be a list such as \["user_id", /],
    ["a number", 5, /references must be a list such as/],
    ["a list of numbers", [1], /references must be a list such as/],
    ["null in a list", [null], /references must be a list such as/],
    ["undefined in a list", [undefined], /references must be a list such as/],
    ["true in a list", [true], /references must be a list such as/],
    ["a list in a list", [["user_id"]], /references must be a list such as/],
    ["an as that is not known", { user_id: { as: "list" } }, /as that is not "set"/],
  ])("references with %s", (_, references, says) => {
    expectRefused(create(withStore({ references })), says);
  });

  test("a plain set in several shards", () => {
    const store = redisStore(client, { shards: 4 });
    expectRefused(
      create(withStore({ store, references: { user_id: { as: "set" } } })),
      /\{ as: "set" \}, which needs a store of one shard; this one has 4/,
    );
  });

  test.each([
    ["a Redis client", client],
    ["a URL", "redis://127.0.0.1"],
    ["an object", {}],
    ["the store's function", memoryStore],
  ])("%s for a store", (_, store) => {
    expectRefused(create(withStore({ store })), /store must be .*redisStore\(client\)/);
  });
});

test("createSessions takes durations as numbers and in words, and either timeout alone", () => {
  for (const duration of [1, 1000, 0.6, "1 ms", "30 minutes", "28 days", "1.5h"] as const) {
    expect(() => createSessions({ store: memoryStore(), idleTimeout: duration })).not.toThrow();
    expect(() => createSessions({ store: memoryStore(), absoluteTimeout: duration })).not.toThrow();
  }
  const idleLonger = { idleTimeout: "100 years", absoluteTimeout: "1 day" } as const;
  expect(() => createSessions({ ...idleLonger, rotationGrace: 0 })).not.toThrow();
});

describe("redisStore refuses", () => {
  test.each<Case>([
    ["an empty prefix", { prefix: "" }, /prefix must be one or more letters, digits/],
    ["a prefix with a brace", { prefix: "{shop}" }, /prefix/],
    ["a prefix with a colon", { prefix: "shop:eu" }, /prefix must be .*; got "shop:eu"$/],
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
      /memoryStore has no option "max"; its options are maxSessions, maxTotalBytes, now/,
    ],
  ])("%s", (_, options, says) => {
    expectRefused(() => memoryStore(options as object), says);
  });
});

describe("a call refuses", () => {
  const sessions = createSessions<{ user_id?: number; theme?: string }>({
    store: memoryStore(),
    references: ["user_id"],
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
    for (const old of [token, null]) {
      const signIn = (deadlines: Deadlines) => () =>
        sessions.signIn(old, { user_id: 1 }, deadlines);
      await expectRejected(signIn(idle), /^idleTimeout must be/);
      await expectRejected(signIn(absolute), /^absoluteTimeout must be/);
    }
    await expectRejected(() => sessions.touch(token, idle), /^idleTimeout must be/);
    if (bad === 0 || bad === "0 minutes" || bad === 0.4) return; // no grace is a grace
    await expectRejected(() => sessions.rotate(token, {}, { grace: duration }), /^grace must be/);
    expect(await sessions.get(token)).not.toBeNull();
  });

  test("null for a duration that cannot be turned off", async () => {
    const { token } = await sessions.create({});
    const none = null as unknown as number;
    const touch = () => sessions.touch(token, { idleTimeout: none });
    await expectRejected(touch, /^idleTimeout must be a duration/);
    await expectRejected(() => sessions.rotate(token, {}, { grace: none }), /^grace must be/);
  });

  test.each([0, -1, 1.5, 501, Number.NaN, "20"])("the limit %j", async (limit) => {
    const list = () => user.list({ limit: limit as number });
    await expectRejected(list, /limit must be a whole number from 1 to 500.*for await/);
  });

  test.each<[string, unknown]>([
    ["an id", `AA${"a".repeat(22)}`],
    ["true", true],
    ["a page", []],
    ["nothing of a session", {}],
    ["no deadline", { id: `AA${"a".repeat(22)}` }],
    ["a deadline that is no date", { id: `AA${"a".repeat(22)}`, expiresAt: "2026-01-01" }],
    ["a deadline in ms", { id: `AA${"a".repeat(22)}`, expiresAt: 1 }],
    ["a date that is none", { id: `AA${"a".repeat(22)}`, expiresAt: new Date(Number.NaN) }],
    ["no id", { expiresAt: new Date() }],
    ["a token for an id", { id: `AA${"a".repeat(32)}`, expiresAt: new Date() }],
    ["an id of a shard that there is not", { id: `AB${"a".repeat(22)}`, expiresAt: new Date() }],
  ])("%s as the session that a page comes after", async (_, after) => {
    for (const options of [{ after }, { limit: 10, after }]) {
      await expectRejected(
        () => user.list(options as object),
        /^after must be the last session .* list\(\{ limit, after: page\.at\(-1\) \}\)/,
      );
    }
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
      /create has no option "timeout"; its options are idleTimeout, absoluteTimeout, asOf/,
    );
    const misspelt = { idletimeout: 5, absoluteTimeout: "1 day" } as object;
    await expectRejected(() => sessions.create({ user_id: 1 }, misspelt), /option "idletimeout"/);
    for (const old of [token, null]) {
      await expectRejected(
        () => sessions.signIn(old, { user_id: 1 }, timeout),
        /signIn has no option "timeout"; its options are idleTimeout, absoluteTimeout, asOf, keep/,
      );
      const keeps = { keeps: ["theme"] } as object;
      await expectRejected(() => sessions.signIn(old, { user_id: 1 }, keeps), /option "keeps"/);
      const bearer = { carrier: "bearer" } as object;
      await expectRejected(() => sessions.signIn(old, { user_id: 1 }, bearer), /option "carrier"/);
    }
    await expectRejected(
      () => sessions.rotate(token, { user_id: 1 }, { graceTime: 0 } as object),
      /rotate has no option "graceTime"; its options are grace, asOf/,
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
        /isn't a declared reference \(declared: "user_id"\); add it to the references/,
      );
    }
    const none = createSessions({ store: memoryStore() });
    expectRefused(() => none.by("user_id", 1), /\(declared: none\)/);
  });
});
