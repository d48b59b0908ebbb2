/*
 * What ioredis would write to its socket command by command, and the store lets it write together: the commands
 * of one turn of the event loop. Nothing else of the client may change by that.
 */
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { setImmediate as untilLater } from "node:timers/promises";
import { Cluster as Cluster6, Redis as Redis6 } from "ioredis";
import { Cluster as Cluster5 } from "ioredis-5";
import { createSessions, type Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from "vitest";
import { SharedWrites } from "../../../../../src/store/redis/wire/clients/shared-writes.ts";
import { catchUncaught } from "../../../../support/endings/steps.ts";
import { eventually } from "../../../../support/eventually.ts";
import { type RedisCluster, startCluster } from "../../../../support/redis/cluster.ts";
import { type CommandProxy, openProxy } from "../../../../support/redis/proxy.ts";
import { redisUrl } from "../../../../support/redis/shared.ts";
import { watchWrites } from "../../../../support/redis/socket-writes.ts";
import { type Client, clients, freshPrefix } from "../../../../support/stores/stores.ts";

const ALL_OF_A_WRITE = 16;

const sizes = (writes: readonly string[][]) => writes.map((commands) => commands.length);

function times<T>(count: number, call: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => call(index));
}

function openSessions(
  client: Client | Cluster5 | Cluster6,
  shards: number,
): Sessions<{ user_id?: number }> {
  const store = redisStore(client, { prefix: freshPrefix(), shards, timeout: "20 seconds" });
  return createSessions<{ user_id?: number }>({ store, references: ["user_id"] });
}

async function readUser(sessions: Sessions<{ user_id?: number }>, token: string) {
  return (await sessions.get(token))?.data.user_id;
}

describe.each(Object.entries(clients))("with %s", (_kind, connect) => {
  let proxy: CommandProxy;
  let client: Client;
  let sessions: Sessions<{ user_id?: number }>;
  let token: string;
  const read = () => readUser(sessions, token);
  const socket = () => client.stream as Socket;

  beforeAll(async () => {
    proxy = await openProxy(Number(new URL(redisUrl()).port));
  });
  afterAll(() => proxy.close());
  beforeEach(async () => {
    client = connect(proxy.url);
    client.on("error", () => {});
    sessions = openSessions(client, 1);
    ({ token } = await sessions.create({ user_id: 1 }));
    await read();
  });
  afterEach(async () => {
    await untilLater();
    expect(socket()?.writableCorked ?? 0, "corks that were left").toBe(0);
    client.disconnect();
  });

  test("calls of one turn share writes, of sixteen commands at most", async () => {
    const writes = watchWrites(socket());
    const found = await Promise.all(times(2 * ALL_OF_A_WRITE + 8, read));
    expect(new Set(found)).toEqual(new Set([1]));
    expect(sizes(writes)).toEqual([ALL_OF_A_WRITE, ALL_OF_A_WRITE, 8]);
  });

  test("writing, reading and counting share them, too", async () => {
    await Promise.all([sessions.touch(token), sessions.by("user_id", 1).size()]); // their scripts are known
    const writes = watchWrites(socket());
    await Promise.all([sessions.touch(token), read(), sessions.by("user_id", 1).size()]);
    expect(writes.map((names) => names.map((name) => name.toUpperCase()))).toEqual([
      ["EVALSHA", "HGETALL", "EVALSHA"],
    ]);
  });

  test("a call is written when the turn ends, and not later", async () => {
    const writes = watchWrites(socket());
    const call = read();
    await new Promise(process.nextTick);
    expect(writes).toEqual([]);
    await untilLater();
    expect(sizes(writes)).toEqual([1]);
    await call;
  });

  test("calls of all callbacks of a turn share writes, as those of several requests", async () => {
    const writes = watchWrites(socket());
    const calls = times(5, () => new Promise((resolve) => setImmediate(() => resolve(read()))));
    expect(await Promise.all(calls)).toEqual(times(5, () => 1));
    expect(sizes(writes)).toEqual([5]);
  });

  test("the program's own commands keep their places, and are written when the turn ends", async () => {
    const writes = watchWrites(socket());
    const all = [client.ping(), read(), client.echo("1"), read(), client.time()];
    await untilLater();
    expect(writes.flat().map((name) => name.toUpperCase())).toEqual([
      ...["PING", "HGETALL", "ECHO", "HGETALL", "TIME"],
    ]);
    await Promise.all(all);
  });

  test("transactions of the program stay whole between calls", async () => {
    const key = freshPrefix();
    const [, replies, , value] = await Promise.all([
      read(),
      client.multi().set(key, "1").incr(key).exec(),
      read(),
      client.get(key),
    ]);
    expect([replies, value]).toEqual([
      [
        [null, "OK"],
        [null, 2],
      ],
      "2",
    ]);
  });

  test("what the program throws in the same turn keeps no command back", async () => {
    const calls: Promise<unknown>[] = [];
    const thrown = catchUncaught();
    setImmediate(() => {
      calls.push(read());
      throw new Error("a fault of the program");
    });
    await eventually("a fault", ["a fault of the program"], async () =>
      thrown.map(String).map((text) => text.slice(7)),
    );
    expect(await Promise.all(calls)).toEqual([1]);
  });

  test.each([
    ["destroyed", () => void socket().destroy()],
    ["ended", () => void socket().end()],
    ["reset", () => void socket().resetAndDestroy()],
    ["severed", () => proxy.sever()],
  ])(
    "calls on a connection that is %s in the same turn are sent on the next one",
    async (_how, cut) => {
      const before = socket();
      const calls = times(ALL_OF_A_WRITE + 3, read);
      cut();
      const more = read();
      expect(new Set(await Promise.all([...calls, more]))).toEqual(new Set([1]));
      expect(socket()).not.toBe(before);
      expect(before.writableCorked).toBe(0);
      const writes = watchWrites(socket());
      await Promise.all(times(5, read));
      expect(sizes(writes)).toEqual([5]);
    },
  );

  test("calls before the connection is lost again and again are all answered", async () => {
    for (let n = 0; n < 10; n++) {
      const calls = times(20, read);
      if (n % 2) await untilLater();
      socket().destroy();
      const found = await Promise.all([...calls, read()]);
      expect(new Set(found)).toEqual(new Set([1]));
    }
  });

  test("a client that is closed in the same turn rejects what it has not sent", async () => {
    const call = read();
    client.disconnect();
    const again = read();
    await Promise.allSettled([call]); // the client writes what it has before it closes
    await expect(again).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  });

  test("a client that quits in the same turn answers before", async () => {
    const [user, quit] = await Promise.all([read(), client.quit()]);
    expect([user, quit]).toEqual([1, "OK"]);
  });

  test("calls before the first connection wait for it", async () => {
    const lazy = new Redis6(proxy.url, { lazyConnect: true });
    onTestFinished(() => lazy.disconnect());
    const all = openSessions(lazy, 1);
    const made = await Promise.all(times(5, (index) => all.create({ user_id: index })));
    expect(await Promise.all(made.map((one) => readUser(all, one.token)))).toEqual(
      times(5, (user) => user),
    );
  });

  test("a program that corks the stream itself decides when it is written", async () => {
    const writes = watchWrites(socket());
    socket().cork();
    const call = read();
    await untilLater();
    expect([writes, socket().writableCorked]).toEqual([[], 1]);
    socket().uncork();
    expect(sizes(writes)).toEqual([1]);
    await call;
  });
});

test("a client that hears messages hears those between calls", async () => {
  const client = new Redis6(redisUrl(), { protocol: 3 });
  onTestFinished(() => client.disconnect());
  const heard: string[] = [];
  const channel = freshPrefix();
  client.on("message", (_channel, text) => heard.push(text));
  await client.subscribe(channel);
  const sessions = openSessions(client, 1);
  const { token } = await sessions.create({ user_id: 1 });
  const all = [
    readUser(sessions, token),
    client.publish(channel, "one"),
    readUser(sessions, token),
    client.publish(channel, "two"),
  ];
  await Promise.all(all);
  await eventually("messages", ["one", "two"], async () => heard);
  expect(await Promise.all([all[0], all[2]])).toEqual([1, 1]);
});

test.each([
  ["has none yet", { status: "ready", stream: undefined }],
  ["has lost it", { status: "ready", stream: null }],
  ["has another kind", { status: "ready", stream: new PassThrough() }],
])("a client that %s of a stream writes by itself", (_what, client) => {
  new SharedWrites(client).expectCommand();
  expect(client.stream?.writableCorked ?? 0).toBe(0);
});

describe("on a cluster", () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ count: 2 });
  });
  afterAll(() => cluster?.stop());

  test.each([
    ["ioredis 5", Cluster5],
    ["ioredis 6", Cluster6],
  ])("each node's commands share writes, with %s", async (_kind, Cluster) => {
    const client = new Cluster([{ host: "127.0.0.1", port: cluster.masters[0]?.port ?? 0 }]);
    onTestFinished(() => client.disconnect());
    const sessions = openSessions(client, 16);
    const made = await Promise.all(times(64, (index) => sessions.create({ user_id: index })));
    const readAll = () => Promise.all(made.map(({ token }) => readUser(sessions, token)));
    await readAll();
    const sockets = client.nodes("master").map(({ stream }) => stream as Socket);
    const writes = sockets.map(watchWrites);
    expect(await readAll()).toEqual(times(64, (user) => user));
    const counts = writes.map((one) => sizes(one).filter((size) => size > 0));
    expect(counts.flat().reduce((sum, size) => sum + size)).toBe(64);
    for (const one of counts) {
      const all = one.reduce((sum, size) => sum + size, 0);
      expect(one.length).toBe(Math.ceil(all / ALL_OF_A_WRITE));
    }
    // A node whose connection is lost gets another one, and its commands share writes again.
    for (const socket of sockets) socket.destroy();
    expect(await readAll()).toEqual(times(64, (user) => user));
    await untilLater();
    const again = client.nodes("master").map(({ stream }) => stream as Socket);
    expect([...sockets, ...again].map(({ writableCorked }) => writableCorked)).toEqual([
      0, 0, 0, 0,
    ]);
  });
});
