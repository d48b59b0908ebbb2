/*
 * Which session a call of SessionSetsStore is about, and when: ids and sids, sids that have ended, and
 * calls that are made one after the other without waiting.
 */
import { Redis } from "ioredis";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import {
  type AppRequest,
  call,
  type MiddlewareApp,
  middlewares,
} from "../../support/http/session-middlewares.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { openMeter } from "../../support/stores/costs.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const references = { user_id: {} };
const HOUR = 3_600_000;
const cookieFor = (ms: number) => ({
  originalMaxAge: ms,
  expires: new Date(Date.now() + ms).toISOString(),
});
const cookie = cookieFor(HOUR);
const stores = {
  "in memory": () => new SessionSetsStore({ store: memoryStore(), references }),
  "on Redis": () =>
    new SessionSetsStore({ client, prefix: freshPrefix(), timeout: "20 seconds", references }),
  "on Redis with 8 shards": () =>
    new SessionSetsStore({
      client,
      prefix: freshPrefix(),
      timeout: "20 seconds",
      shards: 8,
      references,
    }),
};
const look = async (store: SessionSetsStore, sid = "sid") => {
  const found = await store.get(sid);
  return found && { ...found };
};

describe.each(Object.entries(stores))("a store %s", (_where, openStore) => {
  describe("ids and sids", () => {
    test("destroy ends the session of an id, as all and sets give it, or of a sid", async () => {
      const store = openStore();
      for (const sid of ["a", "b", "c"]) await store.set(sid, { cookie, user_id: 1 });
      await store.destroy("a");
      for (const { id } of await store.all()) await store.destroy(id);
      expect(await store.length()).toBe(0);
      expect(await store.by("user_id", 1).size()).toBe(0);
      await store.set("d", { cookie, user_id: 1 });
      for (const id of await store.by("user_id", 1).ids()) await store.destroy(id);
      expect(await store.get("d")).toBeNull();
    });

    test("what is stored decides: a sid that looks like an id is a sid where a session has it", async () => {
      const store = openStore();
      await store.set("other", { cookie, user_id: 2 });
      const sid = store.idOf("nobody"); // a sid of a form that ids have, too
      await store.set(sid, { cookie, user_id: 1 });
      expect(await look(store, sid)).toMatchObject({ user_id: 1 });
      await store.touch(sid, { cookie: cookieFor(2 * HOUR) });
      await store.destroy(sid);
      expect(await store.get(sid)).toBeNull();
      await store.touch(sid, { cookie });
      expect(await store.length()).toBe(1);
    });

    test("of a session and of one whose sid is its id, destroy ends the one of the sid first", async () => {
      const store = openStore();
      const id = store.idOf("sid");
      await store.set(id, { cookie, user_id: 2 });
      await store.set("sid", { cookie, user_id: 1 });
      await store.set(id, { cookie, user_id: 3 });
      expect(await look(store, id)).toMatchObject({ user_id: 3 });
      await store.destroy(id);
      expect(await look(store)).toMatchObject({ user_id: 1 });
      await store.destroy(id);
      expect(await store.get("sid")).toBeNull();
    });

    test("get, touch, load and set never find a session by its id, and say so", async () => {
      const store = openStore();
      await store.set("sid", { cookie, user_id: 1 });
      const id = store.idOf("sid");
      const config = expect.objectContaining({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringMatching(/sid.*public id/),
      });
      await expect(store.get(id)).rejects.toEqual(config);
      await expect(store.touch(id, { cookie })).rejects.toEqual(config);
      await expect(store.set(id, { cookie, user_id: 2 })).rejects.toEqual(config);
      const [one] = await store.all();
      await expect(store.set(one?.id ?? "", one ?? {})).rejects.toEqual(config);
      expect(await new Promise((resolve) => store.load(id, resolve))).toEqual(config);
      expect(await store.length()).toBe(1);
      await store.destroy("sid");
      expect(await store.get(id)).toBeNull();
      await store.touch(id, { cookie });
    });
  });

  describe("a sid that has ended", () => {
    test("is made anew by an object that the store has not handed out", async () => {
      const store = openStore();
      const end = [
        () => store.destroy("sid"),
        () => store.clear(),
        () => store.by("user_id", 1).clear(),
        () => store.set("sid", { cookie: cookieFor(-1) }),
      ];
      for (const ended of end) {
        await store.set("sid", { cookie, user_id: 1, theme: "dark" });
        await store.get("sid");
        await ended();
        expect(await store.length()).toBe(0);
        await store.set("sid", { cookie, user_id: 1 });
        expect(await look(store)).toEqual({ cookie, user_id: 1 });
        expect(await store.by("user_id", 1).ids()).toEqual([store.idOf("sid")]);
      }
    });

    test("and never by a copy that it has handed out, or that was made of one", async () => {
      const store = openStore();
      await store.set("sid", { cookie, user_id: 1, cart: ["book"] });
      const given = (await store.get("sid")) ?? { cookie };
      const copies = [
        given,
        { ...given },
        Object.assign({}, given),
        { user_id: 1, cookie: given.cookie },
        structuredClone({ ...given }),
        JSON.parse(JSON.stringify(given)),
      ];
      await store.destroy("sid");
      for (const copy of copies) {
        await store.set("sid", Object.assign(copy, { theme: "dark" }));
        await store.set("sid", copy);
        await store.set("sid", { ...copy });
        await store.touch("sid", copy);
        expect(await store.length()).toBe(0);
      }
      await store.set("sid", { cookie, user_id: 2 });
      expect(await look(store)).toEqual({ cookie, user_id: 2 });
    });

    test("a copy of a session that lives writes what differs", async () => {
      const store = openStore();
      await store.set("sid", { cookie, user_id: 1, theme: "light" });
      const copy = { ...(await store.get("sid")), cart: ["book"] };
      await store.set("sid", Object.assign((await store.get("sid")) ?? {}, { theme: "dark" }));
      await store.set("sid", copy);
      expect(await look(store)).toEqual({ cookie, user_id: 1, theme: "dark", cart: ["book"] });
    });
  });

  describe("calls that are not awaited", () => {
    test("take effect in the order in which they were made", async () => {
      const store = openStore();
      const seen = await Promise.all([
        store.get("sid"),
        store.set("sid", { cookie, n: 1 }),
        store.get("sid"),
        store.set("sid", { cookie, n: 2 }),
        store.get("sid"),
        store.get("sid"),
        store.destroy("sid"),
        store.get("sid"),
        store.touch("sid", { cookie }),
        store.set("sid", { cookie, n: 3 }),
        store.get("sid"),
        store.destroy(store.idOf("sid")),
        store.get("sid"),
        store.set("sid", { cookie, n: 4 }),
        store.clear(),
        store.get("sid"),
        store.set("sid", { cookie, n: 5 }),
        store.length(),
        store.get("sid"),
        store.all(),
      ]);
      const numbers = seen.map((one) => (one as { n?: number } | null)?.n ?? one);
      const gets = [0, 2, 4, 5, 7, 10, 12, 15, 18].map((i) => numbers[i]);
      expect(gets).toEqual([null, 1, 2, 2, null, 3, null, null, 5]);
      expect(seen[17]).toBe(1);
      expect(seen[19]).toMatchObject([{ n: 5 }]);
    });

    test("also where one of them fails", async () => {
      const store = openStore();
      const [saved, failed, found] = await Promise.allSettled([
        store.set("sid", { cookie, n: 1 }),
        store.set("sid", { cookie, user_id: {} }),
        store.get("sid"),
      ]);
      expect([saved.status, failed.status]).toEqual(["fulfilled", "rejected"]);
      expect(found).toMatchObject({ status: "fulfilled", value: { n: 1 } });
    });
  });
});

describe.each(Object.entries(middlewares))("%s", (_name, openApp) => {
  let app: MiddlewareApp;
  afterEach(() => app.close());

  describe.each(Object.entries(stores))("with SessionSetsStore %s", (_where, openStore) => {
    test("a reload shows what was saved just before it", async () => {
      app = await openApp(openStore(), { maxAge: HOUR });
      const browser = app.browser();
      for (const theme of ["dark", "light"]) {
        const { body } = await browser.send(async (request) => {
          request.session.theme = theme;
          void call(request, "save");
          await call(request, "reload");
          return [request.session.theme];
        });
        expect(body).toEqual([theme]);
      }
    });

    test("a reload after a destroy finds nothing", async () => {
      const store = openStore();
      app = await openApp(store, { maxAge: HOUR });
      const browser = app.browser();
      const act = async (request: AppRequest) => {
        const { session } = request;
        session.user_id = 1;
        void call(session, "save");
        void store.destroy(request.sessionID ?? session.sessionId);
        const failed = await call(session, "reload").catch(() => "failed to load session");
        const left = failed ? null : request.session.user_id;
        return [left ?? null];
      };
      expect((await browser.send(act)).body).toEqual([null]);
      expect(await store.length()).toBe(0);
    });
  });
});

test("a call with a sid that no id is like costs nothing more, and reads go side by side", async () => {
  const meter = await openMeter(redisUrl(), (url) => new Redis(url));
  const store = new SessionSetsStore({
    client: meter.client,
    prefix: freshPrefix(),
    timeout: "20 seconds",
  });
  await store.set("warm", { cookie });
  await store.destroy("warm");
  await meter.expectCost(() => store.set("sid", { cookie }), 1);
  await meter.expectCost(() => Promise.all([store.get("sid"), store.get("sid")]), 2, 1);
  await meter.expectCost(() => store.destroy("sid"), 1);
  await meter.expectCost(() => store.get("sid"), 1);
  await meter.expectCost(() => store.set("sid", { cookie }), 1); // where it has ended, too
  await meter.close();
});
