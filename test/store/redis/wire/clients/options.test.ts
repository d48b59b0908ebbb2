/* How the options of a client are taken into account. */
import { type RedisOptions as Options6, Redis as Redis6 } from "ioredis";
import { type RedisOptions as Options5, Redis as Redis5 } from "ioredis-5";
import { createClient, RESP_TYPES } from "redis";
import * as redis5 from "redis-5";
import { createSessions } from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redisUrl } from "../../../../support/redis/shared.ts";
import { type Client, clients, freshPrefix } from "../../../../support/stores/stores.ts";

let plain: Client;
beforeAll(() => {
  plain = clients["ioredis 6"](redisUrl());
});
afterAll(() => plain.quit());

interface Data {
  user_id?: number;
  theme?: string;
}

/** Does everything a store does; the keys while the last session is alive. */
async function useAll(client: RedisClient, prefix: string, shards: number): Promise<string[]> {
  const sessions = createSessions<Data>({
    store: redisStore(client, { prefix, shards, timeout: "20 seconds" }),
    references: { user_id: shards === 1 ? { as: "set" } : {} },
    idleTimeout: "1 hour",
  });
  const user = sessions.by("user_id", 1);
  const made = await Promise.all(
    Array.from({ length: 5 }, () => sessions.create({ user_id: 1, theme: "dark" })),
  );
  const { token, session } = made[0] as (typeof made)[number];
  expect((await sessions.get(token))?.data).toEqual({ user_id: 1, theme: "dark" });
  expect((await sessions.get(token, ["theme"]))?.data).toEqual({ theme: "dark" });
  expect(await sessions.set(token, { theme: "light" })).toBe(true);
  expect(await sessions.unset(token, ["theme"])).toBe(true);
  expect(await sessions.touch(token)).toBe(true);
  expect((await sessions.get(token))?.data).toEqual({ user_id: 1 });
  const rotated = await sessions.rotate(token);
  expect(rotated?.session?.data).toEqual({ user_id: 1 });
  expect((await sessions.get(token))?.id).toBe(rotated?.session?.id);
  expect(await sessions.rotate(token)).toBeNull();
  const signedIn = await sessions.signIn(made[3]?.token, { user_id: 1 });
  expect(await sessions.get(made[3]?.token)).toBeNull();
  const again = await sessions.rotate(signedIn.token, { user_id: 1 });
  expect((await sessions.byId(signedIn.session.lineage).get())?.id).toBe(again?.session?.id);
  expect(await user.has(signedIn.session.lineage)).toBe(true);
  expect(await user.size()).toBe(5);
  expect(await user.has(session.id)).toBe(true);
  expect((await user.ids()).length).toBe(5);
  expect((await user.list({ limit: 2 })).length).toBe(2);
  let read = 0;
  for await (const one of user) read += one.data.user_id ?? 0;
  expect(read).toBe(5);
  expect(await user.set({ theme: "dark" })).toBe(5);
  expect(await user.unset(["theme"])).toBe(5);
  expect(await user.delete(made[1]?.session.id ?? "")).toBe(true);
  expect(await user.delete(made[1]?.session.id ?? "")).toBe(false);
  expect(await sessions.delete(made[2]?.token)).toBe(true);
  expect(await user.clear({ except: session.id })).toBe(2);
  const keys = (await plain.keys(`*${prefix}*`)).sort();
  expect(await user.clear()).toBe(1);
  expect(await sessions.get(rotated?.token)).toBeNull();
  return keys;
}

/** The constructor and options that the two versions share. */
type Options = Options5 & Options6;
const kinds: [string, (url: string, options?: Options) => Client][] = [
  ["ioredis 5", (url, options = {}) => new Redis5(url, options)],
  ["ioredis 6", (url, options = {}) => new Redis6(url, options)],
];
const NOWHERE = "redis://127.0.0.1:1";

describe.each(kinds)("%s", (_kind, connect) => {
  test.each([
    ["as it is", {}],
    ["in another database", { db: 3 }],
    ["with auto-pipelining", { enableAutoPipelining: true }],
    ["with numbers as strings", { stringNumbers: true }],
    ["with friendly stacks", { showFriendlyErrorStack: true }],
    ["with its own retries and timeouts", { maxRetriesPerRequest: null, commandTimeout: 20_000 }],
    ["connecting lazily", { lazyConnect: true }],
  ])("works %s", async (_how, options) => {
    const client = connect(redisUrl(), options);
    try {
      for (const shards of [1, 4]) await useAll(client, freshPrefix(), shards);
    } finally {
      await client.quit();
    }
  });

  test("works with a keyPrefix, which comes before the keys", async () => {
    const client = connect(redisUrl(), { keyPrefix: "my app:" });
    const prefix = freshPrefix();
    try {
      const keys = await useAll(client, prefix, 1);
      // A hash, an alias, a pointer, two kinds of set; what the sign-in and a rotation left; and
      // the mark of a clear.
      expect(keys.length).toBe(5 + 2 + 1);
      for (const key of keys) expect(key.startsWith(`my app:{${prefix}:0}:`)).toBe(true);
      await useAll(client, freshPrefix(), 4);
    } finally {
      await client.quit();
    }
  });

  test("shows keys as the client with the keyPrefix takes them", async () => {
    const client = connect(redisUrl(), { keyPrefix: "my-app:" });
    try {
      const sessions = createSessions<Data>({
        store: redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }),
        references: { user_id: { as: "set" } },
        idleTimeout: "1 hour",
      });
      const { session } = await sessions.create({ user_id: 1 });
      expect(await client.smembers(sessions.by("user_id", 1).key)).toEqual([session.id]);
    } finally {
      await client.quit();
    }
  });

  test.each(["{app}:", "app{", "}"])(
    "is refused with a brace in its keyPrefix: %s",
    (keyPrefix) => {
      const client = connect(NOWHERE, { lazyConnect: true, keyPrefix });
      expect(() => redisStore(client)).toThrowError(
        expect.objectContaining({
          code: "ERR_SESSION_CONFIG",
          message: expect.stringMatching(/keyPrefix.*Leave it out/),
        }),
      );
    },
  );

  test("is not closed with the store", async () => {
    const client = connect(redisUrl());
    try {
      const store = redisStore(client);
      await store.close();
      expect(await client.ping()).toBe("PONG");
    } finally {
      await client.quit();
    }
  });
});

test.each([
  ["redis 5", redis5.createClient, redis5.RESP_TYPES],
  ["redis 6", createClient, RESP_TYPES],
] as const)(
  "%s works where it gives maps as Maps, and texts as Buffers",
  async (_, create, types) => {
    const typeMapping = { [types.MAP]: Map, [types.BLOB_STRING]: Buffer };
    const options = { url: redisUrl(), RESP: 3, commandOptions: { typeMapping } };
    const client = (create as typeof createClient)(options as Parameters<typeof createClient>[0]);
    await client.connect();
    try {
      await useAll(client as RedisClient, freshPrefix(), 1);
    } finally {
      await client.close();
    }
  },
);

test("redis 6 has no time limit of its own for a command while few are on their way", async () => {
  const client = createClient({ url: redisUrl() });
  await client.connect();
  const limited: boolean[] = [];
  const send = client.sendCommand.bind(client);
  client.sendCommand = (args, options) => {
    limited.push(!options || !("timeout" in options));
    return send(args, options);
  };
  try {
    const sessions = createSessions({
      store: redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }),
    });
    const { token } = await sessions.create({ theme: "dark" });
    const readMany = async (count: number) => {
      limited.length = 0;
      await Promise.all(Array.from({ length: count }, () => sessions.get(token)));
      return limited.filter(Boolean).length;
    };
    expect(await readMany(1000)).toBe(0);
    expect(limited).toHaveLength(1000);
    expect(await readMany(1100)).toBe(100);
    expect(await readMany(1000)).toBe(0);
  } finally {
    await client.close();
  }
});
