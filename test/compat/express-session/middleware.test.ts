/* SessionSetsStore under express-session and @fastify/session: what users and apps see of it. */
import session from "express-session";
import { Redis } from "ioredis";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { afterAll, afterEach, describe, expect, onTestFinished, test } from "vitest";
import {
  type AppOptions,
  type AppRequest,
  call,
  type MiddlewareApp,
  middlewares,
  type OpenApp,
} from "../../support/http/session-middlewares.ts";
import { dumpServer } from "../../support/redis/dump.ts";
import { startRedis } from "../../support/redis/server.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const references = { user_id: {} };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const stores = {
  "in memory": () => new SessionSetsStore({ store: memoryStore(), references }),
  "on Redis": () =>
    new SessionSetsStore({ client, prefix: freshPrefix(), timeout: "20 seconds", references }),
};

const signIn = ({ session }: AppRequest) => {
  session.user_id = 1;
};
const readSid = ({ sessionID, session }: AppRequest): string => sessionID ?? session.sessionId;

let app: MiddlewareApp | undefined;
afterEach(() => app?.close());

async function browserOn(openApp: OpenApp, store: SessionSetsStore, options: AppOptions = {}) {
  app = await openApp(store, options);
  return app.browser();
}

/** How long user 1's session still lives. */
async function timeLeft(store: SessionSetsStore): Promise<number> {
  const [session] = await store.by("user_id", 1).list();
  return Number(session?.expiresAt) - Date.now();
}

/** At most half of it less: what a test takes. */
function expectAbout(left: number, ms: number): void {
  expect(left).toBeLessThanOrEqual(ms + 1000); // the clocks of Redis and of this process are one
  expect(left).toBeGreaterThan(ms / 2);
}

describe.each(Object.entries(middlewares))("%s", (name, openApp) => {
  describe.each(Object.entries(stores))("with SessionSetsStore %s", (_where, openStore) => {
    test("keeps what JSON keeps of a session's fields", async () => {
      const browser = await browserOn(openApp, openStore());
      await browser.send(({ session }) => {
        Object.assign(session, {
          n: 1,
          s: "1",
          list: [1, { a: null }],
          when: new Date(0),
          no: undefined,
        });
      });
      const { body } = await browser.send(({ session }) => ({ ...session, cookie: undefined }));
      const when = "1970-01-01T00:00:00.000Z";
      expect(body).toEqual({ n: 1, s: "1", list: [1, { a: null }], when });
    });

    test("makes no session of a request that changes nothing, with saveUninitialized: false", async () => {
      const store = openStore();
      const browser = await browserOn(openApp, store);
      expect((await browser.send(() => {})).setCookies).toEqual([]);
      expect(await store.length()).toBe(0);
    });

    test("makes one of each first request with saveUninitialized: true", async () => {
      const store = openStore();
      const browser = await browserOn(openApp, store, { saveUninitialized: true });
      expect((await browser.send(() => {})).setCookies).toHaveLength(1);
      expect(await store.length()).toBe(1);
    });

    test("adopts no sid of a session that has ended: the next one has a new sid", async () => {
      const store = openStore();
      const browser = await browserOn(openApp, store);
      const signInAs = async (request: AppRequest) => {
        signIn(request);
        return [readSid(request)];
      };
      const before = (await browser.send(signInAs)).body;
      await store.by("user_id", 1).clear();
      const after = (await browser.send(signInAs)).body;
      expect(after).not.toEqual(before);
      expect(await store.by("user_id", 1).size()).toBe(1);
    });

    test("a session that is regenerated twice in a request is made once, under the last sid", async () => {
      const store = openStore();
      const browser = await browserOn(openApp, store);
      await browser.send(signIn);
      await browser.send(async (request) => {
        await call(request, "regenerate");
        request.session.theme = "dark";
        await call(request, "save");
        await call(request, "regenerate");
        signIn(request);
      });
      const all = await store.all();
      expect(all.map(({ user_id, theme }) => ({ user_id, theme }))).toEqual([{ user_id: 1 }]);
      expect((await browser.send(({ session }) => [session.user_id])).body).toEqual([1]);
    });

    test("reload shows what others have changed, and what is saved then is what changed since", async () => {
      const store = openStore();
      const browser = await browserOn(openApp, store);
      await browser.send(signIn);
      const change = (field: string, value: unknown) =>
        browser.send(({ session }) => {
          session[field] = value;
        });
      const seen = await browser.send(async (request) => {
        await change("theme", "dark");
        await call(request, "reload");
        const { theme } = request.session;
        await change("theme", "light");
        request.session.cart = ["book"];
        return [theme];
      });
      expect(seen.body).toEqual(["dark"]);
      const [session] = await store.all();
      expect(session).toMatchObject({ user_id: 1, theme: "light", cart: ["book"] });
    });

    test("a session lives as long as its cookie", async () => {
      const store = openStore();
      const browser = await browserOn(openApp, store, { maxAge: 2 * HOUR });
      await browser.send(signIn);
      expectAbout(await timeLeft(store), 2 * HOUR);
    });

    test("and, where the cookie ends with the browser, a day unused", async () => {
      const store = openStore();
      const browser = await browserOn(openApp, store);
      await browser.send(signIn);
      expectAbout(await timeLeft(store), DAY);
    });

    test("a request that sets the cookie's max age moves the deadline, either way", async () => {
      const store = openStore();
      const browser = await browserOn(openApp, store, { maxAge: 2 * HOUR });
      for (const maxAge of [9 * HOUR, HOUR]) {
        await browser.send(({ session }) => {
          session.cookie.maxAge = maxAge;
          session.user_id = 1;
          session.since = maxAge;
        });
        expectAbout(await timeLeft(store), maxAge);
      }
    });

    test("a session whose cookie has expired is over", async () => {
      const store = openStore();
      const browser = await browserOn(openApp, store, { maxAge: HOUR });
      await browser.send(signIn);
      await browser.send(({ session }) => {
        session.theme = "dark";
        session.cookie.maxAge = -1;
      });
      expect(await store.length()).toBe(0);
    });
  });

  test("no sid is on the server", async () => {
    const server = await startRedis();
    const own = new Redis(server.url);
    onTestFinished(async () => {
      own.disconnect();
      await server.stop();
    });
    const store = new SessionSetsStore({ client: own, timeout: "20 seconds", references });
    const browser = await browserOn(openApp, store);
    const sids: string[] = [];
    for (const act of [signIn, (request: AppRequest) => call(request, "regenerate"), signIn]) {
      await browser.send(async (request) => {
        sids.push(readSid(request));
        await act(request);
        sids.push(readSid(request));
      });
    }
    const dump = await dumpServer(server.url);
    expect(dump).toContain("user_id");
    expect(new Set(sids).size).toBeGreaterThan(1);
    for (const sid of sids) expect(dump).not.toContain(sid);
  });

  test("a store that is down answers 503 and keeps the cookie, and works again when it is back", async () => {
    const server = await startRedis();
    const own = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    own.on("error", () => {});
    onTestFinished(async () => {
      own.disconnect();
      await server.stop();
    });
    const store = new SessionSetsStore({ client: own, references, timeout: 1500 });
    const browser = await browserOn(openApp, store, { maxAge: HOUR, rolling: true });
    await expect.poll(async () => (await browser.send(signIn)).status).not.toBe(503);
    const cookie = browser.jar.header;
    server.pause();
    const answer = await browser.send(signIn);
    expect(answer).toMatchObject({ status: 503, body: { code: "ERR_STORE_UNAVAILABLE" } });
    expect(answer.setCookies).toEqual([]);
    server.resume();
    await expect
      .poll(async () => (await browser.send(({ session }) => [session.user_id])).body)
      .toEqual([1]);
    expect(browser.jar.header?.split("=")[0]).toBe(cookie?.split("=")[0]);
  });

  if (!name.startsWith("express")) return;

  test("with resave: false, a request that changes nothing touches: the deadline moves", async () => {
    let now = Date.now();
    const store = new SessionSetsStore({ store: memoryStore({ now: () => now }), references });
    const browser = await browserOn(openApp, store, { maxAge: HOUR });
    await browser.send(signIn);
    now += HOUR - 1000; // of the store, which then has a second left
    await browser.send(() => {});
    now += HOUR - 1000;
    expect((await browser.send(({ session }) => [session.user_id])).body).toEqual([1]);
    now += HOUR + 1;
    expect((await browser.send(({ session }) => [session.user_id])).body).toEqual([null]);
  });

  test("a touch of a session that has ended meanwhile does not bring it back", async () => {
    const store = new SessionSetsStore({ store: memoryStore(), references });
    const browser = await browserOn(openApp, store, { maxAge: HOUR });
    await browser.send(signIn);
    const { status } = await browser.send(() => store.by("user_id", 1).clear());
    expect(status).toBe(200);
    expect(await store.length()).toBe(0);
  });

  test("the cookie keeps its max age and options over requests", async () => {
    const store = new SessionSetsStore({
      client,
      prefix: freshPrefix(),
      timeout: "20 seconds",
      references,
    });
    const browser = await browserOn(openApp, store, { maxAge: HOUR, rolling: true });
    await browser.send(signIn);
    for (let i = 0; i < 2; i++) {
      const { body, setCookies } = await browser.send(({ session: { cookie } }) => ({
        ...cookie,
        isDate: cookie.expires instanceof Date,
        left: cookie.maxAge,
      }));
      expect(body).toMatchObject({ path: "/", httpOnly: true, isDate: true });
      // express-session reads the clock twice to compute it, so some ms may be missing.
      expect(body.originalMaxAge).toBeLessThanOrEqual(HOUR);
      expect(body.originalMaxAge).toBeGreaterThan(HOUR - 60_000);
      expectAbout(body.left, HOUR);
      expect(setCookies[0]).toMatch(/Path=\/; Expires=.*; HttpOnly/);
    }
  });

  test("a session that was read is one of express-session's class, with what apps have added to it", async () => {
    const prototype = session.Session.prototype as unknown as Record<string, unknown>;
    prototype.isSignedIn = function isSignedIn(this: { user_id?: number }) {
      return this.user_id !== undefined;
    };
    onTestFinished(() => {
      delete prototype.isSignedIn;
    });
    const store = new SessionSetsStore({
      client,
      prefix: freshPrefix(),
      timeout: "20 seconds",
      references,
    });
    const first = await browserOn(openApp, store);
    await first.send(signIn);
    await app?.close();
    // As after a restart: the first request has a cookie, so no session was generated here before.
    const restarted = new SessionSetsStore({
      client,
      prefix: findPrefix(store),
      timeout: "20 seconds",
      references,
    });
    const browser = await browserOn(openApp, restarted, {
      genid: (request) => (request as AppRequest).ip.concat(Math.random()),
    });
    browser.jar.set("connect.sid", first.jar.get("connect.sid") ?? "");
    const { body } = await browser.send(({ session: current, sessionID }) => [
      current.isSignedIn(),
      current instanceof session.Session,
      current.id === sessionID,
      Object.keys(current).sort(),
    ]);
    expect(body).toEqual([true, true, true, ["cookie", "user_id"]]);
  });
});

function findPrefix(store: SessionSetsStore): string {
  return /^\{(.+):0\}/.exec(store.by("user_id", 1).key)?.[1] ?? "";
}
