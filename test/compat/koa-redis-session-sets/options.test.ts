/* The options of koa-redis-session-sets' API: each works, or is refused with what to write instead. */
import { createHash } from "node:crypto";
import { Redis } from "ioredis";
import KoaRedisSessionSets from "session-sets/compat/koa-redis-session-sets";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseSettings } from "../../../src/compat/koa-redis-session-sets/options/options.ts";
import { openStore } from "../../../src/store/redis/options.ts";
import { computeSlot } from "../../../src/store/redis/wire/slots.ts";
import type { ReindexProgress } from "../../../src/store/reindexing.ts";
import { isReindexable } from "../../../src/store/reindexing.ts";
import { startCompatApp } from "../../support/http/apps/koa-compat.ts";
import { parseSetCookie } from "../../support/http/cookie-jar.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

let client: Redis;
beforeAll(() => {
  client = new Redis(redisUrl());
});
afterAll(() => client.quit());

const make = (options: object) => KoaRedisSessionSets(null, { client, ...options });
const keyUnder = (options: object) => make(options).store.getSessionKey("id");
/** The message of what is refused. */
function refusal(options: object): string {
  try {
    make(options);
  } catch (error) {
    expect(error).toMatchObject({ name: "SessionError", code: "ERR_SESSION_CONFIG" });
    return (error as Error).message;
  }
  return "nothing is refused";
}
async function open(options: object) {
  const app = await startCompatApp(
    { client, references: { user_id: {} }, ...options },
    { keys: ["a secret"] },
  );
  onTestFinished(() => app.close());
  return app;
}

describe("namespace", () => {
  test("is the prefix koa-redis-session-sets:<namespace>, as it was", () => {
    expect(keyUnder({ namespace: "shop" })).toBe("{koa-redis-session-sets:shop:0}:s:id");
    expect(make({ namespace: "shop" }).getReferenceKey("user_id", 1)).toBe(
      "{koa-redis-session-sets:shop:0}:m:user_id:1",
    );
    expect(keyUnder({ prefix: "koa-redis-session-sets:shop" })).toBe(
      keyUnder({ namespace: "shop" }),
    );
  });

  test("counts where there is no prefix, as it did", () => {
    expect(keyUnder({ prefix: "p", namespace: "shop" })).toBe("{p:0}:s:id");
    for (const prefix of ["", null, undefined]) {
      expect(keyUnder({ prefix, namespace: "shop" })).toBe(keyUnder({ namespace: "shop" }));
    }
  });

  test.each(["", null, undefined])("of %o is none", (namespace) => {
    expect(keyUnder({ namespace })).toBe("{koa-redis-session-sets:0}:s:id");
  });

  test.each(["", null, undefined])("of %o in migrate is that of the sessions", (namespace) => {
    const options = { client, prefix: "p" };
    const migrating = parseSettings({ ...options, migrate: { namespace } } as never);
    expect(migrating).toEqual(parseSettings({ ...options, migrate: true }));
    expect(migrating.foreignPrefix).toBe("p");
  });

  test.each([5, 0, true, {}, ["shop"], Symbol("shop"), "\ud800"])(
    "of %o is refused",
    (namespace) => {
      expect(refusal({ namespace })).toContain('namespace: "shop"');
      expect(refusal({ prefix: namespace })).toContain('prefix: "shop"');
      expect(refusal({ migrate: { namespace } })).toContain('namespace: "shop"');
      expect(refusal({ prefix: "p", namespace })).toContain('namespace: "shop"');
    },
  );

  const HOSTILE = [
    "a",
    "a:b",
    "a:b:0",
    "a:0",
    ":",
    "a b",
    "a-b",
    "a*",
    "{a}",
    "a}:s:",
    "a\n",
    "a\0",
    "~",
    "é",
    "e\u0301",
    "日本",
    "koa-redis-session-sets",
    "x".repeat(10_000),
    `${"x".repeat(9_999)}y`,
  ];

  test("keeps programs apart, whatever it is", () => {
    const texts = HOSTILE.map((namespace) => keyUnder({ namespace }));
    const prefixes = HOSTILE.map((prefix) => keyUnder({ prefix }));
    const all = [...texts, ...prefixes, keyUnder({})];
    expect(new Set(all).size).toBe(all.length);
    for (const key of all) {
      expect(key).toMatch(/^\{[A-Za-z0-9._:~-]{1,160}:0\}:s:id$/);
      // A prefix that stands for another text can't be had by writing that text.
      const inside = key.slice(1, key.indexOf(":0}:s:"));
      if (inside.includes("~")) expect(keyUnder({ prefix: inside })).not.toBe(key);
    }
  });

  test.each(HOSTILE)("works: %j", async (text) => {
    const namespace = freshPrefix() + text;
    const app = await open({ namespace });
    const browser = app.browser();
    const { getReferenceKey, store } = app.middleware;
    await browser.visit(({ session }) => session.set({ cart: 1 }));
    await browser.visit(({ session }) => session.set({ user_id: 1 }));
    expect((await browser.visit(({ session }) => session.get())).value).toEqual({
      cart: 1,
      user_id: 1,
    });
    const [id = "", ...more] = await client.smembers(getReferenceKey("user_id", 1));
    expect(more).toEqual([]);
    expect(await client.hget(store.getSessionKey(id), "cart")).toBe("1");
    expect(computeSlot(store.getSessionKey(id))).toBe(computeSlot(getReferenceKey("user_id", 1)));

    const other = await open({ namespace: `${namespace}!` });
    expect(
      (
        await other
          .browser()
          .visit(({ session }) => session.get(), { cookie: browser.jar.header ?? "" })
      ).value,
    ).toEqual({});
    expect(await client.smembers(other.middleware.getReferenceKey("user_id", 1))).toEqual([]);
    expect(await other.middleware.store.clear("user_id", 1)).toBe(0);
    expect(await store.clear("user_id", 1)).toBe(1);
  });

  test("and no namespace is another one than the prefix of that name, as it was", () => {
    const key = keyUnder({ prefix: "koa-redis-session-sets" });
    expect(key).not.toBe(keyUnder({}));
    expect(key).toMatch(/^\{koa-redis-session-sets~[\w-]{22}:0\}:s:id$/);
  });
});

describe("a prefix with colons, in the store", () => {
  async function reindex(prefix: string): Promise<ReindexProgress | undefined> {
    const store = openStore(client, { prefix, shards: 1, timeout: "20 seconds" });
    if (!isReindexable(store)) throw new Error("it can be reindexed");
    const references = [{ field: "user_id", plain: true, toTexts: (text: string) => [text] }];
    let last: ReindexProgress | undefined;
    for await (const progress of store.reindex(references, { dryRun: false, cursor: null }))
      last = progress;
    return last;
  }

  test("is read from its last colon: reindexing fixes its own keys, and sees no others", async () => {
    const namespace = freshPrefix();
    const under = (text: string) =>
      make({ namespace: namespace + text, references: { user_id: 1 } });
    const [own, beside, digits] = [under(""), under(":eu"), under(":7")];
    for (const one of [own, beside, digits]) {
      await one.store.set("id", { user_id: 1 });
      await client.del(one.getReferenceKey("user_id", 1).replace(":m:", ":r:"));
      await client.del(one.getReferenceKey("user_id", 1));
    }
    const others = Array.from({ length: 50 }, (_, n) => `other ${n}`);
    for (const id of others) await beside.store.set(id, {});
    const prefix = `koa-redis-session-sets:${namespace}`;
    // Not `scanned`: SCAN gives a key twice where Redis resizes its table for others meanwhile.
    expect(await reindex(prefix)).toMatchObject({ added: 1 });
    expect(await client.smembers(own.getReferenceKey("user_id", 1))).toEqual(["id"]);
    for (const one of [beside, digits]) {
      expect(await client.exists(one.getReferenceKey("user_id", 1))).toBe(0);
    }
    expect(await reindex(`${prefix}:7`)).toMatchObject({ added: 1 });
    expect(await client.smembers(digits.getReferenceKey("user_id", 1))).toEqual(["id"]);
    for (const one of [own, beside, digits]) await one.store.delete("id");
    for (const id of others) await beside.store.delete(id);
  });
});

describe("an option that there is not", () => {
  test.each([
    ["referneces", "write references: { user_id: {} }"],
    ["reference", "write references:"],
    ["References", "write references:"],
    ["maxage", 'write maxAge: "28 days"'],
    ["max_age", 'write maxAge: "28 days"'],
    ["expires", 'write maxAge: "28 days"'],
    ["ttl", 'write maxAge: "28 days"'],
    ["idleTimeout", 'write maxAge: "28 days"'],
    ["name_space", 'write namespace: "shop"'],
    ["prefx", 'write prefix: "shop"'],
    ["cookie", "beside the others"],
    ["name", 'write key: "session-id"'],
    ["keys", "app.keys"],
    ["secret", "app.keys"],
    ["samesite", 'write sameSite: "lax"'],
    ["httponly", "write httpOnly: true"],
    ["sign", "write signed: true"],
    ["secureProxy", "app.proxy = true"],
    ["saltLength", "write byteLength: 16"],
    ["store", "write client: new Redis()"],
    ["rolling", "leave it out"],
    ["migrated", "write migrate: true"],
  ])("is refused, with what to write instead: %s", (name, instead) => {
    for (const value of [1, undefined, null, new Date(), {}]) {
      const message = refusal({ [name]: value });
      expect(message).toContain(`has no option "${name}"`);
      expect(message).toContain(instead);
    }
  });

  test.each([
    "saveUninitialized",
    "autoCommit",
    "carriers",
    "toString",
    "__proto__x",
    "x".repeat(5_000),
  ])("is refused, with those that there are: %s", (name) => {
    const message = refusal({ [name]: 1 });
    expect(message).toMatch(
      /^koa-redis-session-sets has no option "[^"]+"\. Its options are client, /,
    );
    expect(message.length).toBeLessThan(400);
  });

  test("is refused where it is inherited, too", () => {
    const options = Object.create(
      { referneces: {} },
      { client: { value: client, enumerable: true } },
    );
    expect(() => KoaRedisSessionSets(null, options)).toThrow("references");
  });
});

describe("options of the cookie", () => {
  const LAX = { path: "/", samesite: "lax", httponly: "" };

  test.each([
    [{ signed: true }, LAX],
    [{ signed: false }, LAX],
    [{ httpOnly: false }, { path: "/", samesite: "lax" }],
    [{ overwrite: true }, LAX],
    [{ overwrite: false }, LAX],
    [{ domain: "example.com" }, { ...LAX, domain: "example.com" }],
    [{ domain: ".example.com" }, { ...LAX, domain: ".example.com" }],
    [{ domain: "" }, LAX],
    [{ path: "/app" }, { ...LAX, path: "/app" }],
    [{ secure: false }, LAX],
    [{ sameSite: "strict" }, { ...LAX, samesite: "strict" }],
    [{ sameSite: "Lax" }, LAX],
    [{ sameSite: true }, { ...LAX, samesite: "strict" }],
    [{ sameSite: false }, { path: "/", httponly: "" }],
    [{ priority: "high" }, { ...LAX, priority: "high" }],
    [{ priority: "Low" }, { ...LAX, priority: "low" }],
    [{ partitioned: false }, LAX],
    [{ key: "sid" }, LAX],
    [{ key: "" }, LAX],
  ])("pass that Koa's cookies document: %o", async (options: Record<string, unknown>, said) => {
    const app = await open({ prefix: freshPrefix(), ...options });
    const browser = app.browser();
    const { status, cookies } = await browser.visit(({ session }) => session.set({ user_id: 1 }));
    expect(status).toBe(200);
    const [cookie] = cookies.map(parseSetCookie);
    expect(cookie?.attributes).toEqual({ ...said, expires: expect.any(String) });
    expect(cookie?.name).toBe(options.key || "session-id");
    expect(cookies).toHaveLength(options.signed === false ? 1 : 2);
    expect((await browser.visit(({ session }) => session.get())).value).toEqual({ user_id: 1 });
  });

  test.each([
    [{ secure: true }],
    [{ secure: true, sameSite: "none" }],
    [{ sameSite: "none" }],
    [{ partitioned: true }],
    [{ key: "__Host-sid" }],
    [{ key: "__Secure-sid", domain: "example.com" }],
  ])(
    "that need a secure connection work there, and are ERR_COOKIE elsewhere: %o",
    async (options) => {
      const app = await startCompatApp(
        { client, prefix: freshPrefix(), references: { user_id: {} }, ...options } as never,
        { keys: ["a secret"], proxy: true },
      );
      onTestFinished(() => app.close());
      const signIn = (headers: Record<string, string>) =>
        app.browser().visit(({ session }) => session.set({ user_id: 1 }), headers);
      const { cookies } = await signIn({ "x-forwarded-proto": "https" });
      expect(cookies.map(parseSetCookie)[0]?.attributes).toHaveProperty("secure", "");
      expect((await signIn({})).status).toBe(500);
      expect(app.errors).toEqual([expect.objectContaining({ code: "ERR_COOKIE" })]);
    },
  );

  test.each([
    [{ sameSite: "laxx" }, "sameSite must be"],
    [{ sameSite: "true" }, "sameSite must be"],
    [{ sameSite: 1 }, "sameSite must be"],
    [{ priority: "hgih" }, "priority must be"],
    [{ priority: true }, "priority must be"],
    [{ path: "app" }, "path must be"],
    [{ path: "" }, "path must be"],
    [{ path: "/;x" }, "path must be"],
    [{ path: 1 }, "path must be"],
    [{ domain: "exa mple.com" }, "domain must be"],
    [{ domain: "a..b" }, "domain must be"],
    [{ domain: "-a.b" }, "domain must be"],
    [{ domain: 1 }, "domain must be"],
    [{ secure: "false" }, "secure must be true or false"],
    [{ signed: 1 }, "signed must be true or false"],
    [{ httpOnly: "no" }, "httpOnly must be true or false"],
    [{ overwrite: 0 }, "overwrite must be true or false"],
    [{ partitioned: "yes" }, "partitioned must be true or false"],
    [{ key: "a b" }, "key must be"],
    [{ key: "a=b" }, "key must be"],
    [{ key: 1 }, "key must be"],
    [{ sameSite: "none", secure: false }, "need secure: true"],
    [{ partitioned: true, secure: false }, "need secure: true"],
    [{ key: "__Secure-a", secure: false }, "need secure: true"],
    [{ key: "__Host-a", path: "/a" }, "__Host-"],
    [{ key: "__Host-a", domain: "a.b" }, "__Host-"],
  ])("that no cookie can have are refused: %o", (options, fault) => {
    expect(refusal(options)).toContain(fault);
  });
});

describe("references", () => {
  test.each([
    [["user_id"], "references: { user_id: {} }"],
    [new Map([["user_id", {}]]), "references: { user_id: {} }"],
    [new Set(["user_id"]), "references: { user_id: {} }"],
    ["user_id", "references: { user_id: {} }"],
    [1, "references: { user_id: {} }"],
    [{ user_id: { rotates: false } }, '"rotates"; it is declared {}, { rotate: true }'],
    [{ user_id: { as: "set" } }, '"as"; it is declared {}'],
    [{ user_id: { identity: false } }, "{ rotate: false }"],
    [{ user_id: { limit: 5, whenFull: "reject" } }, "has no limits"],
    [{ user_id: { whenFull: "end-oldest" } }, "session-sets/koa, whose references have limits"],
    [{ user_id: { rotate: "false" } }, "must be true or false"],
    [{ user_id: { rotate: null } }, "must be true or false"],
    [{ user_id: ["x"] }, "it is declared {}"],
  ])("that would declare something else are refused: %o", (references, instead) => {
    expect(refusal({ references })).toContain(instead);
  });
});

describe("what the middleware and its store had beside what was documented", () => {
  test.each([
    ["tokens", "createCSRFToken()"],
    ["options", "a variable of your own"],
  ])("is refused, with what to write instead: %s", (name, instead) => {
    const middleware = make({});
    expect(() => Reflect.get(middleware, name)).toThrow(instead);
    expect(Object.keys(middleware)).not.toContain(name);
  });

  test.each([
    ["client", "the client that you gave"],
    ["createSessionId", "ctx.session.set(values)"],
    ["prefix", "store.getSessionKey(id)"],
    ["maxAge", "a variable of your own"],
    ["references", "a variable of your own"],
    ["byteLength", "a variable of your own"],
  ])("of the store: %s", (name, instead) => {
    const { store } = make({});
    expect(() => Reflect.get(store, name)).toThrow(instead);
    expect(() => Reflect.get(store, name)).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_CONFIG" }),
    );
  });
});

test("no message tells what may be a secret", () => {
  const secret = createHash("sha256").update("x").digest("hex");
  for (const options of [
    { [secret]: 1 },
    { key: `${secret} ` },
    { references: { [secret]: { a: 1 } } },
  ]) {
    expect(refusal(options)).not.toContain(secret);
  }
});
