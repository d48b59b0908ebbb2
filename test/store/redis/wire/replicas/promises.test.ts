/*
 * Endings that wait for replicas, on a master and its replica, with every kind of client: what they
 * promise. test/store/redis/wire/replicas/connection.test.ts has what goes over the wire for it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import * as redis6 from "redis";
import * as redis5 from "redis-5";
import { createSessions, type Sessions } from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually } from "../../../../support/eventually.ts";
import { type Replicated, startReplicated } from "../../../../support/redis/replicated.ts";
import { omitMarks } from "../../../../support/stores/clearing-marks.ts";
import {
  type Connect,
  type StoreClient,
  singleClients,
} from "../../../../support/stores/clients.ts";
import { freshPrefix } from "../../../../support/stores/stores.ts";

/** How many keys there are, without the marks of clears. */
const countKeys = async (on: Pick<Redis, "keys">) => omitMarks(await on.keys("*")).length;

interface Data {
  user_id?: number;
}

let servers: Replicated;
let admin: Redis;
let replica: Redis;
beforeAll(async () => {
  servers = await startReplicated(1);
  admin = new Redis(servers.master.port);
  replica = new Redis(servers.replicas[0]?.port ?? 0);
});
afterAll(async () => {
  for (const one of [admin, replica]) one.disconnect();
  await servers.stop();
});

const freeze = () => servers.replicas[0]?.pause();
const thaw = () => servers.replicas[0]?.resume();

async function open(connect: Connect, timeout: string, port = servers.master.port) {
  const { client, close } = await connect(port);
  const sessions = createSessions<Data>({
    store: redisStore(client, { prefix: freshPrefix(), timeout: timeout as "1 second" }),
    references: { user_id: {} },
    idleTimeout: "1 hour",
  });
  return {
    sessions,
    close: async () => {
      thaw();
      await sessions.close();
      await close();
    },
  };
}

const blocked = async () =>
  Number(/blocked_clients:(\d+)/.exec(await admin.info("clients"))?.[1] ?? 0);

const UNACKNOWLEDGED = {
  code: "ERR_REPLICAS",
  status: 503,
  operation: expect.stringMatching(/^end a session( set)?$/),
  replicas: 1,
  message: expect.stringMatching(
    /^The session store could not end a session( set)? on a replica: the master has nothing left to end, but no replica has acknowledged that in time, so a failover may bring back what was ended\. Call it again to wait again, and check/,
  ),
};

const waiting = Object.entries(singleClients).filter(([kind]) => !kind.startsWith("Valkey GLIDE"));

describe.each(waiting)("with %s", (_, connect) => {
  const ENDINGS: Record<string, (sessions: Sessions<Data>) => Promise<() => Promise<unknown>>> = {
    "sessions.delete(token)": async (sessions) => {
      const { token } = await sessions.create({ user_id: 1 });
      return () => sessions.delete(token, { replicas: 1 });
    },
    "sessions.byId(id).delete()": async (sessions) => {
      const { session } = await sessions.create({ user_id: 1 });
      return () => sessions.byId(session.id).delete({ replicas: 1 });
    },
    "set.delete(id)": async (sessions) => {
      const { session } = await sessions.create({ user_id: 1 });
      return () => sessions.by("user_id", 1).delete(session.id, { replicas: 1 });
    },
    "set.clear()": async (sessions) => {
      await Promise.all([1, 1, 1].map((user_id) => sessions.create({ user_id })));
      return () => sessions.by("user_id", 1).clear({ replicas: 1 });
    },
  };

  test.each(Object.entries(ENDINGS))(
    "%s resolves when the replica has it, and not before; where nothing is there, too",
    async (_name, prepare) => {
      const { sessions, close } = await open(connect, "20 seconds");
      const before = await countKeys(admin);
      const end = await prepare(sessions);
      for (const ended of [true, false]) {
        freeze();
        let settled = false;
        const ending = end().finally(() => {
          settled = true;
        });
        await eventually("clients that wait for replicas", 1, blocked);
        expect(settled).toBe(false);
        expect(await sessions.by("user_id", 1).size()).toBe(0); // it is ended on the master at once
        thaw();
        expect(Boolean(await ending)).toBe(ended);
        expect(await countKeys(replica)).toBe(before);
        expect(await countKeys(admin)).toBe(before);
      }
      await close();
    },
  );

  test("set.trim() resolves when the replica has it, and not before; where nothing is beyond, too", async () => {
    const { sessions, close } = await open(connect, "20 seconds");
    const set = sessions.by("user_id", 1);
    for (let i = 0; i < 3; i++) await sessions.create({ user_id: 1 });
    for (const ended of [2, 0]) {
      freeze();
      let settled = false;
      const trimming = set.trim({ keep: 1, replicas: 1 }).finally(() => {
        settled = true;
      });
      await eventually("clients that wait for replicas", 1, blocked);
      expect(settled).toBe(false);
      expect(await set.size()).toBe(1); // they are ended on the master at once
      thaw();
      expect(await trimming).toBe(ended);
      expect(await countKeys(replica)).toBe(await countKeys(admin));
    }
    await close();
  });

  test("without an acknowledgement in time it is ERR_REPLICAS, and calling again waits again", async () => {
    const { sessions, close } = await open(connect, "2 seconds");
    const { token } = await sessions.create({ user_id: 1 });
    await sessions.create({ user_id: 1 });
    const set = sessions.by("user_id", 1);
    freeze();
    for (let again = 0; again < 2; again++) {
      // A trim reads first. Beside the others it would wait for their WAIT to end, and have no time left.
      const results = [
        ...(await Promise.allSettled([set.trim({ keep: 1, replicas: 1 })])),
        ...(await Promise.allSettled([
          sessions.delete(token, { replicas: 1 }),
          set.clear({ replicas: 1 }),
        ])),
      ];
      expect(results).toMatchObject(results.map(() => ({ reason: UNACKNOWLEDGED })));
      // WAIT has told in time, or this waits no longer for it.
      for (const one of results) {
        expect([0, undefined]).toContain(one.status === "rejected" && one.reason.acknowledged);
      }
    }
    expect(await sessions.get(token)).toBeNull();
    expect(await set.size()).toBe(0);
    thaw();
    expect(await sessions.delete(token, { replicas: 1 })).toBe(false);
    expect(await set.trim({ keep: 1, replicas: 1 })).toBe(0);
    expect(await set.clear({ replicas: 1 })).toBe(0);
    await close();
  });
});

const ioredis = (client: Redis | Redis5): StoreClient => {
  client.on("error", () => {});
  return { client, close: async () => client.disconnect() };
};
const nodeRedis = async (
  client: RedisClient & { connect(): Promise<unknown>; destroy(): unknown; isOpen: boolean },
): Promise<StoreClient> => {
  (client as unknown as Redis).on("error", () => {});
  await client.connect();
  return { client, close: async () => client.isOpen && client.destroy() };
};

describe("its connection waits longer than the client's own", () => {
  const LIMIT = 300;
  const short = (port: number) => ({ port, socketTimeout: LIMIT, commandTimeout: LIMIT });
  const connects: Record<string, Connect> = {
    "ioredis 5": async (port) => ioredis(new Redis5(short(port))),
    "ioredis 6": async (port) => ioredis(new Redis(short(port))),
    "redis 5": (port) => nodeRedis(redis5.createClient({ socket: short(port) })),
    "redis 6": (port) => nodeRedis(redis6.createClient({ socket: short(port) })),
  };

  test.each(Object.entries(connects))("of %s", async (_kind, connect) => {
    const { sessions, close } = await open(connect, "20 seconds");
    const create = () => sessions.create({ user_id: 1 }).catch(() => null);
    const made = await vi.waitUntil(create, 60_000); // the client's own limit may be too short for it
    freeze();
    const ending = sessions.delete(made?.token, { replicas: 1 }).catch((error) => error);
    await sleep(LIMIT * 3);
    thaw();
    expect(await ending).toBe(true);
    await close();
  });
});

describe("its connection has the client's own user and database", () => {
  let guarded: Replicated;
  let keeper: Redis;
  beforeAll(async () => {
    guarded = await startReplicated(1, "secret");
    keeper = new Redis(guarded.master.port, { password: "secret", db: 3 });
  });
  afterAll(async () => {
    keeper.disconnect();
    await guarded.stop();
  });

  const connects: Record<string, (url: string) => Promise<StoreClient>> = {
    "ioredis 5": async (url) => ioredis(new Redis5(url)),
    "ioredis 6": async (url) => ioredis(new Redis(url)),
    "ioredis 6, and its key prefix": async (url) => ioredis(new Redis(url, { keyPrefix: "app:" })),
    "redis 5": async (url) => nodeRedis(redis5.createClient({ url })),
    "redis 5, a pool": async (url) => nodeRedis(redis5.createClientPool({ url })),
    "redis 6": async (url) => nodeRedis(redis6.createClient({ url })),
    "redis 6, a pool": async (url) => nodeRedis(redis6.createClientPool({ url })),
  };
  test.each(Object.entries(connects))("of %s", async (_kind, connect) => {
    const url = `redis://:secret@127.0.0.1:${guarded.master.port}/3`;
    const { sessions, close } = await open(() => connect(url), "20 seconds");
    const { token } = await sessions.create({ user_id: 1 });
    expect(await keeper.dbsize()).toBe(2);
    expect(await sessions.delete(token, { replicas: 1 })).toBe(true);
    expect(await keeper.dbsize()).toBe(0);
    await close();
  });

  test.each(Object.entries(connects))(
    "and says where they are refused: of %s",
    async (_, connect) => {
      const url = `redis://:secret@127.0.0.1:${guarded.master.port}/3`;
      const { sessions, close } = await open(() => connect(url), "3 seconds");
      const { token } = await sessions.create({ user_id: 1 });
      await keeper.config("SET", "requirepass", "changed");
      await expect(sessions.delete(token, { replicas: 1 })).rejects.toMatchObject({
        code: "ERR_STORE_UNAVAILABLE",
        message: expect.stringMatching(/check its user, password and ACL/),
      });
      await keeper.config("SET", "requirepass", "secret");
      expect(await sessions.delete(token, { replicas: 1 })).toBe(true);
      await close();
    },
  );

  const selecting: Record<string, (url: string) => Promise<StoreClient>> = {
    "ioredis 5": async (url) => selected(new Redis5(url), ioredis),
    "ioredis 6": async (url) => selected(new Redis(url), ioredis),
    "redis 5": (url) => selected(redis5.createClient({ url }), nodeRedis),
    "redis 6": (url) => selected(redis6.createClient({ url }), nodeRedis),
  };
  const selected = async <C extends { select(db: number): Promise<unknown> }>(
    client: C,
    open: (client: C) => StoreClient | Promise<StoreClient>,
  ): Promise<StoreClient> => {
    const opened = await open(client);
    await client.select(3);
    return opened;
  };

  test.each(Object.entries(selecting))("which %s has selected", async (_kind, connect) => {
    for (const of of ["/0", "/2"]) {
      const url = `redis://:secret@127.0.0.1:${guarded.master.port}${of}`;
      const { sessions, close } = await open(() => connect(url), "20 seconds");
      const { token } = await sessions.create({ user_id: 1 });
      expect(await keeper.dbsize()).toBe(2);
      expect(await sessions.delete(token, { replicas: 1 })).toBe(true);
      expect(await keeper.dbsize()).toBe(0);
      await close();
    }
  });
});
