/*
 * The commands that a request under koa-redis-session-sets' API sends to Redis, counted by a proxy before a real server,
 * and that one of a visitor who only reads writes nothing.
 */
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type Browser,
  type CompatApp,
  startCompatApp,
  type Work,
} from "../../support/http/apps/koa-compat.ts";
import { redisUrl } from "../../support/redis/shared.ts";
import { type Meter, openMeter } from "../../support/stores/costs.ts";
import { freshPrefix } from "../../support/stores/stores.ts";

let meter: Meter;
let app: CompatApp;
let browser: Browser;
let prefix: string;
beforeAll(async () => {
  meter = await openMeter(redisUrl(), (url) => new Redis(url));
});
afterAll(() => meter.close());
beforeEach(async () => {
  prefix = freshPrefix();
  app = await startCompatApp({ client: meter.client, prefix, references: { user_id: {} } });
  browser = app.browser();
  // The server learns the scripts, and the store the server's time.
  await app.browser().visit(async ({ session }) => {
    await session.set({ user_id: 0 });
    await session.set({ user_id: 0 });
    await session.delete();
  });
  await meter.client.del(...(await meter.client.keys(`{${prefix}:0}:*`)));
});
afterEach(() => app.close());

/** The names of the commands that a request sends. */
async function sentBy(work: Work, headers?: Record<string, string>): Promise<string[]> {
  await meter.measure(async () => {
    expect((await browser.visit(work, headers)).status).toBe(200);
  });
  return meter.sent();
}

const READS: Readonly<Record<string, Work>> = {
  "get()": ({ session }) => session.get(),
  "get of a field": ({ session }) => session.get(["theme"]),
  "get twice, getKey and verifyCSRFToken": async ({ session }) => {
    await session.get();
    session.getKey();
    await session.verifyCSRFToken("made.up");
    return session.get();
  },
  unset: ({ session }) => session.unset(["theme"]),
  delete: ({ session }) => session.delete(),
};

/** A get sends no write command, and nothing that may be one. */
function expectReads(name: string, sent: readonly string[]): void {
  if (!name.startsWith("get")) return;
  expect(sent.length).toBeGreaterThan(0);
  for (const command of sent) expect(["HGETALL", "HMGET"]).toContain(command);
}

describe.each(Object.entries(READS))("%s", (name, work) => {
  test("of a visitor who has never been here sends nothing", async () => {
    expect(await sentBy(work)).toEqual([]);
    expect(browser.jar.entries()).toEqual([]);
  });

  test.each(["x", "", `AA${"x".repeat(33)}`])(
    "with the malformed cookie %j sends nothing",
    async (value) => {
      const cookie = `session-id=${value}; session-id-visitor=${value}`;
      expect(await sentBy(work, { cookie })).toEqual([]);
      expect(browser.jar.entries()).toEqual([]);
    },
  );

  test.each([
    ["a visitor", { theme: "dark" }],
    ["a user", { user_id: 1 }],
  ])(
    "with the cookie of %s whose session has ended leaves Redis and the cookie as they are",
    async (_, values) => {
      await browser.visit(({ session }) => session.set(values));
      const { value: id } = await browser.visit(async ({ session }) => (await session.get()).id);
      await app.middleware.store.delete(id);
      const before = browser.jar.entries();
      const sent = await sentBy(work);
      expectReads(name, sent);
      expect(sent.length).toBeLessThanOrEqual(2);
      expect(browser.jar.entries()).toEqual(before);
      expect(await meter.client.keys(`{${prefix}:0}:*`)).toEqual([]);
    },
  );

  test("with a cookie that was never given leaves Redis and the cookie as they are", async () => {
    const sent = await sentBy(work, { cookie: `session-id=AA${"x".repeat(32)}` });
    expectReads(name, sent);
    expect(browser.jar.entries()).toEqual([]);
    expect(await meter.client.keys(`{${prefix}:0}:*`)).toEqual([]);
  });
});

test("what writes takes one command: also one that signs in, and makes nothing before", async () => {
  const works: Work[] = [
    async ({ session }) => {
      await session.get();
      return session.set({ theme: "dark" });
    },
    ({ session }) => session.set({ theme: "light" }),
    ({ session }) => session.touch(),
    ({ session }) => session.set({ user_id: 1 }),
    ({ session }) => session.set({ user_id: 2 }),
    ({ session }) => session.unset(["theme"]),
    ({ session }) => session.delete(),
    ({ session }) => session.createCSRFToken(),
  ];
  for (const work of works) expect(await sentBy(work)).toEqual(["EVALSHA"]);
  expect(await sentBy(({ session }) => session.createCSRFToken())).toEqual(["HMGET"]);
});

test("a user's cookie beside a visitor's takes a read more, once", async () => {
  await browser.visit(({ session }) => session.set({ theme: "dark" }));
  const visitor = browser.jar.entries();
  const user = app.browser();
  await user.visit(({ session }) => session.set({ user_id: 1 }));
  for (const [name, value] of user.jar.entries()) browser.jar.set(name, value);
  for (const [name, value] of visitor) browser.jar.set(name, value);
  expect(await sentBy(({ session }) => session.get())).toEqual(["HMGET", "HGETALL"]);
  expect(await sentBy(({ session }) => session.get())).toEqual(["HGETALL"]);
});
