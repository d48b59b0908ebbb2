/*
 * The picture of the devices page that the README shows: `SCREENSHOT=1 npm run test:browser`
 * writes it anew. Without that the page is only laid out, and must fit its window.
 */
import { writeFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMemory } from "../../demo/store/memory.ts";
import { ANDROID, EDGE, FIREFOX, IPHONE } from "../support/http/user-agents.ts";
import { type Demo, openDevice, PASSWORD, signIn, startDemo } from "./devices.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const WINDOWS = {
  devices: { width: 1000, height: 640 },
  "devices-phone": { width: 390, height: 844 },
};

let demo: Demo;
let elapsed = -40 * DAY;

beforeAll(async () => {
  demo = await startDemo({ store: openMemory({ now: () => Date.now() + elapsed }) });
  demo.app.proxy = true; // so that each device has an address of its own
});

afterAll(async () => {
  await demo?.close();
});

test("the devices page fits a desk and a phone", async () => {
  const edge = await openDevice(device(EDGE, "192.0.2.146"));
  await signIn(edge, PASSWORD, true);
  elapsed = -26 * DAY;
  await edge.goto("/");
  const android = await openDevice(device(ANDROID, "2001:db8:85a3::8a2e:370:7334"));
  await signIn(android, PASSWORD, true);
  elapsed = -12 * DAY;
  await edge.goto("/");
  await android.goto("/");
  const iphone = await openDevice(device(IPHONE, "198.51.100.7"));
  await signIn(iphone, PASSWORD, true);
  elapsed = -3 * DAY;
  const desk = await openDevice(device(FIREFOX, "203.0.113.24"));
  await signIn(desk, PASSWORD, true);
  elapsed = -27 * HOUR;
  await edge.goto("/");
  elapsed = -5 * HOUR;
  await android.goto("/");
  elapsed = -2 * MINUTE;
  await iphone.goto("/");
  elapsed = 0;

  for (const [name, size] of Object.entries(WINDOWS)) {
    await desk.setViewportSize(size);
    await desk.goto("/");
    expect(await desk.locator(".devices li").count()).toBe(4);
    expect(await width(desk), name).toBe(size.width);
    if (process.env.SCREENSHOT) {
      const file = new URL(`../../docs/${name}.png`, import.meta.url);
      await writeFile(file, await desk.screenshot({ fullPage: true }));
    }
  }
});

function device(userAgent: string, address: string) {
  return {
    userAgent,
    extraHTTPHeaders: { "x-forwarded-for": address },
  };
}

/** How wide the document is: wider than its window where something sticks out. */
async function width(page: Page): Promise<number> {
  return page.locator("html").evaluate((html) => html.scrollWidth);
}
