/* `session-sets/compat/koa-redis-session-sets`: what its predecessor documents, on Koa 3 and Koa 2. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Redis } from "ioredis";
import Koa from "koa";
import Koa2 from "koa-2";
import KoaRedisSessionSets, {
  type KoaRedisSessionSetsOptions,
} from "session-sets/compat/koa-redis-session-sets";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type Browser,
  type CompatApp,
  type CompatAppOptions,
  startCompatApp,
  type Work,
} from "../../support/http/apps/koa-compat.ts";
import { parseSetCookie } from "../../support/http/cookie-jar.ts";
import { withLifetime } from "../../support/lifetime.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { elapseOn, freshPrefix } from "../../support/stores/stores.ts";
import { parseTimes } from "../../support/stores/times.ts";

const DAY = 86_400_000;
const KEYS = ["a secret", "an older one"];

let client: Redis;
beforeAll(() => {
  client = new Redis(redisUrl());
});
afterAll(() => client.quit());

let prefix: string;
let app: CompatApp;
let browser: Browser;
const apps: CompatApp[] = [];
const open = (options: object = {}, of?: CompatAppOptions) =>
  openWith({ client, prefix, references: { user_id: {} }, ...options }, of);
async function openWith(
  options: KoaRedisSessionSetsOptions,
  of: CompatAppOptions = { keys: KEYS },
): Promise<void> {
  app = await startCompatApp(options, of);
  apps.push(app);
  browser = app.browser();
}
beforeEach(async () => {
  prefix = freshPrefix();
  await open();
});
afterEach(() => Promise.all(apps.splice(0).map((one) => one.close())));

const keys = () => client.keys(`*${prefix}*`);
const readIds = (user: unknown) => client.smembers(app.middleware.getReferenceKey("user_id", user));
/** The ids of all sessions. */
const allIds = async () =>
  (await client.keys(`{${prefix}:0}:s:*`)).map((key) => key.slice(`{${prefix}:0}:s:`.length));
const refused = (code: string) => expect.objectContaining({ name: "SessionError", code });
/** A client that calls back whenever it sends a script. */
class TellingRedis extends Redis {
  onScript = () => {};
  override sendCommand(...[command, stream]: Parameters<Redis["sendCommand"]>) {
    if (/^eval/i.test(command.name)) this.onScript();
    return super.sendCommand(command, stream);
  }
}

/** The session cookie that the response sends, a visitor's or a user's, if any. */
const readCookie = ({ cookies }: { cookies: readonly string[] }) =>
  cookies.map(parseSetCookie).find(({ name }) => /^session-id(?:-visitor)?$/.test(name));

/*
 * The two examples of the README, and the older README's, whose `function * (next)` and `yield` are
 * an async function and `await` here. Fixed besides: the import line, the connection, the prefix
 * that keeps tests apart, that the app listens, and that an error fails the test instead of ending
 * the process. `Session` is the README's own name.
 */
describe.each([
  ["the README's example", { user_id: {} }],
  ["the older README's example, in async form", { user_id: 1 }],
])("%s", (_name, references) => {
  test.each([
    ["Koa 3", Koa],
    ["Koa 2", Koa2],
  ])("runs on %s", async (_name, Koa) => {
    const app = new Koa();
    const Session = KoaRedisSessionSets(app, { client, prefix, references });
    app.use(Session);
    let seen: unknown;
    app.use(async (ctx) => {
      // get the session
      let session = await ctx.session.get();

      // update the session
      await ctx.session.set({ user_id: 1 });

      // get the session object with latest keys
      session = await ctx.session.get();
      seen = session;
      ctx.status = 204;
    });
    const server = createServer(app.callback()).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const responses = [await fetch(url), await fetch(url)];
    server.closeAllConnections();
    server.close();
    expect(responses.map(({ status }) => status)).toEqual([204, 204]);
    expect(seen).toEqual({ user_id: 1 });

    const key = Session.getReferenceKey("user_id", 1);
    expect(await client.smembers(key)).toHaveLength(2);
    const session_ids = await client.smembers(key);
    await Promise.all(
      session_ids.map((session_id) => {
        // deletes the session and removes the session from all the referenced sets
        return Session.store.delete(session_id);
      }),
    );
    expect(await keys()).toEqual([]);
  });
});

describe("ctx.session.get", () => {
  test("is empty where there is no session, and makes none", async () => {
    const { value, cookies } = await browser.visit((ctx) => ctx.session.get());
    expect([value, cookies]).toEqual([{}, []]);
    expect(await keys()).toEqual([]);
  });

  test("gives the data, or the fields that are asked for", async () => {
    await browser.visit((ctx) => ctx.session.set({ a: 1, b: "2", c: [3] }));
    const answer = await browser.visit(async ({ session }) => [
      await session.get(),
      await session.get(["a", "c", "absent"]),
      await session.get([]),
      await session.get(null),
    ]);
    const all = { a: 1, b: "2", c: [3] };
    expect(answer.value).toEqual([all, { a: 1, c: [3] }, {}, all]);
  });

  test("has the id of the session, as the sets and the store have it, and writes it back to none", async () => {
    await browser.visit(async ({ session }) => {
      expect((await session.get()).id).toBeUndefined(); // as ever: there is none yet
      await session.set({ user_id: 1, a: 1 });
    });
    const { value } = await browser.visit(async ({ session }) => {
      const data = await session.get();
      await session.set({ ...data });
      return [data.id, (await session.get(["a"])).id, Object.keys(data)];
    });
    const [id] = await readIds(1);
    expect(value).toEqual([id, id, expect.arrayContaining(["user_id", "a"])]);
    const stored = await app.middleware.store.get(id ?? "");
    expect([stored.id, stored]).toEqual([id, { user_id: 1, a: 1 }]);
    await browser.visit((ctx) => ctx.session.set({ id: "its own" }));
    expect((await browser.visit((ctx) => ctx.session.get())).value).toMatchObject({
      id: "its own",
    });
  });

  test("is that of a new one after delete, in the same request too", async () => {
    await browser.visit((ctx) => ctx.session.set({ a: 1 }));
    const [before] = await allIds();
    const answer = await browser.visit(async ({ session }) => {
      await session.delete();
      const empty = await session.get();
      await session.set({ b: 2 });
      return [empty, session.getKey(), await session.get()];
    });
    const [after, ...more] = (await allIds()).filter((id) => id !== before);
    expect(answer.value).toEqual([{}, `{${prefix}:0}:s:${after}`, { b: 2 }]);
    expect(more).toEqual([]);
    expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({ b: 2 });
  });

  test("is of another one each time, where a request ends the one that it has made", async () => {
    const { value } = await browser.visit(async ({ session }) => {
      await session.set({ a: 1 });
      const first = session.getKey();
      await session.delete();
      await session.set({ a: 2 });
      return [first, session.getKey()];
    });
    expect(new Set(value).size).toBe(2);
    expect(await client.hkeys(value[0])).toEqual(["@"]);
    expect(await client.hget(value[1], "a")).toBe("2");
  });

  test("rejects fields that are no list", async () => {
    const answer = await browser.visit((ctx) => ctx.session.get("a" as never));
    expect(answer.status).toBe(500);
    expect(app.errors).toEqual([refused("ERR_SESSION_VALUE")]);
  });
});

describe("ctx.session.set", () => {
  test("merges, resolves to the values, and makes a session where there is none", async () => {
    const values = { a: 1, b: { c: [true] } };
    expect((await browser.visit((ctx) => ctx.session.set(values))).value).toEqual(values);
    const same = await browser.visit(async (ctx) => {
      const more = { a: 2, dropped: undefined };
      return (await ctx.session.set(more)) === more;
    });
    expect(same.value).toBe(true);
    const answer = await browser.visit((ctx) => ctx.session.get());
    expect(answer.value).toEqual({ a: 2, b: { c: [true] } });
    expect(await allIds()).toHaveLength(1);
  });

  test("takes what JSON.stringify takes, under any name", async () => {
    const values = {
      date: new Date(0),
      list: [undefined, Number.NaN],
      custom: { toJSON: () => "json" },
      text: "1",
      "": 1,
      "@c": 2,
      "\ud800": 3,
      large: "x".repeat(100_000),
    };
    await browser.visit((ctx) => ctx.session.set(values));
    const answer = await browser.visit((ctx) => ctx.session.get());
    expect(answer.value).toEqual(JSON.parse(JSON.stringify(values)));
  });

  test("rejects what is no object, and a reference that is one", async () => {
    for (const values of [null, [], "a", { user_id: {} }, { user_id: [[1]] }, { big: 1n }]) {
      await browser.visit((ctx) => ctx.session.set(values as never));
      expect(app.errors.pop()).toEqual(refused("ERR_SESSION_VALUE"));
    }
    expect(await keys()).toEqual([]);
  });
});

test("ctx.session.unset removes fields, and makes nothing", async () => {
  expect((await browser.visit((ctx) => ctx.session.unset(["a"]))).cookies).toEqual([]);
  expect(await keys()).toEqual([]);
  await browser.visit((ctx) => ctx.session.set({ a: 1, b: 2, user_id: 1 }));
  const { value } = await browser.visit(async ({ session }) => [
    (await session.unset(["a", "user_id", "absent"])) ?? "nothing",
    await session.get(),
  ]);
  expect(value).toEqual(["nothing", { b: 2 }]);
  expect(await readIds(1)).toEqual([]);
});

test("ctx.session.delete ends the session and clears its cookie, and makes no new one", async () => {
  await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
  const answer = await browser.visit((ctx) => ctx.session.delete());
  expect(answer.value).toBeUndefined();
  expect(readCookie(answer)?.value).toBe("");
  expect(browser.jar.header).toBeUndefined();
  expect((await browser.visit((ctx) => ctx.session.delete())).cookies).toEqual([]);
  // For ten seconds it says to parallel requests that the session was ended.
  const [tombstone = "", ...more] = await keys();
  expect([await client.hgetall(tombstone), more]).toEqual([{ "@": "tombstone d" }, []]);
  expect(await client.pttl(tombstone)).toBeLessThanOrEqual(10_000);
});

test("ctx.session.delete leaves the cookie of what was not there alone", async () => {
  await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
  await app.middleware.store.clear("user_id", 1);
  const { status, cookies } = await browser.visit((ctx) => ctx.session.delete());
  expect([status, cookies]).toEqual([200, []]);
});

describe("ctx.session.getKey", () => {
  test("is the key of the session's hash, at once", async () => {
    await browser.visit((ctx) => ctx.session.set({ number: 1, string: "string" }));
    const { value: key } = await browser.visit(async (ctx) => ctx.session.getKey());
    expect(await client.hgetall(key)).toMatchObject({ number: "1", string: "string" });
  });

  test("and, before there is one, of the session that this request is going to make", async () => {
    const { value } = await browser.visit(async ({ session }) => {
      const before = [session.getKey(), session.getKey()];
      await session.set({ a: 1 });
      return [...before, session.getKey()];
    });
    expect(new Set(value).size).toBe(1);
    expect(await client.hget(value[0], "a")).toBe("1");
  });

  test("alone makes no session", async () => {
    expect((await browser.visit(async (ctx) => ctx.session.getKey())).cookies).toEqual([]);
    expect(await keys()).toEqual([]);
  });
});

describe("maxAge", () => {
  const deadline = async () => Number(await client.pexpiretime((await keys())[0] ?? ""));
  /** Whether what a request does sets the session's deadline to so long from now. */
  async function sets(ms: number, work: Parameters<Browser["visit"]>[0]): Promise<void> {
    const before = await serverTime();
    expect((await browser.visit(work)).status).toBe(200);
    const after = await serverTime();
    expect(await deadline()).toBeGreaterThanOrEqual(before + ms);
    expect(await deadline()).toBeLessThanOrEqual(after + ms);
  }
  async function serverTime(): Promise<number> {
    const [seconds = 0, micros = 0] = (await client.time()).map(Number);
    return seconds * 1000 + Math.floor(micros / 1000);
  }

  test("is 28 days, unless it is given", async () => {
    await sets(28 * DAY, (ctx) => ctx.session.set({ a: 1 }));
    await sets(28 * DAY, (ctx) => ctx.session.touch());
  });

  test.each([3 * DAY, "3 days"] as const)("may be %s as an option", async (maxAge) => {
    await open({ maxAge });
    await sets(3 * DAY, (ctx) => ctx.session.createCSRFToken());
    await sets(3 * DAY, (ctx) => ctx.session.set({ a: 1 }));
    await sets(3 * DAY, (ctx) => ctx.session.unset(["a"]));
    await sets(3 * DAY, (ctx) => ctx.session.touch());
  });

  test("may be given with each call, either way", async () => {
    await sets(60_000, (ctx) => ctx.session.touch("1 minute"));
    await sets(60 * DAY, (ctx) => ctx.session.set({ a: 1 }, "60 days"));
    await sets(50_000, (ctx) => ctx.session.unset(["a"], 50_000));
    await sets(2 * DAY, (ctx) => ctx.session.touch(2 * DAY));
    await sets(28 * DAY, (ctx) => ctx.session.touch());
  });

  test("counts from set, unset and touch: no read moves it", async () => {
    await browser.visit((ctx) => ctx.session.touch());
    const before = await deadline();
    await elapseOn(client, 5);
    const answer = await browser.visit(async ({ session }) => {
      await session.get();
      await session.get(["a"]);
      await session.verifyCSRFToken(await session.createCSRFToken());
      session.getKey();
    });
    expect(answer.cookies).toEqual([]);
    expect(await deadline()).toBe(before);
  });

  test("ends the session and all its sets, with nobody running", async () => {
    const lifetime = await withLifetime(2000, async (maxAge) => {
      browser = app.browser();
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }, maxAge));
      expect(await keys()).toHaveLength(3);
      return maxAge;
    });
    await elapseOn(client, lifetime + 5);
    expect(await client.exists(...(await keys()), "none")).toBe(0);
    expect((await browser.visit((ctx) => ctx.session.get(), {})).value).toEqual({});
  });

  test.each([0, -1, "soon", Number.NaN, {}])("refuses %s", async (maxAge) => {
    await expect(open({ maxAge })).rejects.toThrow(refused("ERR_SESSION_CONFIG"));
    await browser.visit((ctx) => ctx.session.touch(maxAge as never));
    expect(app.errors).toEqual([refused("ERR_SESSION_CONFIG")]);
  });
});

test("ctx.session.touch makes a session for a first visit, and sets its cookie", async () => {
  const first = await browser.visit((ctx) => ctx.session.touch());
  const second = await browser.visit((ctx) => ctx.session.touch());
  expect(readCookie(first)?.value).toBeTruthy();
  expect(second.cookies).toEqual([]);
  expect(await allIds()).toHaveLength(1);
});

describe("CSRF tokens", () => {
  test("are of their session, with or without the session as an argument", async () => {
    await browser.visit((ctx) => ctx.session.set({ cart: 1 }));
    const { value: token } = await browser.visit((ctx) => ctx.session.createCSRFToken());
    const checks = async (other: Browser) =>
      (
        await other.visit(async ({ session }) => {
          const data = await session.get();
          return [
            await session.verifyCSRFToken(token),
            await session.verifyCSRFToken(data, token),
            await session.verifyCSRFToken(undefined, token),
            await session.verifyCSRFToken(data, await session.createCSRFToken(data)),
            await session.verifyCSRFToken(`${token}x`),
            await session.verifyCSRFToken(data, undefined),
            await session.verifyCSRFToken(""),
          ];
        })
      ).value;
    expect(await checks(browser)).toEqual([true, true, true, true, false, false, false]);
    expect(await checks(app.browser())).toEqual([false, false, false, true, false, false, false]);
  });

  test("come with a session where there is none, and are valid within the same request", async () => {
    const answer = await browser.visit(async ({ session }) => {
      const token = await session.createCSRFToken();
      return [token, await session.verifyCSRFToken(token)];
    });
    expect(answer.value[1]).toBe(true);
    expect(await allIds()).toHaveLength(1);
    const later = await browser.visit((ctx) => ctx.session.verifyCSRFToken(answer.value[0]));
    expect(later.value).toBe(true);
  });

  test("of before are good for the form that signs in, and for no form after it", async () => {
    const { value: token } = await browser.visit((ctx) => ctx.session.createCSRFToken());
    const signIn: Work = async ({ session }) => {
      const before = await session.verifyCSRFToken(token);
      await session.set({ user_id: 1 });
      const after = await session.createCSRFToken();
      return [before, await session.verifyCSRFToken(token), after];
    };
    const { value } = await browser.visit(signIn);
    expect(value).toEqual([true, false, expect.any(String)]);
    const later = await browser.visit((ctx) => ctx.session.verifyCSRFToken(value[2]));
    expect(later.value).toBe(true);
  });

  test("take no session but the one that is there, where there is one", async () => {
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    const { cookies } = await browser.visit((ctx) => ctx.session.createCSRFToken());
    expect(cookies).toEqual([]);
    expect(await allIds()).toHaveLength(1);
  });

  test.each([
    [undefined, 22],
    [8, 11],
    [18, 24],
  ])("have a salt of byteLength %s", async (byteLength, characters) => {
    await open(byteLength === undefined ? {} : { byteLength });
    const { value } = await browser.visit(async ({ session }) => {
      const token = await session.createCSRFToken();
      return [token, await session.verifyCSRFToken(token)];
    });
    expect(value[0].split(".")[0]).toHaveLength(characters);
    expect(value[1]).toBe(true);
  });

  test.each([0, 1.5, "8", -1])("refuse a byteLength of %s", async (byteLength) => {
    await expect(open({ byteLength })).rejects.toThrow(refused("ERR_SESSION_CONFIG"));
  });
});

describe("the cookie", () => {
  test("is signed, HttpOnly, Lax and named session-id, unless it is told otherwise", async () => {
    const answer = await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    const [cookie, signature] = answer.cookies.map(parseSetCookie);
    expect(cookie?.name).toBe("session-id");
    expect(signature?.name).toBe("session-id.sig");
    const attributes = { path: "/", expires: expect.any(String), samesite: "lax", httponly: "" };
    expect(cookie?.attributes).toEqual(attributes);
    expect(signature?.attributes).toEqual(attributes);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  test("tells caches what a response depends on, where it sends none, too", async () => {
    const told = async (work: Work) => {
      const { headers } = await browser.visit(work);
      return [headers["cache-control"], headers.vary];
    };
    const get: Work = ({ session }) => session.get();
    expect(await told(async () => undefined)).toEqual([undefined, undefined]);
    expect(await told(get)).toEqual([undefined, "Cookie"]);
    expect((await told(({ session }) => session.set({ user_id: 1 })))[0]).toBe("no-store");
    expect(await told(get)).toEqual(["private", "Cookie"]);
    expect(await told(({ session }) => session.set({ a: 1 }))).toEqual(["private", "Cookie"]);
    const own: Work = async (ctx) => {
      ctx.set("cache-control", "max-age=5");
      return ctx.session.get();
    };
    expect((await told(own))[0]).toBe("max-age=5");
  });

  test("lasts 400 days, for as long as its session may be put off", async () => {
    const before = Date.now();
    const answer = await browser.visit((ctx) => ctx.session.set({ user_id: 1 }, "1 hour"));
    const expires = Date.parse(readCookie(answer)?.attributes.expires ?? "");
    expect(expires).toBeGreaterThan(before + 400 * DAY - 1001); // it has no milliseconds
    expect(expires).toBeLessThanOrEqual(Date.now() + 400 * DAY);
  });

  test("is sent where its token is new, and never again", async () => {
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    for (const work of [
      ({ session }) => session.set({ a: 1 }),
      ({ session }) => session.set({ user_id: 1 }),
      ({ session }) => session.set({ user_id: 2 }),
      ({ session }) => session.unset(["a"]),
      ({ session }) => session.touch(),
      ({ session }) => session.get(),
      ({ session }) => session.createCSRFToken(),
    ] as Work[]) {
      const { status, cookies } = await browser.visit(work);
      expect([status, cookies]).toEqual([200, []]);
    }
  });

  test("of a visitor has a name of its own, and goes when a user signs in", async () => {
    const first = await browser.visit((ctx) => ctx.session.set({ a: 1 }));
    expect(first.cookies.map((one) => parseSetCookie(one).name)).toEqual([
      "session-id-visitor",
      "session-id-visitor.sig",
    ]);
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    expect(browser.jar.entries().map(([name]) => name)).toEqual(["session-id", "session-id.sig"]);
    expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({ user_id: 1, a: 1 });
  });

  test("of a visitor is a user's where the same request signs in, and keeps its token", async () => {
    const { value } = await browser.visit(async ({ session }) => {
      await session.set({ a: 1 });
      const key = session.getKey();
      await session.set({ user_id: 1 });
      return key === session.getKey();
    });
    expect(value).toBe(true);
    expect(browser.jar.entries().map(([name]) => name)).toEqual(["session-id", "session-id.sig"]);
    expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({ user_id: 1, a: 1 });
  });

  test.each([undefined, { user_id: { rotate: false } }])(
    "has one name where no reference says that a user signs in: %o",
    async (references) => {
      await open({ references });
      await browser.visit((ctx) => ctx.session.set({ a: 1 }));
      expect(browser.jar.get("session-id")).toMatch(/^[\w-]{34}$/);
      const { cookies } = await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
      expect(cookies).toEqual([]);
      expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({ a: 1, user_id: 1 });
      await browser.visit((ctx) => ctx.session.delete());
      expect(browser.jar.entries()).toEqual([]);
    },
  );

  test("of a user counts beside a visitor's, which then goes; and the other one where it has ended", async () => {
    await browser.visit((ctx) => ctx.session.set({ a: "visitor's" }));
    const visitor = browser.copy();
    await browser.visit((ctx) => ctx.session.delete());
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    const another = app.browser();
    await another.visit((ctx) => ctx.session.set({ a: "other's" }));
    const both = (one: Browser) => {
      const copy = one.copy();
      for (const [name, value] of browser.jar.entries()) copy.jar.set(name, value);
      return copy;
    };
    for (const stray of [visitor, another]) {
      const one = both(stray);
      expect((await one.visit((ctx) => ctx.session.get())).value).toEqual({ user_id: 1 });
      expect(one.jar.entries().map(([name]) => name)).toEqual(["session-id", "session-id.sig"]);
    }
    await app.middleware.store.clear("user_id", 1);
    const left = both(another);
    expect((await left.visit((ctx) => ctx.session.get())).value).toEqual({ a: "other's" });
    await left.visit((ctx) => ctx.session.set({ user_id: 3 }));
    expect((await left.visit((ctx) => ctx.session.get())).value).toEqual({
      user_id: 3,
      a: "other's",
    });
    expect(await readIds(3)).toHaveLength(1);
  });

  test("of a user whose session has just ended counts beside a visitor's, too, and both stay", async () => {
    await browser.visit((ctx) => ctx.session.set({ a: "visitor's" }));
    const late = browser.copy();
    const user = app.browser();
    await user.visit((ctx) => ctx.session.set({ user_id: 1 }));
    for (const [name, value] of user.jar.entries()) late.jar.set(name, value);
    await user.visit((ctx) => ctx.session.delete());
    const before = late.jar.entries();
    expect((await late.visit((ctx) => ctx.session.get())).value).toEqual({});
    expect(late.jar.entries()).toEqual(before);
    expect((await late.visit((ctx) => ctx.session.set({ a: 1 }))).status).toBe(409);
    expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({ a: "visitor's" });
  });

  /** The arguments of `ctx.cookies.set` when a user signs in. */
  async function passed(headers: Record<string, string> = {}): Promise<unknown[]> {
    const calls: unknown[] = [];
    await browser.visit(async (ctx) => {
      const set = ctx.cookies.set.bind(ctx.cookies);
      ctx.cookies.set = (name: string, value: unknown, given: unknown) => {
        calls.push([name, given]);
        return set(name, value as string, given as object);
      };
      await ctx.session.set({ user_id: 1 });
    }, headers);
    return calls;
  }

  test("passes signed, httpOnly, overwrite and sameSite to ctx.cookies.set", async () => {
    const given = { signed: true, httpOnly: true, overwrite: true, sameSite: "lax" };
    expect(await passed()).toEqual([["session-id", { ...given, maxAge: 400 * DAY }]]);
  });

  test("passes every other option to ctx.cookies.set, inherited ones, too", async () => {
    const options = {
      key: "sid",
      signed: false,
      httpOnly: false,
      overwrite: false,
      domain: "example.com",
      path: "/app",
      sameSite: "strict",
      secure: true,
      priority: "high",
      partitioned: true,
    };
    const { key, ...given } = options;
    const all = { client, prefix, references: { user_id: {} }, ...options };
    for (const one of [all, Object.create(all)]) {
      await openWith(one, { proxy: true });
      expect(await passed({ "x-forwarded-proto": "https" })).toEqual([
        [key, { ...given, maxAge: 400 * DAY }],
      ]);
      expect(browser.jar.get("sid")).toBeTruthy();
    }
  });

  test.each([
    ["strict", "strict"],
    ["Lax", "lax"],
    [true, "strict"],
    [false, undefined],
    [undefined, "lax"],
    [null, "lax"],
  ])("with sameSite %o says %o", async (sameSite, says) => {
    await open({ sameSite });
    const answer = await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    expect(readCookie(answer)?.attributes.samesite).toBe(says);
  });

  test("is left as it is where its signature is wrong: one beside it may be right", async () => {
    const forged = { cookie: `session-id=AA${"x".repeat(32)}; session-id.sig=wrong` };
    const { value, cookies } = await browser.visit(async (ctx) => {
      ctx.cookies.set("own", "1", { signed: false });
      return ctx.session.get();
    }, forged);
    expect([value, cookies.map((one) => parseSetCookie(one).name)]).toEqual([{}, ["own"]]);
  });

  test("is signed anew where a key has come before the one that it was signed with", async () => {
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    const cookie = { cookie: browser.jar.header ?? "" };
    await open({}, { keys: ["a newer one", ...KEYS] });
    const { value, cookies } = await browser.visit((ctx) => ctx.session.get(), cookie);
    expect(value).toEqual({ user_id: 1 });
    expect(cookies.map((one) => parseSetCookie(one).name)).toEqual(["session-id.sig"]);
  });

  test("is not signed where the app has no keys and nothing is asked for", async () => {
    await open({}, {});
    expect((await browser.visit((ctx) => ctx.session.set({ a: 1 }))).cookies).toHaveLength(1);
    expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({ a: 1 });
  });

  test.each([
    ["signed without keys", { signed: true }, {}, "app.keys"],
    ["secure on an insecure connection", { secure: true }, { keys: KEYS }, "app.proxy"],
  ])(
    "that cannot be sent is an error, and makes no session: %s",
    async (_what, options, of, advice) => {
      await open(options, of);
      const works: Work[] = [
        ({ session }) => session.set({ a: 1 }),
        ({ session }) => session.touch(),
        ({ session }) => session.createCSRFToken(),
      ];
      for (const work of works) {
        expect((await browser.visit(work)).status).toBe(500);
        expect(app.errors.pop()).toMatchObject({
          code: "ERR_COOKIE",
          cookie: expect.stringMatching(/^session-id/),
          message: expect.stringContaining(advice),
        });
      }
      expect(await keys()).toEqual([]);
    },
  );

  test("is an error where the headers are sent already", async () => {
    await browser.visit(async (ctx) => {
      ctx.res.flushHeaders();
      await ctx.session.set({ a: 1 }).catch((error) => app.errors.push(error));
    });
    expect(app.errors).toContainEqual(refused("ERR_COOKIE"));
    expect(await keys()).toEqual([]);
  });

  test.each<[string, Work]>([
    ["a set that signs in", ({ session }) => session.set({ user_id: 1, a: 2 })],
    ["delete", ({ session }) => session.delete()],
  ])("that cannot be sent any more leaves the session as it is: %s", async (_verb, work) => {
    await browser.visit((ctx) => ctx.session.set({ a: 1 }));
    const [key = ""] = await keys();
    const before = await client.pexpiretime(key);
    await browser.visit(async (ctx) => {
      ctx.res.flushHeaders();
      await work(ctx).catch((error) => app.errors.push(error));
    });
    expect(app.errors[0]).toEqual(refused("ERR_COOKIE"));
    expect([await client.hget(key, "a"), await client.pexpiretime(key)]).toEqual(["1", before]);
  });

  test.each<[string, Work]>([
    ["a set that signs in", ({ session }) => session.set({ user_id: 1 })],
    ["a set that makes a session", ({ session }) => session.set({ b: 1 })],
    ["a touch that makes one", ({ session }) => session.touch()],
    ["a token of CSRF that makes one", ({ session }) => session.createCSRFToken()],
  ])(
    "for which it is too late when the session is written leaves no session: %s",
    async (verb, work) => {
      if (verb.endsWith("signs in")) await browser.visit((ctx) => ctx.session.set({ a: 1 }));
      const telling = new TellingRedis(redisUrl());
      try {
        const jar = browser.jar.header ?? "";
        await openWith({ client: telling, prefix, references: { user_id: {} } });
        await app.browser().visit(
          async (ctx) => {
            telling.onScript = () => ctx.res.flushHeaders();
            await work(ctx).catch((error) => app.errors.push(error));
          },
          jar === "" ? {} : { cookie: jar },
        );
        expect(app.errors[0]).toMatchObject({
          code: "ERR_COOKIE",
          hint: expect.stringContaining("The session has been ended"),
        });
        expect(await readIds(1)).toEqual([]);
        const reads = (await allIds()).map((id) => client.hgetall(`{${prefix}:0}:s:${id}`));
        // A tombstone may stay.
        expect((await Promise.all(reads)).filter((one) => parseTimes(one["@"]))).toEqual([]);
      } finally {
        await telling.quit();
      }
    },
  );

  test("that cannot be sent any more does not matter where none is to be", async () => {
    await browser.visit((ctx) => ctx.session.set({ a: 1, b: 1, user_id: 1 }));
    await browser.visit(async (ctx) => {
      ctx.res.flushHeaders();
      const { session } = ctx;
      const calls = [session.set({ a: 2 }), session.unset(["b", "user_id"]), session.touch()];
      await Promise.all(calls).catch((error) => app.errors.push(error));
    });
    expect(app.errors).toEqual([]);
    expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({ a: 2 });
  });

  test("that cannot be read is told of: signed, and there are no keys", async () => {
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    const cookie = { cookie: browser.jar.header ?? "" };
    await open({ signed: true }, {});
    expect((await browser.visit((ctx) => ctx.session.get(), cookie)).status).toBe(500);
    expect(app.errors).toEqual([refused("ERR_COOKIE")]);
  });

  test("that cannot be read is told of: signed, and Koa fails on the keys", async () => {
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    const cookie = { cookie: browser.jar.header ?? "" };
    await open({}, { keys: [5 as never] });
    expect((await browser.visit((ctx) => ctx.session.get(), cookie)).status).toBe(500);
    expect(app.errors).toMatchObject([
      {
        code: "ERR_COOKIE",
        message: expect.stringContaining("Koa cannot read it"),
        cause: expect.any(TypeError),
      },
    ]);
  });

  test("goes where a program's own ctx.cookies puts it", async () => {
    const given: [string, unknown][] = [];
    const { status, cookies } = await browser.visit(async (ctx) => {
      ctx.cookies.set = (name: string, value: unknown) => {
        given.push([name, value]);
        return ctx.cookies;
      };
      await ctx.session.set({ user_id: 1 });
    });
    expect([status, cookies]).toEqual([200, []]);
    expect(given).toEqual([["session-id", expect.stringMatching(/^[\w-]{34}$/)]]);
  });

  test.each([
    ["Koa 3", Koa],
    ["Koa 2", Koa2],
  ])("survives an error that follows it, and others beside it, on %s", async (_name, Koa) => {
    await open({}, { keys: KEYS, Application: Koa });
    const answer = await browser.visit(async (ctx) => {
      await ctx.session.set({ a: 1 });
      throw new Error("afterwards");
    });
    expect(answer.status).toBe(500);
    expect(answer.cookies).toHaveLength(2);
    expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({ a: 1 });
    const beside = await app.browser().visit(async (ctx) => {
      ctx.cookies.set("own", "1");
      await ctx.session.set({ user_id: 1 });
      ctx.cookies.set("other", "2", { signed: false });
    });
    const names = beside.cookies.map((cookie) => parseSetCookie(cookie).name).sort();
    expect(names).toEqual(["other", "own", "session-id", "session-id.sig"]);
  });

  test("is set once in a response, whatever the request does", async () => {
    const answer = await browser.visit(async ({ session }) => {
      await session.createCSRFToken();
      await session.set({ a: 1 });
      await session.touch();
    });
    expect(answer.cookies).toHaveLength(2);
    expect(await allIds()).toHaveLength(1);
  });
});

describe("references", () => {
  const VALUES = [{}, 1, true, null, undefined, false, "yes", { rotate: true }, { rotate: false }];

  test.each(VALUES)("are declared by any value: %o", async (declared) => {
    await open({ references: { user_id: declared } });
    await browser.visit((ctx) => ctx.session.set({ user_id: 7 }));
    expect(await readIds(7)).toEqual(await allIds());
  });

  test("are optional", async () => {
    await open({ references: undefined });
    await browser.visit((ctx) => ctx.session.set({ user_id: 7 }));
    expect(await keys()).toHaveLength(1);
    expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({ user_id: 7 });
  });

  test("are plain sets of ids that the store takes", async () => {
    const browsers = [app.browser(), app.browser(), app.browser()];
    for (const [n, one] of browsers.entries()) {
      await one.visit((ctx) => ctx.session.set({ user_id: n < 2 ? 1 : 2, n }));
    }
    const ids = await readIds(1);
    const { store } = app.middleware;
    const data = await Promise.all(ids.map((id) => store.get(id)));
    expect(data.map(({ n }) => n).sort()).toEqual([0, 1]);
    await Promise.all(ids.map((id) => store.delete(id)));
    expect(await readIds(1)).toEqual([]);
    expect((await browsers[0]?.visit((ctx) => ctx.session.get()))?.value).toEqual({});
    expect((await browsers[2]?.visit((ctx) => ctx.session.get()))?.value).toEqual({
      user_id: 2,
      n: 2,
    });
  });

  test.each([[], [[]], [[1, 2]], null, {}])(
    "have no key for %j, which is no one value",
    (value) => {
      const { getReferenceKey } = app.middleware;
      expect(() => getReferenceKey("user_id", value)).toThrow(refused("ERR_SESSION_VALUE"));
    },
  );

  test('name 1 and "1" alike', async () => {
    const { getReferenceKey } = app.middleware;
    expect(getReferenceKey("user_id", 1)).toBe(getReferenceKey("user_id", "1"));
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    await app.browser().visit((ctx) => ctx.session.set({ user_id: "1" }));
    expect(await readIds("1")).toHaveLength(2);
    await browser.visit((ctx) => ctx.session.set({ user_id: "1" }));
    expect(await readIds(1)).toHaveLength(2);
  });

  test("keep apart what is not alike, and null is none", async () => {
    const users = ["a:b", "a", "*", "", "{", "é", "\ud800", '"\\ud800"', true, 1.5];
    const { store, getReferenceKey } = app.middleware;
    for (const [n, user_id] of users.entries()) await store.set(`id-${n}`, { user_id });
    for (const [n, user_id] of users.entries()) expect(await readIds(user_id)).toEqual([`id-${n}`]);
    await store.set("id-0", { user_id: null });
    expect(await readIds(users[0])).toEqual([]);
    expect(new Set(users.map((user) => getReferenceKey("user_id", user))).size).toBe(users.length);
  });
});

describe("the store", () => {
  const ids = ["an id", "a:b", "{x}", "*", '"q"', "@c", "é\n", "x".repeat(500)];

  test("gives keys at once", async () => {
    const { getReferenceKey, store } = app.middleware;
    await store.set("an id", { user_id: 1, a: "text" });
    expect(await client.hget(store.getSessionKey("an id"), "a")).toBe("text");
    expect(await client.smembers(store.getReferenceKey("user_id", 1))).toEqual(["an id"]);
    expect(store.getReferenceKey("user_id", 1)).toBe(getReferenceKey("user_id", 1));
  });

  test.each(ids)("takes any string for an id: %s", async (id) => {
    const { store } = app.middleware;
    expect(await store.get(id)).toEqual({});
    const values = { user_id: 1, a: 1, b: 2 };
    expect(await store.set(id, values)).toBe(values);
    expect(await store.get(id)).toEqual(values);
    expect(await store.get(id, ["b", "absent"])).toEqual({ b: 2 });
    await store.set(id, { a: 3 });
    expect(await store.unset(id, ["b"])).toBeUndefined();
    expect(await store.get(id)).toEqual({ user_id: 1, a: 3 });
    expect(await readIds(1)).toEqual([id]);
    expect(await store.touch(id, "1 hour")).toBeUndefined();
    expect(await store.delete(id)).toBeUndefined();
    expect(await store.get(id)).toEqual({});
    expect(await keys()).toEqual([]);
  });

  test("makes nothing but by set", async () => {
    const { store } = app.middleware;
    await store.unset("an id", ["a"]);
    await store.touch("an id");
    await store.delete("an id");
    expect(await keys()).toEqual([]);
  });

  test("moves the deadline by set, unset and touch, and not by get", async () => {
    const { store } = app.middleware;
    const ttl = () => client.pttl(store.getSessionKey("an id"));
    const about = async (ms: number) => expect(Math.abs((await ttl()) - ms)).toBeLessThan(600_000);
    await store.set("an id", { a: 1 });
    await about(28 * DAY);
    await store.set("an id", { a: 1 }, "1 hour");
    await about(3_600_000);
    await store.get("an id");
    await about(3_600_000);
    await store.unset("an id", ["a"], 7_200_000);
    await about(7_200_000);
    await store.touch("an id", "30 minutes");
    await about(1_800_000);
    await store.touch("an id");
    await about(28 * DAY);
  });

  test.each([
    ["empty", ""],
    ["not well-formed Unicode", "\ud800"],
  ])("takes one that is %s, too, and lists what leads to it", async (_, given) => {
    const { store } = app.middleware;
    await store.set(given, { user_id: 1 });
    await store.set("\udc00", { user_id: 2 });
    expect(await store.get(given)).toEqual({ user_id: 1 });
    const [id = ""] = await readIds(1);
    expect(await store.get(id)).toEqual({ user_id: 1 });
    await store.delete(id);
    expect(await store.get(given)).toEqual({});
    expect(await store.get("\udc00")).toEqual({ user_id: 2 });
  });

  test("says so where it is to end the sessions of what is no reference: none would be", async () => {
    const { store } = app.middleware;
    await store.set("an id", { user_id: 1, team: 1 });
    await expect(store.clear("team", 1)).rejects.toThrow(refused("ERR_SESSION_CONFIG"));
    expect(await store.get("an id")).toEqual({ user_id: 1, team: 1 });
  });

  test.each(["", "*", "@c"])("ends a session by its reference, whatever its id: %o", async (id) => {
    const { store } = app.middleware;
    await store.set(id, { user_id: 1 });
    expect(await store.clear("user_id", 1)).toBe(1);
    expect(await keys()).toEqual([]);
  });

  test.each([undefined, null, 1])("refuses the id %o", async (id) => {
    const { store } = app.middleware;
    await expect(store.get(id as never)).rejects.toThrow(refused("ERR_SESSION_VALUE"));
    await expect(store.set(id as never, {})).rejects.toThrow(refused("ERR_SESSION_VALUE"));
  });
});

describe("the middleware", () => {
  test("refuses a context that takes no session, and names createSession", async () => {
    const { value } = await browser.visit((ctx) => {
      const frozen = Object.freeze(Object.create(ctx));
      return app.middleware(frozen, async () => {}).catch(({ code, hint }) => [code, hint]);
    });
    expect(value).toEqual([
      "ERR_SESSION_CONFIG",
      expect.stringMatching(/takes none.*createSession\(ctx\)/),
    ]);
  });

  test("is optional: createSession makes the session of a context, the same each time", async () => {
    const { createSession } = app.middleware;
    const answer = await browser.visit(async (ctx) => {
      await createSession(ctx).set({ a: 1 });
      return [createSession(ctx) === ctx.session, await ctx.session.get()];
    });
    expect(answer.value).toEqual([true, { a: 1 }]);
  });

  test.each(["my app:", "*", "a{b}", "é"])("takes any prefix: %s", async (text) => {
    prefix = freshPrefix();
    await open({ prefix: prefix + text });
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    expect(await readIds(1)).toHaveLength(1);
    await open({ prefix: `${prefix}${text}!` });
    expect(await readIds(1)).toEqual([]);
  });

  test("keeps apart prefixes that differ only in what cannot stand in a key as it is", () => {
    const keyUnder = (text: string) =>
      KoaRedisSessionSets(null, { client, prefix: text }).store.getSessionKey("id");
    expect(new Set(["a b", "a:b", "a*b", "a-b"].map(keyUnder)).size).toBe(4);
  });

  test("has keys under its own name without a prefix", () => {
    for (const options of [{ client }, { client, prefix: "" }]) {
      const { store } = KoaRedisSessionSets(null, options);
      expect(store.getSessionKey("id")).toBe("{koa-redis-session-sets:0}:s:id");
    }
  });

  test("refuses options that are none, or have no client", () => {
    expect(() => KoaRedisSessionSets({}, undefined as never)).toThrow(
      refused("ERR_SESSION_CONFIG"),
    );
    expect(() => KoaRedisSessionSets({}, {} as never)).toThrow(refused("ERR_SESSION_CONFIG"));
  });

  test("answers 503 where Redis does not answer, and leaves the cookie alone", async () => {
    await browser.visit((ctx) => ctx.session.set({ a: 1 }));
    const cookie = { cookie: browser.jar.header ?? "" };
    const own = new Redis(redisUrl());
    await open({ client: own });
    const other = app.browser();
    own.disconnect();
    for (const call of ["get", "touch", "delete"] as const) {
      const answer = await other.visit((ctx) => ctx.session[call](), cookie);
      expect([call, answer.status, answer.value]).toEqual([call, 503, "Service Unavailable"]);
      expect(answer.cookies).toEqual([]);
    }
  });
});
