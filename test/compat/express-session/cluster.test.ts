/* SessionSetsStore on a cluster: sids choose their shards, and all of it is still one store. */
import { Cluster } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { hold, type MiddlewareApp, middlewares } from "../../support/http/session-middlewares.ts";
import { type RedisCluster, startCluster } from "../../support/redis/cluster.ts";
import { clusterClients } from "../../support/stores/clients.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const HOUR = 3_600_000;
const cookie = { originalMaxAge: HOUR };
const references = {
  user_id: { from: (s: { user?: { id: number }; i?: number }) => s.user?.id },
};

let cluster: RedisCluster;
let client: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
  client = new Cluster([{ host: "127.0.0.1", port: findPort(0) }]);
});
afterAll(async () => {
  client?.disconnect();
  await cluster?.stop();
});

const findPort = (i: number) => cluster.masters[i]?.port ?? 0;

describe.each(Object.keys(clusterClients))("with %s", (kind) => {
  test("sessions are spread over all masters; all, length, clear and sets see every one", async () => {
    const connected = await clusterClients[kind]?.(findPort(0));
    if (!connected) throw new Error("no client");
    try {
      const prefix = freshPrefix();
      const store = new SessionSetsStore({
        client: connected.client,
        prefix,
        timeout: "20 seconds",
        references,
      });
      const sids = Array.from({ length: 150 }, (_, i) => `sid-${i}`);
      await Promise.all(sids.map((sid, i) => store.set(sid, { cookie, user: { id: i % 2 }, i })));
      for (const count of await keysOnMasters(prefix)) expect(count).toBeGreaterThan(10);
      expect(await store.length()).toBe(150);
      const all = await store.all();
      expect(all.map(({ i = -1 }) => i).sort((a, b) => a - b)).toEqual(sids.map((_, i) => i));
      expect(await store.by("user_id", 1).clear({ except: store.idOf("sid-1") })).toBe(74);
      expect(await store.get("sid-1")).toEqual({ cookie, user: { id: 1 }, i: 1 });
      expect(await store.length()).toBe(76);
      await store.clear();
      expect([await store.length(), await store.by("user_id", 0).size()]).toEqual([0, 0]);
    } finally {
      await connected.close();
    }
  });
});

/** How many sessions each master has. */
async function keysOnMasters(prefix: string): Promise<number[]> {
  return Promise.all(
    cluster.masters.map(async ({ port }) => {
      const master = new Redis5(port);
      try {
        return (await master.keys(`{${prefix}:*}:s:*`)).length;
      } finally {
        master.disconnect();
      }
    }),
  );
}

describe.each(Object.entries(middlewares))("%s", (_name, openApp) => {
  let app: MiddlewareApp;
  afterEach(() => app.close());

  test("requests at once keep each other's changes, and bring back nothing that has ended", async () => {
    const store = new SessionSetsStore({
      client,
      prefix: freshPrefix(),
      timeout: "20 seconds",
      references,
    });
    app = await openApp(store, { maxAge: HOUR, rolling: true, resave: true });
    const browsers = Array.from({ length: 12 }, () => app.browser());
    await Promise.all(
      browsers.map(async (browser) => {
        await browser.send(({ session }) => {
          session.user = { id: 1 };
        });
        const change = (field: string) =>
          hold(browser, ({ session }) => {
            session[field] = true;
          });
        const requests = await Promise.all(["a", "b", "c"].map(change));
        await Promise.all(requests.map((held) => held.release()));
      }),
    );
    const slow = await Promise.all(browsers.map((browser) => hold(browser, () => {})));
    for await (const { data } of store.by("user_id", 1)) {
      expect(data).toMatchObject({ a: true, b: true, c: true });
    }
    expect(await store.by("user_id", 1).clear()).toBe(12);
    for (const { status } of await Promise.all(slow.map((held) => held.release()))) {
      expect(status).toBe(200);
    }
    expect(await store.length()).toBe(0);
  });
});
