/*
 * How endings wait for replicas: a connection of the store's own, on which a script and its WAIT go
 * one after the other, and what comes of it when that connection or a replica is lost. What comes of it when
 * the master changes is in changing-servers.test.ts.
 */
import { GlideClient } from "@valkey/valkey-glide";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { createSessions, type Duration } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { type RedisClient, redisStore } from "session-sets/redis";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { toConnection } from "../../../../../src/store/redis/wire/clients/connect.ts";
import type { OwnConnection } from "../../../../../src/store/redis/wire/connection.ts";
import { eventually } from "../../../../support/eventually.ts";
import { koaRequest } from "../../../../support/http/koa-request.ts";
import { CUTS, openCuttingProxy } from "../../../../support/redis/cutting-proxy.ts";
import { openProxy } from "../../../../support/redis/proxy.ts";
import { type Replicated, startReplicated } from "../../../../support/redis/replicated.ts";
import { GLIDE_LIMITS, singleClients } from "../../../../support/stores/clients.ts";
import { freshPrefix } from "../../../../support/stores/stores.ts";

interface Data {
  user_id?: number;
}

const PATIENT = "20 seconds";
const ONE = { replicas: 1 };

let servers: Replicated;
let admin: Redis;
beforeAll(async () => {
  servers = await startReplicated(2);
  admin = new Redis(servers.master.port);
});
afterAll(async () => {
  admin.disconnect();
  await servers.stop();
});

const open: { close(): unknown }[] = [];
afterEach(async () => {
  thaw();
  for (const one of open.splice(0).reverse()) await one.close();
});

function sessionsOver(
  client: RedisClient,
  timeout: Duration = PATIENT,
  shards = 1,
  prefix = freshPrefix(),
) {
  const sessions = createSessions<Data>({
    store: redisStore(client, { prefix, timeout, shards }),
    references: { user_id: {} },
    idleTimeout: "1 hour",
  });
  open.push(sessions);
  return sessions;
}

/** Sessions that wait for so long, and the same ones with patience, for what is to succeed. */
function bothOver(client: RedisClient, timeout: Duration) {
  const prefix = freshPrefix();
  return {
    sessions: sessionsOver(client, timeout, 1, prefix),
    patient: sessionsOver(client, PATIENT, 1, prefix),
  };
}

const freeze = (count = 2) => {
  for (const one of servers.replicas.slice(0, count)) one.pause();
};
const thaw = () => {
  for (const one of servers.replicas) one.resume();
};

const waitingClients = async () =>
  Number(/blocked_clients:(\d+)/.exec(await admin.info("clients"))?.[1]);

const kinds = ["ioredis 5", "ioredis 6", "redis 5", "redis 6", "redis 6, a pool"] as const;

async function connectWith(kind: string, port: number): Promise<RedisClient> {
  const client = await singleClients[kind]?.(port);
  if (!client) throw new Error(`${kind} is not there`);
  open.push(client);
  return client.client;
}

/** A connection of the store's own, as the store opens it. */
async function openOwn(client: RedisClient): Promise<OwnConnection> {
  const master = await toConnection(client).findMaster?.("a key");
  if (!master) throw new Error("the client cannot say which server is the master");
  return master.open(20_000);
}

describe.each(kinds)("with %s", (kind) => {
  const connect = (port: number) => connectWith(kind, port);

  test("an ending and its WAIT are two commands; what comes meanwhile goes together after it", async () => {
    const proxy = await openProxy(servers.master.port);
    open.push(proxy);
    const sessions = sessionsOver(await connect(Number(new URL(proxy.url).port)));
    const tokens: string[] = [];
    for (let i = 0; i < 5; i++) tokens.push((await sessions.create({ user_id: 1 })).token);
    const sent = () => proxy.commands.map(([name]) => name?.toUpperCase());
    await sessions.delete(tokens[0], ONE); // opens the connection

    proxy.reset();
    expect(await sessions.delete(tokens[1], ONE)).toBe(true);
    expect(sent()).toEqual(["EVALSHA", "WAIT"]);
    expect(proxy.roundTrips).toBe(2);

    proxy.reset();
    freeze();
    const first = sessions.delete(tokens[2], ONE);
    await eventually("a client that waits", 1, waitingClients);
    const others = [tokens[3], tokens[4]].map((token) => sessions.delete(token, ONE));
    const beside = await sessions.create({ user_id: 2 }); // the client's own connection is free
    expect(sent()).toEqual(["EVALSHA", "WAIT", "EVALSHA"]);
    thaw();
    expect(await Promise.all([first, ...others])).toEqual([true, true, true]);
    expect(sent()).toEqual(["EVALSHA", "WAIT", "EVALSHA", "EVALSHA", "EVALSHA", "WAIT"]);
    expect(await sessions.delete(beside.token, ONE)).toBe(true);
  });

  test("clear takes one command a page and shard, and one WAIT", async () => {
    const proxy = await openProxy(servers.master.port);
    open.push(proxy);
    const client = await connect(Number(new URL(proxy.url).port));
    const sent = () => proxy.commands.map(([name]) => name?.toUpperCase());
    const spread = sessionsOver(client, PATIENT, 4);
    const set = spread.by("user_id", 1);
    await Promise.all(Array.from({ length: 20 }, () => spread.create({ user_id: 1 })));
    await set.clear(ONE);
    await Promise.all(Array.from({ length: 20 }, () => spread.create({ user_id: 1 })));
    proxy.reset();
    expect(await set.clear(ONE)).toBe(20);
    expect(sent()).toEqual([...Array.from({ length: 4 }, () => "EVALSHA"), "WAIT"]);
    expect(proxy.roundTrips).toBe(2);

    const large = sessionsOver(client);
    await Promise.all(Array.from({ length: 400 }, () => large.create({ user_id: 1 })));
    await large.by("user_id", 2).clear(ONE);
    proxy.reset();
    expect(await large.by("user_id", 1).clear(ONE)).toBe(400);
    expect(new Set(sent().slice(0, -1))).toEqual(new Set(["EVALSHA"]));
    expect(sent().slice(-2)).toEqual(["EVALSHA", "WAIT"]);
    expect(sent().length).toBeGreaterThan(3);
  });

  test("the connection is opened when it is first needed, kept, and closed with the sessions", async () => {
    const clients = async () =>
      String(await admin.client("LIST", "TYPE", "NORMAL"))
        .trim()
        .split("\n").length;
    const sessions = sessionsOver(await connect(servers.master.port));
    const { token } = await sessions.create({ user_id: 1 });
    await sessions.delete(token);
    const before = await clients();
    for (let i = 0; i < 3; i++) await sessions.delete(token, ONE);
    expect(await clients()).toBe(before + 1);
    await sessions.close();
    await eventually("connections", before, clients);
    await expect(sessions.delete(token, ONE)).rejects.toMatchObject({
      code: "ERR_STORE_UNAVAILABLE",
      message: expect.stringMatching(/the store was closed/),
    });
  });

  test.each(CUTS)("a connection that is cut %s, the script, is opened again", async (cut) => {
    const proxy = await openCuttingProxy(servers.master.port);
    open.push(proxy);
    const sessions = sessionsOver(await connect(proxy.port));
    const made = [await sessions.create({ user_id: 1 }), await sessions.create({ user_id: 1 })];
    await sessions.delete(made[0]?.token, ONE);
    proxy.arm(cut, 1);
    await sessions.delete(made[1]?.token, ONE);
    expect(proxy.disarm()).toBe("EVALSHA");
    expect(await sessions.by("user_id", 1).size()).toBe(0);
  });

  test.each(CUTS)("one that is cut %s, the WAIT, is ERR_REPLICAS", async (cut) => {
    const proxy = await openCuttingProxy(servers.master.port);
    open.push(proxy);
    const sessions = sessionsOver(await connect(proxy.port));
    const { token } = await sessions.create({ user_id: 1 });
    await sessions.delete(token, ONE);
    for (const end of [
      () => sessions.delete(token, ONE),
      () => sessions.by("user_id", 1).clear(ONE),
    ]) {
      await end(); // the server has the script
      proxy.arm(cut, 2);
      await expect(end()).rejects.toMatchObject({ code: "ERR_REPLICAS" });
      expect(proxy.disarm()).toBe("WAIT");
      expect(Number(await end())).toBe(0);
    }
  });

  test("one that is killed while it waits is ERR_REPLICAS, and one that is killed before is opened again", async () => {
    const sessions = sessionsOver(await connect(servers.master.port));
    const { token } = await sessions.create({ user_id: 1 });
    freeze();
    const ending = sessions.delete(token, ONE).catch((error) => error);
    await eventually("a client that waits", 1, waitingClients);
    const list = String(await admin.client("LIST")).split("\n");
    const id = /id=(\d+)/.exec(list.find((line) => /flags=\S*b/.test(line)) ?? "")?.[1];
    await admin.client("KILL", "ID", id ?? "");
    expect(await ending).toMatchObject({ code: "ERR_REPLICAS" });
    thaw();
    expect(await sessions.delete(token, ONE)).toBe(false);
    await admin.call("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES");
    expect(await sessions.delete(token, ONE)).toBe(false);
    await admin.script("FLUSH");
    expect(await sessions.delete(token, ONE)).toBe(false);
  });
});

describe("with ioredis 6", () => {
  function connect(port = servers.master.port): Redis {
    const client = new Redis(port);
    client.on("error", () => {});
    open.push({ close: () => client.disconnect() });
    return client;
  }

  test("WAIT on another connection than the script's answers at once, of nothing", async () => {
    const client = connect();
    const { sessions, patient } = bothOver(client, "3 seconds");
    const { token } = await patient.create({ user_id: 1 });
    const other = connect();
    await other.set("other", "written before");
    await other.wait(2, 0);
    freeze();
    await patient.delete(token);
    expect(await other.wait(1, 20_000)).toBe(2); // of two that have not heard of it
    await other.del("other");
    await expect(sessions.delete(token, ONE)).rejects.toMatchObject({ code: "ERR_REPLICAS" });
  });

  test("two acknowledgements are two; who asks for one does not wait for two", async () => {
    const sessions = sessionsOver(connect());
    const made = await Promise.all([1, 2].map((user_id) => sessions.create({ user_id })));
    freeze(1);
    let settled = false;
    const two = sessions.delete(made[0]?.token, { replicas: 2 }).finally(() => {
      settled = true;
    });
    await eventually("a client that waits", 1, waitingClients);
    expect(await sessions.delete(made[1]?.token, ONE)).toBe(true);
    expect(settled).toBe(false);
    thaw();
    expect(await two).toBe(true);

    let error: { acknowledged?: number } = {};
    for (const timeout of ["5 seconds", "10 seconds", PATIENT] as const) {
      const three = sessionsOver(connect(), timeout).delete(made[0]?.token, { replicas: 3 });
      error = await three.catch((reason) => reason);
      if (error.acknowledged !== undefined) break; // on a busy machine it may take more time
    }
    expect(error).toMatchObject({
      code: "ERR_REPLICAS",
      replicas: 3,
      acknowledged: 2, // WAIT says so before the end: it is given less time than there is
      message: expect.stringMatching(/fewer than 3 replicas have acknowledged/),
    });
  });

  test("it waits even if nothing is there to end: another caller may just have ended it", async () => {
    const sessions = sessionsOver(connect());
    const { token } = await sessions.create({ user_id: 1 });
    await sessions.delete(token);
    for (const end of [
      () => sessions.delete(token, ONE),
      () => sessions.by("user_id", 1).clear(ONE),
    ]) {
      await end();
      // Nothing is under way: an answer of WAIT for what was written before would come at once.
      await eventually("replicas in step", true, async () => {
        const info = await admin.info("replication");
        const offsets = [...info.matchAll(/offset[=:](\d+)/g)].map(([, offset]) => offset);
        return new Set(offsets.slice(0, 3)).size === 1;
      });
      freeze();
      const ending = end();
      await eventually("a client that waits", 1, waitingClients);
      thaw();
      expect(Number(await ending)).toBe(0);
    }
  });

  test("endings without a replica are ended all the same, however many", async () => {
    const sessions = sessionsOver(connect(), "8 seconds");
    const made = await Promise.all(
      Array.from({ length: 50 }, () => sessions.create({ user_id: 1 })),
    );
    freeze();
    const results = await Promise.allSettled(made.map(({ token }) => sessions.delete(token, ONE)));
    expect(results.map((one) => one.status === "rejected" && one.reason.code)).toEqual(
      made.map(() => "ERR_REPLICAS"),
    );
    expect(await sessions.by("user_id", 1).size()).toBe(0);
  });

  test("a request's own session: 503 without the replica, and the cookie is kept to try again", async () => {
    const { sessions, patient } = bothOver(connect(), "3 seconds");
    const { token } = await patient.create({ user_id: 1 });
    const headers = { cookie: `session=${token}` };
    const errors: unknown[] = [];
    const signOut = (over: typeof sessions) =>
      koaRequest<Data>(
        over,
        async (ctx) => {
          ctx.body = String(await ctx.session.delete(ONE));
        },
        (error) => errors.push(error),
        { headers },
      );
    freeze();
    const refused = await signOut(sessions);
    expect(refused).toMatchObject({ status: 503, cookies: [] });
    expect(errors).toMatchObject([{ code: "ERR_REPLICAS" }]);
    expect(await patient.get(token)).toBeNull();
    thaw();
    expect(await signOut(patient)).toMatchObject({ status: 200, body: "false" });
  });

  test("where memory is full, endings wait as well, and where there is nothing to end", async () => {
    const sessions = sessionsOver(connect());
    const { token } = await sessions.create({ user_id: 1 });
    const before = await admin.dbsize();
    await admin.config("SET", "maxmemory", "1");
    try {
      await expect(sessions.create({ user_id: 1 })).rejects.toThrow(/out of memory/);
      expect(await sessions.delete(token, ONE)).toBe(true);
      expect(await sessions.delete(token, ONE)).toBe(false);
      expect(await sessions.by("user_id", 1).clear(ONE)).toBe(0);
      // Without the session and its set, and with the mark of the clear.
      expect(await admin.dbsize()).toBe(before - 2 + 1);
    } finally {
      await admin.config("SET", "maxmemory", "0");
    }
  });

  test("a master that does not answer is ERR_STORE_UNAVAILABLE, in time", async () => {
    const { sessions, patient } = bothOver(connect(), "3 seconds");
    const { token } = await patient.create({ user_id: 1 });
    await eventually("an ending", false, () => sessions.delete(token, ONE));
    servers.master.pause();
    await expect(sessions.delete(token, ONE)).rejects.toMatchObject({
      code: "ERR_STORE_UNAVAILABLE",
    });
    servers.master.resume();
    expect(await sessions.delete(token, ONE)).toBe(false);
  });

  test("a store that is closed while its connection opens ends nothing on it", async () => {
    const proxy = await openProxy(servers.master.port);
    open.push(proxy);
    const sessions = sessionsOver(connect(Number(new URL(proxy.url).port)), "3 seconds");
    const create = () => sessions.create({ user_id: 1 }).catch(() => null);
    const token = (await vi.waitUntil(create, 60_000))?.token;
    const ending = sessions.delete(token, ONE).catch((error: unknown) => error);
    await sessions.close();
    expect(await ending).toMatchObject({
      code: "ERR_STORE_UNAVAILABLE",
      message: expect.stringMatching(/the store was closed/),
    });
    expect(await sessions.get(token)).not.toBeNull();
  });

  test("its connection has the database of a client that has not connected yet", async () => {
    const client = new Redis({ port: servers.master.port, db: 3, lazyConnect: true });
    open.push({ close: () => client.disconnect() });
    const own = await openOwn(client);
    await own.ready;
    expect(String(await own.send("CLIENT", ["INFO"]))).toMatch(/ db=3 /);
    own.close();
  });

  test("its connection has the database of the options where redis may not ask which one it is", async () => {
    const rules = ["on", ">secret", "~*", "&*", "+@all", "-client|info"];
    await admin.call("ACL", "SETUSER", "unasked", ...rules);
    const url = `redis://unasked:secret@127.0.0.1:${servers.master.port}`;
    const client = createClient({ url, database: 3 });
    await client.connect();
    open.push({ close: () => client.destroy() });
    await expect(client.sendCommand(["CLIENT", "INFO"])).rejects.toThrow(/NOPERM/);
    const own = await openOwn(client);
    await own.ready;
    await own.send("SET", ["where", "here"]);
    own.close();
    await admin.select(3);
    const where = await admin.get("where");
    await admin.select(0);
    expect(where).toBe("here");
  });

  test("its connection says that it was closed before it had opened", async () => {
    const own = await openOwn(connect());
    own.close();
    await expect(own.ready).rejects.toThrow(/closed/);
    expect(own.lost).toBe(true);
  });

  test("a token or an id that is none waits for nobody", async () => {
    const sessions = sessionsOver(connect());
    freeze();
    expect(await sessions.delete("none", ONE)).toBe(false);
    expect(await sessions.delete(null, ONE)).toBe(false);
    expect(await sessions.byId("none").delete(ONE)).toBe(false);
    expect(await sessions.by("user_id", 1).delete("none", ONE)).toBe(false);
  });

  test.each([0, -1, 1.5, Number.NaN, "1", null, true])(
    "replicas: %s is refused",
    async (replicas) => {
      const sessions = sessionsOver(connect());
      const { token, session } = await sessions.create({ user_id: 1 });
      const wrong = { replicas } as { replicas: number };
      const set = sessions.by("user_id", 1);
      for (const end of [
        () => sessions.delete(token, wrong),
        () => sessions.byId(session.id).delete(wrong),
        () => set.delete(session.id, wrong),
        () => set.clear(wrong),
      ]) {
        await expect(end()).rejects.toMatchObject({
          code: "ERR_SESSION_CONFIG",
          message: expect.stringMatching(/replicas must be a whole number above zero/),
        });
      }
      expect(await set.size()).toBe(1);
    },
  );
});

describe("what cannot wait says so, and ends nothing", () => {
  test("the memory store", async () => {
    const sessions = createSessions<Data>({
      store: memoryStore(),
      references: { user_id: {} },
      idleTimeout: "1 hour",
    });
    open.push(sessions);
    await expectRefusals(sessions, /memory store has no replicas/);
  });

  test("a client of Valkey GLIDE", async () => {
    const client = await GlideClient.createClient({
      addresses: [{ host: "127.0.0.1", port: servers.master.port }],
      ...GLIDE_LIMITS,
    });
    open.push(client);
    await expectRefusals(sessionsOver(client), /Valkey GLIDE.*client of ioredis or redis/);
  });

  async function expectRefusals(sessions: ReturnType<typeof sessionsOver>, message: RegExp) {
    const { token } = await sessions.create({ user_id: 1 });
    const set = sessions.by("user_id", 1);
    for (const end of [() => sessions.delete(token, ONE), () => set.clear(ONE)]) {
      await expect(end()).rejects.toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringMatching(message),
      });
    }
    expect(await set.size()).toBe(1);
  }
});
