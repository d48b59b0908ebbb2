/* `session-sets/compat/redis-user-sessions`: what its predecessor documents, and what went wrong there. */
import { randomBytes } from "node:crypto";
import { createClient } from "redis";
import {
  createSession,
  deleteSession,
  deleteUserSessions,
  getUserSessions,
  readSession,
  updateSession,
  updateUserSessions,
} from "session-sets/compat/redis-user-sessions";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import { type StoreClient, singleClients } from "../../support/stores/clients.ts";

const port = Number(new URL(redisUrl()).port);
const connect = () => createClient({ url: redisUrl() }).connect();

let client: Awaited<ReturnType<typeof connect>>;
beforeAll(async () => {
  client = await connect();
});
afterAll(() => client.close());

// Users and ids of each test's own: the functions share one place for all that a server keeps.
let userId: string;
let sessionId: string;
beforeEach(() => {
  userId = `user-${randomBytes(8).toString("hex")}`;
  sessionId = `id-${randomBytes(8).toString("hex")}`;
});

const HOUR = 3_600_000;
const soon = (ms = HOUR) => new Date(Date.now() + ms).toISOString();
const PAST = "2001-02-03T04:05:06Z";
/** Makes a session that lives for an hour, and gives its data. */
async function make(more: object = {}, id = sessionId) {
  const data = { userId, expires: soon(), ...more };
  await createSession({ client, sessionId: id, data });
  return data;
}
const read = (id = sessionId) => readSession({ client, sessionId: id });
const listed = async (user = userId) => {
  const sessions = await getUserSessions({ client, userId: user });
  return sessions.sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
};
const deriveKey = (id = sessionId) => `{redis-user-sessions:0}:s:${id}`;
const deriveSetKey = (user: string) => `{redis-user-sessions:0}:r:userId:${user}`;
const refused = (code: string) => expect.objectContaining({ name: "SessionError", code });

/*
 * The README's example. Fixed: the line that imports the functions; `import { … } = from`, which is
 * no JavaScript; the connection, which is the test server's; and the function around all of it, which is
 * the test's own.
 */
test("the README's example runs, and leaves no session, because its session has expired", async () => {
  const client = createClient({ url: redisUrl() });
  client.on("error", (error) => {
    throw error;
  });
  await client.connect();

  const anyOtherData = { role: "admin" };
  await createSession({
    client,
    sessionId: "session-id",
    data: {
      expires: new Date().toISOString(),
      userId: "user-id-for-eva",
      ...anyOtherData,
    },
  });

  expect(await readSession({ client, sessionId: "session-id" })).toBeNull();
  expect(await getUserSessions({ client, userId: "user-id-for-eva" })).toEqual([]);
  expect(await client.exists([deriveKey("session-id"), deriveSetKey("user-id-for-eva")])).toBe(0);
  await client.close();
});

describe("createSession", () => {
  test("makes a session with its data, and resolves to its id", async () => {
    const data = { userId, expires: soon(), role: "admin" };
    expect(await createSession({ client, sessionId, data })).toBe(sessionId);
    expect(await read()).toEqual(data);
    expect(await listed()).toEqual([{ sessionId, data }]);
  });

  test("makes an id where none is given, and returns it", async () => {
    const data = { userId, expires: soon() };
    const made = await createSession({ client, data });
    const other = await createSession({ client, data });
    expect(made).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(other).not.toBe(made);
    expect(await read(made)).toEqual(data);
    expect((await listed()).map((one) => one.sessionId)).toEqual([made, other].sort());
  });

  test("stores and lists an id as it is given, whatever string it is", async () => {
    const ids = [
      "",
      " ",
      "*",
      "a:b",
      "{tag}",
      "}",
      '"quoted"',
      "@own",
      "true",
      "12",
      "__proto__",
      "zeilen\numbruch\0",
      "größe 🙂",
      "\ud800",
      "\udc00",
      "x".repeat(2000),
    ].map((id) => (id === "" ? id : id + (id.length > 1 ? userId : "")));
    for (const [n, id] of ids.entries()) await make({ n }, id);
    for (const [n, id] of ids.entries()) expect(await read(id)).toMatchObject({ n });
    expect((await listed()).map((one) => one.sessionId)).toEqual(ids.toSorted());
    expect(await client.exists(deriveKey(`a:b${userId}`))).toBe(1);
    for (const id of ids) await deleteSession({ client, sessionId: id });
    expect(await listed()).toEqual([]);
  });

  test("replaces a session of the same user, all of it", async () => {
    await make({ role: "admin", theme: "dark" });
    const data = await make({ role: "guest", expires: soon(2 * HOUR) });
    expect(await read()).toEqual(data);
    expect(await client.pExpireTime(deriveKey())).toBe(Date.parse(data.expires));
    expect(await listed()).toHaveLength(1);
  });

  test("rejects where the session is another user's, and leaves it as it is", async () => {
    const data = await make({ role: "admin" });
    const other = { userId: `${userId}-2`, expires: soon(), role: "guest" };
    await expect(createSession({ client, sessionId, data: other })).rejects.toThrow(
      refused("ERR_SESSION_VALUE"),
    );
    expect(await read()).toEqual(data);
    expect(await listed(other.userId)).toEqual([]);
  });

  test("may give the id of an ended session to another user", async () => {
    await make();
    await deleteSession({ client, sessionId });
    const data = { userId: `${userId}-2`, expires: soon() };
    await createSession({ client, sessionId, data });
    expect(await read()).toEqual(data);
    expect(await listed()).toEqual([]);
    expect(await listed(data.userId)).toHaveLength(1);
  });

  test("with an end in the past ends the user's session of that id, and no other user's", async () => {
    await make();
    const expired = { client, sessionId, data: { userId, expires: PAST } };
    const others = { ...expired, data: { userId: `${userId}-2`, expires: PAST } };
    await expect(createSession(others)).rejects.toThrow(refused("ERR_SESSION_VALUE"));
    expect(await read()).not.toBeNull();
    await createSession(expired);
    expect(await read()).toBeNull();
    expect(await client.exists([deriveKey(), deriveSetKey(userId)])).toBe(0);
  });

  test.each([
    ["no userId", { expires: soon() }],
    ["a userId that is null", { userId: null, expires: soon() }],
    ["a userId that is a number", { userId: 1, expires: soon() }],
    ["no data", undefined],
    ["data that is a list", []],
    ["data with a BigInt", { userId: "u", expires: soon(), big: 1n }],
  ])("rejects %s", async (_what, data) => {
    const made = createSession({ client, sessionId, data: data as never });
    await expect(made).rejects.toThrow(refused("ERR_SESSION_VALUE"));
    expect(await read()).toBeNull();
  });
});

describe("expires", () => {
  test.each(["2999-01-02T03:04:05.678Z", "2999-01-02T03:04:05+01:30", "2999-01-02T03:04Z"])(
    "decides the deadline, and is given back as it was: %s",
    async (expires) => {
      const data = await make({ expires });
      expect(await read()).toEqual(data);
      expect(await client.pExpireTime(deriveKey())).toBe(Date.parse(expires));
      expect(await client.pExpireTime(deriveSetKey(userId))).toBe(Date.parse(expires));
    },
  );

  test("may be a Date, which JSON writes as a timestamp", async () => {
    const expires = new Date(Date.now() + HOUR);
    await createSession({ client, sessionId, data: { userId, expires: expires as never } });
    expect(await read()).toEqual({ userId, expires: expires.toISOString() });
  });

  test.each([
    undefined,
    null,
    "",
    "tomorrow",
    "2999",
    "2999-01-02",
    "2999-01-02T03:04:05",
    "2999-02-30T00:00:00Z",
    "2999-13-01T00:00:00Z",
    "2999-01-02T25:00:00Z",
    "Fri, 02 Jan 2999 03:04:05 GMT",
    "2999-01-02T03:04:05Z ",
    32_472_144_000_000,
    Number.NaN,
    {},
    ["2999-01-02T03:04:05Z"],
  ])("rejects what is no timestamp: %s", async (expires) => {
    const made = createSession({ client, sessionId, data: { userId, expires: expires as never } });
    await expect(made).rejects.toThrow(refused("ERR_SESSION_VALUE"));
    const data = await make();
    const updated = updateSession({ client, sessionId, data: { a: 1, expires } });
    await expect(updated).rejects.toThrow(refused("ERR_SESSION_VALUE"));
    const all = updateUserSessions({ client, userId, data: { a: 1, expires } });
    await expect(all).rejects.toThrow(refused("ERR_SESSION_VALUE"));
    expect(await read()).toEqual(data);
  });

  test("ends the session and its entry when it comes, with nobody running", async () => {
    const data = await make({ expires: soon(2000) });
    await expect.poll(read, { interval: 20 }).toBeNull();
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(data.expires));
    await expect.poll(() => client.exists([deriveKey(), deriveSetKey(userId)])).toBe(0);
  });

  test.each(["one session", "all of a user's"])(
    "moves either way in an update of %s",
    async (of) => {
      const update = (data: object) =>
        of === "one session"
          ? updateSession({ client, sessionId, data })
          : updateUserSessions({ client, userId, data });
      await make();
      for (const ms of [24 * HOUR, HOUR / 2, 48 * HOUR]) {
        const expires = soon(ms);
        await update({ expires });
        expect(await read()).toMatchObject({ expires });
        expect(await client.pExpireTime(deriveKey())).toBe(Date.parse(expires));
        expect(await client.zScore(deriveSetKey(userId), sessionId)).toBe(Date.parse(expires));
      }
      await update({ expires: PAST });
      expect(await read()).toBeNull();
      expect(await client.exists([deriveKey(), deriveSetKey(userId)])).toBe(0);
    },
  );

  test("is all that moves the deadline: no other update does, and no reading", async () => {
    const { expires } = await make();
    await read();
    await listed();
    await updateSession({ client, sessionId, data: { a: 1 } });
    await updateUserSessions({ client, userId, data: { b: 2 } });
    expect(await client.pExpireTime(deriveKey())).toBe(Date.parse(expires));
  });
});

describe("updateSession", () => {
  test("merges, and resolves to nothing", async () => {
    const data = await make({ role: "admin", theme: "dark" });
    const changes = { theme: "light", n: 1 };
    expect(await updateSession({ client, sessionId, data: changes })).toBeUndefined();
    expect(await read()).toEqual({ ...data, theme: "light", n: 1 });
  });

  test("removes what is undefined, as JSON leaves it out, and so does updateUserSessions", async () => {
    const data = await make({ role: "admin", theme: "dark", "": 1, "@c": 2, "\ud800": 3, n: null });
    const changes = {
      role: undefined,
      "": undefined,
      "\ud800": undefined,
      absent: undefined,
      n: 1,
    };
    await updateSession({ client, sessionId, data: changes });
    expect(await read()).toEqual({ userId, expires: data.expires, theme: "dark", "@c": 2, n: 1 });
    const all = { theme: () => 1, "@c": Symbol("x"), n: Number.NaN };
    await updateUserSessions({ client, userId, data: all });
    expect(await read()).toEqual({ userId, expires: data.expires, n: null });
  });

  test("removes neither the user nor the end: that is refused, and nothing is changed", async () => {
    const data = await make();
    for (const name of ["userId", "expires"]) {
      const changes = { a: 1, [name]: undefined };
      const wanted = { code: "ERR_SESSION_VALUE", message: expect.stringContaining(name) };
      const one = updateSession({ client, sessionId, data: changes });
      await expect(one).rejects.toMatchObject(wanted);
      const all = updateUserSessions({ client, userId, data: changes });
      await expect(all).rejects.toMatchObject(wanted);
    }
    expect(await read()).toEqual(data);
  });

  test("rejects where there is no session, and makes none", async () => {
    const update = updateSession({ client, sessionId, data: { theme: "light" } });
    await expect(update).rejects.toThrow(refused("ERR_SESSION_GONE"));
    expect(await client.exists(deriveKey())).toBe(0);
  });

  test("rejects a change of userId, and takes the same one", async () => {
    const data = await make();
    for (const other of [`${userId}-2`, null, 1]) {
      const update = updateSession({ client, sessionId, data: { userId: other, a: 1 } });
      await expect(update).rejects.toThrow(refused("ERR_SESSION_VALUE"));
      const all = updateUserSessions({ client, userId, data: { userId: other, a: 1 } });
      await expect(all).rejects.toThrow(refused("ERR_SESSION_VALUE"));
    }
    expect(await read()).toEqual(data);
    await updateSession({ client, sessionId, data: { userId, a: 1 } });
    await updateUserSessions({ client, userId, data: { userId, b: 2 } });
    expect(await read()).toEqual({ ...data, a: 1, b: 2 });
  });
});

test("deleteSession ends a session, and one of nothing resolves", async () => {
  await make();
  expect(await deleteSession({ client, sessionId })).toBeUndefined();
  expect(await read()).toBeNull();
  expect(await listed()).toEqual([]);
  expect(await deleteSession({ client, sessionId })).toBeUndefined();
});

describe("the sessions of a user", () => {
  test("are listed, changed and ended together, and no other user's with them", async () => {
    const made = [await make({}, `${sessionId}-1`), await make({}, `${sessionId}-2`)];
    const other = { userId: `${userId}-2`, expires: soon() };
    await createSession({ client, sessionId: `${sessionId}-3`, data: other });
    expect(await listed()).toEqual(
      made.map((data, n) => ({ sessionId: `${sessionId}-${n + 1}`, data })),
    );
    expect(await updateUserSessions({ client, userId, data: { role: "guest" } })).toBeUndefined();
    expect((await listed()).map(({ data }) => data.role)).toEqual(["guest", "guest"]);
    expect(await read(`${sessionId}-3`)).toEqual(other);
    expect(await deleteUserSessions({ client, userId })).toBeUndefined();
    expect(await listed()).toEqual([]);
    expect(await listed(other.userId)).toHaveLength(1);
  });

  test("may be none: listing, updating and deleting resolve", async () => {
    expect(await getUserSessions({ client, userId })).toEqual([]);
    expect(await updateUserSessions({ client, userId, data: { a: 1 } })).toBeUndefined();
    expect(await deleteUserSessions({ client, userId })).toBeUndefined();
  });

  test("may be more than one page", async () => {
    const ids = Array.from({ length: 350 }, (_, n) => `${sessionId}-${n}`);
    await Promise.all(ids.map((id) => make({}, id)));
    const expires = soon(2 * HOUR);
    await updateUserSessions({ client, userId, data: { a: 1, expires } });
    const sessions = await listed();
    expect(sessions.map((one) => one.sessionId)).toEqual(ids.sort());
    for (const { data } of sessions) expect(data).toEqual({ userId, a: 1, expires });
    await deleteUserSessions({ client, userId });
    expect(await client.exists([deriveSetKey(userId), ...ids.map(deriveKey)])).toBe(0);
  });

  test("are ended whatever their ids are, an empty one among them", async () => {
    const ids = ["", "*", "@own", "\ud800"].map((id) => (id === "" ? id : id + userId));
    for (const id of ids) await make({}, id);
    await deleteUserSessions({ client, userId });
    for (const id of ids) expect(await read(id)).toBeNull();
  });

  test("are not another user's, whom an id was given to after its session was evicted", async () => {
    await make();
    await client.del(deriveKey());
    const theirs = { userId: `${userId}-2`, expires: soon() };
    await createSession({ client, sessionId, data: theirs });
    expect(await listed()).toEqual([]);
    await updateUserSessions({ client, userId, data: { role: "admin" } });
    await deleteUserSessions({ client, userId });
    expect(await listed(theirs.userId)).toEqual([{ sessionId, data: theirs }]);
  });

  test("never meet those of a user whose name looks alike", async () => {
    const users = ["a", "A", "a:b", "a%3Ab", "*", "", "1", '"1"', "\ud800"].map(
      (u) => `${u}${userId}`,
    );
    for (const user of users) await make({ userId: user }, user);
    for (const user of users) {
      expect((await listed(user)).map(({ data }) => data.userId)).toEqual([user]);
    }
    for (const user of users) await deleteUserSessions({ client, userId: user });
  });

  test("are of a userId that is a string: anything else is a mistake, and not nobody", async () => {
    for (const work of [getUserSessions, deleteUserSessions]) {
      const call = work({ client, userId: undefined as never });
      await expect(call).rejects.toThrow(refused("ERR_SESSION_VALUE"));
    }
  });
});

test("values are what JSON makes of them, under any name", async () => {
  const values = {
    date: new Date(0),
    list: [undefined, Number.NaN, () => 1],
    dropped: undefined,
    custom: { toJSON: () => ({ made: "by toJSON" }) },
    map: new Map([[1, 2]]),
    text: "1",
    "": "empty",
    "@c": "own",
    '"quoted"': true,
    "\ud800": null,
    ["__proto__"]: 1,
    ["x".repeat(300)]: -0,
    deep: JSON.parse("[".repeat(300) + "]".repeat(300)),
    large: "x".repeat(100_000),
  };
  const data = await make(values);
  const byName = (record: unknown) => Object.entries(record as object).sort();
  const [found, written] = [byName(await read()), byName(JSON.parse(JSON.stringify(data)))];
  expect(found.map(([name]) => name)).toEqual(written.map(([name]) => name));
  for (const [n, [name, value]] of written.entries()) {
    expect(JSON.stringify(found[n]?.[1]) === JSON.stringify(value), name).toBe(true);
  }
});

test("a client that is not connected, or is none, rejects", async () => {
  const closed = createClient({ url: redisUrl() });
  await expect(readSession({ client: closed, sessionId })).rejects.toThrow(
    refused("ERR_STORE_UNAVAILABLE"),
  );
  await expect(readSession({ client: undefined as never, sessionId })).rejects.toThrow(
    refused("ERR_SESSION_CONFIG"),
  );
});

/* The package's faults, shown by its commands, and what is done instead. */

describe("an update that resurrects a session deleted meanwhile", () => {
  test("came of reading, merging and writing back, one after the other", async () => {
    const key = `old:${sessionId}`;
    await client.set(key, JSON.stringify({ userId, theme: "dark" }));
    const read = JSON.parse((await client.get(key)) ?? "{}");
    await client.del(key); // a sign-out, between the update's two steps
    await client.set(key, JSON.stringify({ ...read, theme: "light" }));
    expect(await client.exists(key)).toBe(1);
    await client.del(key);
  });

  test("cannot be: an update is one script, before the deletion or after it", async () => {
    for (let round = 0; round < 50; round++) {
      await make();
      const update = () =>
        updateSession({ client, sessionId, data: { round } }).then(
          () => "updated",
          (error) => error.code,
        );
      const calls = [update(), deleteSession({ client, sessionId }), update()];
      if (round % 2) calls.reverse();
      await Promise.all(calls);
      expect(await read()).toBeNull();
      expect(await update()).toBe("ERR_SESSION_GONE");
      expect(await client.exists([deriveKey(), deriveSetKey(userId)])).toBe(0);
    }
  });

  test("nor by an update of all sessions of a user", async () => {
    for (let round = 0; round < 20; round++) {
      await make();
      await Promise.all([
        updateUserSessions({ client, userId, data: { round, expires: soon(2 * HOUR) } }),
        deleteUserSessions({ client, userId }),
      ]);
      expect(await client.exists([deriveKey(), deriveSetKey(userId)])).toBe(0);
    }
  });

  test("nor does that change a session that another user was given under the id meanwhile", async () => {
    await make();
    const theirs = { userId: `${userId}-2`, expires: soon(), role: "guest" };
    let given = false;
    const between = {
      isOpen: true,
      async sendCommand(args: string[], options: object): Promise<unknown> {
        if (args.includes(deriveKey()) && !given) {
          given = true;
          await deleteSession({ client, sessionId });
          await createSession({ client, sessionId, data: theirs });
        }
        return client.sendCommand(args, options);
      },
    };
    const data = { role: "admin", expires: soon(2 * HOUR) };
    await updateUserSessions({ client: between, userId, data });
    expect(given).toBe(true);
    expect(await read()).toEqual(theirs);
  });

  test("two updates of different fields both survive", async () => {
    const data = await make();
    const fields = Array.from({ length: 20 }, (_, n) => ({ [`f${n}`]: n }));
    await Promise.all(fields.map((data) => updateSession({ client, sessionId, data })));
    expect(await read()).toEqual(Object.assign({}, data, ...fields));
  });

  test("two createSessions of two users for one id: one wins, whole", async () => {
    const both = ["a", "b"].map((name) => ({ userId: `${userId}-${name}`, expires: soon(), name }));
    const made = await Promise.allSettled(
      both.map((data) => createSession({ client, sessionId, data })),
    );
    const won = made.findIndex(({ status }) => status === "fulfilled");
    expect(made[1 - won]?.status).toBe("rejected");
    expect(await read()).toEqual(both[won]);
    expect(await listed(both[1 - won]?.userId)).toEqual([]);
  });
});

describe("background promises that nobody awaits", () => {
  /** A client that counts the commands under way, and may fail instead of sending one. */
  function counting(fails: (args: readonly string[]) => boolean = () => false) {
    const counted = {
      isOpen: true,
      underWay: 0,
      sent: 0,
      async sendCommand(args: string[], options: object): Promise<unknown> {
        counted.sent++;
        counted.underWay++;
        try {
          if (fails(args)) throw new Error("refused");
          return await client.sendCommand(args, options);
        } finally {
          counted.underWay--;
        }
      },
    };
    return counted;
  }

  test("came of commands that were sent after the answer: their errors reached nobody", async () => {
    const own = await connect();
    own.on("error", () => {});
    const create = async () => {
      await own.zAdd(`old:${userId}`, [{ score: 1, value: sessionId }]);
      void updateTtl().catch(() => unheard++);
    };
    const updateTtl = () => own.pExpireAt(`old:${userId}`, Date.now() + HOUR);
    let unheard = 0;
    await create();
    own.destroy();
    await expect.poll(() => unheard).toBe(1);
    expect(await client.pTTL(`old:${userId}`)).toBe(-1); // for ever
    await client.del(`old:${userId}`);
  });

  test("there are none: what resolves has been done, in one command for one session", async () => {
    const client = counting();
    const calls: Record<string, () => Promise<unknown>> = {
      create: () => createSession({ client, sessionId, data: { userId, expires: soon() } }),
      replace: () => createSession({ client, sessionId, data: { userId, expires: soon() } }),
      read: () => readSession({ client, sessionId }),
      update: () => updateSession({ client, sessionId, data: { a: 1, expires: soon() } }),
      list: () => getUserSessions({ client, userId }),
      updateAll: () => updateUserSessions({ client, userId, data: { a: 2 } }),
      delete: () => deleteSession({ client, sessionId }),
      deleteAll: () => deleteUserSessions({ client, userId }),
    };
    await readSession({ client, sessionId }); // learns the server's time
    const sent: Record<string, number> = {};
    for (const [name, call] of Object.entries(calls)) {
      const before = client.sent;
      await call();
      expect(client.underWay).toBe(0);
      await new Promise((resolve) => setImmediate(resolve));
      sent[name] = client.sent - before;
    }
    expect(sent).toEqual({
      create: 1,
      replace: 1,
      read: 1,
      update: 1,
      list: 1,
      updateAll: 2,
      delete: 1,
      deleteAll: 1,
    });
  });

  test("nor is anything left where one of many commands fails: the others are waited for", async () => {
    const ids = Array.from({ length: 20 }, (_, n) => `${sessionId}-${n}`);
    for (const id of ids) await make({}, id);
    const refusing = counting((args) => args.includes(deriveKey(ids[0])));
    await readSession({ client: refusing, sessionId }); // learns the server's time
    const update = updateUserSessions({ client: refusing, userId, data: { a: 1 } });
    await expect(update).rejects.toThrow(refused("ERR_STORE_UNAVAILABLE"));
    expect(refusing.underWay).toBe(0);
    const changed = (await listed()).filter(({ data }) => data.a === 1);
    expect(changed.map((one) => one.sessionId)).toEqual(ids.slice(1).sort());
  });
});

test.each(Object.entries(singleClients).filter(([kind]) => kind.startsWith("redis ")))(
  "a client of %s does it all",
  async (_kind, connect) => {
    const { client, close } = (await connect(port)) as StoreClient & { client: never };
    const data = { userId, expires: soon(), n: 1 };
    await createSession({ client, sessionId, data });
    await updateSession({ client, sessionId, data: { n: 2 } });
    await updateUserSessions({ client, userId, data: { m: 3 } });
    expect(await readSession({ client, sessionId })).toEqual({ ...data, n: 2, m: 3 });
    expect(await getUserSessions({ client, userId })).toHaveLength(1);
    await deleteUserSessions({ client, userId });
    expect(await readSession({ client, sessionId })).toBeNull();
    await close();
  },
);

test("all keys are under one hash tag, so in one slot", async () => {
  await make();
  const keys = (await client.keys(`*${userId}*`)).concat(await client.keys(`*${sessionId}*`));
  expect(keys).toHaveLength(2);
  for (const key of keys) expect(key).toMatch(/^\{redis-user-sessions:0\}:/);
});
