/* What went wrong in koa-redis-session-sets, by its commands, and that it is gone. */
import { createHmac, randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import type { KoaRedisSessionSetsOptions } from "session-sets/compat/koa-redis-session-sets";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { parseSetCookie } from "../support/cookie-jar.ts";
import { type Browser, type CompatApp, startCompatApp } from "../support/koa-compat-app.ts";
import { elapseOn, freshPrefix } from "../support/stores.ts";

const SECRET = "a secret";

let client: Redis;
beforeAll(() => {
  client = new Redis(inject("redisUrl"));
});
afterAll(() => client.quit());

let prefix: string;
let app: CompatApp;
let browser: Browser;
const apps: CompatApp[] = [];
async function open(references: KoaRedisSessionSetsOptions["references"]) {
  app = await startCompatApp({ client, prefix, references }, { keys: [SECRET] });
  apps.push(app);
  browser = app.browser();
}
beforeEach(async () => {
  prefix = freshPrefix();
  await open({ user_id: {}, team: {} });
});
afterEach(async () => {
  const left = await client.keys(`old-${prefix}*`);
  if (left.length > 0) await client.del(...left);
  await Promise.all(apps.splice(0).map((one) => one.close()));
});

const members = (field: string, value: unknown) =>
  client.smembers(app.middleware.getReferenceKey(field, value));
const keys = () => client.keys(`{${prefix}*`);
const gone = expect.objectContaining({ code: "ERR_SESSION_GONE", status: 409 });

/** The old layout: a hash at `prefix:id`, plain sets at `prefix:field:value`. */
const old = {
  key: (id: string) => `old-${prefix}:${id}`,
  set: (field: string, value: unknown) => `old-${prefix}:${field}:${value}`,
  /** `set`: it writes the hash, and enters the sets. */
  async write(id: string, values: Record<string, string | number>): Promise<void> {
    const multi = client
      .multi()
      .hset(old.key(id), { id, ...values })
      .pexpire(old.key(id), 60_000);
    for (const [field, value] of Object.entries(values)) multi.sadd(old.set(field, value), id);
    await multi.exec();
  },
};

describe("delete leaves reference entries behind", () => {
  test("because it took the values that it read for pairs of field and value", async () => {
    await old.write("id", { user_id: 1, team: 2 });
    const values = await client.hmget(old.key("id"), "user_id", "team");
    const multi = client.multi().del(old.key("id"));
    for (let i = 0; i < values.length; i += 2) {
      multi.srem(old.set(String(values[i]), values[i + 1]), "id");
    }
    await multi.exec();
    expect(await client.smembers(old.set("user_id", 1))).toEqual(["id"]);
    expect(await client.smembers(old.set("team", 2))).toEqual(["id"]);
  });

  test("no more: every set is clean, whoever deletes", async () => {
    const { store } = app.middleware;
    await browser.visit((ctx) => ctx.session.set({ user_id: 1, team: [2, 3] }));
    await store.set("by id", { user_id: 1, team: 2 });
    await browser.visit((ctx) => ctx.session.delete());
    expect(await members("user_id", 1)).toEqual(["by id"]);
    expect(await members("team", 3)).toEqual([]);
    await store.delete("by id");
    expect(await keys()).toEqual([]);
  });
});

describe("an overwritten reference stays in its old set", () => {
  test("because only the new set was written", async () => {
    await old.write("id", { user_id: 1 });
    await old.write("id", { user_id: 2 });
    expect(await client.smembers(old.set("user_id", 1))).toEqual(["id"]);
  });

  test("no more: it moves, in the same step", async () => {
    const { store } = app.middleware;
    await store.set("id", { user_id: 1 });
    await store.set("id", { user_id: 2 });
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    await browser.visit((ctx) => ctx.session.set({ user_id: 3 }));
    expect(await members("user_id", 1)).toEqual([]);
    expect(await members("user_id", 2)).toEqual(["id"]);
    expect(await members("user_id", 3)).toHaveLength(1);
    expect(await client.exists(app.middleware.getReferenceKey("user_id", 1))).toBe(0);
  });
});

describe("reference sets never expire", () => {
  test("because nobody set a time on them", async () => {
    await old.write("id", { user_id: 1 });
    expect(await client.pttl(old.set("user_id", 1))).toBe(-1);
  });

  test("no more: a set expires with its last session", async () => {
    const { getReferenceKey, store } = app.middleware;
    await store.set("a", { user_id: 1 }, 30);
    await store.set("b", { user_id: 1 }, 60);
    const deadline = await client.pexpiretime(store.getSessionKey("b"));
    expect(await client.pexpiretime(getReferenceKey("user_id", 1))).toBe(deadline);
    await elapseOn(client, 65);
    expect(await client.exists(getReferenceKey("user_id", 1))).toBe(0);
    expect(await keys()).toEqual([]);
  });
});

describe("any cookie value is adopted as a session id", () => {
  const signature = (text: string) =>
    createHmac("sha1", SECRET).update(text).digest("base64url").replace(/=/g, "");

  test("because the cookie's value was the id", async () => {
    const cookie = "chosen-by-an-attacker";
    await old.write(cookie, { user_id: 1 });
    expect(await client.exists(old.key(cookie))).toBe(1);
  });

  test.each([
    ["what is no token", "chosen-by-an-attacker"],
    ["an id of the old package", randomBytes(18).toString("base64")],
    ["an id of a session", "id"],
    ["a token that nobody was given", `AA${randomBytes(24).toString("base64url")}`],
    ["a token of another shard", `AB${randomBytes(24).toString("base64url")}`],
    ["nothing", ""],
  ])("no more: %s, though rightly signed, leads to nothing", async (_what, value) => {
    await app.middleware.store.set("id", { secret: true });
    const planted = {
      cookie: `session-id=${value}; session-id.sig=${signature(`session-id=${value}`)}`,
    };
    for (const work of [
      (one: Browser) => one.visit((ctx) => ctx.session.get(), planted),
      (one: Browser) => one.visit((ctx) => ctx.session.set({ user_id: 1 }), planted),
      (one: Browser) => one.visit((ctx) => ctx.session.touch(), planted),
    ]) {
      const victim = app.browser();
      const answer = await work(victim);
      const given = answer.cookies.map(parseSetCookie).find(({ name }) => name === "session-id");
      expect(given?.value).toMatch(/^AA[A-Za-z0-9_-]{32}$/);
      expect(given?.value).not.toBe(value);
      expect(answer.value ?? {}).not.toHaveProperty("secret");
    }
    const attacker = await app.browser().visit((ctx) => ctx.session.get(), planted);
    expect(attacker.value).toEqual({});
    const text = JSON.stringify(await keys());
    if (value.length > 2) expect(text).not.toContain(value);
  });

  test("and the id, which sets and keys tell, is no cookie", async () => {
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    const [id] = await members("user_id", 1);
    expect(browser.jar.get("session-id")).not.toBe(id);
    const everything = JSON.stringify(
      await Promise.all((await keys()).map(async (key) => [key, await client.dump(key)])),
    );
    expect(everything).not.toContain(browser.jar.get("session-id"));
  });
});

describe("a session that was ended", () => {
  test("is not brought back by a request that was using it", async () => {
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    const answer = await browser.visit(async ({ session }) => {
      const { user_id } = await session.get();
      for (const id of await members("user_id", 1)) await app.middleware.store.delete(id);
      await session.set({ user_id });
    });
    expect(answer.status).toBe(409);
    expect(app.errors).toEqual([gone]);
    expect(await keys()).toEqual([]);
  });

  test("may be followed by a new one after one's own delete", async () => {
    await browser.visit((ctx) => ctx.session.set({ user_id: 1, theme: "dark" }));
    await browser.visit(async ({ session }) => {
      await session.get();
      await session.delete();
      await session.set({ message: "Goodbye" });
    });
    const answer = await browser.visit((ctx) => ctx.session.get());
    expect(answer.value).toEqual({ message: "Goodbye" });
    expect(await members("user_id", 1)).toEqual([]);
  });

  test("stays ended beside any number of other requests with its cookie", async () => {
    for (let round = 0; round < 20; round++) {
      await browser.visit((ctx) => ctx.session.set({ user_id: 1, round }));
      const [id = ""] = await members("user_id", 1);
      const cookie = { cookie: browser.jar.header ?? "" };
      const others = [app.browser(), app.browser()];
      await Promise.all([
        others[0]?.visit((ctx) => ctx.session.set({ theme: "dark" }), cookie),
        app.middleware.store.delete(id),
        others[1]?.visit((ctx) => ctx.session.touch(), cookie),
      ]);
      expect(await app.middleware.store.get(id)).toEqual({});
      expect(await members("user_id", 1)).toEqual([]);
    }
  });

  test("two parallel requests that set different fields both keep theirs", async () => {
    await browser.visit((ctx) => ctx.session.get());
    const cookie = { cookie: browser.jar.header ?? "" };
    const fields = Array.from({ length: 10 }, (_, n) => ({ [`f${n}`]: n }));
    await Promise.all(fields.map((f) => app.browser().visit((ctx) => ctx.session.set(f), cookie)));
    expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual(
      Object.assign({}, ...fields),
    );
  });
});

test("the calls of one request are carried out in their order, awaited or not", async () => {
  const answer = await browser.visit(async ({ session }) => {
    const calls = [session.get(), session.set({ a: 1, b: 1 }), session.set({ a: 2 })];
    return [...(await Promise.all([...calls, session.delete()])), await session.get()];
  });
  expect(answer.value.at(-1)).toEqual({});
  expect(await keys()).toHaveLength(1);
  const { value } = await browser.visit(async ({ session }) => {
    const all = [session.set({ a: 1 }), session.set({ a: 2 }), session.unset(["a"]), session.get()];
    return (await Promise.all(all)).at(-1);
  });
  expect(value).toEqual({});
  // A cookie that leads nowhere: the first call makes the session that the others go on with.
  await app.middleware.store.delete((await keys())[0]?.split(":s:")[1] ?? "");
  const fresh = await browser.visit(async ({ session }) => {
    await Promise.all([session.get(), session.set({ a: 1 }), session.set({ b: 2 })]);
    return session.get();
  });
  expect(fresh.value).toEqual({ a: 1, b: 2 });
  expect(await keys()).toHaveLength(1);
});

describe("signing in", () => {
  const tokenOf = (one: Browser) => one.jar.get("session-id");
  /** A browser with the cookies of another one: an attacker's, or a request under way. */
  function copy(of: Browser): Browser {
    const one = app.browser();
    for (const name of ["session-id", "session-id.sig"]) one.jar.set(name, of.jar.get(name) ?? "");
    return one;
  }

  test("keeps the token, as it did, unless the reference says otherwise", async () => {
    await browser.visit((ctx) => ctx.session.get());
    const before = tokenOf(browser);
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    expect(tokenOf(browser)).toBe(before);
  });

  test("with delete before it, it has a new token: a planted one is signed in nowhere", async () => {
    await browser.visit((ctx) => ctx.session.get());
    const attacker = copy(browser);
    await browser.visit(async ({ session }) => {
      await session.delete();
      await session.set({ user_id: 1 });
    });
    expect((await attacker.visit((ctx) => ctx.session.get())).value).toEqual({});
    expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({ user_id: 1 });
  });

  describe("where the reference is { rotate: true }", () => {
    beforeEach(() => open({ user_id: { rotate: true }, team: {} }));

    test("gives the session a new token, and the old one leads nowhere", async () => {
      await browser.visit((ctx) => ctx.session.set({ cart: [1] }));
      const attacker = copy(browser);
      const before = tokenOf(browser);
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
      expect(tokenOf(browser)).not.toBe(before);
      const { value } = await browser.visit((ctx) => ctx.session.get());
      expect(value).toEqual({ cart: [1], user_id: 1 });
      for (const work of ["get", "touch", "createCSRFToken"] as const) {
        const answer = await attacker.visit((ctx) => ctx.session[work]());
        expect(answer.status).toBe(200);
        expect(answer.cookies).toEqual([]); // it would replace the one of the sign-in
      }
      expect((await attacker.visit((ctx) => ctx.session.get())).value).toEqual({});
      expect((await attacker.visit((ctx) => ctx.session.set({ a: 1 }))).status).toBe(409);
      expect(await members("user_id", 1)).toHaveLength(1);
    });

    test("keeps the session's deadline and sets as set says", async () => {
      await browser.visit((ctx) => ctx.session.set({ team: 7 }));
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }, "1 hour"));
      const [id = ""] = await members("user_id", 1);
      expect(await members("team", 7)).toEqual([id]);
      const left = await client.pttl(app.middleware.store.getSessionKey(id));
      expect(Math.abs(left - 3_600_000)).toBeLessThan(5000);
    });

    test("does so for a change of that reference alone", async () => {
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
      const before = tokenOf(browser);
      await browser.visit((ctx) => ctx.session.set({ user_id: 1, team: 2, a: 3 }));
      expect(tokenOf(browser)).toBe(before);
      await browser.visit((ctx) => ctx.session.unset(["user_id"]));
      expect(tokenOf(browser)).not.toBe(before);
    });

    test("a sign-in that is clicked twice signs in", async () => {
      await browser.visit((ctx) => ctx.session.get());
      const twice = copy(browser);
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
      expect((await twice.visit((ctx) => ctx.session.set({ user_id: 1 }))).status).toBe(200);
      expect((await twice.visit((ctx) => ctx.session.get())).value).toEqual({ user_id: 1 });
      expect(await members("user_id", 1)).toHaveLength(2);
    });

    test("one beside a change of user does not: the request was the user's before", async () => {
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
      const beside = copy(browser);
      await browser.visit((ctx) => ctx.session.set({ user_id: 2 }));
      const answer = await beside.visit((ctx) => ctx.session.set({ user_id: 3 }));
      expect([answer.status, answer.cookies]).toEqual([409, []]);
      expect(await members("user_id", 3)).toEqual([]);
    });

    test("a session that this very request has made keeps its token and key", async () => {
      const { value } = await browser.visit(async ({ session }) => {
        await session.get();
        const key = session.getKey();
        await session.set({ user_id: 1 });
        return key === session.getKey();
      });
      expect(value).toBe(true);
    });

    test("the store does not write to an id that a sign-in has replaced", async () => {
      await browser.visit((ctx) => ctx.session.set({ a: 1 }));
      const { value: key } = await browser.visit(async (ctx) => ctx.session.getKey());
      const id = key.slice(key.indexOf(":s:") + 3);
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
      await expect(app.middleware.store.set(id, { a: 2 })).rejects.toThrow(gone);
      expect(await app.middleware.store.get(id)).toEqual({});
    });
  });
});
