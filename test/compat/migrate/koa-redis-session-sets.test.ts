/* Sessions that koa-redis-session-sets has kept, under `migrate: true`. */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { Redis } from "ioredis";
import koaRedisSessionSets from "session-sets/compat/koa-redis-session-sets";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type Answer,
  type Browser,
  type CompatApp,
  startCompatApp,
} from "../../support/http/apps/koa-compat.ts";
import { parseSetCookie } from "../../support/http/cookie-jar.ts";
import { intercepted } from "../../support/intercept.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const KEY = "a secret";
const HOUR = 3_600_000;

let client: Redis;
beforeAll(() => {
  client = new Redis(redisUrl());
});
afterAll(() => client.quit());

let prefix: string;
let id: string;
let app: CompatApp;
let browser: Browser;
const apps: CompatApp[] = [];
async function open(options: object = {}) {
  const references = { user_id: {} };
  app = await startCompatApp(
    { client, prefix, references, migrate: true, ...options },
    { keys: [KEY] },
  );
  apps.push(app);
  browser = app.browser();
  carry(browser);
}
/** Gives a browser the cookie that koa-redis-session-sets had set. */
function carry(browser: Browser, value = id) {
  browser.jar.set("session-id", value);
  const signature = createHmac("sha1", KEY).update(`session-id=${value}`).digest("base64url");
  browser.jar.set("session-id.sig", signature); // as Keygrip signs
}
beforeEach(async () => {
  prefix = freshPrefix();
  id = randomBytes(18).toString("base64");
  await open();
});
afterEach(() => Promise.all(apps.splice(0).map((one) => one.close())));

/** A session as koa-redis-session-sets has written it. */
async function lay({
  under = prefix,
  fields = { user_id: "1", theme: "dark" } as Record<string, string>,
  lives = HOUR,
  as = id,
} = {}) {
  const key = `${under}:{${as}}`;
  const multi = client
    .multi()
    .hmset(key, { id: as, _csrf_secret: "a secret", ...fields })
    .pexpire(key, lives);
  if (fields.user_id) multi.sadd(`${under}:user_id:{${fields.user_id}}`, as);
  await multi.exec();
  return key;
}
const get = (ctx: Parameters<Parameters<Browser["visit"]>[0]>[0]) => ctx.session.get();
const readIds = (user: unknown) => client.smembers(app.middleware.getReferenceKey("user_id", user));
const readCookie = ({ cookies }: Answer) =>
  cookies.map(parseSetCookie).find(({ name }) => name === "session-id");
const oldKeys = async () => [
  ...(await client.keys(`${prefix}:*`)),
  ...(await client.keys(`koa-redis-session-sets:${prefix}*`)),
];

describe("a browser that comes with the cookie of before", () => {
  test("is still signed in; its values are text, as they were, without id and _csrf_secret", async () => {
    await lay();
    expect((await browser.visit(get)).value).toEqual({ user_id: "1", theme: "dark" });
    expect((await browser.visit(get)).value).toEqual({ user_id: "1", theme: "dark" });
    expect(await readIds(1)).toHaveLength(1);
    expect(await oldKeys()).toEqual([]);
  });

  test("is given a new token at once; the session has the time that it had left", async () => {
    await lay({ lives: HOUR });
    const answer = await browser.visit(get);
    expect(readCookie(answer)?.value).toMatch(/^[\w-]{34}$/);
    expect(answer.headers["cache-control"]).toBe("no-store");
    const [key = ""] = await client.keys(`{${prefix}:0}:s:${(await readIds(1))[0]}`);
    expect(await client.pttl(key)).toBeLessThanOrEqual(HOUR);
    expect(await client.pttl(key)).toBeGreaterThan(HOUR - 60_000);
    expect(readCookie(await browser.visit(get))).toBeUndefined();
  });

  test("leaves its old id nowhere in Redis", async () => {
    await lay();
    await browser.visit(get);
    const names = await client.keys(`*${prefix}*`);
    const holds = await Promise.all(
      names.map(async (key) =>
        (await client.type(key)) === "hash" ? JSON.stringify(await client.hgetall(key)) : "",
      ),
    );
    expect(names.length).toBeGreaterThan(2);
    expect([...names, ...holds, ...(await readIds(1))].join(" ")).not.toContain(id);
  });

  test("may send several requests at once: one has the token, and all have the session", async () => {
    await lay();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => {
        const other = app.browser();
        carry(other);
        return other.visit(get);
      }),
    );
    for (const { value } of answers) expect(value).toEqual({ user_id: "1", theme: "dark" });
    expect(answers.filter((answer) => readCookie(answer))).toHaveLength(1);
    expect(await readIds(1)).toHaveLength(1);
  });

  test("is not sent its old value again by a parallel request that writes", async () => {
    await lay();
    const parallel = app.browser();
    carry(parallel);
    await browser.visit(get);
    const answer = await parallel.visit((ctx) => ctx.session.set({ theme: "light" }));
    expect(answer.status).toBe(200);
    expect(readCookie(answer)).toBeUndefined();
    expect((await browser.visit(get)).value).toEqual({ user_id: "1", theme: "light" });
  });

  test("has its session migrated after the headers were sent, and its token by a later request", async () => {
    await lay();
    const answer = await browser.visit(async (ctx) => {
      ctx.res.writeHead(200);
      ctx.respond = false;
      const session = await ctx.session.get();
      ctx.res.end(JSON.stringify({ value: session }));
    });
    expect(answer.value).toEqual({ user_id: "1", theme: "dark" });
    expect(readCookie(answer)).toBeUndefined();
    const next = await browser.visit(get);
    expect(next.value).toEqual({ user_id: "1", theme: "dark" });
    expect(readCookie(next)?.value).toMatch(/^[\w-]{34}$/);
  });

  test("ends its session with delete, and cannot come back with the old cookie", async () => {
    await lay();
    const answer = await browser.visit((ctx) => ctx.session.delete());
    expect(readCookie(answer)?.value).toBe("");
    carry(browser);
    expect((await browser.visit(get)).value).toEqual({});
    expect(await readIds(1)).toEqual([]);
    expect(await oldKeys()).toEqual([]);
  });

  test("reads, sets, unsets and touches; getKey is that of the migrated session after the first call", async () => {
    await lay();
    const answer = await browser.visit(async (ctx) => {
      await ctx.session.set({ theme: "light", user_id: 2 });
      await ctx.session.unset(["none"]);
      await ctx.session.touch("2 hours");
      const token = await ctx.session.createCSRFToken();
      return [await ctx.session.verifyCSRFToken(token), await client.hgetall(ctx.session.getKey())];
    });
    expect(answer.value).toEqual([true, expect.objectContaining({ theme: "light", user_id: "2" })]);
    expect(await readIds(1)).toEqual([]);
    expect(await readIds(2)).toHaveLength(1);
  });

  test("has the key of its migrated session before it is migrated, too", async () => {
    await lay();
    const answer = await browser.visit(async (ctx) => {
      const key = ctx.session.getKey();
      expect(await client.exists(key)).toBe(0);
      ctx.res.writeHead(200); // so that the session gets no new token, and keeps this key
      ctx.respond = false;
      const session = await ctx.session.get();
      ctx.res.end(JSON.stringify({ value: [session, await client.hgetall(key)] }));
    });
    const [session, hash] = answer.value;
    expect(session).toEqual({ user_id: "1", theme: "dark" });
    expect(hash).toMatchObject({ theme: "dark" });
  });

  test("is a stranger without the option, and where the cookie is of no session or is none of that form", async () => {
    await lay();
    await open({ migrate: false });
    expect((await browser.visit(get)).value).toEqual({});
    expect(await oldKeys()).toHaveLength(2);
    await open();
    carry(browser, randomBytes(18).toString("base64"));
    expect((await browser.visit(get)).value).toEqual({});
    await lay({ as: "planted" });
    carry(browser, "planted");
    expect((await browser.visit(get)).value).toEqual({});
    expect(await client.exists(`${prefix}:{planted}`)).toBe(1);
  });

  test("reaches nothing with the public id of a session", async () => {
    await lay();
    await browser.visit(get);
    const thief = app.browser();
    carry(thief, (await readIds(1))[0]);
    expect((await thief.visit(get)).value).toEqual({});
  });

  test("signs in with a token that nobody else has, where user_id is { rotate: true }", async () => {
    await open({ references: { user_id: { rotate: true } } });
    await lay({ fields: { theme: "dark" } });
    const planter = app.browser();
    carry(planter);
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    expect((await browser.visit(get)).value).toEqual({ user_id: 1, theme: "dark" });
    expect((await planter.visit(get)).value).toEqual({});
  });

  test("is given the token of a sign-in that it sends with its old value, beside the migration", async () => {
    await open({ references: { user_id: { rotate: true } } });
    await lay({ fields: { theme: "dark" } });
    const parallel = app.browser();
    carry(parallel);
    await browser.visit(get);
    expect(readCookie(await parallel.visit(get))).toBeUndefined();
    const answer = await parallel.visit((ctx) => ctx.session.set({ user_id: 1 }));
    expect(readCookie(answer)?.value).toMatch(/^[\w-]{34}$/);
    expect((await parallel.visit(get)).value).toEqual({ user_id: 1, theme: "dark" });
    expect((await browser.visit(get)).value).toEqual({});
  });

  test("is given the token of a new session, where its own ends while it uses it", async () => {
    await lay();
    const parallel = app.browser();
    carry(parallel);
    await browser.visit(get);
    const answer = await parallel.visit(async ({ session }) => {
      await session.get();
      for (const one of await readIds(1)) await app.middleware.store.delete(one);
      await session.touch();
      return session.get();
    });
    const [made] = answer.cookies.map(parseSetCookie);
    expect([answer.value, made?.name]).toEqual([{}, "session-id-visitor"]);
    expect((await parallel.visit(get)).cookies).toEqual([]);
  });

  test("keeps its old value while nobody has signed in, and has a new token from then on", async () => {
    await lay({ fields: { theme: "dark" } });
    const parallel = browser.copy();
    for (let n = 0; n < 2; n++) {
      const answer = await browser.visit((ctx) => ctx.session.set({ n }));
      expect([answer.status, answer.cookies]).toEqual([200, []]);
    }
    const slow = await parallel.visit(get);
    expect(slow.value).toEqual({ theme: "dark", n: 1 });
    await browser.visit((ctx) => ctx.session.set({ user_id: 1 }));
    browser.jar.take(slow.cookies);
    expect((await browser.visit(get)).value).toEqual({ theme: "dark", n: 1, user_id: 1 });
    expect((await parallel.visit(get)).value).toEqual({});
  });

  test("has a new token at once where no reference says that a user signs in", async () => {
    await open({ references: { user_id: { rotate: false } } });
    await lay({ fields: { theme: "dark" } });
    expect(readCookie(await browser.visit(get))?.value).toMatch(/^[\w-]{34}$/);
  });
});

describe("the foreign layout", () => {
  test("may be under a namespace", async () => {
    await open({ migrate: { namespace: prefix } });
    await lay({ under: `koa-redis-session-sets:${prefix}` });
    expect((await browser.visit(get)).value).toEqual({ user_id: "1", theme: "dark" });
    expect(await oldKeys()).toEqual([]);
  });

  test.each(["", ":eu", " of *[a] {b}?", "é", "x".repeat(500)])(
    "may be under the namespace that is in use: %j",
    async (text) => {
      const namespace = prefix + text;
      const under = `koa-redis-session-sets:${namespace}`;
      await open({ prefix: "", namespace });
      await lay({ under });
      expect((await browser.visit(get)).value).toEqual({ user_id: "1", theme: "dark" });
      expect(await readIds(1)).toHaveLength(1);
      const others = [randomBytes(18).toString("base64"), "chosen"];
      for (const as of others) await lay({ under, as });
      const other = randomBytes(18).toString("base64");
      await lay({ under: `${under}!`, as: other });
      for await (const { cursor, moved } of app.middleware.moveSessions()) {
        if (cursor === null) expect(moved).toBe(2);
      }
      expect(await readIds(1)).toHaveLength(3);
      expect(await client.exists(`${under}!:{${other}}`)).toBe(1);
      await lay({ under, as: other });
      expect(await app.middleware.store.clear("user_id", 1)).toBe(4);
    },
  );

  test("is that of the prefix where there are both, as it was", async () => {
    await open({ namespace: `${prefix}-not` });
    await lay();
    expect((await browser.visit(get)).value).toEqual({ user_id: "1", theme: "dark" });
  });

  test("may have sessions without fields of the program's own", async () => {
    await lay({ fields: {} });
    expect((await browser.visit(get)).value).toEqual({});
    expect(readCookie(await browser.visit(get))).toBeUndefined();
  });

  test("is refused with options that it does not have", async () => {
    await expect(open({ migrate: { prefix: "x" } })).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
    });
    await open({ migrate: false });
    expect(() => app.middleware.moveSessions()).toThrow("moveSessions needs the option migrate");
    expect(() => app.middleware.moveSessions({ at: 1 } as object)).toThrow("no option");
  });
});

test("no error names an old id, though a server may", async () => {
  const key = await lay();
  const broken = intercepted(client, async ({ name, args }, pass) => {
    if (name !== "PEXPIRETIME") return pass();
    throw new Error(`ERR unknown command 'PEXPIRETIME', with args beginning with: '${args[0]}'`);
  });
  const { store } = koaRedisSessionSets(null, { client: broken, prefix, migrate: true });
  const error = await store.get(id).catch((error) => error);
  expect(error).toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  expect(error.cause.message).toContain("unknown command");
  expect(inspect(error, { depth: 10 })).not.toContain(id);
  expect(await client.exists(key)).toBe(1);
});

describe("the store", () => {
  test("finds a session by its old id", async () => {
    await lay();
    const { store } = app.middleware;
    expect(await store.get(id)).toEqual({ user_id: "1", theme: "dark" });
    expect(await store.get(id, ["theme"])).toEqual({ theme: "dark" });
    await store.set(id, { theme: "light" });
    await store.unset(id, ["none"]);
    expect(await store.get(id)).toEqual({ user_id: "1", theme: "light" });
    const hashed = createHash("sha256").update(id).digest("base64url").slice(0, 22);
    expect(await readIds("1")).toEqual([`AA${hashed}`]);
    await store.touch(id, 50_000);
    expect(await client.pttl(store.getSessionKey(`AA${hashed}`))).toBeLessThanOrEqual(50_000);
    await store.delete(id);
    expect(await store.get(id)).toEqual({});
    expect(await readIds(1)).toEqual([]);
  });

  test("keeps the ids that programs have chosen", async () => {
    await lay({ as: "chosen" });
    expect(await app.middleware.store.get("chosen")).toEqual({ user_id: "1", theme: "dark" });
    expect(await readIds(1)).toEqual(["chosen"]);
  });

  test("ends a session that was not migrated yet", async () => {
    await lay();
    await app.middleware.store.delete(id);
    expect(await oldKeys()).toEqual([]);
    expect((await browser.visit(get)).value).toEqual({});
  });

  test("clears a user's sessions, migrated or not, and no other user's", async () => {
    const others = Array.from({ length: 120 }, () => randomBytes(18).toString("base64"));
    await lay();
    await browser.visit(get);
    for (const as of others) await lay({ as });
    await lay({ as: "of two", fields: { user_id: "2" } });
    // As koa-redis-session-sets has left it: this session is in the set of its user before.
    await client.sadd(`${prefix}:user_id:{1}`, "of two");
    const damaged = await lay({ as: "for ever" });
    await client.persist(damaged);
    expect(await app.middleware.store.clear("user_id", 1)).toBe(121);
    expect(await readIds(1)).toEqual([]);
    expect(await readIds(2)).toEqual(["of two"]);
    expect(await oldKeys()).toEqual([]);
    expect(await app.middleware.store.clear("user_id", 1)).toBe(0);
  });

  test("clears a user's sessions without the option, too", async () => {
    await open({ migrate: false });
    for (const name of ["a", "b"]) await app.middleware.store.set(name, { user_id: 1 });
    expect(await app.middleware.store.clear("user_id", "1")).toBe(2);
    expect(await readIds(1)).toEqual([]);
  });
});
