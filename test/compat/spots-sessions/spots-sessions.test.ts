/* `session-sets/compat/spots-sessions`: what its predecessor documents, and what went wrong there. */
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import DefaultExport, {
  SpotsSessions,
  type SpotsSessionsOptions,
} from "session-sets/compat/spots-sessions";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { withLifetime } from "../../support/lifetime.ts";
import { dumpServer, watchCommands } from "../../support/redis/dump.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { elapseOn } from "../../support/stores/stores.ts";

const opened: SpotsSessions[] = [];
function open(options: SpotsSessionsOptions = {}): SpotsSessions {
  const sessions = new SpotsSessions({ connectionString: redisUrl(), ...options });
  opened.push(sessions);
  return sessions;
}

let spotsSessions: SpotsSessions;
let client: Redis;
beforeAll(() => {
  spotsSessions = open();
  client = spotsSessions.client;
});
afterAll(() => Promise.all(opened.map(({ client }) => client.quit())));

let app: string;
beforeEach(() => {
  app = `app-${randomBytes(8).toString("hex")}`;
});

const make = (more: object = {}) =>
  spotsSessions.create({ app, ownerId: "123qwe", data: { n: 1 }, duration: 3600, ...more });
const get = (token: string) => spotsSessions.get({ app, token });
const refused = (code: string) => expect.objectContaining({ name: "SessionError", code });
/** The keys of the sessions of this test's app. */
async function readKeys(): Promise<string[]> {
  const keys = await client.keys("{spots-sessions:0}:s:*");
  const apps = await Promise.all(keys.map((key) => client.hget(key, "app")));
  return keys.filter((_key, n) => apps[n] === app);
}
const onlyKey = async () => {
  const [key, ...more] = await readKeys();
  expect(more).toEqual([]);
  return key ?? "";
};

test("a session whose owner was removed by hand counts as none", async () => {
  const token = await make();
  await client.hdel(await onlyKey(), "ownerId");
  expect(await get(token)).toBeUndefined();
});

test.each(['{"toString":null}', "[1]", "7", "null"])(
  "an owner %s that was written by hand is read as it stands",
  async (owner) => {
    const token = await make();
    await client.hset(await onlyKey(), "ownerId", owner);
    expect(await get(token)).toMatchObject({ ownerId: owner });
  },
);

/*
 * The README's examples, in their order. Fixed: the import line; the connection, which is the test
 * server's; the parentheses of `create({ … )`; `success` and `spotsSessions` are declared once; the name
 * of the app, which is the test's own; the token, which is the one that was created; and, for the
 * compiler, that `get` may find nothing.
 */
test("the README's examples run", async () => {
  const spotsSessions = new SpotsSessions({
    connectionString: redisUrl(),
    tokenEncoding: "base64",
    tokenSize: 128,
  });

  const token = await spotsSessions.create({
    app,
    ownerId: "123qwe",
    data: {
      firstName: "John",
      lastName: "Doe",
      currentDeviceToken: "123",
    },
    duration: 3600,
  });

  const { ownerId, data } = (await spotsSessions.get({ app, token })) ?? {};
  expect(ownerId).toBe("123qwe");
  expect(data).toEqual({ firstName: "John", lastName: "Doe", currentDeviceToken: "123" });

  let success = await spotsSessions.refresh({ app, token, duration: 7200 });
  expect(success).toBe(true);

  success = await spotsSessions.update({
    app,
    token,
    data: {
      name: null, // Use null to delete existing values, undefined values will be ignored
      age: 25,
    },
  });
  expect(success).toBe(true);
  expect((await spotsSessions.get({ app, token }))?.data).toEqual({
    firstName: "John",
    lastName: "Doe",
    currentDeviceToken: "123",
    age: 25,
  });

  success = await spotsSessions.kill({ app, token });
  expect(success).toBe(true);

  success = await spotsSessions.killAll({ app, ownerId: "123qwe" });
  expect(success).toBe(false);
  await spotsSessions.client.quit();
});

describe("a SpotsSessions", () => {
  test("is exported by name and as the default", () => {
    expect(DefaultExport).toBe(SpotsSessions);
  });

  test("takes a connection string, options with one, none of them, or nothing", async () => {
    const url = new URL(redisUrl());
    const port = Number(url.port);
    for (const argument of [redisUrl(), { connectionString: redisUrl() }]) {
      const sessions = new SpotsSessions(argument);
      expect(sessions.client.options.port).toBe(port);
      const token = await sessions.create({ app, ownerId: "1", data: {}, duration: 60 });
      expect(await get(token)).toEqual({ ownerId: "1", data: {} });
      await sessions.client.quit();
    }
    for (const args of [[], [{}], [undefined]] as [SpotsSessionsOptions?][]) {
      const sessions = new SpotsSessions(...args);
      sessions.client.on("error", () => {}); // perhaps nobody is there
      expect(sessions.client.options).toMatchObject({ host: "localhost", port: 6379 });
      sessions.client.disconnect();
    }
  });

  test("exposes its client, which is one of ioredis", async () => {
    expect(spotsSessions.client).toBeInstanceOf(Redis);
    expect(await spotsSessions.client.ping()).toBe("PONG");
  });

  test.each([
    { tokenSize: 19 },
    { tokenSize: 0 },
    { tokenSize: 20.5 },
    { tokenEncoding: "utf8" as never },
    { tokenEncoding: "ascii" as never },
    { tokensize: 128 } as never,
  ])("refuses %o", (options) => {
    expect(() => new SpotsSessions(options)).toThrow(refused("ERR_SESSION_CONFIG"));
  });
});

describe("create", () => {
  test.each([
    [undefined, undefined, 128, "base64"],
    [20, undefined, 20, "base64"],
    [32, "hex", 32, "hex"],
    [48, "base64url", 48, "base64url"],
    [24, "latin1", 24, "latin1"],
  ] as const)(
    "gives tokens of tokenSize %s and tokenEncoding %s",
    async (size, encoding, bytes, as) => {
      const sessions = open({
        ...(size === undefined ? {} : { tokenSize: size }),
        ...(encoding === undefined ? {} : { tokenEncoding: encoding }),
      });
      const create = () => sessions.create({ app, ownerId: "1", data: { as }, duration: 60 });
      const [token, other] = [await create(), await create()];
      expect(other).not.toBe(token);
      expect(Buffer.from(token, as)).toHaveLength(bytes);
      expect(Buffer.from(token, as).toString(as)).toBe(token);
      expect(await sessions.get({ app, token })).toEqual({ ownerId: "1", data: { as } });
    },
  );

  test("needs no data", async () => {
    const token = await spotsSessions.create({ app, ownerId: "1", duration: 60 });
    expect(await get(token)).toEqual({ ownerId: "1", data: {} });
  });

  test("keeps the token nowhere, and no part of it", async () => {
    const token = await make();
    expect(await dumpServer(redisUrl())).not.toContain(token.slice(0, 20));
  });

  test.each([undefined, null, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, "3600", 0.0001])(
    "and refresh refuse the duration %s",
    async (duration) => {
      await expect(make({ duration })).rejects.toThrow(refused("ERR_SESSION_VALUE"));
      expect(await readKeys()).toEqual([]);
      const token = await make();
      const refresh = spotsSessions.refresh({ app, token, duration: duration as number });
      await expect(refresh).rejects.toThrow(refused("ERR_SESSION_VALUE"));
    },
  );

  test.each([
    { app: undefined },
    { ownerId: undefined },
    { ownerId: {} },
    { data: [] },
    { data: null },
  ])("refuses %o", async (wrong) => {
    await expect(make(wrong)).rejects.toThrow(refused("ERR_SESSION_VALUE"));
  });
});

describe("get, refresh, update and kill", () => {
  test("of no session answer so", async () => {
    for (const token of ["qwerty", "", "*", undefined as never, null as never, {} as never]) {
      expect(await get(token)).toBeUndefined();
      expect(await spotsSessions.refresh({ app, token, duration: 60 })).toBe(false);
      expect(await spotsSessions.update({ app, token, data: { a: 1 } })).toBe(false);
      expect(await spotsSessions.kill({ app, token })).toBe(false);
    }
    expect(await readKeys()).toEqual([]);
  });

  test("of a session that was killed, too: nothing brings it back", async () => {
    const token = await make();
    expect(await spotsSessions.kill({ app, token })).toBe(true);
    expect(await spotsSessions.refresh({ app, token, duration: 60 })).toBe(false);
    expect(await spotsSessions.update({ app, token, data: { a: 1 } })).toBe(false);
    expect(await get(token)).toBeUndefined();
    expect(await readKeys()).toEqual([]);
  });
});

describe("the duration", () => {
  const deadline = async () => Number(await client.pexpiretime(await onlyKey()));
  /** Whether a call set the deadline to this many seconds from a moment within it. */
  async function sets(seconds: number, call: () => Promise<unknown>): Promise<void> {
    const now = async () => {
      const [s = 0, us = 0] = (await client.time()).map(Number);
      return s * 1000 + us / 1000;
    };
    const before = Math.floor(await now());
    await call();
    const after = await now();
    expect(await deadline()).toBeGreaterThanOrEqual(before + seconds * 1000);
    expect(await deadline()).toBeLessThanOrEqual(after + seconds * 1000);
  }

  test("is in seconds, from create and from each refresh, either way", async () => {
    let token = "";
    await sets(3600, async () => {
      token = await make();
    });
    for (const duration of [7200, 60, 1.5, 28 * 86_400]) {
      await sets(duration, () => spotsSessions.refresh({ app, token, duration }));
    }
  });

  test("is moved by nothing else: not by get, and not by update", async () => {
    const token = await make();
    const before = await deadline();
    await elapseOn(client, 5);
    await get(token);
    await spotsSessions.update({ app, token, data: { a: 1, n: null } });
    expect(await deadline()).toBe(before);
  });

  test("ends the session and all that belongs to it, with nobody running", async () => {
    const { token, kept, lifetime } = await withLifetime(2000, async (lifetime) => {
      await spotsSessions.killAll({ app, ownerId: app }); // of an earlier try
      const token = await make({ duration: 3600, ownerId: app });
      await spotsSessions.refresh({ app, token, duration: lifetime / 1000 });
      const kept = await readKeys();
      expect(kept).toHaveLength(1);
      return { token, kept, lifetime };
    });
    await elapseOn(client, lifetime + 5);
    expect(await get(token)).toBeUndefined();
    expect(await client.exists(...kept)).toBe(0);
    expect((await client.keys("*")).filter((key) => key.includes(app))).toEqual([]);
  });
});

test("update merges: null deletes a value, undefined is ignored, and a value inside may be null", async () => {
  const token = await make({ data: { a: 1, b: 2, c: 3, kept: null } });
  const data = { a: null, b: undefined, c: { d: null }, absent: null, e: new Date(0) };
  expect(await spotsSessions.update({ app, token, data })).toBe(true);
  expect((await get(token))?.data).toEqual({
    b: 2,
    c: { d: null },
    kept: null,
    e: "1970-01-01T00:00:00.000Z",
  });
});

test("two updates at once both survive", async () => {
  const token = await make();
  const all = Array.from({ length: 20 }, (_, n) => ({ [`f${n}`]: n }));
  await Promise.all(all.map((data) => spotsSessions.update({ app, token, data })));
  expect((await get(token))?.data).toEqual(Object.assign({ n: 1 }, ...all));
});

test("killAll ends all sessions of an owner and nobody else's, and says whether there were any", async () => {
  const mine = [await make(), await make(), await make()];
  const other = await make({ ownerId: "123" });
  expect(await spotsSessions.killAll({ app, ownerId: "123qwe" })).toBe(true);
  for (const token of mine) expect(await get(token)).toBeUndefined();
  expect(await get(other)).toBeDefined();
  expect(await spotsSessions.killAll({ app, ownerId: "123qwe" })).toBe(false);
  expect(await spotsSessions.killAll({ app, ownerId: "*" })).toBe(false);
});

describe("apps are kept apart", () => {
  test("a token is of its app alone, and so is an owner", async () => {
    const token = await make();
    for (const other of [`${app}2`, app.slice(0, -1), "*", "", `${app}|token:x`]) {
      expect(await spotsSessions.get({ app: other, token })).toBeUndefined();
      expect(await spotsSessions.kill({ app: other, token })).toBe(false);
      expect(await spotsSessions.killAll({ app: other, ownerId: "123qwe" })).toBe(false);
    }
    expect(await get(token)).toBeDefined();
  });

  test("no two names of an app and an owner meet, however they are written", async () => {
    const names = [
      ["a", "b"],
      ["a,b", ""],
      ["", "a,b"],
      ['a","b', ""],
      ["a|ownerId:b", ""],
      ["a:b", "c"],
      ["a", "b:c"],
      ["*", "*"],
      ["\ud800", "\udc00"],
      ["{", "}"],
    ].map(([app, ownerId]) => ({
      app: `${app}${randomBytes(4).toString("hex")}`,
      ownerId: ownerId ?? "",
    }));
    const tokens = new Map<(typeof names)[number], string>();
    for (const name of names) {
      tokens.set(name, await spotsSessions.create({ ...name, data: {}, duration: 60 }));
    }
    for (const name of names) {
      const token = tokens.get(name) ?? "";
      expect((await spotsSessions.get({ app: name.app, token }))?.ownerId).toBe(name.ownerId);
      expect(await spotsSessions.killAll(name)).toBe(true);
      expect(await spotsSessions.get({ app: name.app, token })).toBeUndefined();
    }
  });
});

test("app and ownerId never collide with data of the same names", async () => {
  const data = { app: "x", ownerId: "y", token: "z", "data.app": 1, "@c": 2, "": 3, "\ud800": 4 };
  const token = await make({ data });
  expect(await get(token)).toEqual({ ownerId: "123qwe", data });
  const update = { app: null, ownerId: "thief", "@c": null };
  expect(await spotsSessions.update({ app, token, data: update })).toBe(true);
  expect(await get(token)).toEqual({
    ownerId: "123qwe",
    data: { ownerId: "thief", token: "z", "data.app": 1, "": 3, "\ud800": 4 },
  });
  expect(await spotsSessions.killAll({ app, ownerId: "thief" })).toBe(false);
  expect(await spotsSessions.killAll({ app, ownerId: "123qwe" })).toBe(true);
});

test("an ownerId that is a number or reads like one is given back as text", async () => {
  for (const ownerId of [42, "42", "true", "null"]) {
    const token = await make({ ownerId });
    expect((await get(token))?.ownerId).toBe(String(ownerId));
  }
  expect(await spotsSessions.killAll({ app, ownerId: 42 as never })).toBe(true);
  expect(await readKeys()).toHaveLength(2);
});

/* The package's faults, shown by its commands, and what is done instead. */

describe("on a server of its own", () => {
  let server: RedisServer;
  let sessions: SpotsSessions;
  beforeAll(async () => {
    server = await startRedis();
    sessions = new SpotsSessions(server.url);
    sessions.client.on("error", () => {}); // while the server is restarted
  });
  afterAll(async () => {
    sessions.client.disconnect();
    await server.stop();
  });

  test("a token of * matched some user's session, because reads were patterns of KEYS", async () => {
    const old = sessions.client;
    await old.set("app:my-app|token:secret|ownerId:eva", "{}");
    expect(await old.keys("app:my-app|token:**")).toEqual(["app:my-app|token:secret|ownerId:eva"]);

    await sessions.create({ app: "my-app", ownerId: "eva", data: {}, duration: 60 });
    for (const token of ["*", "?*", "[a-z]*", "", "**"]) {
      expect(await sessions.get({ app: "my-app", token })).toBeUndefined();
      expect(await sessions.kill({ app: "my-app", token })).toBe(false);
    }
    expect(await sessions.get({ app: "*", token: "*" })).toBeUndefined();
    expect(await sessions.killAll({ app: "*", ownerId: "*" })).toBe(false);
    expect(await sessions.killAll({ app: "my-app", ownerId: "*" })).toBe(false);
    expect(await sessions.killAll({ app: "my-app", ownerId: "eva" })).toBe(true);
  });

  test("every read went through all keys; now nothing does", async () => {
    const watch = await watchCommands(server.url);
    const owner = { app: "watched", ownerId: "1" };
    const token = await sessions.create({ ...owner, data: { a: 1 }, duration: 60 });
    const of = { app: "watched", token };
    await sessions.get(of);
    await sessions.refresh({ ...of, duration: 60 });
    await sessions.update({ ...of, data: { a: 2 } });
    await sessions.kill(of);
    await sessions.killAll(owner);
    const text = await watch.text();
    watch.stop();
    expect(text).toContain("EVALSHA");
    expect(text.toLowerCase()).not.toMatch(/^(?:keys|scan) /m);
  });

  test("all keys are under one hash tag, so in one slot", async () => {
    await server.restart();
    await sessions.create({ app, ownerId: "1", data: { a: 1 }, duration: 60 });
    const keys = await sessions.client.keys("*");
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(key).toMatch(/^\{spots-sessions:0\}:/);
  });
});
