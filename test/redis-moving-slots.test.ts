/* Slots that are moved from one node of a cluster to another while their sessions are in use. */
import { Cluster, Redis } from "ioredis";
import { createSessions, SessionError, type Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { moveKeyByKey, ownerOf } from "./support/moving-slots.ts";
import { type RedisCluster, startCluster } from "./support/redis-cluster.ts";
import { freshPrefix } from "./support/stores.ts";

interface Data {
  user_id?: number;
  team_ids?: number[];
  n?: number;
}

const SHARDS = 4;
const USERS = 5;
const MOVES = 40;
const WORKERS = 6;

let cluster: RedisCluster;
let client: Cluster;
let admins: Redis[];
beforeAll(async () => {
  cluster = await startCluster();
  client = new Cluster([{ host: "127.0.0.1", port: cluster.masters[0]?.port ?? 0 }]);
  admins = cluster.masters.map(({ port }) => new Redis(port));
}, 60_000);
afterAll(async () => {
  client?.disconnect();
  for (const admin of admins ?? []) admin.disconnect();
  await cluster?.stop();
});

interface Counts {
  done: number;
  refused: number;
}

/** Makes, changes, rotates and ends sessions until it is told to stop; the tokens that must live. */
async function use(sessions: Sessions<Data>, counts: Counts, goesOn: () => boolean) {
  const tokens: string[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      const result = await work();
      counts.done++;
      return result;
    } catch (error) {
      if (!(error instanceof SessionError && error.code === "ERR_STORE_UNAVAILABLE")) throw error;
      counts.refused++;
      return undefined;
    }
  };
  for (let i = 0; goesOn(); i++) {
    const user_id = i % USERS;
    const made = await attempt(() => sessions.create({ user_id, team_ids: [i % 3] }));
    if (!made) continue;
    const { token } = made;
    await attempt(() => sessions.set(token, { n: i, team_ids: [(i + 1) % 3, 7] }));
    const rotated = await attempt(() => sessions.rotate(token, {}, { grace: "1 hour" }));
    if (i % 4 === 0) await attempt(() => sessions.by("user_id", user_id).set({ n: -i }));
    if (i % 7 === 0) {
      // Ended or not: a refused call may have been carried out.
      await attempt(() => sessions.delete(rotated?.token ?? token));
    } else tokens.push(rotated?.token ?? token);
    if (tokens.length > 40) await attempt(() => sessions.delete(tokens.shift()));
  }
  return tokens;
}

/** I1 and I2, by walking the keys of all masters. */
async function expectWholeSets(prefix: string): Promise<void> {
  const kept = (await Promise.all(admins.map((admin) => keysOf(admin, prefix)))).flat();
  const entered = kept.flatMap(({ set, ids }) => ids.map((id) => `${set} ${id}`));
  const named = kept.flatMap(({ id, sets }) => sets.map((set) => `${set} ${id}`));
  expect(entered.sort()).toEqual(named.sort());
}

/** What one master has: of a set the ids in it, of a session the sets it says it is in. */
async function keysOf(admin: Redis, prefix: string) {
  const keys = await admin.keys(`{${prefix}:*`);
  return Promise.all(
    keys.map(async (key) => {
      const [, tag = "", kind = "", name = ""] = /^(\{[^}]*\}):([sr]):(.+)$/.exec(key) ?? [];
      expect(await admin.pexpiretime(key), `${key} expires`).toBeGreaterThan(0);
      if (kind === "r") {
        return { set: `${tag}${name}`, ids: await admin.zrange(key, "0", "-1"), id: "", sets: [] };
      }
      const names = (await admin.hget(key, "@r"))?.split(" ") ?? [];
      return { set: "", ids: [], id: name, sets: names.map((one) => `${tag}${one}`) };
    }),
  );
}

test("no session is lost from a set, or half there, while slots are moved back and forth", async () => {
  const prefix = freshPrefix();
  const sessions = createSessions<Data>({
    store: redisStore(client, { prefix, shards: SHARDS, timeout: "2 seconds" }),
    references: { user_id: {}, team_ids: { rotate: false } },
    idleTimeout: "1 hour",
  });
  const counts: Counts = { done: 0, refused: 0 };
  let moving = true;
  const load = Promise.all(
    Array.from({ length: WORKERS }, () => use(sessions, counts, () => moving)),
  );
  const slots = await Promise.all(
    Array.from({ length: SHARDS }, (_, shard) =>
      (admins[0] as Redis).cluster("KEYSLOT", `{${prefix}:${shard}}`),
    ),
  );
  try {
    for (let i = 0; i < MOVES; i++) {
      const slot = Number(slots[i % 2]);
      const owner = await ownerOf(slot, admins);
      const next = admins[(owner + 1) % admins.length] as Redis;
      await moveKeyByKey(slot, admins[owner] as Redis, next, admins);
    }
  } finally {
    moving = false;
  }
  const tokens = (await load).flat();
  console.log(`slots moved ${MOVES} times: ${counts.done} calls done, ${counts.refused} refused`);
  expect(counts.done).toBeGreaterThan(500);

  await expectWholeSets(prefix);
  const alive = (await Promise.all(tokens.map((token) => sessions.get(token)))).filter(Boolean);
  expect(alive.length).toBeGreaterThan(0);
  let cleared = 0;
  for (let user_id = 0; user_id < USERS; user_id++) {
    cleared += await sessions.by("user_id", user_id).clear();
  }
  expect(cleared).toBeGreaterThanOrEqual(alive.length);
  for (const token of tokens) expect(await sessions.get(token)).toBeNull();
}, 120_000);
