/* How what has expired leaves Redis: by TTL with nobody running, and a few entries at each use. */
import { createSessions, type Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { withLifetime } from "../../support/lifetime.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { omitMarks } from "../../support/stores/clearing-marks.ts";
import {
  type Client,
  clients,
  elapseOn,
  freshPrefix,
  passUntil,
} from "../../support/stores/stores.ts";
import { editTimes } from "../../support/stores/times.ts";

interface Data {
  user_id?: number;
  team_ids?: number[];
  a?: number;
}

const SOON = 30;
const HOUR = 3_600_000;
/** How many expired entries one use of a set drops. */
const DROPPED = 8;

let client: Client;
let prefix: string;
let sessions: Sessions<Data>;
beforeAll(() => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());
beforeEach(() => {
  prefix = freshPrefix();
  sessions = createSessions<Data>({
    store: redisStore(client, { prefix, timeout: "20 seconds" }),
    references: { user_id: { identity: false }, team_ids: { identity: false } },
    idleTimeout: "1 hour",
  });
});

/** The same sessions, where `user_id` says who the user is. */
function identified(declared = {}): Sessions<Data> {
  return createSessions<Data>({
    store: redisStore(client, { prefix, timeout: "20 seconds" }),
    references: { user_id: declared, team_ids: { ...declared, identity: false } },
    idleTimeout: "1 hour",
    rotationGrace: SOON,
  });
}

const user = () => sessions.by("user_id", 1);
const entries = () => client.zcard(user().key);

/** One session of user 1 that lives, and the entries of this many that have expired since. */
async function withExpired(count: number) {
  const living = await sessions.create({ user_id: 1, team_ids: [1] });
  const dead = Array.from({ length: count }, (_, i) => [String(Date.now() - 1000 - i), `AA${i}`]);
  await client.zadd(user().key, ...dead.flat());
  return living;
}

test("a set's key lives as long as its last entry, and then is gone with nobody running", async () => {
  const end = await withLifetime(3000, async (idleTimeout) => {
    await sessions.create({ user_id: 1 }, { idleTimeout: 10 });
    const { session } = await sessions.create({ user_id: 1 }, { idleTimeout });
    await sessions.create({ user_id: 1 }, { idleTimeout: 10 });
    expect(await client.pexpiretime(user().key)).toBe(session.expiresAt.getTime());
    await elapseOn(client, 20);
    expect(await user().size()).toBe(1);
    return session.expiresAt.getTime();
  });
  await passUntil(client, end + 5);
  expect(omitMarks(await client.keys(`*${prefix}*`))).toEqual([]);
});

describe.each([
  ["set", {}],
  ["plain set", { as: "set" }],
] as const)("the key of a %s lives as long as its last entry, also after", (_, declared) => {
  beforeEach(() => {
    sessions = createSessions<Data>({
      store: redisStore(client, { prefix, timeout: "20 seconds" }),
      references: {
        user_id: { ...declared, identity: false },
        team_ids: { ...declared, identity: false },
      },
      idleTimeout: "1 hour",
    });
  });

  /** Fails unless the set's keys expire with the last of its entries, whose deadline is this. */
  async function expectDeadline(expected: number): Promise<void> {
    const set = user().key.replace(":m:", ":r:");
    const [, score] = await client.zrange(set, "-1", "-1", "WITHSCORES");
    expect(Number(score)).toBe(expected);
    for (const key of new Set([set, user().key])) {
      expect(await client.pexpiretime(key), key).toBe(expected);
    }
  }

  test("a deadline was brought forward, and put off again", async () => {
    const [a, b] = [await sessions.create({ user_id: 1 }), await sessions.create({ user_id: 1 })];
    await sessions.touch(b.token, { idleTimeout: "2 hours" });
    const readDeadline = async (token: string) =>
      (await sessions.get(token, { touch: false }))?.expiresAt.getTime() ?? 0;
    await expectDeadline(await readDeadline(b.token));
    await sessions.touch(b.token, { idleTimeout: "10 minutes" });
    await expectDeadline(a.session.expiresAt.getTime());
    await sessions.touch(a.token, { idleTimeout: "5 minutes" });
    await expectDeadline(await readDeadline(b.token));
    await sessions.touch(b.token, { idleTimeout: "1 minute" });
    await expectDeadline(await readDeadline(a.token));
    await sessions.touch(b.token, { idleTimeout: "3 hours" });
    await expectDeadline(await readDeadline(b.token));
  });

  type Made = Awaited<ReturnType<typeof sessions.create>>;
  test.each<[string, (last: Made, first: Made) => Promise<unknown>]>([
    ["delete", ({ token }) => sessions.delete(token)],
    ["delete by id", ({ session }) => sessions.byId(session.id).delete()],
    ["delete from the set", ({ session }) => user().delete(session.id)],
    ["set", ({ token }) => sessions.set(token, { user_id: 2 })],
    ["unset", ({ token }) => sessions.unset(token, ["user_id"])],
    ["rotate", ({ token }) => sessions.rotate(token, { user_id: 2 })],
    ["rotate to another user", ({ token }) => identified(declared).rotate(token, { user_id: 2 })],
    ["signIn", ({ token }) => identified(declared).signIn(token, { user_id: 2 })],
    ["clear", (_, first) => user().clear({ except: first.session.id })],
    ["clear of another set", () => sessions.by("team_ids", 7).clear()],
    ["change of another set", () => sessions.by("team_ids", 7).set({ user_id: 2 })],
    ["unset of another set", () => sessions.by("team_ids", 7).unset(["user_id"])],
  ])("the entry that would expire last was removed by %s", async (_, remove) => {
    const first = await sessions.create({ user_id: 1 });
    const last = await sessions.create({ user_id: 1, team_ids: [7] }, { idleTimeout: "2 hours" });
    await expectDeadline(last.session.expiresAt.getTime());
    await remove(last, first);
    expect(await user().ids()).toEqual([first.session.id]);
    await expectDeadline(first.session.expiresAt.getTime());
  });
});

test("expired sessions are in no answer though their entries are still there", async () => {
  const { session } = await withExpired(30);
  await sessions.create({ user_id: 1 }, { idleTimeout: 10 });
  await elapseOn(client, 15);
  expect(await entries()).toBe(31 + 1 - DROPPED);
  expect(await user().size()).toBe(1);
  expect(await user().ids()).toEqual([session.id]);
  expect((await user().list()).map(({ id }) => id)).toEqual([session.id]);
  const read = [];
  for await (const { id } of user()) read.push(id);
  expect(read).toEqual([session.id]);
  expect(await user().set({ team_ids: [2] })).toBe(1);
  expect(await user().clear()).toBe(1);
  expect(omitMarks(await client.keys(`*${prefix}*`))).toEqual([]);
});

describe("a few expired entries are dropped by each", () => {
  type Made = Awaited<ReturnType<typeof withExpired>>;

  /** Uses a session that was last seen some minutes ago. */
  async function age({ session }: Made, use: () => Promise<unknown>): Promise<void> {
    const seen = session.lastSeenAt.getTime() - 120_000;
    await editTimes(client, `{${prefix}:0}:s:${session.id}`, { seen });
    await use();
  }

  test.each<[string, (made: Made) => Promise<unknown>]>([
    ["create", () => sessions.create({ user_id: 1 })],
    ["set that counts as use", (made) => age(made, () => sessions.set(made.token, { a: 1 }))],
    ["touch", ({ token }) => sessions.touch(token)],
    ["rotate", ({ token }) => sessions.rotate(token)],
    ["unset that counts as use", (made) => age(made, () => sessions.unset(made.token, ["a"]))],
    ["unset of the reference", ({ token }) => sessions.unset(token, ["user_id"])],
    ["delete", ({ token }) => sessions.delete(token)],
    ["delete of the set", ({ session }) => user().delete(session.id)],
    ["list", () => user().list()],
    ["ids", () => user().ids()],
    ["change of the set", () => user().set({ team_ids: [3] })],
  ])("%s", async (_, use) => {
    await sessions.create({ user_id: 1 }); // without one that stays, the whole key would be gone
    const made = await withExpired(20);
    await use(made);
    const living = await user().size();
    expect(await entries()).toBe(living + 20 - DROPPED);
    await user().list();
    await user().list();
    expect(await entries()).toBe(await user().size());
  });
});

test("many sessions that enter a set at once take as many of its expired entries along", async () => {
  for (let i = 0; i < 250; i++) await sessions.create({ user_id: 2 }, { idleTimeout: HOUR + i });
  await withExpired(250);
  expect(await sessions.by("user_id", 2).set({ user_id: 1 })).toBe(250);
  expect(await user().size()).toBe(251);
  expect(await entries()).toBe(251); // as many as were ever alive in it, though it had 251 before
});

test("clear takes all expired entries along", async () => {
  const { session } = await withExpired(400);
  expect(await user().clear({ except: session.id })).toBe(0);
  expect(await entries()).toBe(1);
});

test("the deadline of an alias or a tombstone is its own, not the session's", async () => {
  sessions = identified();
  const made = await sessions.create({ user_id: 1 });
  const renewed = await sessions.rotate(made.token, {}, { grace: SOON });
  const signedIn = await sessions.rotate(renewed?.token, { user_id: 2 });
  expect(await sessions.get(made.token)).toBeNull();
  await elapseOn(client, SOON + 5);
  expect(await client.keys(`{${prefix}:0}:s:*`)).toEqual([
    `{${prefix}:0}:s:${signedIn?.session?.id}`,
  ]);
  expect(await sessions.get(signedIn?.token)).not.toBeNull();
});

test("a change in the very millisecond of the absolute deadline leaves nothing behind", async () => {
  sessions = identified();
  // Many tries, so that some of them meet that millisecond.
  for (let i = 0; i < 60; i++) {
    let { token } = await sessions.create({ user_id: 1 }, { absoluteTimeout: 5 });
    for (let alive = true; alive; ) {
      if (i % 3 === 0) alive = await sessions.touch(token);
      if (i % 3 === 1) alive = await sessions.set(token, { team_ids: [i] });
      if (i % 3 === 2) {
        const rotated = await sessions.rotate(token, { team_ids: [i] }, { grace: 0 });
        alive = rotated !== null;
        token = rotated?.token ?? token;
      }
    }
  }
  await elapseOn(client, SOON + 10); // and the tombstones are gone, too
  expect(await user().size()).toBe(0);
  expect(omitMarks(await client.keys(`*${prefix}*`))).toEqual([]);
});
