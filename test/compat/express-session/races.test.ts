/*
 * Requests of one session at the same time, under express-session and @fastify/session: what a store
 * that saves whole sessions loses and brings back, and that SessionSetsStore does neither.
 */
import { Redis } from "ioredis";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type AppRequest,
  type Browser,
  call,
  hold,
  type MiddlewareApp,
  type MiddlewareStore,
  middlewares,
} from "../../support/http/session-middlewares.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";
import { WholeSessions } from "../../support/stores/whole-sessions.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const references = { user_id: {} };
const stores = {
  "in memory": () => new SessionSetsStore({ store: memoryStore(), references }),
  "on Redis": () =>
    new SessionSetsStore({ client, prefix: freshPrefix(), timeout: "20 seconds", references }),
  "on Redis with 4 shards": () =>
    new SessionSetsStore({
      client,
      prefix: freshPrefix(),
      timeout: "20 seconds",
      references,
      shards: 4,
    }),
};

const readFields = ({ session }: AppRequest) => {
  const { user_id, theme, cart } = session;
  return { user_id, theme, cart };
};

describe.each(Object.entries(middlewares))("%s", (_name, openApp) => {
  let app: MiddlewareApp;
  let browser: Browser;
  afterEach(() => app.close());

  async function open(store: MiddlewareStore): Promise<void> {
    // `rolling` makes @fastify/session save at the end of each request, as `resave` express-session.
    app = await openApp(store, { maxAge: 60_000, rolling: true, resave: true });
    browser = app.browser();
    await browser.send(({ session }) => {
      session.user_id = 1;
    });
  }

  const now = async () => (await browser.send(readFields)).body;

  /** Two requests that each have read the session before the other one saves it. */
  async function changeTwoFields(): Promise<void> {
    const first = await hold(browser, ({ session }) => {
      session.theme = "dark";
    });
    const second = await hold(browser, ({ session }) => {
      session.cart = ["book"];
    });
    await first.release();
    await second.release();
  }

  /** A request that has read the session before it is destroyed, and ends after. */
  async function destroyBesideSlow(act: (request: AppRequest) => unknown) {
    const slow = await hold(browser, act);
    const cookies = browser.jar.header;
    await browser.send((request) => call(request, "destroy"));
    const answer = await slow.release();
    expect(browser.jar.header).toBe(cookies); // it is asked for by its own sid
    return answer;
  }

  describe("with a store that saves whole sessions", () => {
    beforeEach(() => open(new WholeSessions()));

    test("the request that ends last undoes what the other one has changed", async () => {
      await changeTwoFields();
      expect(await now()).toEqual({ user_id: 1, cart: ["book"] }); // the theme is lost
    });

    test("a slow request brings a destroyed session back, signed in", async () => {
      await destroyBesideSlow(() => {});
      expect(await now()).toEqual({ user_id: 1 });
    });
  });

  describe.each(Object.entries(stores))("with SessionSetsStore %s", (_where, openStore) => {
    let store: SessionSetsStore;
    beforeEach(async () => {
      store = openStore();
      await open(store);
    });

    test("two requests at once that change different fields both keep their changes", async () => {
      await changeTwoFields();
      expect(await now()).toEqual({ user_id: 1, theme: "dark", cart: ["book"] });
    });

    test("so do ten, and one that removes a field", async () => {
      const changes = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          hold(browser, ({ session }) => {
            session[`field${i}`] = i;
          }),
        ),
      );
      const removal = await hold(browser, ({ session }) => {
        delete session.user_id;
      });
      await Promise.all([...changes, removal].map((held) => held.release()));
      const { body } = await browser.send(({ session }) => ({ ...session, cookie: undefined }));
      const all = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`field${i}`, i]));
      expect(body).toEqual(all);
      expect(await store.by("user_id", 1).size()).toBe(0);
    });

    test("a request that saves by itself saves no field once more that another one has changed since", async () => {
      const twice = await hold(browser, async (request) => {
        request.session.theme = "dark";
        await call(request, "save");
        await browser.send(({ session }) => {
          session.theme = "light";
        });
        request.session.cart = ["book"];
      });
      await twice.release();
      expect(await now()).toEqual({ user_id: 1, theme: "light", cart: ["book"] });
    });

    test("a request that changes nothing keeps what another one changes", async () => {
      const idle = await hold(browser, () => {});
      await browser.send(({ session }) => {
        session.theme = "dark";
      });
      await idle.release();
      expect(await now()).toEqual({ user_id: 1, theme: "dark" });
    });

    test.each([
      ["that changes nothing", () => {}],
      [
        "that changes a field",
        ({ session }: AppRequest) => {
          session.theme = "dark";
        },
      ],
      [
        "that saves by itself, twice",
        async (request: AppRequest) => {
          request.session.theme = "dark";
          await call(request, "save");
          request.session.theme = "light";
          await call(request, "save");
        },
      ],
    ])(
      "a destroyed session stays so after a slow request %s, which is answered",
      async (_, act) => {
        expect((await destroyBesideSlow(act)).status).toBe(200);
        expect(await now()).toEqual({});
        expect(await store.length()).toBe(0);
        expect(await store.by("user_id", 1).size()).toBe(0);
      },
    );

    test("so does one that was ended through its set", async () => {
      const slow = await hold(browser, ({ session }) => {
        session.theme = "dark";
      });
      expect(await store.by("user_id", 1).clear()).toBe(1);
      await slow.release();
      expect(await store.length()).toBe(0);
      expect(await now()).toEqual({});
    });

    test("and one that regenerate has replaced, whose new session is made and kept", async () => {
      const slow = await hold(browser, ({ session }) => {
        session.theme = "dark";
      });
      const desk = app.browser();
      desk.jar.set(...readCookie(browser));
      await desk.send(async (request) => {
        await call(request, "regenerate");
        request.session.user_id = 2;
      });
      await slow.release();
      expect((await desk.send(readFields)).body).toEqual({ user_id: 2 });
      expect(await store.by("user_id", 1).size()).toBe(0);
      expect(await store.by("user_id", 2).size()).toBe(1);
      expect(await store.length()).toBe(1);
    });
  });
});

/** The one cookie of a browser, as the arguments of its jar's `set`. */
function readCookie({ jar }: Browser): [name: string, value: string] {
  const [name = "", value = ""] = jar.header?.split("=", 2) ?? [];
  return [name, value];
}
