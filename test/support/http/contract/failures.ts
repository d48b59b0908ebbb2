/* What an application answers while its Redis is down or slow, and what Redis is not asked at all. */
import { inspect } from "node:util";
import { Redis } from "ioredis";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { loopTime } from "../../loop-time.ts";
import { type RedisServer, startRedis } from "../../redis/server.ts";
import { freshPrefix } from "../../stores/stores.ts";
import { type AppOptions, type Browser, type Handler, type Host, TestApp } from "../app.ts";
import { UNKNOWN } from "./anonymous.ts";

const TIMEOUT = 500;
/** How much later than its time a call may end, in time of the event loop. */
const SLACK = 1500;
/** How long it may take until all works again: for what hangs. */
const HANGING = 60_000;

export const NEEDING_THE_STORE: Record<string, Handler> = {
  get: ({ session }) => session.get(),
  load: ({ session }) => session.load(),
  set: ({ session }) => session.set({ theme: "light" }),
  "set of another user": ({ session }) => session.set({ user_id: 2 }),
  signIn: ({ session }) => session.signIn({ user_id: 2 }),
  unset: ({ session }) => session.unset(["theme"]),
  touch: ({ session }) => session.touch(),
  rotate: ({ session }) => session.rotate(),
  delete: ({ session }) => session.delete(),
  peers: ({ session }) => session.peers("user_id"),
  changeCredentials: ({ session }) => session.changeCredentials("user_id"),
  signOutOthers: ({ session }) => session.signOutOthers("user_id"),
  signOutEverywhere: ({ session }) => session.signOutEverywhere("user_id"),
};

/** What makes a session, or is refused, where there is none. */
const NOT_FOR_STRANGERS: readonly string[] = [
  "set",
  "set of another user",
  "signIn",
  "changeCredentials",
  "signOutOthers",
  "signOutEverywhere",
];

export const NEEDING_NOTHING: Handler = async ({ session }) => {
  session.verifyCSRFToken(session.createCSRFToken());
  return session.id;
};

async function expectUnavailable(browser: Browser, verbs = NEEDING_THE_STORE): Promise<void> {
  const { token } = browser;
  // At once, because each may take all of its time.
  await Promise.all(
    Object.entries(verbs).map(async ([verb, handler]) => {
      const start = loopTime();
      const answer = await browser.send(handler);
      expect(loopTime() - start, verb).toBeLessThan(TIMEOUT + SLACK);
      expect([answer.status, answer.setCookies], verb).toEqual([503, []]);
      expect(answer.error, verb).toMatchObject({ code: "ERR_STORE_UNAVAILABLE", status: 503 });
    }),
  );
  expect(browser.token).toBe(token);
}

export function httpFailures(host: Host): void {
  let server: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.url, { retryStrategy: () => 20 });
    client.on("error", () => {}); // each call tells of it
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  async function start(options: AppOptions = {}, timeout = TIMEOUT): Promise<TestApp> {
    const store = redisStore(client, { prefix: freshPrefix(), timeout });
    const under = { store, elapse: async () => {} };
    const app = await TestApp.start(host, "", under, options);
    onTestFinished(() => app.close());
    return app;
  }

  /** A browser with a session, made with patience: the first commands of a connection are slow. */
  async function visitor(app: TestApp): Promise<Browser> {
    const browser = app.browser();
    await signIn(browser);
    return browser;
  }

  async function signIn(browser: Browser): Promise<void> {
    const set: Handler = ({ session }) => session.set({ user_id: 1, theme: "dark" });
    await expect.poll(async () => (await browser.send(set)).status, { timeout: HANGING }).toBe(200);
  }

  async function expectBack(browser: Browser): Promise<void> {
    const data = { user_id: 1, theme: "dark" };
    await expect.poll(() => browser.data(), { timeout: HANGING }).toEqual(data);
  }

  describe("while Redis", () => {
    test("does not answer, every call is 503 in time, and the session is as it was after", async () => {
      const app = await start();
      const browser = await visitor(app);
      server.pause();
      onTestFinished(() => server.resume());
      await expectUnavailable(browser);
      expect((await app.browser(UNKNOWN).send(({ session }) => session.get())).status).toBe(503);
      server.resume();
      await expectBack(browser);
    });

    // As it does in a failover.
    test("holds writes back, one reads still, writes are 503 in time, and all works after", async () => {
      const app = await start();
      const browser = await visitor(app);
      // On a busy machine a read may take longer than the store of the others waits.
      const reader = await visitor(await start({}, 20_000));
      const admin = new Redis(server.url);
      onTestFinished(() => admin.disconnect());
      await admin.client("PAUSE", 5 * HANGING, "WRITE"); // for longer than all that is waited for
      onTestFinished(async () => void (await admin.client("UNPAUSE")));
      const { get, load, peers, ...writing } = NEEDING_THE_STORE;
      for (const reading of [get, load, peers]) {
        expect((await reader.send(reading as Handler)).status).toBe(200);
      }
      await expectUnavailable(browser, writing);
      await admin.client("UNPAUSE");
      await expectBack(browser);
    });

    test("is down, every call is 503 in time, and works again after a restart", async () => {
      const app = await start();
      const browser = await visitor(app);
      await server.kill();
      await expectUnavailable(browser);
      const first = await app.browser().send(({ session }) => session.set({ theme: "dark" }));
      expect([first.status, first.setCookies]).toEqual([503, []]);
      await server.restart(); // and it has forgotten everything
      await expect.poll(() => browser.data(), { timeout: HANGING }).toEqual({});
      await signIn(browser);
      await expectBack(browser);
    });

    test("is down, what needs no session is answered", async () => {
      const app = await start();
      const browser = await visitor(app);
      await server.kill();
      for (const each of [browser, app.browser()]) {
        expect((await each.send(NEEDING_NOTHING)).status).toBe(200);
      }
      const anonymous = await app.browser().send(({ session }) => session.get());
      expect([anonymous.status, anonymous.value]).toEqual([200, {}]);
      await server.restart();
    });

    test("is down, neither the answer nor the error nor its causes hold a token", async () => {
      const app = await start();
      const browser = await visitor(app);
      await server.kill();
      const all = Object.values(NEEDING_THE_STORE);
      for (const { text, error } of await Promise.all(all.map((one) => browser.send(one)))) {
        expect(text).toBe("Service Unavailable");
        app.expectNoSecretIn("an error", inspect(error, { depth: 9, showHidden: true }));
      }
      expect(app.errors).toHaveLength(all.length);
      await server.restart();
    });
  });

  test("requirement 10: anonymous requests and malformed cookies send Redis no command and leave no key", async () => {
    const app = await start();
    const admin = new Redis(server.url);
    onTestFinished(() => admin.disconnect());
    await expect.poll(() => client.ping().catch(() => ""), { timeout: HANGING }).toBe("PONG");
    await admin.flushall();
    const commands = async () =>
      (await admin.info("commandstats"))
        .split("\r\n")
        .filter((line) => !/_(info|ping):/.test(line));
    const before = await commands();
    const cookies = [
      undefined,
      "",
      "x",
      "A".repeat(10_000),
      `__${UNKNOWN.slice(2)}`,
      `${UNKNOWN}A`,
    ];
    for (const cookie of cookies) {
      const browser = app.browser(cookie);
      for (const [verb, handler] of Object.entries(NEEDING_THE_STORE)) {
        if (NOT_FOR_STRANGERS.includes(verb)) continue;
        expect((await browser.send(handler)).status, verb).toBe(200);
      }
      expect((await browser.send(NEEDING_NOTHING)).status).toBe(200);
    }
    expect(await commands()).toEqual(before);
    expect(await admin.dbsize()).toBe(0);
  });
}
