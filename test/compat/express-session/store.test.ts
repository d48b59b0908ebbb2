/* SessionSetsStore by itself: its methods as middlewares, scripts and sockets call them. */
import { inspect, promisify } from "node:util";
import session from "express-session";
import { Redis } from "ioredis";
import { SessionError } from "session-sets";
import {
  type SessionData,
  SessionSetsStore,
  type SessionSetsStoreOptions,
} from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { redisStore } from "session-sets/redis";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { commandStore } from "../../../src/testing/commands/steps.ts";
import { dumpServer, watchCommands } from "../../support/redis/dump.ts";
import { startRedis } from "../../support/redis/server.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { openMeter } from "../../support/stores/costs.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const client = new Redis(redisUrl());
afterAll(() => client.quit());

const references = { user_id: {} };
const HOUR = 3_600_000;
const CENTURY = 100 * 365 * 24 * HOUR;
const cookieFor = (ms: number) => ({
  originalMaxAge: ms,
  expires: new Date(Date.now() + ms).toISOString(),
  path: "/",
});
const cookie = cookieFor(HOUR);

type Options = Omit<SessionSetsStoreOptions, "store" | "client">;
const stores = {
  "in memory": (options?: Options) => new SessionSetsStore({ store: memoryStore(), ...options }),
  "on Redis": (options?: Options) =>
    new SessionSetsStore({ client, prefix: freshPrefix(), timeout: "20 seconds", ...options }),
  "on Redis with 8 shards": (options?: Options) =>
    new SessionSetsStore({
      client,
      prefix: freshPrefix(),
      timeout: "20 seconds",
      shards: 8,
      ...options,
    }),
};

/** A session as the store has it now, not to be saved. */
const look = async (store: SessionSetsStore, sid = "sid") => {
  const found = await store.get(sid);
  return found && { ...found };
};

describe.each(Object.entries(stores))("a store %s", (_where, openStore) => {
  test("takes callbacks, whose errors are null", async () => {
    const store = openStore({ references });
    const called = <Value>(run: (callback: (error: unknown, value?: Value) => void) => void) =>
      new Promise((resolve) => run((...given) => resolve(given)));
    expect(await called((done) => store.get("sid", done))).toEqual([null, null]);
    expect(await called((done) => store.set("sid", { cookie, user_id: 1 }, done))).toEqual([
      null,
      undefined,
    ]);
    expect(await called((done) => store.get("sid", done))).toEqual([null, { cookie, user_id: 1 }]);
    expect(await called((done) => store.touch("sid", { cookie }, done))).toEqual([null, undefined]);
    expect(await called((done) => store.length(done))).toEqual([null, 1]);
    const id = store.idOf("sid");
    expect(await called((done) => store.all(done))).toEqual([null, [{ cookie, user_id: 1, id }]]);
    expect(await called((done) => store.destroy("sid", done))).toEqual([null, undefined]);
    expect(await called((done) => store.clear(done))).toEqual([null, undefined]);
    expect(await called((done) => store.length(done))).toEqual([null, 0]);
  });

  test("can be promisified", async () => {
    const store = openStore();
    const get = promisify(store.get.bind(store));
    const set = promisify<string, object, void>(store.set.bind(store));
    const destroy = promisify(store.destroy.bind(store));
    const all = promisify(store.all.bind(store));
    const length = promisify(store.length.bind(store));
    const clear = promisify(store.clear.bind(store));
    await set("a", { cookie, n: 1 });
    await set("b", { cookie, n: 2 });
    expect(await get("a")).toEqual({ cookie, n: 1 });
    expect([await length(), (await all())?.length]).toEqual([2, 2]);
    await destroy("a");
    expect(await get("a")).toBeNull();
    await clear();
    expect(await length()).toBe(0);
  });

  test("writes what changed in an object that it gave out, and leaves the rest", async () => {
    const store = openStore({ references });
    await store.set("sid", { cookie, user_id: 1, theme: "light", cart: [] });
    const [mine, theirs] = [await store.get("sid"), await store.get("sid")];
    Object.assign(mine ?? {}, { theme: "dark" });
    await store.set("sid", mine ?? {});
    Object.assign(theirs ?? {}, { user_id: 2, cart: ["book"] });
    await store.set("sid", theirs ?? {});
    expect(await look(store)).toEqual({ cookie, user_id: 2, theme: "dark", cart: ["book"] });
    Reflect.deleteProperty(mine ?? {}, "user_id");
    await store.set("sid", mine ?? {});
    expect(await look(store)).toEqual({ cookie, theme: "dark", cart: ["book"] });
    expect(await store.by("user_id", 2).size()).toBe(0);
  });

  test("follows what a middleware makes of such an object, property by property", async () => {
    const store = openStore();
    await store.set("sid", { cookie, theme: "light", n: 1 });
    const given: Record<string, unknown> = (await store.get("sid")) ?? {};
    const made: Record<string, unknown> = {};
    for (const field in given) made[field] = given[field]; // as @fastify/session does
    await store.set("sid", Object.assign((await store.get("sid")) ?? {}, { theme: "dark" }));
    await store.set("sid", Object.assign(made, { n: 2 }));
    expect(await look(store)).toEqual({ cookie, theme: "dark", n: 2 });
    expect(Object.keys(made).sort()).toEqual(["cookie", "n", "theme"]);
  });

  test("gives out what looks like any object", async () => {
    const store = openStore();
    await store.set("sid", { cookie, n: 1 });
    const given = (await store.get("sid")) ?? {};
    expect(Object.keys(given).sort()).toEqual(["cookie", "n"]);
    expect(JSON.parse(JSON.stringify(given))).toEqual({ cookie, n: 1 });
    expect(inspect(given, { sorted: true })).toBe(inspect({ cookie, n: 1 }, { sorted: true }));
    expect(given).toStrictEqual({ cookie, n: 1 });
  });

  test("writes an object that it did not give out whole, in place of what is there", async () => {
    const store = openStore({ references });
    await store.set("sid", { cookie, user_id: 1, theme: "light" });
    await store.set("sid", { cookie, user_id: 2 });
    expect(await look(store)).toEqual({ cookie, user_id: 2 });
    expect([await store.by("user_id", 1).size(), await store.by("user_id", 2).size()]).toEqual([
      0, 1,
    ]);
  });

  test("saves an object in the order of the calls, as it was at each, awaited or not", async () => {
    const store = openStore();
    const data: Record<string, unknown> = { cookie };
    const saves = Array.from({ length: 5 }, (_, i) => {
      data.last = i;
      data[`field${i}`] = i;
      if (i === 3) delete data.field1;
      return store.set("sid", data);
    });
    data.never = true;
    await Promise.all(saves);
    const all = { cookie, last: 4, field0: 0, field2: 2, field3: 3, field4: 4 };
    expect(await look(store)).toEqual(all);
  });

  test("a new object is known once it was saved: what others change since is left to them", async () => {
    const store = openStore();
    const mine: Record<string, unknown> = { cookie, theme: "light" };
    await store.set("sid", mine);
    await store.set("sid", Object.assign((await store.get("sid")) ?? {}, { theme: "dark" }));
    mine.cart = ["book"];
    await store.set("sid", mine);
    expect(await look(store)).toEqual({ cookie, theme: "dark", cart: ["book"] });
  });

  test("brings nothing back that was destroyed: neither what it gave out, nor a copy", async () => {
    const store = openStore({ references });
    await store.set("sid", { cookie, user_id: 1 });
    const given = (await store.get("sid")) ?? {};
    await store.destroy("sid");
    for (const late of [given, { ...given }, structuredClone({ ...given })]) {
      Object.assign(late, { theme: "dark" });
      await store.set("sid", late);
      await store.touch("sid", late);
      expect(await store.get("sid")).toBeNull();
    }
    expect([await store.length(), await store.by("user_id", 1).size()]).toEqual([0, 0]);
  });

  test("nor a new session whose first save is still under way", async () => {
    const store = openStore({ references });
    const session = { cookie, user_id: 1 };
    const saves = [store.set("sid", session), store.set("sid", session)];
    const copied = store.set("sid", { ...session });
    await store.destroy("sid");
    await Promise.all([...saves, copied]);
    expect(await look(store)).toBeNull();
    expect(await store.by("user_id", 1).size()).toBe(0);
    await store.set("sid", session);
    expect(await look(store)).toBeNull();
  });

  test("nor what was cleared", async () => {
    const store = openStore();
    await store.set("sid", { cookie, n: 1 });
    const given = (await store.get("sid")) ?? {};
    await store.clear();
    await store.set("sid", Object.assign(given, { n: 2 }));
    await store.set("sid", { ...given });
    expect(await store.length()).toBe(0);
  });

  test("a touch makes nothing and changes no field but the cookie", async () => {
    const store = openStore();
    await store.touch("sid", { cookie });
    expect(await store.length()).toBe(0);
    await store.set("sid", { cookie, theme: "light" });
    const later = cookieFor(2 * HOUR);
    await store.touch("sid", { cookie: later, theme: "never saved" });
    expect(await look(store)).toEqual({ cookie: later, theme: "light" });
  });

  test.each([
    ["its expiry", { expires: new Date(Date.now() + HOUR) }, HOUR],
    ["its expiry as a string", cookieFor(HOUR), HOUR],
    ["its expiry rather than its max age", { ...cookieFor(HOUR), maxAge: 5 }, HOUR],
    ["its max age", { maxAge: HOUR }, HOUR],
    ["its original max age", { originalMaxAge: HOUR, expires: null }, HOUR],
    ["a century at most", { expires: "+275760-09-13T00:00:00.000Z" }, CENTURY],
    ["a century at most, by its max age", { maxAge: Number.MAX_VALUE }, CENTURY],
    ["idleTimeout where it has none", { expires: null, originalMaxAge: null }, 3 * HOUR],
    ["idleTimeout where there is no date", { expires: "soon" }, 3 * HOUR],
    ["idleTimeout where there is no cookie", undefined, 3 * HOUR],
  ])("a session lives by its cookie: %s", async (_what, given, expected) => {
    const store = openStore({ references, idleTimeout: "3 hours" });
    await store.set("sid", { cookie: given, user_id: 1 });
    const [listed] = await store.by("user_id", 1).list();
    const left = Number(listed?.expiresAt) - Date.now();
    expect(left).toBeLessThanOrEqual(expected + 1000);
    expect(left).toBeGreaterThan(expected / 2);
  });

  test("a save or a touch with a cookie that has expired ends the session, as others would", async () => {
    const store = openStore();
    for (const end of ["set", "touch"] as const) {
      await store.set(end, { cookie });
      await store[end](end, { cookie: cookieFor(-1) });
      expect(await store.get(end)).toBeNull();
    }
  });

  test("goes through all its sessions, however many, and each once", async () => {
    const store = openStore({ references });
    const sids = Array.from({ length: 450 }, (_, i) => `sid-${i}`);
    await Promise.all(sids.map((sid, i) => store.set(sid, { cookie, user_id: i % 3, i })));
    expect(await store.length()).toBe(sids.length);
    const all = await store.all();
    expect(all.map(({ i }) => i).sort((a, b) => a - b)).toEqual(sids.map((_, i) => i));
    expect(all.map(({ id }) => id).sort()).toEqual(sids.map((sid) => store.idOf(sid)).sort());
    expect(await store.by("user_id", 1).size()).toBe(150);
    await store.clear();
    expect(await store.length()).toBe(0);
    expect(await store.by("user_id", 1).size()).toBe(0);
  });

  test("refers to what a function finds, on any level, of one or of several values", async () => {
    const store = openStore({
      references: {
        team: { from: (s) => s.teams?.map(({ id }: { id: number }) => id) },
        admin: { from: (s) => s.user?.roles.includes("admin") },
      },
    });
    await store.set("a", { cookie, teams: [{ id: 7 }, { id: 8 }], user: { roles: ["admin"] } });
    await store.set("b", { cookie, teams: [{ id: 8 }], user: { roles: [] } });
    await store.set("c", { cookie });
    const sizes = async () => [
      await store.by("team", 7).size(),
      await store.by("team", 8).size(),
      await store.by("admin", true).size(),
      await store.by("admin", false).size(),
    ];
    expect(await sizes()).toEqual([1, 2, 1, 1]);
    const a = (await store.get("a")) ?? { cookie, teams: [] };
    a.teams.shift(); // changed in place
    await store.set("a", a);
    expect(await sizes()).toEqual([0, 2, 1, 1]);
    expect(await store.by("team", 8).delete(store.idOf("a"))).toBe(true);
    expect(await store.by("team", 8).delete(store.idOf("c"))).toBe(false);
    expect(await sizes()).toEqual([0, 1, 0, 1]);
  });

  test("a reference that is declared later finds sessions from their next save on", async () => {
    const where = { store: memoryStore() };
    await new SessionSetsStore(where).set("sid", { cookie, passport: { user: 1 } });
    const from = (s: { passport?: { user: number } }) => s.passport?.user;
    const store = new SessionSetsStore({ ...where, references: { user_id: { from } } });
    expect(await store.by("user_id", 1).size()).toBe(0);
    await store.set("sid", (await store.get("sid")) ?? {});
    expect(await store.by("user_id", 1).size()).toBe(1);
  });

  test.each([
    ["what JSON cannot hold", { cookie, n: 1n }, "ERR_SESSION_VALUE", /JSON/],
    ["an object as a reference", { cookie, user_id: {} }, "ERR_SESSION_VALUE", /user_id/],
    ["a name of the library's own", { cookie, "@c": 1 }, "ERR_SESSION_VALUE", /@c/],
    ["a function that fails", { cookie, bad: true }, "ERR_SESSION_VALUE", /"team"/],
    [
      "what is too large",
      { cookie, text: "x".repeat(300) },
      "ERR_SESSION_TOO_LARGE",
      /maxBytes \(300\)/,
    ],
    ["what is no object", "text" as unknown as object, "ERR_SESSION_VALUE", /object/],
    ["a field for what a function finds", { cookie, "~team": 1 }, "ERR_SESSION_VALUE", /~team/],
  ])("refuses %s with a SessionError, and writes nothing", async (_what, data, code, message) => {
    const from = ({ bad }: SessionData) => {
      if (bad) throw new Error("no team");
      return undefined;
    };
    const store = openStore({ references: { user_id: {}, team: { from } }, maxBytes: 300 });
    const error = await new Promise((resolve) => store.set("sid", data, resolve));
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toMatchObject({ code, hint: expect.stringMatching(message) });
    expect(await store.length()).toBe(0);
    await store.set("sid", { cookie });
    await expect(store.set("sid", data)).rejects.toMatchObject({ code });
    expect(await look(store)).toEqual({ cookie });
  });
});

describe("on Redis", () => {
  test("sids are hashed: sessions have the first 132 bits of their SHA-256", async () => {
    const server = await startRedis();
    const own = new Redis(server.url);
    onTestFinished(async () => {
      own.disconnect();
      await server.stop();
    });
    const commands = await watchCommands(server.url);
    onTestFinished(() => commands.stop());
    const store = new SessionSetsStore({ client: own, timeout: "20 seconds", references });
    await store.set("correct horse", { cookie, user_id: 1 });
    await store.get("correct horse");
    await store.touch("correct horse", { cookie });
    await store.all();
    await store.destroy("correct horse");
    await store.set("battery staple", { cookie, user_id: 1 });
    // printf 'battery staple' | openssl dgst -sha256 -binary | basenc --base64url
    expect(store.idOf("battery staple")).toMatch(/^AA[A-Za-z0-9_-]{22}$/);
    const dump = await dumpServer(server.url);
    expect(dump).toContain(`{sess:0}:s:${store.idOf("battery staple")}`);
    for (const text of [dump, await commands.text()]) {
      expect(text).toContain(store.idOf("correct horse"));
      expect(text).not.toMatch(/correct|battery/);
    }
  });

  test("each call about one session is one command, first saves and changed references too", async () => {
    const meter = await openMeter(redisUrl(), (url) => new Redis(url));
    onTestFinished(() => meter.close());
    const store = new SessionSetsStore({
      client: meter.client,
      prefix: freshPrefix(),
      timeout: "20 seconds",
      references,
    });
    await store.set("warm", { cookie }); // the server's time, and the scripts' texts
    await store.destroy("warm");
    const data = { cookie, user_id: 1 };
    await meter.expectCost(() => store.set("sid", data), 1);
    data.user_id = 2;
    await meter.expectCost(() => store.set("sid", data), 1);
    await meter.expectCost(() => store.get("sid"), 1);
    await meter.expectCost(() => store.touch("sid", data), 0); // it was just saved
    data.cookie = cookieFor(2 * HOUR);
    await meter.expectCost(() => store.touch("sid", data), 1);
    await meter.expectCost(() => store.destroy("sid"), 1);
  });

  test("all, length and clear take bounded steps of SCAN, and no KEYS", async () => {
    const server = await startRedis();
    const own = new Redis(server.url);
    onTestFinished(async () => {
      own.disconnect();
      await server.stop();
    });
    const store = new SessionSetsStore({ client: own, timeout: "20 seconds", references });
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => store.set(`sid-${i}`, { cookie, user_id: 1 })),
    );
    const commands = await watchCommands(server.url);
    onTestFinished(() => commands.stop());
    expect(await store.length()).toBe(500);
    expect(await store.all()).toHaveLength(500);
    await store.clear();
    expect(await store.length()).toBe(0);
    const sent = (await commands.text()).toLowerCase().split("\n");
    const scans = sent.filter((command) => command.startsWith("scan "));
    expect(scans.length).toBeGreaterThanOrEqual(4 * 3);
    for (const scan of scans) expect(scan).toMatch(/ count 200$/);
    expect(
      sent.filter((command) => /^(keys|flush|smembers|zrange .* 0 -1$)/.test(command)),
    ).toEqual([]);
  });

  test("what else is under other prefixes, or is no session, is not counted nor cleared", async () => {
    const [prefix, other] = [freshPrefix(), freshPrefix()];
    const store = new SessionSetsStore({ client, prefix, timeout: "20 seconds" });
    const beside = new SessionSetsStore({ client, prefix: other, timeout: "20 seconds" });
    await store.set("sid", { cookie });
    await beside.set("sid", { cookie });
    await store.set("gone", { cookie });
    await store.destroy("gone"); // leaves a tombstone
    expect(await store.length()).toBe(1);
    await store.clear();
    expect([await store.length(), await beside.length()]).toEqual([0, 1]);
  });

  test('ids are in a plain set, too, with { as: "set" }', async () => {
    const from = (s: { passport?: { user?: number } }) => s.passport?.user;
    const options = { references: { user_id: { from, as: "set" } } } as const;
    const store = new SessionSetsStore({
      client,
      prefix: freshPrefix(),
      timeout: "20 seconds",
      ...options,
    });
    await store.set("sid", { cookie, passport: { user: 1 } });
    const { key } = store.by("user_id", 1);
    expect(await client.smembers(key)).toEqual([store.idOf("sid")]);
    await store.destroy("sid");
    expect(await client.smembers(key)).toEqual([]);
  });

  test("nothing is kept for a reference whose function finds nothing", async () => {
    const prefix = freshPrefix();
    const from = (s: { passport?: { user?: number | null } }) => s.passport?.user;
    const store = new SessionSetsStore({
      client,
      prefix,
      timeout: "20 seconds",
      references: { user_id: { from } },
    });
    await store.set("nobody", { cookie });
    await store.set("signed out", { cookie, passport: { user: null } });
    const fields = async (sid: string) =>
      (await client.hkeys(`{${prefix}:0}:s:${store.idOf(sid)}`)).filter((name) => name[0] !== "@");
    expect(await fields("nobody")).toEqual(["cookie"]);
    expect((await fields("signed out")).sort()).toEqual(["cookie", "passport"]);
  });

  test("failures are SessionErrors: in the callback, in the promise, and nowhere where nobody asks", async () => {
    const down = new Redis({ port: 1, lazyConnect: true, retryStrategy: () => null });
    down.on("error", () => {});
    onTestFinished(() => down.disconnect());
    const rejections: unknown[] = [];
    const listen = (reason: unknown) => rejections.push(reason);
    process.on("unhandledRejection", listen);
    onTestFinished(() => void process.off("unhandledRejection", listen));
    const store = new SessionSetsStore({ client: down, timeout: 200 });
    void store.destroy("sid"); // as req.session.destroy() does without a callback
    const errors = await Promise.all([
      new Promise((resolve) => store.get("sid", resolve)),
      new Promise((resolve) => store.set("sid", { cookie }, resolve)),
      new Promise((resolve) => store.destroy("sid", resolve)),
      new Promise((resolve) => store.touch("sid", { cookie }, resolve)),
      new Promise((resolve) => store.all(resolve)),
      new Promise((resolve) => store.length(resolve)),
      new Promise((resolve) => store.clear(resolve)),
      store.get("sid").catch((error) => error),
    ]);
    for (const error of errors) {
      expect(error).toBeInstanceOf(SessionError);
      expect(error).toMatchObject({ code: "ERR_STORE_UNAVAILABLE", status: 503 });
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(rejections).toEqual([]);
  });
});

describe("express-session's own methods", () => {
  test("load gives a session with its methods, for programs without a request", async () => {
    const store = new SessionSetsStore({ store: memoryStore(), references });
    session({ store, secret: "secret", resave: false, saveUninitialized: false, proxy: true });
    await store.set("sid", { cookie, user_id: 1 });
    const load = (sid: string) =>
      new Promise<session.Session & { user_id?: number }>((resolve, reject) => {
        store.load(sid, (error, loaded) => (error ? reject(error) : resolve(loaded as never)));
      });
    const loaded = await load("sid");
    expect(loaded).toBeInstanceOf(session.Session);
    expect(loaded).toMatchObject({ id: "sid", user_id: 1 });
    loaded.user_id = 2;
    await new Promise((resolve) => loaded.save(resolve));
    expect(await store.by("user_id", 2).size()).toBe(1);
    expect(await load("nobody")).toBeUndefined();
  });

  test("a cookie that was stored without its options has those that express-session gives one", async () => {
    const store = new SessionSetsStore({ store: memoryStore() });
    session({ store, secret: "secret", resave: false, saveUninitialized: false });
    await store.set("sid", { cookie: {} });
    const stored = (await store.get("sid")) ?? { cookie: {} };
    const ours = store.createSession<session.Session>({}, stored);
    const theirs = new session.MemoryStore().createSession({} as never, { cookie: {} } as never);
    expect(ours.cookie).toEqual(theirs.cookie);
    expect(ours.cookie).toMatchObject({ path: "/", httpOnly: true });
  });

  test("a stored option that express-session computes is left out, as by its own stores", () => {
    const store = new SessionSetsStore({ store: memoryStore() });
    session({ store, secret: "secret", resave: false, saveUninitialized: false });
    const stored = { cookie: { data: { path: "/wrong" }, sameSite: "lax" } };
    const ours = store.createSession<session.Session>({}, stored);
    const theirs = new session.MemoryStore().createSession({} as never, stored as never);
    expect(ours.cookie).toEqual(theirs.cookie);
    expect(ours.cookie).toMatchObject({ data: { path: "/", sameSite: "lax" } });
  });

  test.each([
    ["a max age that is a text", () => ({ maxAge: "1 hour" }), "maxAge must be a number or Date"],
    ["a max age that is a list", () => ({ maxAge: [1000] }), "maxAge must be a number or Date"],
    [
      "an option that cannot be read",
      () => ({
        get sameSite() {
          throw new Error("not now");
        },
      }),
      "not now",
    ],
  ])("a cookie with %s is refused", (_, make, cause) => {
    const store = new SessionSetsStore({ store: memoryStore() });
    session({ store, secret: "secret", resave: false, saveUninitialized: false });
    expect(() => store.createSession({}, { cookie: make() })).toThrow(
      expect.objectContaining({
        code: "ERR_SESSION_VALUE",
        hint: expect.stringMatching(/^The session's cookie .*see the cause/),
        cause: expect.objectContaining({ message: cause }),
      }),
    );
  });

  test("a request that cannot be given the session is refused", () => {
    const throwing = Object.defineProperty({}, "session", {
      set() {
        throw new Error("not now");
      },
    });
    const unread = Object.defineProperty({}, "headers", {
      get() {
        throw new Error("not now");
      },
    });
    const readonly = Object.defineProperty({}, "session", {});
    for (const req of [Object.freeze({}), readonly, throwing, unread]) {
      const store = new SessionSetsStore({ store: memoryStore() });
      session({ store, secret: "secret", resave: false, saveUninitialized: false });
      expect(() => store.createSession(req, { cookie })).toThrow(
        expect.objectContaining({ code: "ERR_SESSION_CONFIG" }),
      );
    }
  });

  test("a promise is no session: it is refused", async () => {
    const store = new SessionSetsStore({ store: memoryStore() });
    session({ store, secret: "secret", resave: false, saveUninitialized: false });
    await store.set("sid", { cookie });
    const promise = store.get("sid") as object;
    const refused = expect.objectContaining({
      code: "ERR_SESSION_VALUE",
      hint: expect.stringMatching(/^The session cannot be stored: a promise has to be awaited/),
    });
    await expect(store.set("sid", promise)).rejects.toEqual(refused);
    await expect(store.touch("sid", promise)).rejects.toEqual(refused);
    expect(() => store.createSession({}, promise)).toThrow(refused);
    expect(await look(store)).toEqual({ cookie });
  });

  test("a store that express-session does not know says so", async () => {
    const store = new SessionSetsStore({ store: memoryStore() });
    expect(() => store.createSession({}, { cookie })).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_CONFIG" }),
    );
    await store.set("sid", { cookie });
    const error = await new Promise((resolve) => store.load("sid", resolve));
    expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
  });
});

test("saves of one object do not overtake each other, whatever the store's client does", async () => {
  const kept = commandStore(memoryStore());
  const ways = [immediates(5), immediates(0)];
  const store = new SessionSetsStore({
    store: Object.assign(Object.create(kept), {
      shards: 1,
      end: kept.end.bind(kept),
      endAll: kept.endAll.bind(kept),
      find: kept.find.bind(kept),
      async command(...given: Parameters<typeof kept.command>) {
        await ways.shift()?.(); // the first command takes the longer way
        return kept.command(...given);
      },
    }),
  });
  const data = { cookie, n: 1 };
  const first = store.set("sid", data);
  data.n = 2;
  await Promise.all([first, store.set("sid", data)]);
  expect(await look(store)).toEqual({ cookie, n: 2 });
});

/** Lets this many turns of the event loop pass. */
function immediates(count: number) {
  return async () => {
    for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
  };
}

test.each([
  ["an unknown option", { ttl: 60 }, /ttl.*idleTimeout/],
  ["a client and a store", { client, store: memoryStore() }, /not both/],
  ["a prefix without a client", { store: memoryStore(), prefix: "shop" }, /prefix/],
  ["a prefix with a colon", { client, prefix: "sess:" }, /prefix/],
  ["a from that is no function", { references: { user_id: { from: "id" } } }, /user_id.*from/],
  ["an unknown option of a reference", { references: { user_id: { rotate: false } } }, /rotate/],
  [
    "a reference that cannot be named",
    { references: { "@user": { from: Number } } },
    /"@user" has a name that begins/,
  ],
  [
    "a plain set over several shards",
    { client, shards: 2, references: { user_id: { from: Number, as: "set" } } },
    /"user_id" .*one shard; this one has 2/,
  ],
  [
    "a reference that is kept where another one's values are",
    { references: { user_id: { from: () => 1 }, "~user_id": {} } },
    /~user_id.*rename/,
  ],
  ["a list of references", { references: ["user_id"] }, /must be a record such as { user_id: {} }/],
  ["a client as the options", client, /takes its options: new SessionSetsStore\({ client }\)/],
  ["a reference as true", { references: { user_id: true } }, /user_id/],
  ["a store that is none", { store: client }, /store/],
  [
    "a store without commands",
    { store: Object.assign(memoryStore(), { command: undefined }) },
    /needs the method command, .*redisStore\(client\) or memoryStore\(\)/,
  ],
  ["no duration", { idleTimeout: "soon" }, /idleTimeout/],
])("refuses %s", (_what, options, message) => {
  expect(() => new SessionSetsStore(options as never)).toThrow(
    expect.objectContaining({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringMatching(message),
    }),
  );
});

test("refuses what is no declared reference, and a sid that is no string", async () => {
  const store = new SessionSetsStore({ store: memoryStore(), references });
  expect(() => store.by("team" as never, 1)).toThrow(/declared: "user_id"/);
  const bare = new SessionSetsStore({ store: memoryStore() });
  expect(() => bare.by("team", 1)).toThrow(/declared: none/);
  await expect(store.get(undefined as never)).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
});

test("a store of one's own that cannot iterate has no all, length and clear", async () => {
  const plain = redisStore(client, { prefix: freshPrefix(), timeout: "20 seconds" });
  const store = new SessionSetsStore({ store: Object.assign(plain, { iterate: undefined }) });
  for (const method of ["all", "length", "clear"] as const) {
    await expect(store[method]()).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
  }
});

test("close closes a store of the memory, and what it kept is gone", async () => {
  const store = new SessionSetsStore({ store: memoryStore() });
  await store.set("sid", { cookie: { originalMaxAge: 60_000 } } as never);
  expect(await store.length()).toBe(1);
  await store.close();
  expect(await store.length()).toBe(0);
});
