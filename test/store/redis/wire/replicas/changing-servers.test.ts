/*
 * How endings wait for replicas when the master changes or is lost. Each test has servers of its own, so
 * they wait side by side. test/store/redis/wire/replicas/connection.test.ts has all else of the connection.
 */
import type { LookupFunction } from "node:net";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { createSessions, type Duration } from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, type TestContext, test, vi } from "vitest";
import { eventually } from "../../../../support/eventually.ts";
import { openProxy } from "../../../../support/redis/proxy.ts";
import { type Replicated, startReplicated } from "../../../../support/redis/replicated.ts";
import { singleClients } from "../../../../support/stores/clients.ts";
import { freshPrefix } from "../../../../support/stores/stores.ts";

interface Data {
  user_id?: number;
}

const PATIENT = "20 seconds";
const ONE = { replicas: 1 };
/** How many tests there are. */
const TESTS = 5;

// All start before the first test, as that is work, and the tests have time limits.
let all: readonly Replicated[] = [];
let left: Replicated[];
beforeAll(async () => {
  all = await Promise.all(Array.from({ length: TESTS }, () => startReplicated(2)));
  left = [...all];
});
afterAll(async () => void (await Promise.all(all.map((one) => one.stop()))));

/** Servers for one test, and what it opens on them: that is closed at its end, the last first. */
function take({ onTestFinished }: TestContext) {
  const own = left.pop();
  if (!own) throw new Error(`there are servers for ${TESTS} tests only`);

  function admin(port: number): Redis {
    const one = new Redis(port);
    one.on("error", () => {});
    onTestFinished(() => one.disconnect());
    return one;
  }

  async function connect(kind: string, port = own?.master.port ?? 0): Promise<RedisClient> {
    const client = await singleClients[kind]?.(port);
    if (!client) throw new Error(`${kind} is not there`);
    onTestFinished(async () => void (await client.close()));
    return client.client;
  }

  function sessionsOver(client: RedisClient, timeout: Duration, prefix = freshPrefix()) {
    const sessions = createSessions<Data>({
      store: redisStore(client, { prefix, timeout }),
      references: { user_id: {} },
      idleTimeout: "1 hour",
    });
    onTestFinished(() => sessions.close());
    return sessions;
  }

  return { own, master: admin(own.master.port), admin, connect, sessionsOver };
}

describe.concurrent("when servers change", () => {
  test.for(["ioredis 6", "redis 6"])(
    "a master that became a replica is one no longer, and one again when it is made one: %s",
    async (kind, context) => {
      const { own, master, connect, sessionsOver } = take(context);
      const prefix = freshPrefix();
      const client = await connect(kind);
      const { token } = await sessionsOver(client, PATIENT, prefix).create({ user_id: 1 });
      const sessions = sessionsOver(client, "3 seconds", prefix);
      await eventually("an ending", false, () => sessions.delete(token, ONE));
      await master.replicaof("127.0.0.1", own.replicas[0]?.port ?? 0);
      await expect(sessions.delete(token, ONE)).rejects.toMatchObject({
        code: "ERR_STORE_UNAVAILABLE",
        message: expect.stringMatching(/read-only replica/),
      });
      await master.replicaof("NO", "ONE");
      await eventually("an ending", false, () => sessions.delete(token, ONE));
    },
  );

  test("of a name with several addresses it says what they answer", async (context) => {
    const { own, sessionsOver } = take(context);
    const addresses = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }));
    const lookup: LookupFunction = (_name, _options, found) =>
      process.nextTick(found, null, addresses);
    const client = createClient({ socket: { host: "localhost", port: own.master.port, lookup } });
    client.on("error", () => {});
    await client.connect();
    context.onTestFinished(() => client.destroy());
    const sessions = sessionsOver(client, "3 seconds");
    const create = () => sessions.create({ user_id: 1 }).catch(() => null);
    const made = await vi.waitUntil(create, 60_000);
    await own.master.kill();
    await expect(sessions.delete(made?.token, ONE)).rejects.toMatchObject({
      code: "ERR_STORE_UNAVAILABLE",
      message: expect.stringMatching(/ECONNREFUSED/),
    });
  });

  test("where the address leads to another master now, calling again finds that one", async (context) => {
    const { own, admin, connect, sessionsOver } = take(context);
    const [next, last] = own.replicas.map(({ port }) => admin(port));
    const proxy = await openProxy(own.master.port);
    context.onTestFinished(() => proxy.close());
    const client = (await connect("ioredis 6", Number(new URL(proxy.url).port))) as Redis;
    const prefix = freshPrefix();
    const patient = sessionsOver(client, PATIENT, prefix);
    const sessions = sessionsOver(client, "4 seconds", prefix);
    const { token } = await patient.create({ user_id: 1 });
    await eventually("an ending", false, () => sessions.delete(token, ONE));
    // The old master knows nothing of it, and keeps its connections.
    await next?.replicaof("NO", "ONE");
    await last?.replicaof("127.0.0.1", own.replicas[0]?.port ?? 0);
    proxy.lead(own.replicas[0]?.port ?? 0);
    client.disconnect(true);
    const created = await patient.create({ user_id: 1 });
    await expect(sessions.delete(created.token, ONE)).rejects.toMatchObject({
      code: "ERR_REPLICAS",
    });
    await eventually("a replica of the new master", 1, async () => next?.wait(1, 100));
    expect(await sessions.delete(created.token, ONE)).toBe(true);
  });

  test("after a failover an acknowledged ending stands, and one that is not may be undone", async (context) => {
    const { own, master, admin, connect, sessionsOver } = take(context);
    const [first, second] = own.replicas;
    const prefix = freshPrefix();
    const client = await connect("ioredis 6");
    const patient = sessionsOver(client, PATIENT, prefix);
    const firm = await patient.create({ user_id: 1 });
    const infirm = await patient.create({ user_id: 2 });
    await patient.delete(firm.token, { replicas: 2 });
    for (const one of own.replicas) one.pause();
    await master.call("CLIENT", "KILL", "TYPE", "REPLICA"); // what is sent now does not arrive
    const sessions = sessionsOver(client, "3 seconds", prefix);
    await expect(sessions.delete(infirm.token, ONE)).rejects.toMatchObject({
      code: "ERR_REPLICAS",
    });
    await own.master.kill();
    for (const one of own.replicas) one.resume();

    const successor = admin(first?.port ?? 0);
    await successor.replicaof("NO", "ONE");
    const after = sessionsOver(successor, PATIENT, prefix);
    expect(await after.get(firm.token)).toBeNull();
    expect(await after.by("user_id", 1).size()).toBe(0);
    expect(await after.get(infirm.token)).not.toBeNull();

    const follower = admin(second?.port ?? 0);
    await follower.replicaof("127.0.0.1", first?.port ?? 0);
    expect(await after.delete(infirm.token, ONE)).toBe(true);
  });
});
