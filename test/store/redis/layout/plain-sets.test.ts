/* References declared `{ as: "set" }`: a plain Redis set of ids, for SMEMBERS. */
import { createSessions, SessionError, type Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { withLifetime } from "../../../support/lifetime.ts";
import { redisUrl } from "../../../support/redis/shared.ts";
import { omitMarks } from "../../../support/stores/clearing-marks.ts";
import {
  type Client,
  clients,
  elapseOn,
  freshPrefix,
  passUntil,
} from "../../../support/stores/stores.ts";

interface Data {
  user_id?: number;
  team_ids?: number[];
  n?: number;
}

let client: Client;
let prefix: string;
let sessions: Sessions<Data>;
beforeAll(() => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());
beforeEach(() => {
  prefix = freshPrefix();
  sessions = open({ user_id: { as: "set" }, team_ids: { as: "set", identity: false } });
});

function open(references: object): Sessions<Data> {
  return createSessions<Data>({
    store: redisStore(client, { prefix, timeout: "20 seconds" }),
    references,
    idleTimeout: "1 hour",
  });
}

const user = () => sessions.by("user_id", 1);

/** Fails unless the plain set holds exactly these ids, which the sorted set beside it holds, too. */
async function expectMembers(key: string, ids: readonly (string | undefined)[]): Promise<void> {
  const sorted = [...ids].sort();
  expect((await client.smembers(key)).sort()).toEqual(sorted);
  const beside = key.replace(":m:", ":r:");
  expect((await client.zrange(beside, "0", "-1")).sort()).toEqual(sorted);
}

test("the set's key is the plain set, whose members are the ids of the sessions", async () => {
  const made = [await sessions.create({ user_id: 1 }), await sessions.create({ user_id: 1 })];
  expect(user().key).toBe(`{${prefix}:0}:m:user_id:1`);
  await expectMembers(
    user().key,
    made.map(({ session }) => session.id),
  );
  expect((await user().ids()).sort()).toEqual((await client.smembers(user().key)).sort());
});

describe("its members stay exactly the sessions of the set", () => {
  test("when references change", async () => {
    const { token, session } = await sessions.create({ user_id: 1, team_ids: [1, 2] });
    await sessions.set(token, { team_ids: [2, 3] });
    await expectMembers(sessions.by("team_ids", 1).key, []);
    await expectMembers(sessions.by("team_ids", 2).key, [session.id]);
    await expectMembers(sessions.by("team_ids", 3).key, [session.id]);
    await sessions.unset(token, ["team_ids"]);
    await expectMembers(sessions.by("team_ids", 2).key, []);
    await expectMembers(user().key, [session.id]);
  });

  test("when all sessions of a set change", async () => {
    const { session } = await sessions.create({ user_id: 1, team_ids: [1] });
    const other = await sessions.create({ user_id: 1, team_ids: [2] });
    await user().set({ team_ids: [3] });
    await expectMembers(sessions.by("team_ids", 1).key, []);
    await expectMembers(sessions.by("team_ids", 3).key, [session.id, other.session.id]);
    await user().unset(["team_ids"]);
    await expectMembers(sessions.by("team_ids", 3).key, []);
  });

  test("when a session rotates or signs in", async () => {
    const { token } = await sessions.create({ user_id: 1, team_ids: [1] });
    const renewed = await sessions.rotate(token);
    await expectMembers(user().key, [renewed?.session?.id]);
    const again = await sessions.signIn(renewed?.token, { user_id: 1 }, { keep: ["team_ids"] });
    await expectMembers(user().key, [again.session.id]);
    await expectMembers(sessions.by("team_ids", 1).key, [again.session.id]);
    const other = await sessions.rotate(again.token, { user_id: 2, team_ids: [2] });
    await expectMembers(user().key, []);
    await expectMembers(sessions.by("user_id", 2).key, [other?.session?.id]);
    await expectMembers(sessions.by("team_ids", 1).key, []);
    await expectMembers(sessions.by("team_ids", 2).key, [other?.session?.id]);
  });

  test("when sessions end one by one, or all", async () => {
    const made = [];
    for (let n = 0; n < 4; n++) made.push(await sessions.create({ user_id: 1, n }));
    const [a, b, c, d] = made.map(({ token, session }) => ({ token, id: session.id }));
    await sessions.delete(a?.token);
    await expectMembers(user().key, [b?.id, c?.id, d?.id]);
    await user().delete(b?.id ?? "");
    await expectMembers(user().key, [c?.id, d?.id]);
    await user().clear({ except: c?.id ?? null });
    await expectMembers(user().key, [c?.id]);
    await user().clear();
    expect(omitMarks(await client.keys(`*${prefix}*`))).toEqual([]);
  });

  test("when sessions expire: the next write or listing of the set drops them", async () => {
    const { session } = await sessions.create({ user_id: 1 });
    await sessions.create({ user_id: 1 }, { idleTimeout: 20 });
    await sessions.create({ user_id: 1 }, { idleTimeout: 20 });
    await elapseOn(client, 25);
    await user().list();
    await expectMembers(user().key, [session.id]);
    await sessions.create({ user_id: 1 }, { idleTimeout: 20 });
    await elapseOn(client, 25);
    const last = await sessions.create({ user_id: 1 });
    await expectMembers(user().key, [session.id, last.session.id]);
  });
});

test("it expires with its last session, with nobody running", async () => {
  const end = await withLifetime(3000, async (idleTimeout) => {
    const { token, session } = await sessions.create({ user_id: 1 }, { idleTimeout });
    expect(await client.pexpiretime(user().key)).toBe(session.expiresAt.getTime());
    await sessions.touch(token, { idleTimeout: idleTimeout + 500 });
    const deadline = Number(await client.pexpiretime(user().key));
    expect(deadline).toBeGreaterThan(session.expiresAt.getTime());
    return deadline;
  });
  await passUntil(client, end + 5);
  expect(await client.exists(user().key)).toBe(0);
  expect(await client.dbsize().then(() => client.keys(`*${prefix}*`))).toEqual([]);
});

test("it needs a store of one shard", () => {
  const store = redisStore(client, { prefix, shards: 4 });
  const options = { store, references: { user_id: { as: "set" } }, idleTimeout: "1 hour" } as const;
  expect(() => createSessions<Data>(options)).toThrowError(
    expect.objectContaining({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringMatching(/one shard.*4/),
    }),
  );
  expect(() => createSessions<Data>(options)).toThrow(SessionError);
});

test("a reference that is declared so later gets its plain set as sessions are used", async () => {
  sessions = open({ user_id: { as: "set", identity: false } });
  const before = open({ user_id: { identity: false } });
  const { token, session } = await before.create({ user_id: 1 });
  expect(await client.exists(user().key)).toBe(0);
  expect(await user().ids()).toEqual([session.id]);
  await sessions.set(token, { user_id: 1 });
  await expectMembers(user().key, [session.id]);
  expect(await user().clear()).toBe(1);
  expect(omitMarks(await client.keys(`*${prefix}*`))).toEqual([]);
});
