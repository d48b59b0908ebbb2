/* A store asks a server what it is at first use, and refuses some servers. */
import { Cluster, Redis } from "ioredis";
import { createSessions } from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createChanges, createDraft, createForUser, of } from "../../../../src/testing/steps.ts";
import { intercepted } from "../../../support/intercept.ts";
import { type RedisCluster, startCluster } from "../../../support/redis/cluster.ts";
import { type InfoProxy, openInfoProxy } from "../../../support/redis/info-proxy.ts";
import { startRedis } from "../../../support/redis/server.ts";
import { redisUrl } from "../../../support/redis/shared.ts";
import { singleClients } from "../../../support/stores/clients.ts";
import { freshPrefix } from "../../../support/stores/stores.ts";

const USER = of("user_id", "1");
const GARNET =
  /The server is Garnet, whose Lua scripts are not atomic over the keys that they compute.*Nothing was written/;
const ACTIVE_ACTIVE =
  /The server is a Redis Active-Active database, which merges.*Nothing was written/;

/** Servers as their INFO tells of them; what each is asked besides. */
const garnet = (info: string) => info.replace(/^redis_version:/m, "garnet_version:1.0.87\r\n$&");
const software = (info: string) => info.replace(/^server_time_usec:.*\r\n/m, "");
const activeActive = (info: string, section: string) =>
  section === "crdt" ? "# CRDT Context\r\ncrdt_config_version:1\r\n" : software(info);

const opened: InfoProxy[] = [];
afterEach(async () => {
  for (const proxy of opened.splice(0)) await proxy.close();
});

const sharedPort = () => Number(new URL(redisUrl()).port);

async function openProxy(change: (info: string, section: string) => string): Promise<InfoProxy> {
  const proxy = await openInfoProxy(sharedPort(), change);
  opened.push(proxy);
  return proxy;
}

async function readKeys(prefix: string): Promise<string[]> {
  const admin = new Redis(redisUrl());
  const keys = await admin.keys(`*${prefix}*`);
  admin.disconnect();
  return keys;
}

/** Each verb of a store that comes first; nothing is written, and no script is run. */
const FIRSTS: Record<string, (store: ReturnType<typeof redisStore>) => Promise<unknown>> = {
  create: (store) => createForUser(store, "1"),
  find: (store) => store.find(createDraft(store).id),
  count: (store) => store.count(USER),
  list: (store) => store.list(USER, { limit: 10, order: "last-seen" }),
  "list by deadlines": (store) => store.list(USER, { limit: 10, order: "deadline" }),
  has: (store) => store.has(USER, createDraft(store).id),
  changeAll: (store) => store.changeAll(USER, createChanges({ set: { a: "1" } })),
  endAll: (store) => store.endAll(USER),
  end: (store) => store.end(createDraft(store).id),
};

async function expectRefused(client: RedisClient, message: RegExp, shards = 1): Promise<void> {
  const prefix = freshPrefix();
  for (const [name, first] of Object.entries(FIRSTS)) {
    const store = redisStore(client, { prefix, shards, timeout: "20 seconds" });
    // Also the second time: it is refused as long as the server is what it is.
    for (let i = 0; i < 2; i++) {
      await expect(first(store), name).rejects.toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringMatching(message),
      });
    }
  }
  expect(await readKeys(prefix)).toEqual([]);
}

describe.each(Object.entries(singleClients))("with %s", (_kind, connect) => {
  test.each([
    ["Garnet", garnet, GARNET],
    ["Redis Active-Active", activeActive, ACTIVE_ACTIVE],
  ])("%s is refused by name, before anything is written", async (_, change, message) => {
    const proxy = await openProxy(change);
    const { client, close } = await connect(Number(new URL(proxy.url).port));
    onTestFinished(() => close() as Promise<void>);
    await expectRefused(client, message);
    expect(proxy.commands).not.toContain("EVALSHA");
    expect(proxy.commands).not.toContain("EVAL");
  });

  test("a server that does not tell the time in INFO is asked for it, and used", async () => {
    const proxy = await openProxy(software);
    const { client, close } = await connect(Number(new URL(proxy.url).port));
    onTestFinished(() => close() as Promise<void>);
    const store = redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" });
    await createForUser(store, "1");
    expect(await store.count(USER)).toBe(1);
    expect(proxy.commands.filter((name) => name === "TIME")).toHaveLength(1);
  });

  test("a user who may not call INFO is not in the way", async () => {
    const admin = new Redis(redisUrl());
    onTestFinished(() => admin.disconnect());
    const name = freshPrefix();
    await admin.call("ACL", "SETUSER", name, "on", ">pw", "~*", "&*", "+@all", "-info");
    onTestFinished(() => void admin.call("ACL", "DELUSER", name));
    const { client, close } = await connect(sharedPort());
    onTestFinished(() => close() as Promise<void>);
    await authenticate(client, name);
    const store = redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" });
    await createForUser(store, "1");
    expect(await store.count(USER)).toBe(1);
  });
});

async function authenticate(client: RedisClient, user: string): Promise<void> {
  if ("customCommand" in client) {
    await (client.customCommand as (args: string[]) => Promise<unknown>)(["AUTH", user, "pw"]);
  } else if ("call" in client) await client.call("AUTH", [user, "pw"]);
  else await (client.sendCommand as (args: string[]) => Promise<unknown>)(["AUTH", user, "pw"]);
}

test("a server is asked what it is once, no matter which call is first", async () => {
  const proxy = await openProxy((info) => info);
  const client = new Redis(proxy.url);
  onTestFinished(() => client.disconnect());
  await client.ping();
  const before = proxy.commands.length;
  const store = redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" });
  for (let i = 0; i < 3; i++) await store.count(USER);
  await createForUser(store, "1");
  const asked = proxy.commands.slice(before).filter((name) => name === "INFO" || name === "TIME");
  expect(asked).toEqual(["INFO"]);
});

describe("of a cluster", () => {
  let cluster: RedisCluster;
  let client: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    client = new Cluster([{ host: "127.0.0.1", port: cluster.masters[0]?.port ?? 0 }]);
  });
  afterAll(async () => {
    client?.disconnect();
    await cluster?.stop();
  });

  /** The answer to the script that asks a node, with another INFO in it. */
  function telling(change: (info: string) => string, sent: string[] = []) {
    return intercepted(client, async ({ name, args, script }, pass) => {
      const what = script ?? (args[0]?.includes("'INFO'") ? "who are you" : name);
      sent.push(what);
      const reply = await pass();
      if (what !== "who are you") return reply; // a read is sent beside the question
      const [seconds, micros, info] = reply as string[];
      return [seconds, micros, change(info ?? "")];
    });
  }

  test.each([
    ["Garnet", garnet, GARNET],
    [
      "Redis Active-Active",
      (info: string) => `${info}# CRDT Context\r\ncrdt_slots:0-16383\r\n`,
      ACTIVE_ACTIVE,
    ],
  ])("%s is refused by name, before anything is written", async (_, change, message) => {
    const sent: string[] = [];
    await expectRefused(telling(change, sent), message, 64);
    expect(new Set(sent)).toEqual(new Set(["who are you", "HGETALL"]));
  });

  test("one node is asked what it is, and its time with it, by one command", async () => {
    const sent: string[] = [];
    const store = redisStore(
      telling((info) => info, sent),
      { prefix: freshPrefix(), shards: 1, timeout: "20 seconds" },
    );
    await createForUser(store, "1");
    expect(sent[0]).toBe("who are you");
    expect(sent.slice(1).every((what) => what === "create")).toBe(true);
  });
});

describe("a server without Lua", () => {
  test("says so, and nothing is written", async () => {
    const server = await startRedis({
      args: ["--rename-command", "EVAL", "", "--rename-command", "EVALSHA", ""],
    });
    onTestFinished(() => server.stop());
    for (const [kind, connect] of Object.entries(singleClients)) {
      const { client, close } = await connect(server.port);
      const sessions = createSessions({
        store: redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }),
      });
      await expect(sessions.create(), kind).rejects.toMatchObject({
        code: "ERR_STORE_UNAVAILABLE",
        message: expect.stringMatching(
          /could not create a session: the server runs no Lua scripts.*Valkey 9\.1.*use one that has Lua/,
        ),
      });
      await close();
    }
  });

  test.each([
    "ERR Could not find scripting engine 'lua'",
    "ERR This instance has Lua scripting support disabled",
  ])("that says: %s", async (message) => {
    const client = new Redis(redisUrl());
    onTestFinished(() => client.disconnect());
    const without = intercepted(client, async ({ name }, pass) => {
      if (name === "EVALSHA") throw new Error("NOSCRIPT No matching script.");
      if (name === "EVAL") throw new Error(message);
      return pass();
    });
    const sessions = createSessions({
      store: redisStore(without, { prefix: freshPrefix(), timeout: "20 seconds" }),
    });
    await expect(sessions.create()).rejects.toThrow(/the server runs no Lua scripts/);
  });
});
