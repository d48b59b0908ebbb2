/* The faults of koa-redis-session-sets, shown by its commands, are gone. */
import { createHmac, randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import type { KoaRedisSessionSetsOptions } from "session-sets/compat/koa-redis-session-sets";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type Browser,
  type CompatApp,
  startCompatApp,
  type Work,
} from "../../support/http/apps/koa-compat.ts";
import { parseSetCookie } from "../../support/http/cookie-jar.ts";
import { withLifetime } from "../../support/lifetime.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { elapseOn, freshPrefix } from "../../support/stores/stores.ts";

const SECRET = "a secret";

let client: Redis;
beforeAll(() => {
  client = new Redis(redisUrl());
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

  test("no more: every set is clean, no matter who deletes", async () => {
    const { store } = app.middleware;
    await browser.visit((ctx) => ctx.session.set({ user_id: 1, team: [2, 3] }));
    await store.set("by id", { user_id: 1, team: 2 });
    await browser.visit((ctx) => ctx.session.delete());
    expect(await members("user_id", 1)).toEqual(["by id"]);
    expect(await members("team", 3)).toEqual([]);
    await store.delete("by id");
    const [tombstone = "", ...more] = await keys();
    expect([await client.hkeys(tombstone), more]).toEqual([["@"], []]);
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
    const lifetime = await withLifetime(2000, async (lifetime) => {
      await store.set("a", { user_id: 1 }, lifetime / 2);
      await store.set("b", { user_id: 1 }, lifetime);
      const deadline = await client.pexpiretime(store.getSessionKey("b"));
      expect(deadline).toBeGreaterThan(0);
      expect(await client.pexpiretime(getReferenceKey("user_id", 1))).toBe(deadline);
      return lifetime;
    });
    await elapseOn(client, lifetime + 5);
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
    const cookies = ["session-id", "session-id-visitor"].map(
      (name) => `${name}=${value}; ${name}.sig=${signature(`${name}=${value}`)}`,
    );
    const planted = { cookie: cookies.join("; ") };
    for (const work of [
      (one: Browser) => one.visit((ctx) => ctx.session.set({ user_id: 1 }), planted),
      (one: Browser) => one.visit((ctx) => ctx.session.set({ theme: "dark" }), planted),
      (one: Browser) => one.visit((ctx) => ctx.session.touch(), planted),
      (one: Browser) => one.visit((ctx) => ctx.session.createCSRFToken(), planted),
    ]) {
      const victim = app.browser();
      const answer = await work(victim);
      const given = answer.cookies
        .map(parseSetCookie)
        .find(({ name, value }) => /^session-id(?:-visitor)?$/.test(name) && value !== "");
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
    await browser.visit((ctx) => ctx.session.touch());
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
  expect(await client.hkeys((await keys())[0] ?? "")).toEqual(["@"]);
  const { value } = await browser.visit(async ({ session }) => {
    const all = [session.set({ a: 1 }), session.set({ a: 2 }), session.unset(["a"]), session.get()];
    return [(await Promise.all(all)).at(-1), ((await session.get()) as { id: string }).id];
  });
  expect(value[0]).toEqual({});
  // A cookie that leads nowhere: the first call makes the session that the others go on with.
  await app.middleware.store.delete(value[1]);
  const fresh = await browser.visit(async ({ session }) => {
    await Promise.all([session.get(), session.set({ a: 1 }), session.set({ b: 2 })]);
    return session.get();
  });
  expect(fresh.value).toEqual({ a: 1, b: 2 });
  expect(await keys()).toHaveLength(2); // and the tombstone
});

describe("signing in", () => {
  const readToken = (one: Browser) =>
    one.jar.get("session-id") ?? one.jar.get("session-id-visitor");

  test("kept the token: the one who had planted it was signed in", async () => {
    await old.write("planted", { theme: "dark" });
    await old.write("planted", { user_id: 1 });
    expect(await client.hget(old.key("planted"), "user_id")).toBe("1");
  });

  test("keeps it where the reference says so", async () => {
    await open({ user_id: { rotate: false } });
    await browser.visit((ctx) => ctx.session.set({ cart: [1] }));
    const before = readToken(browser);
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    expect(readToken(browser)).toBe(before);
  });

  test("with delete before it, it has a new token there, too", async () => {
    await open({ user_id: { rotate: false } });
    await browser.visit((ctx) => ctx.session.set({ cart: [1] }));
    const attacker = browser.copy();
    await browser.visit(async ({ session }) => {
      await session.delete();
      await session.set({ user_id: 1 });
    });
    expect((await attacker.visit((ctx) => ctx.session.get())).value).toEqual({});
    expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({ user_id: 1 });
  });

  describe.each([{}, 1, { rotate: true }])("where the reference is %o", (declared) => {
    beforeEach(() => open({ user_id: declared, team: { rotate: false } }));

    test("gives the session a new token, and the old one leads nowhere", async () => {
      await browser.visit((ctx) => ctx.session.set({ cart: [1] }));
      const attacker = browser.copy();
      const before = readToken(browser);
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
      expect(readToken(browser)).not.toBe(before);
      const { value } = await browser.visit((ctx) => ctx.session.get());
      expect(value).toEqual({ cart: [1], user_id: 1 });
      for (const work of ["get", "touch", "createCSRFToken"] as const) {
        const answer = await attacker.visit((ctx) => ctx.session[work]());
        expect(answer.status).toBe(200);
        expect(answer.cookies).toEqual([]);
      }
      expect((await attacker.visit((ctx) => ctx.session.get())).value).toEqual({});
      expect((await attacker.visit((ctx) => ctx.session.set({ a: 1 }))).status).toBe(409);
      expect(await members("user_id", 1)).toHaveLength(1);
    });

    test("leads nowhere with it under the name of a user's cookie either", async () => {
      await browser.visit((ctx) => ctx.session.set({ cart: [1] }));
      const planted = browser.jar.get("session-id-visitor") ?? "";
      const victim = app.browser();
      await victim.visit(async (ctx) => {
        ctx.cookies.set("session-id", planted, { signed: true });
      });
      await victim.visit((ctx) => ctx.session.set({ user_id: 1 }));
      expect((await victim.visit((ctx) => ctx.session.get())).value).toEqual({
        cart: [1],
        user_id: 1,
      });
      expect((await browser.visit((ctx) => ctx.session.get())).value).toEqual({});
    });

    test("keeps the session's deadline and sets as set says", async () => {
      await browser.visit((ctx) => ctx.session.set({ team: 7 }));
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }, "1 hour"));
      const [id = ""] = await members("user_id", 1);
      expect(await members("team", 7)).toEqual([id]);
      const left = await client.pttl(app.middleware.store.getSessionKey(id));
      expect(Math.abs(left - 3_600_000)).toBeLessThan(600_000);
    });

    test("does so again where the user was unset", async () => {
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
      await browser.visit((ctx) => ctx.session.unset(["user_id"]));
      const before = browser.copy();
      await browser.visit((ctx) => ctx.session.set({ user_id: 2 }));
      expect(readToken(browser)).not.toBe(readToken(before));
      expect((await before.visit((ctx) => ctx.session.get())).value).toEqual({});
    });

    test("a value that is none signs nobody in", async () => {
      await browser.visit((ctx) => ctx.session.set({ cart: [1] }));
      const before = readToken(browser);
      for (const user_id of [null, []]) {
        const { cookies } = await browser.visit((ctx) => ctx.session.set({ user_id }));
        expect(cookies).toEqual([]);
      }
      expect(readToken(browser)).toBe(before);
    });

    test("a sign-in that is clicked twice signs in", async () => {
      await browser.visit((ctx) => ctx.session.touch());
      const twice = browser.copy();
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
      expect((await twice.visit((ctx) => ctx.session.set({ user_id: 1 }))).status).toBe(200);
      expect((await twice.visit((ctx) => ctx.session.get())).value).toEqual({ user_id: 1 });
      expect(await members("user_id", 1)).toHaveLength(2);
    });

    test("a copy that is written back after a sign-out signs nobody in", async () => {
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
      const beside = browser.copy();
      const answer = await beside.visit(async ({ session }) => {
        const data = await session.get();
        await browser.visit((ctx) => ctx.session.delete());
        await session.set({ ...data, theme: "dark" });
      });
      expect([answer.status, answer.cookies]).toEqual([409, []]);
      expect(await members("user_id", 1)).toEqual([]);
    });

    test("a session that this very request has made keeps its token and key", async () => {
      const { value } = await browser.visit(async ({ session }) => {
        await session.touch();
        const key = session.getKey();
        await session.set({ user_id: 1 });
        return key === session.getKey();
      });
      expect(value).toBe(true);
    });

    test("the store does not write to an id that a sign-in has replaced", async () => {
      await browser.visit((ctx) => ctx.session.set({ a: 1 }));
      const { value: id } = await browser.visit(async (ctx) => (await ctx.session.get()).id);
      await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
      await expect(app.middleware.store.set(id, { a: 2 })).rejects.toThrow(gone);
      expect(await app.middleware.store.get(id)).toEqual({});
    });
  });

  test("any reference's first value does so, one after the other", async () => {
    const tokens = new Set<string | undefined>();
    for (const values of [{ cart: 1 }, { team: 7 }, { user_id: 1 }, { team: 8, user_id: 2 }]) {
      await browser.visit((ctx) => ctx.session.set(values));
      tokens.add(readToken(browser));
    }
    expect(tokens.size).toBe(3);
  });

  test("a later change keeps the token, unless the reference is { rotate: true }", async () => {
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    const before = readToken(browser);
    await browser.visit((ctx) => ctx.session.set({ user_id: 2 }));
    await browser.visit((ctx) => ctx.session.unset(["user_id"]));
    expect(readToken(browser)).toBe(before);
    await open({ user_id: { rotate: true }, team: { rotate: false } });
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    const seen = [readToken(browser)];
    for (const work of [
      ({ session }) => session.set({ user_id: 1, team: 2, a: 3 }),
      ({ session }) => session.set({ user_id: 2 }),
      ({ session }) => session.unset(["user_id"]),
    ] as Work[]) {
      await browser.visit(work);
      seen.push(readToken(browser));
    }
    expect(seen[1]).toBe(seen[0]);
    expect(new Set(seen).size).toBe(3);
  });

  test("one beside a change of user is refused: the request was the user's before", async () => {
    await open({ user_id: { rotate: true } });
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    const beside = browser.copy();
    await browser.visit((ctx) => ctx.session.set({ user_id: 2 }));
    const answer = await beside.visit((ctx) => ctx.session.set({ user_id: 3 }));
    expect([answer.status, answer.cookies]).toEqual([409, []]);
    expect(await members("user_id", 3)).toEqual([]);
  });
});
