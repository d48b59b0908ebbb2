/* A store on a cluster of which its client, or its number of shards, reaches a part only. */
import { Cluster, Redis } from "ioredis";
import { createSessions, SessionError } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { redisStore } from "session-sets/redis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createKeys } from "../../../../src/store/redis/layout/keys.ts";
import { computeSlot } from "../../../../src/store/redis/wire/slots.ts";
import { loopTime } from "../../../support/loop-time.ts";
import { type RedisCluster, startCluster } from "../../../support/redis/cluster.ts";
import { findOwner } from "../../../support/redis/moving-slots.ts";
import { freshPrefix } from "../../../support/stores/stores.ts";

let cluster: RedisCluster;
let admins: Redis[];
const open: { disconnect(): void }[] = [];
beforeAll(async () => {
  cluster = await startCluster();
  admins = cluster.masters.map(({ port }) => new Redis(port));
});
afterEach(() => {
  for (const client of open.splice(0)) client.disconnect();
});
afterAll(async () => {
  for (const admin of admins ?? []) admin.disconnect();
  await cluster?.stop();
});

/** A prefix whose only shard is on a master, or with `isOn: false` on another one. */
async function findPrefix(master: number, { isOn }: { isOn: boolean }): Promise<string> {
  for (;;) {
    const prefix = freshPrefix();
    const slot = computeSlot(createKeys(prefix, 1).deriveSessionKey("x"));
    if (((await findOwner(slot, admins)) === master) === isOn) return prefix;
  }
}

function single(master: number): Redis {
  const client = new Redis(cluster.masters[master]?.port ?? 0);
  open.push(client);
  return client;
}

describe("a client of one server", () => {
  test("is told at once that the server is part of a cluster, whatever is called first", async () => {
    const prefix = await findPrefix(0, { isOn: false });
    const calls = [
      (sessions: ReturnType<typeof createSessions>) => sessions.create({}),
      (sessions: ReturnType<typeof createSessions>) => sessions.get("A".repeat(34)),
      (sessions: ReturnType<typeof createSessions>) => sessions.delete("A".repeat(34)),
    ];
    for (const call of calls) {
      const store = redisStore(single(0), { prefix, timeout: "20 seconds" });
      const error = await call(createSessions({ store })).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SessionError);
      expect(error).toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringMatching(/part of a cluster.*new Cluster/),
      });
    }
  });

  test("is told so also where sessions of another store are looked for", async () => {
    const prefix = await findPrefix(0, { isOn: true });
    const elsewhere = async (sid: string) =>
      (await findOwner(computeSlot(`${prefix}:${sid}`), admins)) !== 0;
    let sid = "a";
    while (!(await elsewhere(sid))) sid += "a";
    const migrate = { prefix: `${prefix}:` };
    const client = single(0);
    const store = new SessionSetsStore({ client, prefix, migrate, timeout: "20 seconds" });
    for (const call of [() => store.get(sid), () => store.destroy(sid)]) {
      await expect(call()).rejects.toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringMatching(/part of a cluster.*new Cluster/),
      });
    }
  });

  test("works on a node that has the slot", async () => {
    const prefix = await findPrefix(1, { isOn: true });
    const sessions = createSessions({
      store: redisStore(single(1), { prefix, timeout: "20 seconds" }),
    });
    const { token } = await sessions.create({ theme: "dark" });
    expect((await sessions.get(token))?.data).toEqual({ theme: "dark" });
  });
});

test("create in the one shard ends within its timeout, once, while the slot moves", async () => {
  const prefix = freshPrefix();
  const slot = computeSlot(createKeys(prefix, 1).deriveSessionKey("x"));
  const from = await findOwner(slot, admins);
  const to = (from + 1) % admins.length;
  const [source, target] = [admins[from] as Redis, admins[to] as Redis];
  const ids = await Promise.all([source.cluster("MYID"), target.cluster("MYID")]);
  const client = new Cluster(cluster.masters.map(({ port }) => ({ host: "127.0.0.1", port })));
  open.push(client);
  const patient = createSessions({
    store: redisStore(client, { prefix, shards: 1, timeout: "20 seconds" }),
  });
  await patient.create({}); // so that there is a key to be moved
  await target.cluster("SETSLOT", slot, "IMPORTING", ids[0] as string);
  await source.cluster("SETSLOT", slot, "MIGRATING", ids[1] as string);
  try {
    // On a busy machine the first answer may come too late to say so: then it has more time.
    let reason = "no answer within";
    for (let timeout = 400; /no answer within|reached too late/.test(reason); timeout *= 2) {
      const store = redisStore(client, { prefix, shards: 1, timeout });
      const start = loopTime();
      const error = await createSessions({ store })
        .create({})
        .catch((refusal: unknown) => refusal);
      expect(error).toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
      reason = (error as SessionError).message;
      // Far below the eight times that trying eight shards would take.
      expect(loopTime() - start).toBeLessThan(4 * timeout);
    }
    expect(reason).toContain("slot of the key is being moved");
  } finally {
    await source.cluster("SETSLOT", slot, "STABLE");
    await target.cluster("SETSLOT", slot, "STABLE");
  }
  expect(await patient.create({})).toMatchObject({ session: { data: {} } });
});
