/* Sessions that redis-user-sessions has kept, with a client that `migrateSessions` was called with. */
import { randomBytes } from "node:crypto";
import { createClient } from "redis";
import {
  createSession,
  deleteSession,
  deleteUserSessions,
  getUserSessions,
  type MoveProgress,
  migrateSessions,
  moveSessions,
  readSession,
  updateSession,
  updateUserSessions,
} from "session-sets/compat/redis-user-sessions";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";

const HOUR = 3_600_000;
let server: RedisServer; // of its own: the old keys have no prefix
const connect = () => createClient({ url: server.url }).connect();
let client: Awaited<ReturnType<typeof connect>>;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  client = await connect();
  await client.flushDb();
  migrateSessions({ client });
});
afterEach(() => client.close());

const newId = () => randomBytes(9).toString("base64url");
/** A session as redis-user-sessions writes it. */
async function lay(sessionId: string, more: object = {}, ms = HOUR) {
  const moment = Date.now() + ms;
  const data = { userId: "eva", expires: new Date(moment).toISOString(), role: "admin", ...more };
  await client.set(`session:${sessionId}`, JSON.stringify(data), {
    expiration: { type: "PXAT", value: moment },
  });
  await client.zAdd(`user:${data.userId}:sessions`, { score: moment, value: sessionId });
  await client.pExpireAt(`user:${data.userId}:sessions`, moment);
  return data;
}
const read = (sessionId: string) => readSession({ client, sessionId });
const oldKeys = async () => [
  ...(await client.keys("session:*")),
  ...(await client.keys("user:*:sessions")),
];

describe("a session of redis-user-sessions", () => {
  test("is read, and then is where all are, under the same id and until the same moment", async () => {
    const data = await lay("an id", { age: 25 });
    expect(await read("an id")).toEqual(data);
    expect(await oldKeys()).toEqual([]);
    const key = "{redis-user-sessions:0}:s:an id";
    expect(await client.pExpireTime(key)).toBe(Date.parse(data.expires));
    expect(await getUserSessions({ client, userId: "eva" })).toEqual([
      { sessionId: "an id", data },
    ]);
    expect(await read("an id")).toEqual(data);
  });

  test("ends when its key did, and, where that has no expiry, when it says itself", async () => {
    await lay("shorter", {}, 24 * HOUR);
    const sooner = Date.now() + HOUR;
    await client.pExpireAt("session:shorter", sooner);
    await read("shorter");
    expect(await client.pExpireTime("{redis-user-sessions:0}:s:shorter")).toBe(sooner);
    const data = await lay("without expiry", {}, 24 * HOUR);
    await client.persist("session:without expiry");
    await read("without expiry");
    const key = "{redis-user-sessions:0}:s:without expiry";
    expect(await client.pExpireTime(key)).toBe(Date.parse(data.expires));
  });

  test("is updated, also with a new end", async () => {
    const data = await lay("an id");
    const expires = new Date(Date.now() + 2 * HOUR).toISOString();
    await updateSession({ client, sessionId: "an id", data: { role: "user", expires } });
    expect(await read("an id")).toEqual({ ...data, role: "user", expires });
    const again = updateSession({ client, sessionId: "none", data: {} });
    await expect(again).rejects.toMatchObject({ code: "ERR_SESSION_GONE" });
  });

  test("is deleted, and stays so", async () => {
    await lay("an id");
    await deleteSession({ client, sessionId: "an id" });
    expect(await read("an id")).toBeNull();
    expect(await oldKeys()).toEqual([]);
  });

  test("is replaced for its user and refused to another", async () => {
    const { expires } = await lay("an id");
    const taken = createSession({ client, sessionId: "an id", data: { userId: "bob", expires } });
    await expect(taken).rejects.toMatchObject({ code: "ERR_SESSION_VALUE" });
    expect(await read("an id")).toMatchObject({ userId: "eva", role: "admin" });
    await lay("another");
    await createSession({ client, sessionId: "another", data: { userId: "eva", expires } });
    expect(await read("another")).toEqual({ userId: "eva", expires });
    await deleteSession({ client, sessionId: "another" });
    expect(await read("another")).toBeNull();
  });

  test("is listed, updated and ended with all of its user's, however many", async () => {
    const ids = Array.from({ length: 250 }, newId);
    for (const id of ids) await lay(id);
    await lay("bob's", { userId: "bob" });
    await read(ids[0] as string);
    const listed = await getUserSessions({ client, userId: "eva" });
    expect(listed.map(({ sessionId }) => sessionId).sort()).toEqual([...ids].sort());
    expect(await oldKeys()).toEqual(["session:bob's", "user:bob:sessions"]);

    await lay("one more");
    await updateUserSessions({ client, userId: "eva", data: { role: "user" } });
    expect(await read("one more")).toMatchObject({ role: "user" });

    await lay("and one");
    await deleteUserSessions({ client, userId: "eva" });
    for (const id of [...ids, "one more", "and one"]) expect(await read(id)).toBeNull();
    expect(await read("bob's")).toMatchObject({ userId: "bob" });
  });

  test("is not taken for another's whose deadline is its name", async () => {
    const { expires } = await lay("an id");
    await lay(String(Date.parse(expires)), { userId: "bob" });
    await getUserSessions({ client, userId: "eva" });
    expect(await client.keys("session:*")).toEqual([`session:${Date.parse(expires)}`]);
  });

  test("is not looked for by a client that was not named", async () => {
    await lay("an id");
    const other = await connect();
    expect(await readSession({ client: other, sessionId: "an id" })).toBeNull();
    await deleteUserSessions({ client: other, userId: "eva" });
    await other.close();
    expect(await read("an id")).toMatchObject({ role: "admin" });
  });

  test("that is damaged is none, is left by moveSessions, and goes with its user's others", async () => {
    await client.set("session:text", "{ no JSON", { EX: 60 });
    await client.set("session:list", "[]", { EX: 60 });
    await client.set("session:nobody's", JSON.stringify({ expires: "2099-01-01T00:00:00Z" }));
    await client.set("session:endless", JSON.stringify({ userId: "eva" }));
    await client.hSet("session:hash", "a", "b");
    const nested = "[".repeat(100_000) + "]".repeat(100_000);
    const deep = `{"userId":"eva","expires":"2099-01-01T00:00:00Z","a":${nested}}`;
    await client.set("session:deep", deep, { EX: 60 });
    const ids = ["text", "list", "nobody's", "endless", "hash", "deep"];
    for (const id of ids) {
      await client.zAdd("user:eva:sessions", { score: 1, value: id });
      expect(await read(id)).toBeNull();
    }
    await lay("whole");
    const seen: MoveProgress[] = [];
    for await (const progress of moveSessions({ client })) seen.push(progress);
    expect(seen.at(-1)).toEqual({ cursor: null, scanned: 7, moved: 1, damaged: 6 });
    expect(await getUserSessions({ client, userId: "eva" })).toHaveLength(1);
    expect(await client.keys("session:*")).toHaveLength(6);
    await deleteUserSessions({ client, userId: "eva" });
    expect(await oldKeys()).toEqual([]);
  });
});
