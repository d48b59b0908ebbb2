/*
 * The rights that docs/operating.md gives to the library's user: with these and no others the
 * contract holds, sets are fixed, endings wait for replicas and are heard; and none of them is too many.
 */
import { GlideClient, GlideClusterClient } from "@valkey/valkey-glide";
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { createSessions } from "session-sets";
import { type RedisClient, redisStore } from "session-sets/redis";
import { newIdInShard } from "session-sets/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sources } from "../../../../generated/scripts.js";
import { expectEverythingWorks } from "../../../support/proofs/fault-run.ts";
import { type RedisCluster, startCluster } from "../../../support/redis/cluster.ts";
import { type RedisServer, startRedis } from "../../../support/redis/server.ts";
import { read } from "../../../support/sources.ts";
import { clientContract } from "../../../support/stores/client-contract.ts";
import {
  type Connect,
  canListen,
  GLIDE_LIMITS,
  type StoreClient,
} from "../../../support/stores/clients.ts";
import { expectHeard, hear, openFeedStore } from "../../../support/stores/feeds.ts";
import { reindexToEnd } from "../../../support/stores/reindexing.ts";
import { freshPrefix } from "../../../support/stores/stores.ts";

const HOST = "127.0.0.1";
const USER = "shop";
const PASSWORD = "a-long-password";

/** The rules of the page, for the prefixes of these tests. */
function rules(): string[] {
  const [, text = ""] = /^ACL SETUSER shop ((?:.*\\\n)*.*)$/m.exec(read("docs/operating.md")) ?? [];
  return text
    .replaceAll("\\\n", " ")
    .replaceAll("{shop:*", "{t-*")
    .replace(">a-long-password", `>${PASSWORD}`)
    .split(/\s+/);
}

const allowed = rules().flatMap((rule) => (/^\+/.test(rule) ? [rule.slice(1).toUpperCase()] : []));

/** Commands that clients send by themselves, when they connect and while they are connected. */
const OF_CLIENTS = ["PING", "INFO", "CLUSTER|SLOTS", "CLUSTER|INFO"];

let cluster: RedisCluster;
let single: RedisServer;
beforeAll(async () => {
  [cluster, single] = await Promise.all([startCluster({ replicated: true }), startRedis()]);
  for (const { port } of [single, ...cluster.masters, ...cluster.replicas]) {
    const admin = new Redis(port);
    await admin.call("ACL", "SETUSER", USER, ...rules());
    admin.disconnect();
  }
});
afterAll(async () => {
  await cluster?.stop();
  await single?.stop();
});

const onCluster = () => cluster.masters[0]?.port ?? 0;
const onSingle = () => single.port;
const login = { username: USER, password: PASSWORD };

interface NodeRedis {
  connect(): Promise<unknown>;
  destroy(): unknown;
}

const nodeRedis = async (client: RedisClient & NodeRedis): Promise<StoreClient> => {
  await client.connect();
  return { client, close: async () => client.destroy() };
};

const patient = { credentials: login, ...GLIDE_LIMITS };

/** By what they connect to. */
const clients: Record<string, { readonly at: () => number; readonly connect: Connect }> = {
  "ioredis 6, a cluster": {
    at: onCluster,
    async connect(port) {
      const client = new Cluster([{ host: HOST, port }], { redisOptions: login });
      return { client, close: async () => client.disconnect() };
    },
  },
  "ioredis 6": {
    at: onSingle,
    async connect(port) {
      const client = new Redis({ port, ...login });
      return { client, close: async () => client.disconnect() };
    },
  },
  "redis 6, a cluster": {
    at: onCluster,
    connect: (port) =>
      nodeRedis(createCluster({ rootNodes: [{ socket: { port } }], defaults: login })),
  },
  "redis 6": {
    at: onSingle,
    connect: (port) => nodeRedis(createClient({ socket: { port }, ...login })),
  },
  "Valkey GLIDE 2, a cluster": {
    at: onCluster,
    async connect(port) {
      const addresses = [{ host: HOST, port }];
      const client = await GlideClusterClient.createClient({ addresses, ...patient });
      return { client, close: async () => client.close() };
    },
  },
  "Valkey GLIDE 2": {
    at: onSingle,
    async connect(port) {
      const addresses = [{ host: HOST, port }];
      const client = await GlideClient.createClient({ addresses, ...patient });
      return { client, close: async () => client.close() };
    },
  },
};

describe("a user with the rights of docs/operating.md", () => {
  const kind = "ioredis 6, a cluster";
  const { at, connect } = clients[kind] as (typeof clients)[string];
  clientContract("on a cluster", { [kind]: connect }, { port: at, clockPort: at, shards: 3 });

  test.each(Object.entries(clients))("can do everything with %s", async (name, { at, connect }) => {
    const { client, close } = await connect(at());
    await expectEverythingWorks(client);
    const sessions = createSessions({
      data: {} as { user_id?: number },
      store: redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" }),
      references: { user_id: {} },
      idleTimeout: "1 hour",
    });
    const { token } = await sessions.create({ user_id: 1 });
    expect(await reindexToEnd(sessions)).toMatchObject({ added: 0, removed: 0 });
    if (canListen(name)) {
      const store = openFeedStore(client, { shards: 3 });
      const [heard, one] = [await hear(store), await hear(store, newIdInShard(1))];
      await expectHeard(store, heard, newIdInShard(1));
      await heard.stop(); // leaves channels that nobody listens to
      await expectHeard(store, one, newIdInShard(1));
      await store.close();
    }
    const waits = at === onCluster && !name.includes("GLIDE");
    expect(await sessions.delete(token, waits ? { replicas: 1 } : {})).toBe(true);
    await sessions.close();
    await close();
  });
});

test("the rights are those of the scripts, of the store's own commands and of clients, and no more", () => {
  const calls = Object.values(sources).flatMap((source) => [
    ...source.matchAll(/(?:redis\.p?call|call_in_batches)\('([A-Z]+)'/g),
  ]);
  const needed = new Set([
    ...calls.map(([, name]) => (name === "MEMORY" ? "MEMORY|USAGE" : name)),
    ...["EVALSHA", "EVAL", "HGETALL", "HMGET", "TIME", "INFO", "WAIT"],
    ...["SSUBSCRIBE", "SUNSUBSCRIBE"],
    ...OF_CLIENTS,
  ]);
  expect(new Set(allowed)).toEqual(needed);
});
