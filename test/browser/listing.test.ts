/* The demo's list of devices describes each. */
import { afterAll, expect, test } from "vitest";
import { openMemory } from "../../demo/store/memory.ts";
import { IPHONE } from "../support/http/user-agents.ts";
import { type Demo, describedDevices, openDevice, PASSWORD, signIn, startDemo } from "./devices.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let demo: Demo;

afterAll(async () => {
  await demo?.close();
});

test("each device is listed with its address, and when it was first and last seen", async () => {
  let elapsed = -3 * DAY;
  demo = await startDemo({ store: openMemory({ now: () => Date.now() + elapsed }) });
  demo.app.proxy = true; // so that each device has an address of its own
  const from = (address: string) => ({ extraHTTPHeaders: { "x-forwarded-for": address } });
  const phone = await openDevice({ userAgent: IPHONE, ...from("198.51.100.7") });
  await signIn(phone, PASSWORD, true);
  elapsed = -5 * HOUR;
  await phone.goto("/");
  const desk = await openDevice(from("2001:db8::7334"));
  await signIn(desk, PASSWORD, true);
  elapsed = 0;
  expect(await describedDevices(desk)).toEqual([
    {
      name: "Firefox on Linux This device",
      Address: "2001:db8::7334",
      "First seen": "5 hours ago",
      "Last seen": "just now",
    },
    {
      name: "Safari on iPhone",
      Address: "198.51.100.7",
      "First seen": "3 days ago",
      "Last seen": "5 hours ago",
    },
  ]);
  const times = await desk
    .locator(".devices time")
    .evaluateAll((all) =>
      all.map((time) => Date.now() - Date.parse(time.getAttribute("datetime") ?? "")),
    );
  const hours = times.map((time) => Math.round(time / HOUR));
  expect(hours).toEqual([5, 0, 72, 5]);
});
