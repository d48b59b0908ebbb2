/* References that are nested in the session, under Passport as it is used with express-session. */
import { Redis } from "ioredis";
import passport from "passport";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type AppRequest,
  type Browser,
  hold,
  type MiddlewareApp,
  middlewares,
} from "../../support/http/session-middlewares.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const references = { user_id: { from: (s: { passport?: { user?: number } }) => s.passport?.user } };
const stores = {
  "in memory": () => new SessionSetsStore({ store: memoryStore(), references }),
  "on Redis": () =>
    new SessionSetsStore({ client, prefix: freshPrefix(), timeout: "20 seconds", references }),
};

const login = (id: number) => (request: AppRequest) =>
  new Promise<void>((resolve, reject) => {
    request.login({ id }, (error: unknown) => (error ? reject(error) : resolve()));
  });
const logout = (request: AppRequest) =>
  new Promise<void>((resolve, reject) => {
    request.logout((error: unknown) => (error ? reject(error) : resolve()));
  });
const user = async (browser: Browser) =>
  (await browser.send(({ user }) => ({ id: user?.id ?? null }))).body.id;

describe.each(Object.entries(middlewares).filter(([name]) => name.startsWith("express")))(
  "%s and Passport",
  (_name, openApp) => {
    describe.each(Object.entries(stores))("%s", (_where, openStore) => {
      let store: ReturnType<typeof openStore>;
      let app: MiddlewareApp;
      beforeEach(async () => {
        const auth = new passport.Passport();
        auth.serializeUser((user, done) => done(null, (user as { id: number }).id));
        auth.deserializeUser((id, done) => done(null, { id: id as number }));
        store = openStore();
        app = await openApp(store, { use: [auth.session()] });
      });
      afterEach(() => app.close());

      test("the sessions of a signed-in user are a set, which signs them out everywhere", async () => {
        const [phone, desk, other] = [app.browser(), app.browser(), app.browser()];
        await phone.send(login(1));
        await desk.send(login(1));
        await other.send(login(2));
        expect(await store.by("user_id", 1).size()).toBe(2);
        expect(await store.by("user_id", 1).clear()).toBe(2);
        expect([await user(phone), await user(desk), await user(other)]).toEqual([null, null, 2]);
      });

      test("all but one's own: the sid of a request leads to the id of its session", async () => {
        const [phone, desk] = [app.browser(), app.browser()];
        await phone.send(login(1));
        await desk.send(login(1));
        await desk.send(async ({ sessionID }) => {
          const here = store.idOf(sessionID);
          expect(await store.by("user_id", 1).has(here)).toBe(true);
          expect(await store.by("user_id", 1).clear({ except: here })).toBe(1);
        });
        expect([await user(phone), await user(desk)]).toEqual([null, 1]);
      });

      test("a session leaves the set when its user signs out, and goes over to another user's", async () => {
        const browser = app.browser();
        await browser.send(login(1));
        await browser.send(login(2));
        expect(await store.by("user_id", 1).size()).toBe(0);
        expect(await store.by("user_id", 2).size()).toBe(1);
        await browser.send(logout);
        expect(await store.by("user_id", 2).size()).toBe(0);
        expect(await user(browser)).toBe(null);
      });

      test("a slow request does not undo a sign-out", async () => {
        const browser = app.browser();
        await browser.send(login(1));
        const slow = await hold(browser, ({ session }) => {
          session.theme = "dark";
        });
        await browser.send(logout);
        await slow.release();
        expect(await store.by("user_id", 1).size()).toBe(0);
        for (const session of await store.all()) expect(session.passport?.user).toBeUndefined();
      });

      test("what the function finds is not seen in the session, nor in the sessions of the set", async () => {
        const browser = app.browser();
        await browser.send(login(1));
        const { body } = await browser.send(({ session }) => Object.keys(session));
        expect(body.sort()).toEqual(["cookie", "passport"]);
        const set = store.by("user_id", 1);
        const [listed] = await set.list();
        expect(Object.keys(listed?.data ?? {}).sort()).toEqual(["cookie", "passport"]);
        for await (const { id, data } of set) {
          expect(data.passport).toEqual({ user: 1 });
          expect(await set.ids()).toEqual([id]);
        }
        const [stored] = await store.all();
        expect(Object.keys(stored ?? {}).sort()).toEqual(["cookie", "id", "passport"]);
      });
    });
  },
);
