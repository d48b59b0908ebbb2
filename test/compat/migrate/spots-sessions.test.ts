/* Sessions that @spots-tech/sessions has kept, and moveSessions migrates. */
import { randomBytes } from "node:crypto";
import { type MoveProgress, SpotsSessions } from "session-sets/compat/spots-sessions";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";

let server: RedisServer; // of its own: the old keys have no prefix
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

let spots: SpotsSessions;
beforeEach(async () => {
  spots = new SpotsSessions(server.url);
  await spots.client.flushdb();
});
afterEach(() => void spots.client.disconnect());

/** A session as @spots-tech/sessions has written it. Resolves to its token. */
async function lay(app: string, ownerId: string, data: object, seconds = 3600) {
  const token = randomBytes(128).toString("base64");
  const key = `app:${app}|token:${token}|ownerId:${ownerId}`;
  await spots.client.set(key, JSON.stringify(data), "EX", seconds);
  return token;
}
async function drain(): Promise<MoveProgress | undefined> {
  let last: MoveProgress | undefined;
  for await (const progress of spots.moveSessions()) last = progress;
  return last;
}

test("are found, refreshed, updated and ended after it, with the time that was left", async () => {
  const token = await lay("shop", "123qwe", { firstName: "John", age: 25, ownerId: "data" }, 60);
  const other = await lay("shop", "123qwe", {});
  const elsewhere = await lay("blog", "123qwe", { a: [1] });
  expect(await spots.get({ app: "shop", token })).toBeUndefined(); // never moved by a read
  expect(await drain()).toEqual({ cursor: null, scanned: 3, moved: 3, damaged: 0 });
  expect(await spots.client.keys("app:*")).toEqual([]);

  expect(await spots.get({ app: "shop", token })).toEqual({
    ownerId: "123qwe",
    data: { firstName: "John", age: 25, ownerId: "data" },
  });
  expect(await spots.get({ app: "blog", token })).toBeUndefined();
  const [key = ""] = (await spots.client.keys("{spots-sessions:0}:s:*")).filter(Boolean);
  expect(await spots.client.pttl(key)).toBeGreaterThan(0);
  const lives = await Promise.all(
    (await spots.client.keys("{spots-sessions:0}:s:*")).map((one) => spots.client.pttl(one)),
  );
  expect(lives.filter((ms) => ms > 0 && ms <= 60_000)).toHaveLength(1);
  expect(await spots.refresh({ app: "shop", token, duration: 7200 })).toBe(true);
  expect(await spots.update({ app: "shop", token, data: { age: null } })).toBe(true);
  expect(await spots.kill({ app: "shop", token: other })).toBe(true);
  expect(await spots.killAll({ app: "shop", ownerId: "123qwe" })).toBe(true);
  expect(await spots.get({ app: "shop", token })).toBeUndefined();
  expect((await spots.get({ app: "blog", token: elsewhere }))?.data).toEqual({ a: [1] });
});

test("are migrated once: one that was ended since does not come back from what was left over", async () => {
  const token = await lay("shop", "eva", { a: 1 });
  const [key = ""] = await spots.client.keys("app:*");
  const [text, expiry] = [await spots.client.get(key), await spots.client.pexpiretime(key)];
  await drain();
  await spots.killAll({ app: "shop", ownerId: "eva" });
  await spots.client.set(key, text ?? "", "PXAT", expiry); // as if it had never been deleted
  expect(await drain()).toMatchObject({ scanned: 1, moved: 1 });
  expect(await spots.get({ app: "shop", token })).toBeUndefined();
  expect(await spots.client.keys("app:*")).toEqual([]);
});

test("that are damaged, or whose key can be read in two ways, are counted and left", async () => {
  const set = (key: string, text: string) => spots.client.set(key, text, "EX", 60);
  await set("app:a|token:t|ownerId:o1", "{ no JSON");
  await set("app:a|token:t|ownerId:o2", "[1]");
  await set("app:a|token:t|ownerId:x|token:u|ownerId:y", "{}");
  await set("app:a|token:t|ownerId:x|ownerId:y", "{}");
  await set("app:a|token:t|token:u|ownerId:y", "{}");
  await spots.client.set("app:a|token:t|ownerId:o3", "{}");
  await spots.client.hset("app:a|token:t|ownerId:o4", "a", "b");
  await set("app:a|b|token:t|ownerId:{o5}*", '{"a":1}');
  expect(await drain()).toEqual({ cursor: null, scanned: 8, moved: 1, damaged: 7 });
  expect(await spots.client.keys("app:*")).toHaveLength(7);
  expect(await spots.get({ app: "a|b", token: "t" })).toEqual({ ownerId: "{o5}*", data: { a: 1 } });
});
