/*
 * The picture of the devices page that the README shows: `SCREENSHOT=1 npm run test:browser`
 * writes it anew. Without that the page is only laid out, and must fit its window.
 */
import { writeFile } from "node:fs/promises";
import { Redis } from "ioredis";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRedis } from "../../demo/store/redis.ts";
import { ANDROID, EDGE, FIREFOX, IPHONE } from "../support/http/user-agents.ts";
import { type RedisServer, startRedis } from "../support/redis/server.ts";
import { editTimes } from "../support/stores/times.ts";
import { type Demo, openDevice, PASSWORD, signIn, startDemo } from "./devices.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const DESK = { width: 1240, height: 960 };
const PHONE = { width: 390, height: 844 };

let demo: Demo;
let redis: RedisServer;
let client: Redis;

beforeAll(async () => {
  redis = await startRedis();
  client = new Redis(redis.url);
  const store = openRedis(client, { prefix: "demo", timeout: "20 seconds" });
  demo = await startDemo({ store });
  demo.app.proxy = true; // so that each device has an address of its own
});

afterAll(async () => {
  await demo?.close();
  client?.disconnect();
  await redis?.stop();
});

test("the devices page fits a desk and a phone", async () => {
  const devices = [
    [EDGE, "192.0.2.146", 40 * DAY, 27 * HOUR],
    [ANDROID, "2001:db8:85a3::8a2e:370:7334", 26 * DAY, 5 * HOUR],
    [IPHONE, "198.51.100.7", 12 * DAY, 2 * MINUTE],
    [FIREFOX, "203.0.113.24", 3 * DAY, 0],
  ] as const;
  const pages: Page[] = [];
  for (const [userAgent, address, made, seen] of devices) {
    const before = await client.keys("{demo:0}:s:*");
    const page = await openDevice({ userAgent, extraHTTPHeaders: { "x-forwarded-for": address } });
    await signIn(page, PASSWORD, true);
    const [key = ""] = (await client.keys("{demo:0}:s:*")).filter((one) => !before.includes(one));
    await makeOlder(key, made, seen);
    pages.push(page);
  }
  const desk = pages.at(-1) as Page;
  for (const size of [PHONE, DESK]) {
    await desk.setViewportSize(size);
    await desk.goto("/");
    expect(await desk.locator(".devices li").count()).toBe(4);
    expect(await width(desk)).toBe(size.width);
  }
  // What is new since the last look is marked for some seconds.
  await expect
    .poll(
      async () => {
        await desk.goto("/");
        return desk.locator("aside .new, aside .changed").count();
      },
      { timeout: 60_000, interval: 1000 },
    )
    .toBe(0);
  if (process.env.SCREENSHOT) {
    const file = new URL("../../docs/devices.png", import.meta.url);
    await writeFile(file, await desk.screenshot());
  }
});

/** Writes into Redis what would be there if a session had been made, and last seen, so long ago. */
async function makeOlder(key: string, made: number, seen: number): Promise<void> {
  const [madeAt, seenAt] = [Date.now() - made, Date.now() - seen];
  const expiresAt = seenAt + 30 * DAY;
  const times = { created: madeAt * 1000, seen: seenAt, absolute: madeAt + 90 * DAY };
  await editTimes(client, key, times);
  await client.pexpireat(key, expiresAt);
  const [set = ""] = await client.keys("{demo:0}:r:*");
  await client.zadd(set, "XX", expiresAt, key.slice(key.indexOf(":s:") + 3));
}

/** How wide the document is: wider than its window where something sticks out. */
async function width(page: Page): Promise<number> {
  return page.locator("html").evaluate((html) => html.scrollWidth);
}
