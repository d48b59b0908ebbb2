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
  const prefix = freshPrefix();
  const openWith = (timeout: string) =>
    createSessions<Data>({
      store: redisStore(client, { prefix, timeout: timeout as "1 second" }),
      references: { user_id: {} },
      idleTimeout: "1 hour",
    });
  const sessions = openWith(timeout);
  return {
    sessions,
    /** The same sessions with a longer timeout, for what is to succeed. */
    patient: openWith("20 seconds"),
    close: async () => {
      thaw();
      await sessions.close();
      await close();
    },
  };
}

/**
 * Does something with every client at once, as it takes seconds, and waits until all have ended,
 * however. A test for each client awaits the outcome of its own.
 */
async function atOnce<T>(kinds: readonly string[], run: (kind: string) => Promise<T>) {
  const outcomes = new Map(kinds.map((kind) => [kind, run(kind)]));
  await Promise.allSettled(outcomes.values());
  return (kind: string) => outcomes.get(kind) as Promise<T>;
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
  /** After its limit, node-redis does not connect again by itself. */
  const again = (port: number) => ({ ...short(port), reconnectStrategy: () => 20 });
  const connects: Record<string, Connect> = {
    "ioredis 5": async (port) => ioredis(new Redis5(short(port))),
    "ioredis 6": async (port) => ioredis(new Redis(short(port))),
    "redis 5": (port) => nodeRedis(redis5.createClient({ socket: again(port) })),
    "redis 6": (port) => nodeRedis(redis6.createClient({ socket: again(port) })),
  };

  test.each(Object.entries(connects))("of %s", async (_kind, connect) => {
    const { sessions, close } = await open(connect, "20 seconds");
    const create = () => sessions.create({ user_id: 1 }).catch(() => null);
    const made = await vi.waitUntil(create, 60_000); // the client's own limit may be too short for it
    freeze();
    const ending = sessions.delete(made?.token, { replicas: 1 }).catch((error) => error);
    await eventually("clients that wait for replicas", 1, blocked);
    await sleep(LIMIT * 3);
    thaw();
    expect(await ending).toBe(true);
    await close();
  });
});

/** By a URL with a password and a database. */
type Guarded = (url: string) => Promise<StoreClient>;
const guardedClients: Record<string, Guarded> = {
  "ioredis 5": async (url) => ioredis(new Redis5(url)),
  "ioredis 6": async (url) => ioredis(new Redis(url)),
  "ioredis 6, and its key prefix": async (url) => ioredis(new Redis(url, { keyPrefix: "app:" })),
  "redis 5": async (url) => nodeRedis(redis5.createClient({ url })),
  "redis 5, a pool": async (url) => nodeRedis(redis5.createClientPool({ url })),
  "redis 6": async (url) => nodeRedis(redis6.createClient({ url })),
  "redis 6, a pool": async (url) => nodeRedis(redis6.createClientPool({ url })),
};

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

  test.each(Object.entries(guardedClients))("of %s", async (_kind, connect) => {
    const url = `redis://:secret@127.0.0.1:${guarded.master.port}/3`;
    const { sessions, close } = await open(() => connect(url), "20 seconds");
    const { token } = await sessions.create({ user_id: 1 });
    expect(await keeper.dbsize()).toBe(2);
    expect(await sessions.delete(token, { replicas: 1 })).toBe(true);
    expect(await keeper.dbsize()).toBe(0);
    await close();
  });

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

describe("without an acknowledgement in time it is ERR_REPLICAS, and calling again waits again", () => {
  const kinds = waiting.map(([kind]) => kind);

  async function prepare(kind: string) {
    const opened = await open(singleClients[kind] as Connect, "5 seconds");
    const { token } = await opened.patient.create({ user_id: 1 });
    await opened.patient.create({ user_id: 1 });
    return { ...opened, token, set: opened.sessions.by("user_id", 1) };
  }

  /** The ends that were called in vain, twice, and what is left on the master afterwards. */
  async function endInVain({ sessions, patient, token, set, close }: Prepared) {
    const results: PromiseSettledResult<unknown>[] = [];
    for (let again = 0; again < 2; again++) {
      // A trim reads first. Beside the others it would wait for their WAIT to end, and have no time left.
      results.push(...(await Promise.allSettled([set.trim({ keep: 1, replicas: 1 })])));
      const others = [sessions.delete(token, { replicas: 1 }), set.clear({ replicas: 1 })];
      results.push(...(await Promise.allSettled<unknown>(others)));
    }
    const left = [await patient.get(token), await patient.by("user_id", 1).size()];
    return { results, left, sessions, token, set, close };
  }

  type Prepared = Awaited<ReturnType<typeof prepare>>;
  let endedInVain: (kind: string) => ReturnType<typeof endInVain>;
  beforeAll(async () => {
    const prepared = await atOnce(kinds, prepare);
    freeze();
    endedInVain = await atOnce(kinds, async (kind) => endInVain(await prepared(kind)));
    thaw();
  });

  test.each(kinds)("with %s", async (kind) => {
    const { results, left, sessions, token, set, close } = await endedInVain(kind);
    expect(results).toHaveLength(6);
    expect(results).toMatchObject(results.map(() => ({ reason: UNACKNOWLEDGED })));
    // WAIT has told in time, or this waits no longer for it.
    for (const one of results) {
      expect([0, undefined]).toContain(one.status === "rejected" && one.reason.acknowledged);
    }
    expect(left).toEqual([null, 0]);
    expect(await sessions.delete(token, { replicas: 1 })).toBe(false);
    expect(await set.trim({ keep: 1, replicas: 1 })).toBe(0);
    expect(await set.clear({ replicas: 1 })).toBe(0);
    await close();
  });
});

describe("its connection says where the client's user and password are refused", () => {
  const kinds = Object.keys(guardedClients);
  let guarded: Replicated;
  let keeper: Redis;

  async function prepare(kind: string) {
    const url = `redis://:secret@127.0.0.1:${guarded.master.port}/3`;
    const opened = await open(() => (guardedClients[kind] as Guarded)(url), "3 seconds");
    const { token } = await opened.patient.create({ user_id: 1 });
    return { ...opened, token };
  }

  async function endRefused({ sessions, token, close }: Prepared) {
    const error = await sessions.delete(token, { replicas: 1 }).catch((reason: unknown) => reason);
    return { error, sessions, token, close };
  }

  type Prepared = Awaited<ReturnType<typeof prepare>>;
  let refused: (kind: string) => ReturnType<typeof endRefused>;
  beforeAll(async () => {
    guarded = await startReplicated(1, "secret");
    keeper = new Redis(guarded.master.port, { password: "secret" });
    const prepared = await atOnce(kinds, prepare);
    await keeper.config("SET", "requirepass", "changed");
    refused = await atOnce(kinds, async (kind) => endRefused(await prepared(kind)));
    await keeper.config("SET", "requirepass", "secret");
  });
  afterAll(async () => {
    keeper.disconnect();
    await guarded.stop();
  });

  test.each(kinds)("of %s", async (kind) => {
    const { error, sessions, token, close } = await refused(kind);
    expect(error).toMatchObject({
      code: "ERR_STORE_UNAVAILABLE",
      message: expect.stringMatching(/check its user, password and ACL/),
    });
    expect(await sessions.delete(token, { replicas: 1 })).toBe(true);
    await close();
  });
});
