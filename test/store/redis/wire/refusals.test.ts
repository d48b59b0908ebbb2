/* A server that answers, but refuses: full, read-only, loading, locked, or with foreign keys. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { inspect } from "node:util";
import type { Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newIdBeside } from "../../../../src/testing/ids.ts";
import {
  change,
  create,
  createChanges,
  createDraft,
  createRotation,
  of,
} from "../../../../src/testing/steps.ts";
import { intercepted } from "../../../support/intercept.ts";
import {
  catchFailure,
  createSessionsOn,
  type Data,
  type Made,
  makeSession,
  operations,
  runAll,
  SECRET,
  snapshot,
} from "../../../support/proofs/operations.ts";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import { type Client, clients } from "../../../support/stores/stores.ts";
import { editTimes } from "../../../support/stores/times.ts";

let server: RedisServer;
let client: Client;
let sessions: Sessions<Data>;
let made: Made;
beforeEach(async () => {
  server = await startRedis();
  client = clients["ioredis 6"](server.url);
  sessions = createSessionsOn(redisStore(client, { timeout: "20 seconds" }));
  made = await makeSession(sessions);
});
afterEach(async () => {
  client.disconnect();
  await server.stop();
});

type Need = "read" | "write" | "memory";

/** Runs every operation that has one of these needs: each is refused, and changes nothing. */
async function expectRefused(needs: readonly Need[], advice: RegExp, cause: RegExp): Promise<void> {
  const before = await snapshot(client);
  for (const [name, operation] of Object.entries(operations(sessions, made))) {
    if (!needs.includes(operation.needs)) continue;
    const error = await catchFailure(operation);
    expect(error.message, name).toMatch(advice);
    expect((error.cause as Error).message, name).toMatch(cause);
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(SECRET);
    expect(await snapshot(client), name).toEqual(before);
  }
}

async function expectWorking(needs: readonly Need[]): Promise<void> {
  for (const [name, { needs: need, run }] of Object.entries(operations(sessions, made))) {
    if (!needs.includes(need)) continue;
    if (need !== "read") made = await makeSessionAnyway();
    const all = operations(sessions, made);
    await expect(all[name]?.run() ?? run(), name).resolves.not.toBe(false);
  }
}

/** Makes a session, also on a server that has no memory left. */
async function makeSessionAnyway(): Promise<Made> {
  const [, limit = "0"] = (await client.config("GET", "maxmemory")) as string[];
  await client.config("SET", "maxmemory", "0");
  const one = await makeSession(sessions);
  await client.config("SET", "maxmemory", limit);
  return one;
}

describe("a server whose memory is full", () => {
  beforeEach(async () => {
    await client.config("SET", "maxmemory-policy", "noeviction");
    await runAll(sessions); // every script is known
    made = await makeSession(sessions);
    await client.config("SET", "maxmemory", "1");
  });

  test("refuses what needs memory, and writes nothing of it", async () => {
    await expectRefused(["memory"], /out of memory; raise maxmemory/, /^OOM/);
  });

  test("still reads, touches, unsets, rotates and ends sessions", async () => {
    await expectWorking(["read", "write"]);
  });

  test("refuses to sign in before anything is done: the old session lives, with all it has", async () => {
    const old = await makeSessionAnyway();
    const before = await snapshot(client);
    for (const token of [old.token, old.oldToken]) {
      for (const user_id of [1, 2]) {
        const { signIn, rotate } = {
          signIn: () => sessions.signIn(token, { user_id }, { keep: ["secret", "team_ids"] }),
          rotate: () => sessions.rotate(token, { user_id }),
        };
        for (const work of [signIn, rotate]) {
          await expect(work()).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
          expect(await snapshot(client)).toEqual(before);
        }
      }
    }
    await client.config("SET", "maxmemory", "0");
    const { token, session } = await sessions.signIn(old.oldToken, { user_id: 1 });
    expect((await sessions.get(token))?.data).toEqual({ user_id: 1 });
    expect(session.lineage).not.toBe(old.session.lineage);
    expect(await sessions.get(old.token)).toBeNull();
  });

  test("still ends a session by its lineage, and rotates one, whose pointer follows", async () => {
    const [one, other] = [await makeSessionAnyway(), await makeSessionAnyway()];
    expect(await sessions.byId(one.session.lineage).delete()).toBe(true);
    const renewed = await sessions.rotate(other.token);
    const { lineage } = other.session;
    expect(await client.get(`{sessions:0}:l:${lineage}`)).toBe(renewed?.session?.id);
  });

  test("still leaves the mark of a clear, of an empty set too: a login in flight is refused", async () => {
    const asOf = made.session.createdAt;
    for (const user_id of [1, 404]) {
      await sessions.by("user_id", user_id).clear();
      expect(await client.exists(`{sessions:0}:c:user_id:${user_id}`)).toBe(1);
      expect(await sessions.by("user_id", user_id).size()).toBe(0);
    }
    await client.config("SET", "maxmemory", "0");
    for (const user_id of [1, 404]) {
      await expect(sessions.create({ user_id }, { asOf })).rejects.toMatchObject({
        code: "ERR_SESSION_GONE",
      });
      await sessions.create({ user_id });
    }
  });

  test("still touches with a read", async () => {
    const { lastSeenAt, id } = made.session;
    await client.config("SET", "maxmemory", "0");
    const long = lastSeenAt.getTime() - 600_000;
    await editTimes(client, `{sessions:0}:s:${id}`, { seen: long });
    await client.config("SET", "maxmemory", "1");
    expect((await sessions.get(made.token))?.lastSeenAt.getTime()).toBeGreaterThan(long);
  });
});

describe("a server that became a replica", () => {
  beforeEach(async () => {
    await makeSession(sessions); // something to end for `clear` but one
    await client.call("REPLICAOF", "127.0.0.1", "1");
  });

  test("refuses every write, and can still be read", async () => {
    await expectRefused(
      ["write", "memory"],
      /read-only replica; connect it to the master/,
      /^READONLY/,
    );
    await expectWorking(["read"]);
    await client.call("REPLICAOF", "NO", "ONE");
    expect(await sessions.touch(made.token)).toBe(true);
  });

  test("gives the session to a read whose touch fails, and tells who listens", async () => {
    const told: unknown[] = [];
    const listen = (message: unknown) => told.push(message);
    subscribe("session-sets:touch-failed", listen);
    await client.call("REPLICAOF", "NO", "ONE");
    const long = Date.now() - 600_000;
    await editTimes(client, `{sessions:0}:s:${made.session.id}`, { seen: long });
    await client.call("REPLICAOF", "127.0.0.1", "1");
    expect((await sessions.get(made.token))?.lastSeenAt.getTime()).toBe(long);
    unsubscribe("session-sets:touch-failed", listen);
    const error = expect.objectContaining({ code: "ERR_STORE_UNAVAILABLE" });
    expect(told).toEqual([{ id: made.session.id, error }]);
  });
});

describe("a set with entries that have expired, on a server that takes no writes", () => {
  const user = () => sessions.by("user_id", 1);

  test.each<[string, () => Promise<unknown>, RegExp, RegExp]>([
    [
      "for it lacks replicas",
      () => client.config("SET", "min-replicas-to-write", "1"),
      /too few replicas follow it \(min-replicas-to-write\); check that they are connected/,
      /^NOREPL/,
    ],
    [
      "for it is one",
      () => client.call("REPLICAOF", "127.0.0.1", "1"),
      /read-only replica; connect it to the master/,
      /^READONLY/,
    ],
  ])("%s: it can still be listed and read", async (_, refuse, advice, cause) => {
    const { session } = await sessions.create({ user_id: 1 });
    const plain = redisStore(client, { prefix: "plain", timeout: "20 seconds" });
    const marked = { field: "user_id", texts: ["1"], plain: true };
    const inPlain = { ...createDraft(plain, { fields: { user_id: "1" } }), references: [marked] };
    await plain.create(inPlain);
    const PLAIN = { ...of("user_id", "1"), plain: true };
    const past = String(Date.now() - 1000);
    await client.zadd(user().key, past, `AA${"x".repeat(22)}`);
    await client.zadd("{plain:0}:r:user_id:1", past, `AA${"x".repeat(22)}`);
    await refuse();

    const before = await snapshot(client);
    const living = [made.session.id, session.id].sort();
    expect((await user().list()).map(({ id }) => id).sort()).toEqual(living);
    expect((await user().ids()).sort()).toEqual(living);
    const read: string[] = [];
    for await (const { id } of user()) read.push(id);
    expect(read.sort()).toEqual(living);
    expect(await user().size()).toBe(2);
    expect(
      (await plain.list(PLAIN, { limit: 100, order: "last-seen" })).map(({ id }) => id),
    ).toEqual([inPlain.id]);
    for await (const page of plain.pages(PLAIN, { withFields: true })) expect(page).toHaveLength(1);
    await expectWorking(["read"]);
    await expectRefused(["write", "memory"], advice, cause);
    expect(await snapshot(client)).toEqual(before);
  });
});

// test/proofs/faults/ has servers that really do so, which answer some of their clients no sooner.
test.each([
  ["LOADING Redis is loading the dataset in memory", /loading its data; it will answer/],
  ["CLUSTERDOWN The cluster is down", /no master for the key now.*; try again, and check/],
])("a server that says %s refuses everything", async (message, advice) => {
  const refusing = intercepted(client, async () => {
    throw new Error(message);
  });
  sessions = createSessionsOn(redisStore(refusing, { timeout: "20 seconds" }));
  await expectRefused(["read", "write", "memory"], advice, /^(LOADING|CLUSTERDOWN)/);
});

test("a client that throws at once has refused the command", async () => {
  let isClosed = false;
  const throwing = new Proxy(client, {
    get(target, name) {
      if (name === "call" && isClosed) throw new Error("the client was closed");
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  sessions = createSessionsOn(redisStore(throwing, { timeout: "20 seconds" }));
  await sessions.get(made.token); // from then on, the first command is sent at once
  isClosed = true;
  const says = /^The session store could not .*: the client was closed/;
  await expectRefused(["read", "write", "memory"], says, /^the client was closed$/);
});

test("a server that is too old says so, and does not show what was sent", async () => {
  const ONLY_ITS_NAME = /^ERR unknown command '\w+'$/;
  const old = intercepted(client, async ({ name, args }) => {
    const shown = args.map((arg) => `'${arg}' `).join("");
    const message = `ERR unknown command '${name}', with args beginning with: ${shown}`;
    throw Object.assign(new Error(message), { command: { name, args } });
  });
  sessions = createSessionsOn(redisStore(old, { timeout: "20 seconds" }));
  const says = /lacks a command; Redis 7\.0|runs no Lua scripts/;
  await expectRefused(["read", "write", "memory"], says, ONLY_ITS_NAME);
});

describe("a server with a password", () => {
  /** A client that may not enter: ioredis tells each command so, or tries again to the timeout. */
  async function expectLocked(url: string): Promise<void> {
    const stranger = clients["ioredis 6"](url);
    stranger.on("error", () => {});
    const before = await snapshot(client);
    const locked = createSessionsOn(redisStore(stranger, { timeout: 300 }));
    const all = Object.values(operations(locked, made));
    const errors = await Promise.all(all.map((operation) => catchFailure(operation)));
    for (const { message } of errors) {
      expect(message).toMatch(/check its user, password and ACL|no answer within 300 ms/);
    }
    expect(await snapshot(client)).toEqual(before);
    stranger.disconnect();
  }

  test("refuses a client that gives none", async () => {
    await client.config("SET", "requirepass", "right");
    await expectLocked(server.url);
  });

  test("refuses a client that gives a wrong one", async () => {
    await client.config("SET", "requirepass", "right");
    await expectLocked(server.url.replace("//", "//:wrong@"));
  });

  test("refuses a user that may not do all that a store does", async () => {
    await client.call("ACL", "SETUSER", "guest", "on", ">pass", "~*", "+ping", "+info", "+time");
    const guest = clients["ioredis 6"](server.url.replace("//", "//guest:pass@"));
    sessions = createSessionsOn(redisStore(guest, { timeout: "20 seconds" }));
    const all: readonly Need[] = ["read", "write", "memory"];
    await expectRefused(all, /check its user, password and ACL/, /^NOPERM/);
    guest.disconnect();
  });
});

describe("a foreign key", () => {
  const ADVICE = /holds something else; give redisStore a prefix of its own/;
  const USER = of("user_id", "1");
  const one = { fields: { user_id: "1" }, references: { user_id: ["1"], team: ["7"] } };

  async function expectNothingWritten(work: () => Promise<unknown>): Promise<void> {
    const before = await snapshot(client);
    await expect(work()).rejects.toThrowError(
      expect.objectContaining({
        code: "ERR_STORE_UNAVAILABLE",
        message: expect.stringMatching(ADVICE),
        cause: expect.objectContaining({ message: expect.stringMatching(/WRONGTYPE/) }),
      }),
    );
    expect(await snapshot(client)).toEqual(before);
  }

  test("at a session's place stops everything about it before anything is written", async () => {
    const store = redisStore(client, { timeout: "20 seconds" });
    const id = await create(store, one);
    await client.del(store.sessionKey(id));
    await client.set(store.sessionKey(id), "foreign");
    await expectNothingWritten(() => store.create(createDraft(store, { ...one, id })));
    await expectNothingWritten(() => store.find(id));
    await expectNothingWritten(() => store.find(id, { names: ["user_id"] }));
    await expectNothingWritten(() => change(store, id, { set: { a: "1" } }));
    await expectNothingWritten(() => store.end(id));
    await expectNothingWritten(() => store.has(USER, id));
    await expectNothingWritten(() => store.endAll(USER));
    await expectNothingWritten(() => store.changeAll(USER, createChanges({ set: { a: "1" } })));
    const other = await create(store, one);
    const to = newIdBeside(other);
    await client.set(store.sessionKey(to), "foreign");
    await expectNothingWritten(() => change(store, other, { rotation: createRotation(to) }));
  });

  test.each(["zset", "set"])("at a %s's place does, too", async (kind) => {
    const store = redisStore(client, { timeout: "20 seconds" });
    const plain = kind === "set";
    const references = [
      { field: "user_id", texts: ["1"], plain },
      { field: "team", texts: ["7"], plain },
    ];
    const made = { ...createDraft(store, { fields: { user_id: "1" } }), references };
    await store.create(made);
    const { id } = made;
    const wrong = store.setKey({ field: "team", text: "7", plain });
    await client.del(wrong);
    await client.set(wrong, "foreign");
    const another = { ...made, id: newIdBeside(id) };
    const rotation = createRotation(newIdBeside(id));
    await expectNothingWritten(() => store.create(another));
    await expectNothingWritten(() => change(store, id, { set: { a: "1" }, idleTimeout: 60_000 }));
    await expectNothingWritten(() => change(store, id));
    await editTimes(client, store.sessionKey(id), { seen: Date.now() - 120_000 });
    await expectNothingWritten(() => change(store, id, { set: { a: "1" } }));
    await expectNothingWritten(() => change(store, id, { rotation }));
    await expectNothingWritten(() => store.end(id));
    await expectNothingWritten(() => store.endAll({ ...USER, plain }));
    const moved = createChanges({ set: { a: "1" } });
    const leaving = { ...moved, references: [{ field: "team", texts: [], plain }] };
    await expectNothingWritten(() => store.changeAll({ ...USER, plain }, leaving));
    const fresh = { ...createDraft(store), references: [] };
    await store.create(fresh);
    const joining = { ...moved, references: [{ field: "team", texts: ["7"], plain }] };
    const entering = { ...joining, idleTimeout: null, rotation: null };
    await expectNothingWritten(() => store.change(fresh.id, entering));
  });
});
