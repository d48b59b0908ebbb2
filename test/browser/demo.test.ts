import { Redis } from "ioredis";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MAX_DEVICES } from "../../demo/context.ts";
import { openMemory } from "../../demo/store/memory.ts";
import type { ShownStore } from "../../demo/store/reading.ts";
import { openRedis } from "../../demo/store/redis.ts";
import { ANDROID, EDGE, IPHONE } from "../support/http/user-agents.ts";
import { type RedisServer, startRedis } from "../support/redis/server.ts";
import {
  changePassword,
  type Demo,
  describedDevices,
  heading,
  headingAtNextRequest,
  listedDevices,
  message,
  openDevice,
  PASSWORD,
  sessionCookie,
  signIn,
  signInAgain,
  signInByRequests,
  signUp,
  startDemo,
} from "./devices.ts";

let redis: RedisServer;
let client: Redis;

beforeAll(async () => {
  redis = await startRedis();
  client = new Redis(redis.url);
  client.on("error", () => {}); // one test takes the server away
});

afterAll(async () => {
  client?.disconnect();
  await redis?.stop();
});

let demo: Demo;

async function start(store: ShownStore): Promise<void> {
  demo = await startDemo({ store });
}

afterEach(async () => {
  await demo.close();
});

describe.each([
  ["memory", async () => openMemory()],
  [
    "Redis",
    async () => {
      await client.flushall();
      return openRedis(client, { prefix: "demo", timeout: "20 seconds" });
    },
  ],
] as const)("the demo, its sessions in %s", (_, openStore) => {
  beforeEach(async () => start(await openStore()));

  test("lists two devices, and one ends the other", async () => {
    const desk = await openDevice();
    const phone = await openDevice({ userAgent: IPHONE });
    await signIn(desk);
    await signIn(phone);

    const seen = { Address: "127.0.0.1", "First seen": "just now", "Last seen": "just now" };
    expect(await describedDevices(desk)).toEqual([
      { name: "Firefox on Linux This device", ...seen },
      { name: "Safari on iPhone", ...seen },
    ]);
    expect(await listedDevices(phone)).toEqual([
      "Safari on iPhone This device",
      "Firefox on Linux",
    ]);

    await desk.getByRole("button", { name: "Sign out Safari on iPhone" }).click();
    expect(await message(desk)).toBe("The device is signed out.");
    expect(await listedDevices(desk)).toEqual(["Firefox on Linux This device"]);
    expect(await headingAtNextRequest(phone)).toBe("Sign in");
  });

  test("a changed password signs every other device out and keeps this one", async () => {
    const desk = await openDevice();
    const phone = await openDevice({ userAgent: IPHONE });
    await signInByRequests(desk);
    await signInByRequests(phone);
    const before = await sessionCookie(desk);

    await changePassword(desk, PASSWORD, "battery staple");
    expect(await heading(desk)).toBe("Your devices");
    expect(await message(desk)).toContain("Your password is changed");
    expect(await listedDevices(desk)).toEqual(["Firefox on Linux This device"]);
    expect(await headingAtNextRequest(phone)).toBe("Sign in");

    const after = await sessionCookie(desk);
    expect(after?.value).not.toBe(before?.value);
    const copy = await openDevice();
    if (before) await copy.context().addCookies([before]);
    expect(await headingAtNextRequest(copy)).toBe("Sign in");

    await signIn(phone, PASSWORD);
    expect(await message(phone)).toBe("The name or the password is wrong.");
    await signInAgain(phone, "battery staple");
  });

  test("a wrong current password changes nothing", async () => {
    const desk = await openDevice();
    const phone = await openDevice({ userAgent: IPHONE });
    await signInByRequests(desk);
    await signInByRequests(phone);
    await changePassword(desk, "a guess", "battery staple");
    expect(await message(desk)).toBe("The current password is wrong.");
    expect(await headingAtNextRequest(phone)).toBe("Your devices");
  });

  test("one button ends all other devices, another ends every one", async () => {
    const [desk, phone, tablet] = await Promise.all([
      openDevice(),
      openDevice({ userAgent: IPHONE }),
      openDevice({ userAgent: ANDROID }),
    ]);
    for (const device of [desk, phone, tablet]) await signInByRequests(device);

    await desk.goto("/");
    await desk.getByRole("button", { name: "Sign out all others" }).click();
    expect(await message(desk)).toBe("2 other devices are signed out.");
    expect(await headingAtNextRequest(phone)).toBe("Sign in");
    expect(await headingAtNextRequest(tablet)).toBe("Sign in");

    await signInAgain(phone);
    await phone.getByRole("button", { name: "Sign out everywhere" }).click();
    expect(await heading(phone)).toBe("Sign in");
    expect(await sessionCookie(phone)).toBeUndefined();
    expect(await headingAtNextRequest(desk)).toBe("Sign in");
  });

  test("a login that the end of all sessions overtakes is refused, and says so", async () => {
    const desk = await openDevice();
    const authenticate = demo.users.authenticate.bind(demo.users);
    demo.users.authenticate = async (name, password) => {
      const user = await authenticate(name, password);
      await demo.sessions.by("user_id", user?.id ?? "").clear(); // someone resets the password
      return user;
    };
    await signIn(desk);
    expect(await message(desk)).toMatch(/signed out elsewhere a moment ago\. Sign in again\.$/);
    expect(await desk.getByLabel("Name").inputValue()).toBe("ada");
    expect(await sessionCookie(desk)).toBeUndefined();

    demo.users.authenticate = authenticate;
    await signInAgain(desk);
  });

  test("a device more than allowed signs the oldest out", async () => {
    const agents = [IPHONE, ANDROID, undefined, EDGE, undefined];
    const devices: Page[] = [];
    for (const userAgent of agents) {
      devices.push(await openDevice(userAgent ? { userAgent } : {}));
      await signInByRequests(devices.at(-1) as Page);
    }
    const [oldest, ...others] = devices as [Page, ...Page[]];
    expect(await listedDevices(oldest)).toHaveLength(MAX_DEVICES);
    await expect(oldest.getByText(`At most ${MAX_DEVICES} devices`).count()).resolves.toBe(1);
    await signInByRequests(await openDevice());
    expect(await headingAtNextRequest(oldest)).toBe("Sign in");
    for (const device of others) expect(await headingAtNextRequest(device)).toBe("Your devices");
  });

  test("one button keeps only the newest devices, wherever it is pressed", async () => {
    const devices: Page[] = [];
    for (const userAgent of [IPHONE, ANDROID, EDGE]) {
      devices.push(await openDevice({ userAgent }));
      await signInByRequests(devices.at(-1) as Page);
    }
    const [iphone, android, edge] = devices as [Page, Page, Page];
    await edge.goto("/");
    const button = (page: Page) => page.getByRole("button", { name: "Keep only the 2 newest" });
    await button(edge).click();
    expect(await message(edge)).toBe("One older device is signed out.");
    expect(await headingAtNextRequest(iphone)).toBe("Sign in");
    expect(await listedDevices(android)).toHaveLength(2);
    expect(await button(android).count()).toBe(0);

    await signIn(iphone);
    await android.goto("/");
    await button(android).click(); // it is the oldest now
    expect(await heading(android)).toBe("Sign in");
    expect(await listedDevices(iphone)).toHaveLength(2);
  });

  test("remembering gives a persistent cookie, and signing in without it one for the browser session", async () => {
    const desk = await openDevice();
    await signIn(desk, PASSWORD, true);
    const kept = await sessionCookie(desk);
    const days = ((kept?.expires ?? 0) - Date.now() / 1000) / 86_400;
    expect(days).toBeGreaterThan(89.9);
    expect(days).toBeLessThan(90.1);
    expect(kept).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });

    await changePassword(desk, PASSWORD, "battery staple");
    expect((await sessionCookie(desk))?.expires, "after a rotation").toBeGreaterThan(0);

    await desk.getByRole("button", { name: "Sign out", exact: true }).click();
    expect(await sessionCookie(desk)).toBeUndefined();
    await signInAgain(desk, "battery staple");
    expect((await sessionCookie(desk))?.expires).toBe(-1);
  });

  test("a new user signs up, sees only devices of their own, and a taken name is refused", async () => {
    const desk = await openDevice();
    const phone = await openDevice({ userAgent: IPHONE });
    await signInByRequests(desk);
    await signUp(phone, "grace", "short");
    expect(await message(phone)).toContain("at least 8 characters");
    await signUp(phone, "Ada", "long enough");
    expect(await message(phone)).toBe("This name is taken.");
    await signUp(phone, "<b>grace</b>", "long enough");
    expect(await phone.getByLabel("Name").inputValue()).toBe("<b>grace</b>");
    await signUp(phone, "grace", "long enough");
    expect(await listedDevices(phone)).toEqual(["Safari on iPhone This device"]);
    expect(await listedDevices(desk)).toEqual(["Firefox on Linux This device"]);
  });

  test("another user's device in the form ends nothing", async () => {
    const desk = await openDevice();
    const phone = await openDevice({ userAgent: IPHONE });
    await signInByRequests(desk);
    await signUp(phone, "grace", "long enough");
    const { id, lineage } = await findSession(desk);
    for (const name of [id, lineage]) {
      const form = { csrf: await readCSRFToken(phone), lineage: name };
      expect(await post(phone, "/devices/end", form)).toBe(200);
    }
    expect(await headingAtNextRequest(desk)).toBe("Your devices");
  });

  test("a page ends the device that it shows, also where that has a new token since", async () => {
    const desk = await openDevice();
    const phone = await openDevice({ userAgent: IPHONE });
    await signInByRequests(desk);
    await signInByRequests(phone);
    await desk.goto("/");
    const old = await sessionCookie(phone);
    const rotated = await demo.sessions.rotate(old?.value, {}, { grace: 0 });
    if (old) await phone.context().addCookies([{ ...old, value: rotated?.token ?? "" }]);
    expect(await headingAtNextRequest(phone)).toBe("Your devices");

    await desk.getByRole("button", { name: "Sign out Safari on iPhone" }).click();
    expect(await message(desk)).toBe("The device is signed out.");
    expect(await headingAtNextRequest(phone)).toBe("Sign in");
  });

  test("a device that ends itself is signed out, and told so on the next page", async () => {
    const desk = await openDevice();
    const phone = await openDevice({ userAgent: IPHONE });
    await signInByRequests(desk);
    await signInByRequests(phone);
    const { lineage } = await findSession(desk);
    await desk.goto("/");
    const form = { csrf: await readCSRFToken(desk), lineage };
    const headers = { accept: "text/html" };
    const answer = await desk.context().request.post("/devices/end", { form, headers });
    expect(await answer.text()).toMatch(/role="status">The device is signed out\..*<h1>Sign in</s);
    expect(await sessionCookie(desk)).toBeUndefined();
    expect(await listedDevices(phone)).toEqual(["Safari on iPhone This device"]);
    expect(await headingAtNextRequest(desk)).toBe("Sign in");
    await signInByRequests(desk);
    expect(await listedDevices(desk)).toEqual(["Firefox on Linux This device", "Safari on iPhone"]);
  });

  test("signing in as another user takes nothing of the one before along", async () => {
    const desk = await openDevice();
    await signUp(desk, "grace", "long enough");
    const before = await sessionCookie(desk);
    const { data } = await findSession(desk);
    // The form of another tab: its token is of the session that this one replaces.
    const form = { csrf: await readCSRFToken(desk), name: "ada", password: PASSWORD };
    expect(await post(desk, "/sign-in", form)).toBe(200);
    expect(await listedDevices(desk)).toEqual(["Firefox on Linux This device"]);
    expect(await demo.sessions.get(before?.value)).toBeNull();
    expect(await demo.sessions.by("user_id", data.user_id ?? "").size()).toBe(0);
  });

  test("a forged form is refused and changes nothing", async () => {
    const desk = await openDevice();
    await signInByRequests(desk);
    const csrf = await readCSRFToken(desk);
    expect(await post(desk, "/devices/end-all", {})).toBe(403);
    expect(await post(desk, "/devices/end-all", { csrf: `${csrf}x` })).toBe(403);
    const elsewhere = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    expect(await post(desk, "/devices/end-all", { csrf }, elsewhere)).toBe(403);
    expect(await headingAtNextRequest(desk)).toBe("Your devices");

    const visitor = await openDevice();
    const form = { name: "ada", password: PASSWORD };
    expect(await post(visitor, "/sign-in", form), "the sign-in form too").toBe(403);
    expect(await post(visitor, "/sign-in", { ...form, csrf }), "another's token").toBe(403);
  });
});

test("a visitor who does not sign in gets no session", async () => {
  await client.flushall();
  await start(openRedis(client, { prefix: "demo", timeout: "20 seconds" }));
  const desk = await openDevice();
  await desk.goto("/sign-up");
  await signIn(desk, "a guess");
  expect(await sessionCookie(desk)).toBeUndefined();
  expect(await client.dbsize()).toBe(0);
});

test("while Redis is down every page says so, and nobody is signed out", async () => {
  await client.flushall();
  await start(openRedis(client, { prefix: "demo", timeout: "5 seconds" }));
  const desk = await openDevice();
  await signInByRequests(desk);
  const before = await sessionCookie(desk);

  redis.pause();
  try {
    expect((await desk.goto("/"))?.status()).toBe(503);
    expect(await heading(desk)).toBe("Back in a moment");
    expect(await sessionCookie(desk)).toEqual(before);
  } finally {
    redis.resume();
  }
  await expect.poll(() => headingAtNextRequest(desk), { timeout: 60_000 }).toBe("Your devices");
});

test("a remembered device stays signed in for weeks, another for half an hour", async () => {
  let now = Date.now();
  await start(openMemory({ now: () => now }));
  const desk = await openDevice();
  const phone = await openDevice({ userAgent: IPHONE });
  await signIn(desk);
  await signIn(phone, PASSWORD, true);
  now += 31 * 60_000;
  expect(await headingAtNextRequest(desk)).toBe("Sign in");
  now += 29 * 86_400_000;
  expect(await listedDevices(phone)).toEqual(["Safari on iPhone This device"]);
});

test("a page that is not there says so", async () => {
  await start(openMemory());
  const desk = await openDevice();
  expect((await desk.goto("/nowhere"))?.status()).toBe(404);
  expect(await heading(desk)).toBe("Nothing here");
});

test("every page has the security headers, and its style is applied under them", async () => {
  await start(openMemory());
  const desk = await openDevice();
  const problems: string[] = [];
  desk.on("console", (message) => problems.push(message.text()));
  const response = await desk.goto("/sign-in");
  expect(response?.headers()).toMatchObject({
    "content-security-policy": expect.stringContaining("default-src 'none'"),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  });
  const box = await desk.getByRole("button").boundingBox();
  expect(box?.width, "as wide as its card").toBeGreaterThan(300);
  expect(problems).toEqual([]);
});

/** The session of a device, as the server has it. */
async function findSession(page: Page) {
  const session = await demo.sessions.get((await sessionCookie(page))?.value);
  if (!session) throw new Error("this device is not signed in");
  return session;
}

/** The CSRF token of the forms on the page. */
async function readCSRFToken(page: Page): Promise<string> {
  if (page.url() === "about:blank") await page.goto("/");
  return page.locator("input[name=csrf]").first().inputValue();
}

/** Sends a form with the cookies of a device, and gives the status after redirects. */
async function post(
  page: Page,
  path: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<number> {
  const response = await page.context().request.post(path, { form, headers });
  return response.status();
}
