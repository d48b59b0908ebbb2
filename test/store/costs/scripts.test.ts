/* The commands inside each script that a request may run, by MONITOR: what is not due is not done. */
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ScriptWatch, watchScripts } from "../../support/redis/script-watch.ts";
import { type RedisServer, startRedis } from "../../support/redis/server.ts";
import { type Client, clients, freshPrefix } from "../../support/stores/stores.ts";
import { editTimes } from "../../support/stores/times.ts";

interface Data {
  user_id?: number;
  team_ids?: number[];
  theme?: string;
  cart?: string;
}

let server: RedisServer;
let client: Client;
let watch: ScriptWatch;
beforeAll(async () => {
  server = await startRedis();
  client = clients["ioredis 6"](server.url);
  watch = await watchScripts(server.url);
});
afterAll(async () => {
  watch.stop();
  client.disconnect();
  await server.stop();
});

function open(options: object = {}) {
  const prefix = freshPrefix();
  const sessions = createSessions<Data>({
    store: redisStore(client, { prefix, timeout: "20 seconds" }),
    references: { user_id: {}, team_ids: { identity: false } },
    ...options,
  });
  const hash = ({ id }: { readonly id: string }) => `{${prefix}:0}:s:${id}`;
  /** As if the session was last seen two minutes ago. */
  const age = async (session: { readonly id: string }) => {
    await editTimes(client, hash(session), { seen: Date.now() - 120_000 });
  };
  return { sessions, hash, age };
}

/** Waits until what comes has another millisecond than what was before: the time of a deadline. */
async function passMillisecond(): Promise<void> {
  const before = Date.now();
  while (Date.now() <= before + 1) await client.ping();
}

/** The commands of the one script that runs meanwhile, in another millisecond than what ran before. */
async function listCommands(work: () => Promise<unknown>): Promise<string> {
  await passMillisecond();
  const runs = await watch.recordRuns(work);
  expect(runs).toHaveLength(1);
  return runs.flatMap(({ commands }) => commands.map(([name]) => name)).join(" ");
}

const NEW_SET = "ZADD PEXPIREAT PEXPIREAT"; // until the deadline if it is later, or if there was none
const OLD_SET = "ZADD PEXPIREAT";
const LOOK = "ZRANGEBYSCORE";

describe("create", () => {
  test.each<[string, Data, string]>([
    ["without a reference", {}, "TIME HGET HSET PEXPIREAT"],
    ["with one, a new set", { user_id: 1 }, `TIME HGET ${LOOK} HSET PEXPIREAT ${NEW_SET}`],
    [
      "with three, new sets",
      { user_id: 1, team_ids: [1, 2] },
      `TIME HGET ${LOOK} ${LOOK} ${LOOK} HSET PEXPIREAT ${NEW_SET} ${NEW_SET} ${NEW_SET}`,
    ],
  ])("%s", async (_, values, commands) => {
    const { sessions } = open();
    expect(await listCommands(() => sessions.create({ theme: "dark", ...values }))).toBe(commands);
  });

  test("in a set that has sessions, and the same command twice", async () => {
    const { sessions } = open();
    await sessions.create({ user_id: 1 });
    const made = `TIME HGET ${LOOK} HSET PEXPIREAT ${OLD_SET}`;
    expect(await listCommands(() => sessions.create({ user_id: 1 }))).toBe(made);
  });
});

describe("set and unset", () => {
  const SET = "TIME HMGET MEMORY HSET";

  test("of a session that was seen a moment ago write its fields", async () => {
    const { sessions } = open();
    const { token } = await sessions.create({ user_id: 1, team_ids: [1, 2] });
    expect(await listCommands(() => sessions.set(token, { theme: "dark" }))).toBe(SET);
    expect(await listCommands(() => sessions.set(token, { theme: "b", cart: "c" }))).toBe(SET);
    const unset = () => sessions.unset(token, ["theme", "cart"]);
    expect(await listCommands(unset)).toBe("TIME HMGET HDEL");
  });

  test("that count as use renew the entries", async () => {
    const { sessions, age } = open();
    const { token, session } = await sessions.create({ user_id: 1, team_ids: [1] });
    const renewed = "ZADD ZADD PEXPIREAT PEXPIREAT";
    await age(session);
    expect(await listCommands(() => sessions.set(token, { theme: "dark" }))).toBe(
      `TIME HMGET HMGET MEMORY ${LOOK} ${LOOK} HSET PEXPIREAT ${renewed}`,
    );
    await age(session);
    expect(await listCommands(() => sessions.unset(token, ["theme"]))).toBe(
      `TIME HMGET HMGET ${LOOK} ${LOOK} PEXPIREAT HSET HDEL ${renewed}`,
    );
  });

  test("of a reference leave the other sets alone", async () => {
    const { sessions } = open();
    await sessions.create({ user_id: 1, team_ids: [1, 2] });
    await passMillisecond();
    const { token } = await sessions.create({ user_id: 1, team_ids: [1] });
    const looks = `${LOOK} ${LOOK} ${LOOK}`;
    expect(await listCommands(() => sessions.set(token, { team_ids: [1, 2] }))).toBe(
      `TIME HMGET ${looks} MEMORY HSET HDEL HSET ${OLD_SET}`,
    );
    expect(await listCommands(() => sessions.set(token, { team_ids: [1, 2] }))).toBe(
      `TIME HMGET ${looks} MEMORY HSET`,
    );
  });

  test("read the whole session where it is near its bound", async () => {
    const { sessions, hash } = open({ maxBytes: 4500 });
    const { token, session } = await sessions.create({ cart: "x".repeat(2000) });
    const near = "TIME HMGET MEMORY HMGET MEMORY HGETALL HSET";
    expect(await listCommands(() => sessions.set(token, { theme: "dark" }))).toBe(near);
    await client.hset(hash(session), "cart", "x");
    expect(await listCommands(() => sessions.set(token, { theme: "dark" }))).toBe(SET);
  });
});

test("touch, and a get that counts as use", async () => {
  const { sessions, age } = open();
  const { token, session } = await sessions.create({ user_id: 1 });
  const touched = `TIME HMGET ${LOOK} PEXPIREAT HSET ${OLD_SET}`;
  expect(await listCommands(() => sessions.touch(token))).toBe(touched);
  await age(session);
  expect(await listCommands(() => sessions.get(token))).toBe(touched);
});

describe("signIn", () => {
  const MADE = `HSET PEXPIREAT ZADD`;
  const TOMBSTONE = "DEL HSET PEXPIREAT";

  test("over a session without a user", async () => {
    const { sessions } = open();
    await sessions.create({ user_id: 1 });
    const { token } = await sessions.create({ theme: "dark" });
    expect(await listCommands(() => sessions.signIn(token, { user_id: 1 }))).toBe(
      `TIME HGET HMGET ${LOOK} ${MADE} PEXPIREAT ${TOMBSTONE} SPUBLISH`,
    );
  });

  test("over the same user's session", async () => {
    const { sessions } = open();
    await sessions.create({ user_id: 1 });
    const { token } = await sessions.create({ user_id: 1 });
    expect(await listCommands(() => sessions.signIn(token, { user_id: 1 }))).toBe(
      `TIME HGET HMGET ${LOOK} ${MADE} ${TOMBSTONE} ZREM PEXPIREAT SPUBLISH`,
    );
  });

  test("with no session", async () => {
    const { sessions } = open();
    await sessions.create({ user_id: 1 });
    expect(await listCommands(() => sessions.signIn(null, { user_id: 1 }))).toBe(
      `TIME HGET ${LOOK} ${MADE} PEXPIREAT`,
    );
  });
});

test("rotate", async () => {
  const { sessions } = open();
  await sessions.create({ user_id: 1 });
  const { token } = await sessions.create({ user_id: 1 });
  expect(await listCommands(() => sessions.rotate(token))).toBe(
    `TIME HMGET HMGET ${LOOK} PEXPIREAT HSET ZREM RENAME DEL HSET PEXPIREAT HSET ${"ZADD SET"} PEXPIREAT HGETALL SPUBLISH`,
  );
});
