/* `sessions.reindex()` and a touch, after a server has really thrown keys away. */
import { Redis } from "ioredis";
import type { Sessions } from "session-sets";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import {
  closeServers,
  type Data,
  openPlace,
  openServer,
  reindexToEnd,
  type Servers,
} from "../../../support/stores/reindexing.ts";

const REFERENCES = { user_id: {}, team_ids: { identity: false } } as const;
const NONE = { added: 0, removed: 0, corrected: 0 };
const USERS = 500;
const EVICTED = 1500;

let server: RedisServer;
let admin: Redis;
let servers: Servers;
beforeEach(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  servers = openServer(server.url);
});
afterEach(async () => {
  closeServers(servers);
  admin.disconnect();
  await server.stop();
});

async function evicted(): Promise<number> {
  return Number(/evicted_keys:(\d+)/.exec(await admin.info("stats"))?.[1]);
}

interface Made {
  readonly token: string;
  readonly id: string;
  readonly user: number;
}

/** Makes sessions until the server has thrown this many keys away, and then gives it memory again. */
async function fillUntilEvicted(sessions: Sessions<Data>, policy: string): Promise<Made[]> {
  const used = Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
  await admin.config("SET", "maxmemory-policy", policy);
  await admin.config("SET", "maxmemory", String(used + 1_000_000));
  const made: Made[] = [];
  while ((await evicted()) < EVICTED) {
    const batch = Array.from({ length: 100 }, async (_, i) => {
      const user = (made.length + i) % USERS;
      const { token, session } = await sessions.create({ user_id: user, team_ids: [user % 7] });
      return { token, id: session.id, user };
    });
    made.push(...(await Promise.all(batch)));
  }
  await admin.config("SET", "maxmemory", "0");
  return made;
}

/** Those of them that hold. */
async function those<T>(all: readonly T[], holds: (one: T) => Promise<unknown>): Promise<T[]> {
  const held = await Promise.all(all.map(holds));
  return all.filter((_, i) => held[i]);
}

describe.each(["allkeys-lru", "allkeys-random", "volatile-lru", "volatile-random", "volatile-ttl"])(
  "with maxmemory-policy %s",
  (policy) => {
    test("what was evicted is found out, and every session that is left is in its sets again", async () => {
      const place = openPlace(servers, 1);
      const sessions = place.open(REFERENCES);
      const made = await fillUntilEvicted(sessions, policy);
      const left = await those(made, ({ token }) => sessions.get(token, { touch: false }));
      const inSet = ({ id, user }: Made) =>
        place.call("ZSCORE", `{${place.prefix}:0}:r:user_id:${user}`, id);
      const lost = await those(left, async (one) => !(await inSet(one)));
      console.log(
        `${policy}: ${made.length} sessions made, ${left.length} left, ${lost.length} out of their set`,
      );
      expect(left.length).toBeLessThan(made.length);
      if (policy !== "volatile-ttl") expect(lost.length).toBeGreaterThan(0);

      const [touched, ...others] = lost;
      await sessions.touch(touched?.token);
      expect(await those(lost, inSet)).toEqual(touched ? [touched] : []);

      const dry = await reindexToEnd(sessions, { dryRun: true });
      expect(await those(lost, inSet)).toEqual(touched ? [touched] : []);
      const wet = await reindexToEnd(sessions);
      for (const { added, removed } of [dry, wet]) {
        expect(added).toBeGreaterThanOrEqual(others.length);
        expect(removed).toBeGreaterThan(0);
      }
      expect(await those(left, inSet)).toEqual(left);
      await place.check(REFERENCES);
      expect(await reindexToEnd(sessions)).toMatchObject(NONE);
    });
  },
);
