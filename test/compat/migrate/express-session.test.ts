/* Sessions that connect-redis has kept, under express-session and @fastify/session with `migrate`. */
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { type MoveProgress, SessionSetsStore } from "session-sets/compat/express-session";
import { memoryStore } from "session-sets/memory";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { type MiddlewareApp, middlewares } from "../../support/http/session-middlewares.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const HOUR = 3_600_000;

let client: Redis;
beforeAll(() => {
  client = new Redis(redisUrl());
});
afterAll(() => client.quit());

let prefix: string;
let store: SessionSetsStore;
function open(options: object = {}) {
  store = new SessionSetsStore({
    client,
    prefix,
    references: { user_id: { from: (s) => s.passport?.user } },
    timeout: "20 seconds",
    migrate: { prefix: `${prefix}:` },
    ...options,
  });
}
beforeEach(() => {
  prefix = freshPrefix();
  open();
});

const expires = (ms = HOUR) => new Date(Date.now() + ms).toISOString();
const cookie = (ms = HOUR) => ({ originalMaxAge: ms, expires: expires(ms), httpOnly: true });
/** A session as connect-redis writes it. */
async function lay(sid: string, fields: object = {}, ms = HOUR, under = `${prefix}:`) {
  const session = { cookie: cookie(ms), theme: "dark", passport: { user: 1 }, ...fields };
  await client.set(under + sid, JSON.stringify(session), "EX", ms / 1000);
}
const createSid = () => randomBytes(24).toString("base64url");
const oldKeys = () => client.keys(`${prefix}:*`);
async function drain(): Promise<MoveProgress | undefined> {
  let last: MoveProgress | undefined;
  for await (const progress of store.moveSessions()) last = progress;
  return last;
}

describe.each(Object.entries(middlewares))("%s", (_name, openApp) => {
  let app: MiddlewareApp;
  afterEach(() => app.close());

  test("its users stay signed in, and can be found by their user", async () => {
    // connect-redis has kept the session that the middleware has made, at the sid's own key.
    const saved: Record<string, string> = {};
    const kept = {
      get: (sid: string, done: (error: null, session: unknown) => void) =>
        done(null, saved[sid] ? JSON.parse(saved[sid]) : null),
      set(sid: string, session: object, done: (error?: null) => void) {
        saved[sid] = JSON.stringify(session);
        done(null);
      },
      destroy: (_sid: string, done: (error?: null) => void) => done(null),
    };
    const before = await openApp(
      Object.assign(new SessionSetsStore({ store: memoryStore() }), kept),
      {
        maxAge: HOUR,
      },
    );
    const browser = before.browser();
    await browser.send(({ session }) => {
      session.passport = { user: 1 };
    });
    await before.close();
    expect(Object.keys(saved)).toHaveLength(1);
    for (const [sid, text] of Object.entries(saved)) {
      await client.set(`${prefix}:${sid}`, text, "PX", HOUR);
    }
    app = await openApp(store, { maxAge: HOUR });
    const now = app.browser();
    for (const name of ["connect.sid", "sessionId"]) {
      const value = browser.jar.get(name);
      if (value) now.jar.set(name, value);
    }
    const users = await Promise.all(
      [1, 2, 3].map(() => now.send(({ session }) => ({ user: session.passport?.user }))),
    );
    for (const { body } of users) expect(body).toEqual({ user: 1 });
    expect(await oldKeys()).toEqual([]);
    expect(await store.by("user_id", 1).clear()).toBe(1);
    const { body } = await now.send(({ session }) => ({ user: session.passport?.user ?? null }));
    expect(body).toEqual({ user: null });
  });
});

describe("a session of connect-redis", () => {
  test("keeps its fields and the time that is left, and using it pushes its deadline forward", async () => {
    const sid = createSid();
    await lay(sid, { cart: ["book"], n: 1 }, 60_000);
    const session = await store.get(sid);
    expect(session).toMatchObject({ theme: "dark", cart: ["book"], n: 1, passport: { user: 1 } });
    const key = `{${prefix}:0}:s:${store.idOf(sid)}`;
    expect(await client.pttl(key)).toBeLessThanOrEqual(60_000);
    expect(await client.pttl(key)).toBeGreaterThan(30_000);
    await store.touch(sid, { ...session, cookie: cookie(2 * HOUR) });
    expect(await client.pttl(key)).toBeGreaterThan(HOUR);
    expect(await store.by("user_id", 1).size()).toBe(1);
  });

  test("is at sess:<sid> where no other prefix is said", async () => {
    const sid = createSid();
    await lay(sid, {}, HOUR, "sess:");
    open({ migrate: true });
    expect(await store.get(sid)).toMatchObject({ theme: "dark" });
    expect(await client.exists(`sess:${sid}`)).toBe(0);
  });

  test("is not looked for without the option", async () => {
    const sid = createSid();
    await lay(sid);
    open({ migrate: false });
    expect(await store.get(sid)).toBeNull();
    expect(await oldKeys()).toHaveLength(1);
    expect(() => store.moveSessions()).toThrow("moveSessions needs the option migrate");
  });

  test("that has no expiry ends when its cookie does", async () => {
    const sid = createSid();
    await lay(sid);
    await client.persist(`${prefix}:${sid}`);
    expect(await store.get(sid)).toMatchObject({ theme: "dark" });
    expect(await client.pttl(`{${prefix}:0}:s:${store.idOf(sid)}`)).toBeLessThanOrEqual(HOUR);
  });

  test("is touched, saved whole and destroyed where it was not read before", async () => {
    const [touched, saved, destroyed] = [createSid(), createSid(), createSid()];
    for (const sid of [touched, saved, destroyed]) await lay(sid);
    await store.touch(touched, { cookie: cookie(2 * HOUR) });
    await store.set(saved, { cookie: cookie(), theme: "light" });
    await store.destroy(destroyed);
    expect(await oldKeys()).toEqual([]);
    expect(await store.get(touched)).toMatchObject({ theme: "dark" });
    expect(await store.get(saved)).toMatchObject({ theme: "light" });
    expect(await store.by("user_id", 1).ids()).toEqual([store.idOf(touched)]);
    expect(await store.get(destroyed)).toBeNull();
  });

  test("is migrated by onEnd, which tells how it ends then, and what was never there as unknown", async () => {
    const [sid, nobodys] = [createSid(), createSid()];
    await lay(sid);
    const told: string[] = [];
    for (const one of [sid, nobodys]) await store.onEnd(one, ({ how }) => void told.push(how));
    expect(await oldKeys()).toEqual([]);
    await eventually("unknown", ["unknown"], async () => [...told]);
    await store.destroy(sid);
    await eventually("both", ["unknown", "delete"], async () => [...told]);
    await store.close();
  });

  test("that is damaged is no session, is left by moveSessions, and removed by destroy and set", async () => {
    const sids = [createSid(), createSid(), createSid(), createSid(), createSid()] as const;
    await client.set(`${prefix}:${sids[0]}`, "{ no JSON", "EX", 60);
    await client.set(`${prefix}:${sids[1]}`, JSON.stringify({ theme: "dark" }), "EX", 60);
    await client.set(`${prefix}:${sids[2]}`, JSON.stringify({ cookie: {}, theme: "dark" }));
    await client.hset(`${prefix}:${sids[3]}`, "a", "b");
    await client.set(
      `${prefix}:${sids[4]}`,
      JSON.stringify({ cookie: cookie(), passport: { user: { id: 1 } } }), // no value of a reference
      "EX",
      60,
    );
    for (const sid of sids) expect(await store.get(sid)).toBeNull();
    expect(await drain()).toEqual({ cursor: null, scanned: 5, moved: 0, damaged: 5 });
    expect(await oldKeys()).toHaveLength(5);
    for (const sid of sids.slice(1)) await store.destroy(sid);
    await store.set(sids[0], { cookie: cookie(), theme: "new" });
    expect(await oldKeys()).toEqual([]);
    expect(await store.get(sids[0])).toMatchObject({ theme: "new" });
  });

  test("that a reference cannot be found in is removed by clear, and does not come back", async () => {
    const sid = createSid();
    await lay(sid);
    const from = () => {
      throw new Error("a mistake");
    };
    open({ references: { user_id: { from } } });
    expect(await store.get(sid)).toBeNull();
    await store.clear();
    expect(await oldKeys()).toEqual([]);
    open(); // the mistake is fixed
    expect(await store.get(sid)).toBeNull();
  });

  test("is ended with all others by clear, migrated or not", async () => {
    const sids = [createSid(), createSid(), createSid()] as const;
    for (const sid of sids) await lay(sid);
    await store.get(sids[0]);
    await store.clear();
    for (const sid of sids) expect(await store.get(sid)).toBeNull();
    expect(await oldKeys()).toEqual([]);
  });

  test("a store without a client refuses the option migrate", () => {
    expect(() => new SessionSetsStore({ store: memoryStore(), migrate: true })).toThrow(
      "The option migrate of SessionSetsStore needs a client",
    );
    expect(() => open({ migrate: { namespace: "x" } })).toThrow("migrate has no option");
  });
});
