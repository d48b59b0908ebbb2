/*
 * Under the fake timers of an application's tests: the memory store and its sessions go by the faked date,
 * whenever it was faked, and no timer of the library is one of the application's.
 */
import { mock } from "node:test";
import express from "express";
import session from "express-session";
import { createSessions } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { fetchSessions } from "session-sets/fetch";
import { memoryStore } from "session-sets/memory";
import { commandContract, feedContract, storeContract } from "session-sets/testing";
import sinon from "sinon";
import request from "supertest";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { TestApp } from "../support/http/app.ts";
import { expressAdapter } from "../support/http/apps/express.ts";
import { fastifyAdapter } from "../support/http/apps/fastify.ts";
import { fetchAdapter } from "../support/http/apps/fetch.ts";
import { honoAdapter } from "../support/http/apps/hono.ts";
import { koaAdapter } from "../support/http/apps/koa.ts";
import { nodeAdapter } from "../support/http/apps/node.ts";
import { fakeOwnTimers } from "../support/own-timers.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

interface Fakes {
  /** Replaces all timers that it can. */
  install(): { advance(ms: number): void; uninstall(): void };
}

const NODE_APIS = ["setTimeout", "setInterval", "setImmediate", "Date"] as const;

/** Jest's are sinon's; test/examples/jest.test.ts runs Jest itself. */
const FAKES: Record<string, Fakes> = {
  vitest: {
    install() {
      vi.useFakeTimers();
      return {
        advance: (ms) => void vi.advanceTimersByTime(ms),
        uninstall: () => void vi.useRealTimers(),
      };
    },
  },
  "vitest, of the date alone": {
    install() {
      vi.useFakeTimers({ toFake: ["Date"] });
      return {
        advance: (ms) => void vi.setSystemTime(Date.now() + ms),
        uninstall: () => void vi.useRealTimers(),
      };
    },
  },
  sinon: {
    install() {
      const clock = sinon.useFakeTimers({ now: Date.now() }); // else it is 1970
      return { advance: (ms) => void clock.tick(ms), uninstall: () => clock.restore() };
    },
  },
  "node:test": {
    install() {
      mock.timers.enable({ apis: NODE_APIS, now: Date.now() });
      return { advance: (ms) => mock.timers.tick(ms), uninstall: () => mock.timers.reset() };
    },
  },
};

describe.each(Object.entries(FAKES))("under the fake timers of %s", (_, { install }) => {
  function fake() {
    const fakes = install();
    onTestFinished(() => fakes.uninstall());
    return fakes;
  }

  describe("the memory store is a store like any other:", () => {
    for (const { name, run } of [...storeContract, ...commandContract, ...feedContract]) {
      test(name, () => {
        const fakes = fake();
        return run(async () => ({
          store: memoryStore(),
          elapse: async (ms) => fakes.advance(ms),
        }));
      });
    }
  });

  test("a store made before they were installed goes by them, and by the clock again after", async () => {
    const sessions = createSessions({ store: memoryStore(), idleTimeout: HOUR });
    const { token: before } = await sessions.create({});
    const fakes = fake();
    expect(await sessions.get(before, { touch: false })).not.toBeNull();
    fakes.advance(HOUR + 1);
    expect(await sessions.get(before)).toBeNull();
    const { token } = await sessions.create({});
    fakes.advance(HOUR);
    expect(await sessions.get(token, { touch: false })).not.toBeNull();
    fakes.advance(1);
    expect(await sessions.get(token)).toBeNull();
    fakes.uninstall();
    const { session } = await sessions.create({});
    expect(Math.abs(session.createdAt.getTime() - Date.now())).toBeLessThan(MINUTE);
  });

  test("every deadline passes when it is due, and not a millisecond before", async () => {
    const fakes = fake();
    const sessions = createSessions({
      data: {} as { user_id?: number },
      references: ["user_id"],
      store: memoryStore(),
      idleTimeout: "30 minutes",
      absoluteTimeout: "1 hour",
      rotationGrace: "10 seconds",
    });
    const mine = sessions.by("user_id", 1);
    const { token, session } = await sessions.create({ user_id: 1 });
    expect(session.createdAt.getTime()).toBe(Date.now());

    const rotated = await sessions.rotate(token);
    fakes.advance(10_000);
    expect(await sessions.get(token)).not.toBeNull(); // an alias
    fakes.advance(1);
    expect(await sessions.get(token)).toBeNull();
    expect(await sessions.byId(session.lineage).get()).not.toBeNull();

    fakes.advance(30 * MINUTE - 10_000);
    const seen = await sessions.get(rotated?.token); // within the idle timeout of the rotation's touch
    expect(seen).toBeNull(); // the read through the alias was too soon to be a use
    expect([await mine.size(), await mine.list()]).toEqual([0, []]);
    expect(await sessions.byId(session.lineage).get()).toBeNull();
  });
});

describe("an application's timers", () => {
  test("are its own: those of the library are not run, counted or waited for", async () => {
    vi.useFakeTimers();
    const sessions = createSessions({ store: memoryStore() });
    const { token } = await sessions.create({});
    const ran = vi.fn();
    setTimeout(ran, 1000);
    expect(vi.getTimerCount()).toBe(1);
    const start = Date.now();
    vi.runAllTimers();
    await vi.runAllTimersAsync();
    expect(ran).toHaveBeenCalledTimes(1);
    expect(Date.now() - start).toBe(1000);
    expect(vi.getTimerCount()).toBe(0);
    expect(await sessions.get(token)).not.toBeNull();
  });

  test("make no response late: nobody is warned that a session was not committed", async () => {
    vi.useFakeTimers();
    const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const found = fetchSessions(createSessions({ store: memoryStore() }))(new Request("http://a/"));
    await found.set({ theme: "dark" });
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(DAY);
    expect(warning).not.toHaveBeenCalled();
    found.commit(new Response());
  });
});

test("a session of a Request that no commit sends is told of a minute later, once", async () => {
  fakeOwnTimers();
  const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const fetchSession = fetchSessions(createSessions({ store: memoryStore() }));
  const sent = fetchSession(new Request("http://a/"));
  await sent.set({ theme: "dark" });
  sent.commit(new Response());
  await vi.advanceTimersByTimeAsync(DAY);
  expect(warning).not.toHaveBeenCalled();
  for (let i = 0; i < 2; i++) await fetchSession(new Request("http://a/")).set({ theme: "dark" });
  await vi.advanceTimersByTimeAsync(MINUTE - 1);
  expect(warning).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(warning).toHaveBeenCalledTimes(1);
  expect(warning).toHaveBeenCalledWith(
    expect.stringMatching(/session\.commit\(response\)/),
    expect.objectContaining({ code: "SESSION_SETS_UNCOMMITTED" }),
  );
});

test.each([koaAdapter, expressAdapter, fastifyAdapter, honoAdapter, nodeAdapter, fetchAdapter])(
  "under $name, requests are answered, and their sessions end by the faked date",
  async (adapter) => {
    vi.useFakeTimers();
    const app = await TestApp.start(
      adapter,
      "",
      { store: memoryStore(), elapse: async () => {} },
      {},
    );
    onTestFinished(() => app.close());
    const browser = app.browser();
    const signedIn = await browser.send(({ session: own }) => own.signIn({ user_id: 1 }));
    expect(signedIn.setCookies[0]?.attributes).toMatchObject({
      "max-age": String((28 * DAY) / 1000),
    });
    expect(await browser.data()).toEqual({ user_id: 1 });
    vi.advanceTimersByTime(30 * MINUTE);
    expect(await browser.data()).toEqual({ user_id: 1 });
    vi.advanceTimersByTime(30 * MINUTE + 1);
    expect(await browser.data()).toEqual({});
  },
);

test("express-session is answered by its store, and its sessions end by the faked date", async () => {
  vi.useFakeTimers();
  const store = new SessionSetsStore({ store: memoryStore(), references: { user_id: {} } });
  const app = express();
  app.use(
    session({
      store,
      secret: "a secret",
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 30 * MINUTE },
    }),
  );
  app.get("/sign-in", (req, res) => {
    Object.assign(req.session, { user_id: 1 });
    res.send("signed in");
  });
  app.get("/", (req, res) => void res.json(Object(req.session).user_id ?? null));
  const agent = request.agent(app);
  await agent.get("/sign-in");
  expect((await agent.get("/")).body).toBe(1);
  vi.setSystemTime(Date.now() + 31 * MINUTE);
  expect(await store.by("user_id", 1).size()).toBe(0);
});

test("the callbacks of express-session's store come without process.nextTick, which Jest fakes", async () => {
  const store = new SessionSetsStore({ store: memoryStore() });
  const ticks = vi.spyOn(process, "nextTick").mockImplementation(() => {});
  const answered = await new Promise((resolve) => store.get("a sid", (...told) => resolve(told)));
  ticks.mockRestore();
  expect(answered).toEqual([null, null]);
});
