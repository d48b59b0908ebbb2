/* How many references one session may have, and how large values are refused, on both stores. */
import { createSessions, type Sessions } from "session-sets";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { MAX_REFERENCES } from "../../../src/shared/errors.ts";
import { memoryStore } from "../../../src/store/memory/options.ts";
import { redisStore } from "../../../src/store/redis/options.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { clients, freshPrefix } from "../../support/stores/stores.ts";

interface Data {
  user_id?: number;
  team_ids?: number[];
  tags?: string[];
  theme?: unknown;
}

const client = clients["ioredis 6"](redisUrl());
afterAll(() => client.quit());

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);
const TOO_MANY = (count: number) => ({
  code: "ERR_SESSION_VALUE",
  message: expect.stringMatching(new RegExp(`would have ${count} values; 1000 are allowed in all`)),
});

describe.each([
  ["memory", () => memoryStore()],
  ["Redis", () => redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" })],
] as const)("on %s", (_, store) => {
  let sessions: Sessions<Data, "user_id" | "team_ids" | "tags">;
  beforeEach(() => {
    sessions = createSessions<Data, ["user_id", { team_ids: object; tags: object }]>({
      store: store(),
      maxBytes: 200_000,
      references: ["user_id", { team_ids: { identity: false }, tags: { identity: false } }],
    });
  });

  test("a thousand in all are taken, over whatever fields", async () => {
    const { token } = await sessions.create({ user_id: 1, team_ids: numbers(MAX_REFERENCES - 1) });
    expect(await sessions.touch(token)).toBe(true);
    expect(await sessions.by("team_ids", 998).size()).toBe(1);
  });

  test("one more is refused where a session is made, in one field or several", async () => {
    const tags = numbers(400).map(String);
    for (const values of [
      { team_ids: numbers(1001) },
      { user_id: 1, team_ids: numbers(1000) },
      { user_id: 1, team_ids: numbers(600), tags },
    ]) {
      const count = [values].flatMap((one) => Object.values(one).flat()).length;
      await expect(sessions.create(values)).rejects.toMatchObject(TOO_MANY(count));
    }
    expect(await sessions.by("user_id", 1).size()).toBe(0);
  });

  test("one more is refused where it is added to those that are there, and nothing is written", async () => {
    const { token } = await sessions.create({ user_id: 1, team_ids: numbers(900) });
    const tags = numbers(100).map(String);
    await expect(sessions.set(token, { tags, theme: "dark" })).rejects.toMatchObject(
      TOO_MANY(1001),
    );
    await expect(sessions.rotate(token, { tags })).rejects.toMatchObject(TOO_MANY(1001));
    await expect(sessions.by("user_id", 1).set({ tags })).rejects.toMatchObject(TOO_MANY(1001));
    expect((await sessions.get(token, ["tags", "theme"]))?.data).toEqual({});
    expect(await sessions.by("tags", "7").size()).toBe(0);
    expect(await sessions.set(token, { tags: tags.slice(1) })).toBe(true);
  });

  test("what a sign-in keeps counts, too, and the old session lives on", async () => {
    const { token } = await sessions.create({ team_ids: numbers(1000) });
    const signIn = sessions.signIn(token, { user_id: 1 }, { keep: ["team_ids"] });
    await expect(signIn).rejects.toMatchObject(TOO_MANY(1001));
    expect(await sessions.get(token)).not.toBeNull();
    expect(await sessions.by("user_id", 1).size()).toBe(0);
  });

  test("fewer may always take the place of more", async () => {
    const { token } = await sessions.create({ team_ids: numbers(1000) });
    expect(await sessions.set(token, { team_ids: numbers(1000, 500) })).toBe(true);
    expect(await sessions.unset(token, ["team_ids"])).toBe(true);
    expect(await sessions.set(token, { tags: ["a"] })).toBe(true);
  });
});

test("a value of very many parts is refused before all of it is read", async () => {
  const sessions = createSessions<Data>();
  let looked = 0;
  const watched = (value: object): object =>
    new Proxy(value, {
      get(target, name, receiver) {
        looked++;
        return Reflect.get(target, name, receiver);
      },
    });
  const wide = Object.fromEntries(numbers(200_000).map((i) => [`k${i}`, i]));
  for (const theme of [watched(wide), { deep: [watched(wide)] }]) {
    looked = 0;
    await expect(sessions.create({ theme })).rejects.toMatchObject({
      code: "ERR_SESSION_TOO_LARGE",
    });
    expect(looked).toBeLessThan(100);
  }
  // Whose parts alone are within the bound, and are many.
  const many = numbers(20_000).map(() => 1);
  expect((await sessions.create({ theme: many })).session.data.theme).toEqual(many);
});
