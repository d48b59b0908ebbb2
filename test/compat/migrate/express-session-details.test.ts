/* Sessions of connect-redis that are migrated: what is kept, what is left out, and the warnings. */
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { type MoveProgress, SessionSetsStore } from "session-sets/compat/express-session";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { redisUrl } from "../../support/redis/shared.ts";
import { openMeter } from "../../support/stores/costs.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let client: Redis;
beforeAll(() => {
  client = new Redis(redisUrl());
});
afterAll(() => client.quit());

let prefix: string;
let warnings: (Error & { code?: string })[];
beforeEach(() => {
  prefix = freshPrefix();
  warnings = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on("warning", warned);
  onTestFinished(() => void process.off("warning", warned));
});

const createSid = () => randomBytes(24).toString("base64url");
const open = (options: object = {}) =>
  new SessionSetsStore({
    client,
    prefix,
    references: { user_id: { from: (s) => s.passport?.user } },
    timeout: "20 seconds",
    migrate: { prefix: `${prefix}:` },
    ...options,
  });
/** A session as connect-redis writes it, and how long it lives. */
async function lay(fields: object, ms = HOUR, sid = createSid()): Promise<string> {
  await client.set(`${prefix}:${sid}`, JSON.stringify(fields), "PX", ms);
  return sid;
}
async function drain(store: SessionSetsStore): Promise<MoveProgress | undefined> {
  let last: MoveProgress | undefined;
  for await (const progress of store.moveSessions()) last = progress;
  return last;
}
const readTimeLeft = (store: SessionSetsStore, sid: string) =>
  client.pttl(`{${prefix}:0}:s:${store.idOf(sid)}`);

describe("a session that is migrated", () => {
  const cases = [
    ["its max age", { originalMaxAge: 14 * DAY, expires: new Date(Date.now() + HOUR) }, 14 * DAY],
    ["idleTimeout, where its cookie ends with the browser", { expires: null }, 3 * HOUR],
    ["what it had left, where that is longer", { originalMaxAge: 60_000 }, HOUR],
  ] as const;

  test.each(cases)("keeps what it has left, and then slides by %s", async (_what, cookie, slid) => {
    const store = open({ idleTimeout: "3 hours" });
    const sid = await lay({ cookie, passport: { user: 1 } });
    await drain(store);
    expect(await readTimeLeft(store, sid)).toBeLessThanOrEqual(HOUR);
    expect(await readTimeLeft(store, sid)).toBeGreaterThan(HOUR / 2);
    const session = (await store.get(sid)) ?? { cookie };
    await store.set(sid, Object.assign(session, { theme: "dark" }));
    expect(await readTimeLeft(store, sid)).toBeLessThanOrEqual(slid);
    expect(await readTimeLeft(store, sid)).toBeGreaterThan(slid / 2);
    expect(await store.by("user_id", 1).size()).toBe(1);
  });

  test("whose cookie names the moment ends then, in use or not", async () => {
    const store = open();
    const sid = await lay({ cookie: { expires: new Date(Date.now() + HOUR) }, n: 1 });
    const session = (await store.get(sid)) ?? { cookie: {} };
    await store.set(sid, Object.assign(session, { theme: "dark" }));
    expect(await readTimeLeft(store, sid)).toBeLessThanOrEqual(HOUR);
  });
});

describe("a field that cannot be named", () => {
  const bad = ["@state", "x".repeat(300), "", "__proto__", "~user_id", "~~cookie"];
  const text = (names: readonly string[]) => {
    const fields = names.map((name) => `${JSON.stringify(name)}:1`).join(",");
    return `{"cookie":{"originalMaxAge":60000},"passport":{"user":1},"theme":"dark",${fields}}`;
  };

  test.each(bad.map((name) => [name.slice(0, 20) || "empty", name]))(
    "loses no session: %s",
    async (_name, name) => {
      const store = open();
      const sid = createSid();
      await client.set(`${prefix}:${sid}`, text([name]), "PX", HOUR);
      expect({ ...(await store.get(sid)) }).toMatchObject({ theme: "dark", passport: { user: 1 } });
      expect(Object.keys((await store.get(sid)) ?? {}).sort()).toEqual([
        "cookie",
        "passport",
        "theme",
      ]);
      expect(await store.by("user_id", 1).size()).toBe(1);
      expect(await client.exists(`${prefix}:${sid}`)).toBe(0);
    },
  );

  test("is counted by moveSessions, and reported with the reason", async () => {
    const store = open();
    await client.set(`${prefix}:${createSid()}`, text(bad), "PX", HOUR);
    await client.set(`${prefix}:${createSid()}`, text(["@state"]), "PX", HOUR);
    await client.set(`${prefix}:${createSid()}`, text(["fine"]), "PX", HOUR);
    const leftOut = bad.length + 1;
    expect(await drain(store)).toEqual({ cursor: null, scanned: 3, moved: 3, damaged: 0, leftOut });
    expect(await store.by("user_id", 1).size()).toBe(3);
    expect(await drain(store)).toEqual({ cursor: null, scanned: 0, moved: 0, damaged: 0 });
  });
});

test("the reason why a field is left out is told once a process", async () => {
  const store = open();
  for (let i = 0; i < 3; i++) await lay({ cookie: { originalMaxAge: HOUR }, [`\ud800${i}`]: 1 });
  expect(await drain(store)).toMatchObject({ moved: 3, leftOut: 3 });
  const told = () => warnings.filter(({ code }) => code === "SESSION_SETS_FIELD_LEFT_OUT");
  await expect.poll(told).toHaveLength(1);
  expect(told()[0]?.message).toMatch(/lone surrogate/);
});

describe("migrate with a prefix that lacks its colon", () => {
  test("is told of the sessions behind the colon, after one look a process", async () => {
    const meter = await openMeter(redisUrl(), (url) => new Redis(url));
    onTestFinished(() => meter.close());
    const sid = await lay({ cookie: { originalMaxAge: HOUR } });
    const other = await lay({ cookie: { originalMaxAge: HOUR } });
    const store = open({ client: meter.client, migrate: { prefix } });
    expect(await store.get(sid)).toBeNull();
    expect(meter.proxy.commands.filter(([name]) => /exists/i.test(String(name)))).toHaveLength(1);
    const told = () => warnings.filter(({ code }) => code === "SESSION_SETS_MIGRATE_PREFIX");
    await expect.poll(told).toHaveLength(1);
    expect(told()[0]?.message).toContain(`write migrate: { prefix: "${prefix}:" }`);
    expect(await open({ client: meter.client, migrate: { prefix } }).get(other)).toBeNull();
    expect(meter.proxy.commands.filter(([name]) => /exists/i.test(String(name)))).toHaveLength(1);
    expect(told()).toHaveLength(1);
    expect(await client.exists(`${prefix}:${sid}`)).toBe(1);
  });

  test("says nothing where nothing is there, nor of a prefix that has one", async () => {
    const meter = await openMeter(redisUrl(), (url) => new Redis(url));
    onTestFinished(() => meter.close());
    expect(await open({ client: meter.client, migrate: { prefix } }).get(createSid())).toBeNull();
    expect(await open({ client: meter.client }).get(createSid())).toBeNull();
    expect(meter.proxy.commands.filter(([name]) => /exists/i.test(String(name)))).toHaveLength(1);
    expect(warnings.filter(({ code }) => code === "SESSION_SETS_MIGRATE_PREFIX")).toEqual([]);
  });

  test("has moveSessions leave them where they are, and warn", async () => {
    await lay({ cookie: { originalMaxAge: HOUR } });
    const store = open({ migrate: { prefix } });
    expect(await drain(store)).toEqual({ cursor: null, scanned: 1, moved: 0, damaged: 1 });
    expect(await client.keys(`${prefix}:*`)).toHaveLength(1);
    await expect
      .poll(() => warnings.filter(({ code }) => code === "SESSION_SETS_MIGRATE_PREFIX"))
      .toHaveLength(1);
    expect(await drain(open())).toMatchObject({ moved: 1, damaged: 0 });
  });
});

test("a session with too many values of references is migrated, and cut in the largest of them", async () => {
  const references = { user_id: {}, tags: {}, teams: {} };
  const store: SessionSetsStore = open({ references, maxBytes: 200_000 });
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
  const fields = { cookie: { originalMaxAge: HOUR }, tags: numbers(700), teams: numbers(400) };
  const sid = await lay({ ...fields, user_id: 1 });
  const one = await lay({ ...fields, tags: numbers(1001), user_id: 2 });
  expect(await drain(store)).toEqual({ cursor: null, scanned: 2, moved: 1, damaged: 1 });
  expect(await client.exists(`${prefix}:${one}`)).toBe(1);
  expect(await store.by("user_id", 1).ids()).toEqual([store.idOf(sid)]);
  const sizes = [399, 598, 599].map((n) => [store.by("teams", n), store.by("tags", n)]);
  const found = await Promise.all(sizes.flat().map((set) => set.size()));
  expect(found).toEqual([1, 1, 0, 1, 0, 0]);
  const given = await store.get(sid);
  expect(given?.tags).toEqual(fields.tags);
  await store.set(sid, Object.assign(given ?? {}, { theme: "dark" }));
  expect(await store.get(sid)).toMatchObject({ theme: "dark", tags: fields.tags });
  const told = () => warnings.filter(({ code }) => code === "SESSION_SETS_VALUES_LEFT_OUT");
  await expect.poll(told).toHaveLength(1);
});

test("a look behind the colon that has failed is done again", async () => {
  let fails = true;
  const failing = Object.assign(Object.create(client), {
    call(name: string, ...rest: unknown[]) {
      if (/exists/i.test(name) && fails) return Promise.reject(new Error("no"));
      return (client.call as (...all: unknown[]) => unknown)(name, ...rest);
    },
  });
  const sid = await lay({ cookie: { originalMaxAge: HOUR } });
  const store = open({ client: failing, migrate: { prefix } });
  await expect(store.get(sid)).rejects.toMatchObject({ code: "ERR_STORE_UNAVAILABLE" });
  fails = false;
  expect(await store.get(sid)).toBeNull();
  await expect
    .poll(() => warnings.filter(({ code }) => code === "SESSION_SETS_MIGRATE_PREFIX"))
    .toHaveLength(1);
});
