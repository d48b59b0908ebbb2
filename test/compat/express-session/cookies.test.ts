/*
 * The cookie and the deadline under express-session and @fastify/session: each request writes what it
 * has changed of them, and slides what is stored otherwise; and how often it does.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import {
  type Act,
  type AppOptions,
  type AppRequest,
  type Browser,
  call,
  hold,
  middlewares,
  type OpenApp,
} from "../../support/http/session-middlewares.ts";
import { withLifetime } from "../../support/lifetime.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { openMeter } from "../../support/stores/costs.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const references = { user_id: {} };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30 * DAY;

const stores = {
  "in memory": () => new SessionSetsStore({ store: memoryStore(), references }),
  "on Redis": () =>
    new SessionSetsStore({ client, prefix: freshPrefix(), timeout: "20 seconds", references }),
};
const ways: readonly AppOptions[] = [
  { resave: false, rolling: false },
  { resave: true, rolling: false },
  { resave: false, rolling: true },
  { resave: true, rolling: true },
];
const describeOptions = ({ resave, rolling }: AppOptions) =>
  `resave: ${resave}, rolling: ${rolling}`;

const signIn = ({ session }: AppRequest) => {
  session.user_id = 1;
};
const darken = ({ session }: AppRequest) => {
  session.theme = "dark";
};
const setMaxAgeAlone = (ms: number) => (request: AppRequest) => {
  request.session.cookie.maxAge = ms;
};
const setMaxAge = (ms: number) => (request: AppRequest) => {
  request.session.cookie.maxAge = ms;
  request.session.changed = ms; // so that @fastify/session saves it where it is not rolling
};

type AtEnd = Pick<TestContext, "onTestFinished">;

/** A browser of an app, which is there for one test. */
async function openBrowser(
  openApp: OpenApp,
  store: SessionSetsStore,
  options: AppOptions,
  { onTestFinished }: AtEnd,
): Promise<Browser> {
  const app = await openApp(store, options);
  onTestFinished(() => app.close());
  return app.browser();
}

/** One that has signed in. */
async function browse(...opening: Parameters<typeof openBrowser>): Promise<Browser> {
  const browser = await openBrowser(...opening);
  await browser.send(signIn);
  return browser;
}

/** The same on Redis, with a count of the commands. */
async function openMetered(openApp: OpenApp, options: AppOptions, context: AtEnd) {
  const meter = await openMeter(redisUrl(), (url) => new Redis(url));
  context.onTestFinished(() => meter.close());
  const store = new SessionSetsStore({
    client: meter.client,
    prefix: freshPrefix(),
    timeout: "20 seconds",
  });
  return { meter, browser: await browse(openApp, store, options, context) };
}

/** Whether a middleware is one of express-session, and not that of Fastify. */
const isExpress = (name: string) => name.startsWith("express");

/** Whether a middleware comes to the store at the end of a request that changes no field. */
const isUse = (name: string, way: AppOptions) => isExpress(name) || way.rolling === true;

async function timeLeft(store: SessionSetsStore): Promise<number> {
  const [session] = await store.by("user_id", 1).list();
  return Number(session?.expiresAt) - Date.now();
}

/** At most half of it less: what a test takes. */
function expectAbout(left: number, ms: number): void {
  expect(left).toBeLessThanOrEqual(ms + 1000);
  expect(left).toBeGreaterThan(ms / 2);
}

describe.each(Object.entries(middlewares))("%s", (name, openApp) => {
  describe.each(Object.entries(stores))("with SessionSetsStore %s", (_where, openStore) => {
    describe.each(ways.map((way) => [describeOptions(way), way] as const))("%s", (_way, way) => {
      async function open(context: AtEnd, maxAge = HOUR): Promise<[SessionSetsStore, Browser]> {
        const store = openStore();
        return [store, await browse(openApp, store, { ...way, maxAge }, context)];
      }

      test.for<[string, Act]>([
        ["changes nothing", () => {}],
        ["changes a field", darken],
        ["saves by itself", (request: AppRequest) => call(request, "save")],
        [
          "changes a field and saves by itself",
          (request: AppRequest) => {
            request.session.theme = "dark";
            return call(request, "save");
          },
        ],
      ])("a request that %s leaves a max age that another one sets", async ([, act], context) => {
        for (const maxAge of [MONTH, MINUTE]) {
          const [store, browser] = await open(context);
          const slow = await hold(browser, act);
          await browser.send(setMaxAge(maxAge));
          await slow.release();
          expectAbout(await timeLeft(store), maxAge);
          const { body } = await browser.send(({ session: { cookie } }) => ({ ...cookie }));
          expect(Math.abs(body.originalMaxAge - maxAge)).toBeLessThan(maxAge / 2);
          expectAbout(await timeLeft(store), maxAge);
        }
      });

      test("what one request has shortened stays so, though the other one began with a month", async (context) => {
        const [store, browser] = await open(context, MONTH);
        const slow = await hold(browser, ({ session }) => {
          session.theme = "dark";
        });
        await browser.send(setMaxAge(MINUTE));
        await slow.release();
        expectAbout(await timeLeft(store), MINUTE);
      });

      test("two requests that change two options of the cookie both keep their changes", async (context) => {
        const [store, browser] = await open(context);
        const slow = await hold(browser, ({ session }) => {
          session.cookie.sameSite = "strict";
          session.theme = "dark";
        });
        await browser.send(setMaxAge(MONTH));
        await slow.release();
        expectAbout(await timeLeft(store), MONTH);
        const [stored] = await store.all();
        expect(stored?.cookie).toMatchObject({ sameSite: "strict" });
        expect(Math.abs(stored?.cookie.originalMaxAge - MONTH)).toBeLessThan(MONTH / 2);
        const { body } = await browser.send(({ session: { cookie } }) => ({ ...cookie }));
        expect(body).toMatchObject({ sameSite: "strict" });
      });

      test("a cookie that ends at a moment keeps it, in use or not", async (context) => {
        const [store, browser] = await open(context);
        const moment = new Date(Date.now() + 2 * HOUR);
        await browser.send(({ session }) => {
          session.cookie.expires = moment;
          if (!isExpress(name)) session.cookie.originalMaxAge = null;
          session.theme = "dark";
        });
        expectAbout(await timeLeft(store), 2 * HOUR);
      });
    });
  });

  test("in use, a session lives on by what is stored: resave and rolling or not", async (context) => {
    for (const way of ways) {
      if (!isExpress(name) && !way.rolling) continue; // it saves nothing then
      let now = Date.now();
      const store = new SessionSetsStore({ store: memoryStore({ now: () => now }), references });
      const browser = await browse(openApp, store, { ...way, maxAge: HOUR }, context);
      for (let i = 0; i < 3; i++) {
        now += HOUR - 1000; // of the store, which then has a second left
        const { body } = await browser.send(({ session }) => [session.user_id]);
        expect(body).toEqual([1]);
      }
      now += HOUR + 1;
      expect((await browser.send(({ session }) => [session.user_id])).body).toEqual([null]);
    }
  });

  describe.each(ways.map((way) => [describeOptions(way), way] as const))("%s", (_way, way) => {
    test("a request that changes nothing is one command, the get, where the session was just used", async (context) => {
      const { meter, browser } = await openMetered(openApp, { ...way, maxAge: HOUR }, context);
      await meter.expectCost(() => browser.send(() => {}), 1);
    });

    test("a change of the max age alone is written at once", async (context) => {
      const { meter, browser } = await openMetered(openApp, { ...way, maxAge: HOUR }, context);
      await meter.expectCost(() => browser.send(setMaxAgeAlone(MONTH)), isUse(name, way) ? 2 : 1);
      const { body } = await browser.send(({ session }) => [session.cookie.originalMaxAge]);
      expect(Math.abs(body[0] - (isUse(name, way) ? MONTH : HOUR))).toBeLessThan(HOUR / 2);
    });
  });

  test("a touch is sent after a minute where the timeout is long", async (context) => {
    let now = Date.now();
    const kept = memoryStore({ now: () => now });
    const store = new SessionSetsStore({ store: kept, references });
    const browser = await browse(openApp, store, { maxAge: MONTH, rolling: true }, context);
    const lastSeen = async () => Number((await store.by("user_id", 1).list())[0]?.lastSeenAt);
    const first = await lastSeen();
    now += MINUTE - 5000;
    await browser.send(() => {});
    expect(await lastSeen()).toBe(first);
    now += 10_000;
    await browser.send(() => {});
    expect(await lastSeen()).toBe(now);
  });
});

// What waits, waits side by side.
describe.concurrent.each(Object.entries(middlewares))("%s, after a while", (name, openApp) => {
  describe.each(Object.entries(stores))("with SessionSetsStore %s", (_where, openStore) => {
    test("an object that a socket read before neither ends the session nor brings its deadline forward", async (context) => {
      const { store, socket, maxAge } = await withLifetime(4000, async (maxAge) => {
        const store = openStore();
        const browser = await browse(openApp, store, { maxAge, rolling: true }, context);
        let socket: AppRequest["session"] | undefined;
        await browser.send(({ session }) => {
          socket = session;
        });
        await browser.send(setMaxAge(HOUR));
        expectAbout(await timeLeft(store), HOUR);
        return { store, socket, maxAge };
      });
      await sleep(maxAge + 100); // the cookie that the socket has is over
      for (const theme of ["dark", "light"]) {
        Object.assign(socket ?? {}, { theme });
        await call(socket ?? ({} as never), "save");
        await store.set(readSid(socket), { ...socket });
        expectAbout(await timeLeft(store), HOUR);
      }
      const [stored] = await store.all();
      expect(stored).toMatchObject({ theme: "light" });
    });

    test("a request reads in its cookie what the session has left", async (context) => {
      const store = openStore();
      const options = { maxAge: HOUR, rolling: true, resave: true };
      const browser = await openBrowser(openApp, store, options, context);
      const from = Date.now();
      await browser.send(signIn);
      const [before] = await store.all();
      await sleep(1100);
      await browser.send(darken);
      const [after] = await store.all();
      const slid = Date.parse(after?.cookie.expires) - Date.parse(before?.cookie.expires);
      expect(slid).toBeGreaterThanOrEqual(1000);
      expect(slid).toBeLessThanOrEqual(Date.now() - from);
      const [listed] = await store.by("user_id", 1).list();
      expect(listed?.absoluteDeadline).toBeNull();
      expect(listed?.data.cookie.expires).toBe(listed?.expiresAt.toISOString());
    });
  });

  describe.each(ways.map((way) => [describeOptions(way), way] as const))("%s", (_way, way) => {
    test("a request that changes nothing is two commands after a twentieth of the timeout", async (context) => {
      const { meter, browser } = await openMetered(openApp, { ...way, maxAge: 10_000 }, context);
      await sleep(550);
      await meter.expectCost(() => browser.send(() => {}), isUse(name, way) ? 2 : 1);
    });
  });
});

function readSid(session: AppRequest["session"] | undefined): string {
  return session?.id ?? session?.sessionId;
}

describe("a save of an object that was handed out", () => {
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();

  async function open(cookie: Record<string, unknown>) {
    const store = new SessionSetsStore({ store: memoryStore(), references });
    await store.set("sid", { cookie, user_id: 1 });
    const session = (await store.get("sid")) ?? { cookie: {} };
    return { store, session };
  }

  test("removes an option of the cookie that the program has removed", async () => {
    const { store, session } = await open({ originalMaxAge: HOUR, path: "/", sameSite: "lax" });
    Reflect.deleteProperty(session.cookie, "sameSite");
    await store.set("sid", session);
    const { cookie } = (await store.get("sid")) ?? {};
    expect(cookie).toEqual({ originalMaxAge: HOUR, path: "/", sameSite: null });
  });

  test("moves the moment at which a cookie without a max age ends", async () => {
    for (const to of [MINUTE, DAY]) {
      const { store, session } = await open({ originalMaxAge: null, expires: at(HOUR) });
      session.cookie.expires = at(to);
      await store.set("sid", session);
      expectAbout(await timeLeft(store), to);
    }
  });

  test("leaves that moment where the object no longer names it", async () => {
    const expires = at(HOUR);
    const { store, session } = await open({ originalMaxAge: null, expires });
    Reflect.deleteProperty(session.cookie, "expires");
    await store.set("sid", Object.assign(session, { theme: "dark" }));
    expectAbout(await timeLeft(store), HOUR);
    expect(await store.get("sid")).toMatchObject({ cookie: { expires }, theme: "dark" });
  });

  test("counts the max age from now where its end was taken out", async () => {
    const { store, session } = await open({ originalMaxAge: DAY, expires: at(HOUR) });
    session.cookie.expires = null;
    await store.set("sid", session);
    expectAbout(await timeLeft(store), DAY);
    expect((await store.get("sid"))?.cookie.expires).toBeNull();
  });

  test("goes by an end that the program has set, nearer or farther than the max age", async () => {
    for (const to of [HOUR, MONTH]) {
      const { store, session } = await open({ originalMaxAge: DAY, expires: at(DAY) });
      session.cookie.expires = at(to);
      await store.set("sid", session);
      expectAbout(await timeLeft(store), to);
    }
  });
});

describe("a touch by itself", () => {
  test("changes the options that it is given, of an object that was never handed out", async () => {
    const store = new SessionSetsStore({ store: memoryStore(), references });
    const cookie = { originalMaxAge: HOUR, path: "/", sameSite: "lax" };
    await store.set("sid", { cookie, user_id: 1 });
    await store.touch("sid", { cookie: { originalMaxAge: DAY, httpOnly: true } });
    expectAbout(await timeLeft(store), DAY);
    expect((await store.get("sid"))?.cookie).toEqual({
      ...cookie,
      originalMaxAge: DAY,
      httpOnly: true,
    });
  });

  test("of a copy that a program has made changes nothing of the cookie", async () => {
    const store = new SessionSetsStore({ store: memoryStore(), references });
    const expires = new Date(Date.now() + HOUR).toISOString();
    await store.set("sid", { cookie: { originalMaxAge: HOUR, expires }, user_id: 1 });
    const copy = { ...(await store.get("sid")) };
    const other = (await store.get("sid")) ?? { cookie: {} };
    other.cookie.originalMaxAge = MONTH;
    other.cookie.expires = new Date(Date.now() + MONTH).toISOString();
    await store.touch("sid", other);
    await store.touch("sid", copy);
    await store.set("sid", copy);
    expectAbout(await timeLeft(store), MONTH);
    expect((await store.get("sid"))?.cookie.originalMaxAge).toBe(MONTH);
  });

  test("an old expiry in an object of any age does not end the session that it is saved over", async () => {
    const store = new SessionSetsStore({ store: memoryStore(), references });
    await store.set("sid", { cookie: { originalMaxAge: HOUR }, user_id: 1 });
    for (const ago of [-30_000, 30_000]) {
      const expires = new Date(Date.now() - ago).toISOString();
      await store.set("sid", { cookie: { originalMaxAge: HOUR, expires }, user_id: 1 });
      expectAbout(await timeLeft(store), HOUR);
      await store.touch("sid", { cookie: { originalMaxAge: HOUR, expires } });
      expectAbout(await timeLeft(store), HOUR);
    }
  });

  test("fields whose names are kept for the cookie are refused", async () => {
    const store = new SessionSetsStore({ store: memoryStore() });
    for (const name of ["~~cookie", "~~cookie.path"]) {
      await expect(store.set("sid", { cookie: {}, [name]: 1 })).rejects.toMatchObject({
        code: "ERR_SESSION_VALUE",
      });
    }
    const references = { "~cookie": { from: () => 1 } };
    expect(() => new SessionSetsStore({ store: memoryStore(), references })).toThrow(
      /~cookie.*rename/,
    );
  });
});
