/* How sessions are spread over the parts of a store, on a real server. */
import { createSessions, type Sessions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { toId } from "../../../src/sessions/token.ts";
import type { SessionStore } from "../../../src/store/contract.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { omitMarks } from "../../support/stores/clearing-marks.ts";
import { type Client, clients, freshPrefix } from "../../support/stores/stores.ts";

interface Data {
  user_id?: number;
  team_ids?: number[];
}

const COUNT = 60;

let client: Client;
let prefix: string;
beforeAll(() => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());
beforeEach(() => {
  prefix = freshPrefix();
});

function open(shards: number): Sessions<Data> {
  return createSessions<Data>({
    store: redisStore(client, { prefix, shards, timeout: "20 seconds" }),
    references: { user_id: {}, team_ids: { identity: false } },
    idleTimeout: "1 hour",
  });
}

function createMany(sessions: Sessions<Data>, count = COUNT) {
  return Promise.all(
    Array.from({ length: count }, () => sessions.create({ user_id: 1, team_ids: [1, 2] })),
  );
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const parseShard = (text: string) =>
  ALPHABET.indexOf(text[0] ?? "") * 64 + ALPHABET.indexOf(text[1] ?? "");

test("a token and its id begin with the number of their shard, whose hash tag the keys have", async () => {
  const made = await createMany(open(200));
  for (const { token, session } of made) {
    expect(parseShard(token)).toBe(parseShard(session.id));
    expect(await client.exists(`{${prefix}:${parseShard(token)}}:s:${session.id}`)).toBe(1);
  }
  expect(new Set(made.map(({ token }) => parseShard(token))).size).toBeGreaterThan(20);
});

test("all keys of a session, before and after a rotation, have one hash tag", async () => {
  const sessions = open(4096);
  const { token } = await sessions.create({ user_id: 1, team_ids: [1, 2, 3] });
  const rotated = await sessions.rotate(token, { team_ids: [3, 4] });
  const tag = `{${prefix}:${parseShard(token)}}:`;
  const keys = await client.keys(`*${prefix}*`);
  expect(keys.filter((key) => key.startsWith(tag))).toEqual(keys);
  expect(keys.length).toBe(6); // the hash, what is left at the old id, the pointer, three sets
  expect(rotated?.token?.slice(0, 2)).toBe(token.slice(0, 2));
  const signedIn = await sessions.signIn(rotated?.token, { user_id: 2 }, { keep: ["team_ids"] });
  const after = await client.keys(`*${prefix}*`);
  expect(after.filter((key) => key.startsWith(tag))).toEqual(after);
  expect(signedIn.token.slice(0, 2)).toBe(token.slice(0, 2));
  await sessions.delete(signedIn.token);
});

test("a set is the union over the shards", async () => {
  const sessions = open(4);
  const made = await createMany(sessions);
  const ids = made.map(({ session }) => session.id).sort();
  const user = sessions.by("user_id", 1);
  expect(user.key).toBe(`{${prefix}:*}:r:user_id:1`);
  expect(await user.size()).toBe(COUNT);
  expect((await user.ids()).sort()).toEqual(ids);
  const listed = await user.list({ limit: COUNT });
  expect(listed.map(({ id }) => id).sort()).toEqual(ids);
  const seen = listed.map(({ lastSeenAt }) => lastSeenAt.getTime());
  expect(seen).toEqual(seen.toSorted((a, b) => b - a));
  expect((await user.list({ limit: 7 })).length).toBe(7);
  expect(await user.clear({ except: ids[0] ?? "" })).toBe(COUNT - 1);
  expect(await user.ids()).toEqual([ids[0]]);
});

test("raising the number of shards keeps every session", async () => {
  let made = await createMany(open(1), 10);
  for (const shards of [4, 64, 100, 4096]) {
    const sessions = open(shards);
    for (const { token, session } of made) {
      expect((await sessions.get(token))?.id).toBe(session.id);
    }
    expect((await sessions.by("user_id", 1).ids()).sort()).toEqual(
      made.map(({ session }) => session.id).sort(),
    );
    made = [...made, ...(await createMany(sessions, 10))];
  }
  expect(await open(4096).by("user_id", 1).clear()).toBe(made.length);
  expect(omitMarks(await client.keys(`*${prefix}*`))).toEqual([]);
});

test("lowering it signs out the sessions of the shards that go, and no others", async () => {
  const made = await createMany(open(4));
  const sessions = open(2);
  for (const { token, session } of made) {
    const stays = parseShard(token) < 2;
    expect((await sessions.get(token)) !== null).toBe(stays);
    expect((await sessions.byId(session.id).get()) !== null).toBe(stays);
    expect(await sessions.touch(token)).toBe(stays);
  }
  const left = made.filter(({ token }) => parseShard(token) < 2).length;
  expect(await sessions.by("user_id", 1).size()).toBe(left);
});

test("stores of different prefixes share a server and nothing else", async () => {
  const ours = open(1);
  const { token } = await ours.create({ user_id: 1 });
  const theirs = createSessions<Data>({
    store: redisStore(client, { prefix: `${prefix}.b`, timeout: "20 seconds" }),
    references: { user_id: {} },
    idleTimeout: "1 hour",
  });
  expect(await theirs.get(token)).toBeNull();
  expect(await theirs.by("user_id", 1).clear()).toBe(0);
  expect(await ours.get(token)).not.toBeNull();
});

test("a store is given ids in other shards, one after the other, and says which it has used", async () => {
  const shards = 8;
  const asked: number[] = [];
  const store = memoryStore();
  const create: SessionStore["create"] = async (session, elsewhere) => {
    let { id } = session;
    asked.length = 0;
    asked.push(parseShard(id));
    for (let i = 1; i < 6; i++) {
      id = elsewhere?.() ?? "";
      asked.push(parseShard(id));
    }
    return store.create({ ...session, id });
  };
  const sessions = createSessions({
    store: Object.assign(Object.create(store), { shards, create }),
  });
  const { token, session } = await sessions.create({});
  expect(new Set(asked).size).toBe(6);
  expect(parseShard(session.id)).toBe(asked.at(-1));
  expect(parseShard(token)).toBe(asked.at(-1));
  expect(toId(token, shards)).toBe(session.id);
});
