/* The corner of the demo's pages shows what is in the store of the user's own sessions, and nothing else. */
import { Redis } from "ioredis";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openMemory } from "../../demo/store/memory.ts";
import type { ShownStore } from "../../demo/store/reading.ts";
import { openRedis } from "../../demo/store/redis.ts";
import { IPHONE } from "../support/http/user-agents.ts";
import { type RedisServer, startRedis } from "../support/redis/server.ts";
import {
  changePassword,
  type Demo,
  heading,
  listedDevices,
  openDevice,
  openLive,
  PASSWORD,
  sessionCookie,
  signIn,
  signInByRequests,
  signUp,
  startDemo,
} from "./devices.ts";

let demo: Demo;
let store: ShownStore;
let redis: RedisServer;
let client: Redis;

beforeAll(async () => {
  redis = await startRedis();
  client = new Redis(redis.url);
});

afterAll(async () => {
  client?.disconnect();
  await redis?.stop();
});

afterEach(() => demo.close());

const STORES = {
  memory: async () => openMemory(),
  Redis: async () => {
    await client.flushall();
    // One test waits until it is over.
    return openRedis(client, { prefix: "demo", timeout: "5 seconds" });
  },
};

describe.each(Object.entries(STORES))("in %s", (name, openStore) => {
  beforeEach(async () => {
    store = await openStore();
    demo = await startDemo({ store });
  });

  test("it shows each session of the user as it begins and ends", async () => {
    const desk = await openLive();
    expect(await shownSessions(desk)).toEqual(["Firefox on Linux, this window"]);
    const phone = await openLive({ userAgent: IPHONE });
    const both = ["Safari on iPhone", "Firefox on Linux, this window"];
    await expect.poll(() => shownSessions(desk), { timeout: 60_000 }).toEqual(both);
    const listed = await demo.sessions.by("user_id", await findUserId()).list();
    const ids = listed.map(({ id }) => id).sort();
    expect(idsIn(await shownKeys(desk))).toEqual(ids);

    await desk.getByRole("button", { name: "Sign out Safari on iPhone" }).click();
    const gone = corner(desk).locator("details.gone");
    expect(await gone.locator("summary").textContent()).toMatch(/Safari on iPhone.*deleted$/s);
    await phone.waitForURL("**/sign-in?ended=one");
    // The mark stays for some seconds.
    await gone.waitFor({ state: "detached" });
    expect(await shownSessions(desk)).toEqual(["Firefox on Linux, this window"]);
    expect(idsIn(await shownKeys(desk))).toEqual([await ownId(desk)]);
    expect(await corner(phone).textContent()).toContain("Nothing about you.");
    expect(await corner(phone).locator("details").count()).toBe(0);
  });

  test("no token is in a page, an answer or the stream of what changes", async () => {
    const tokens = new Set<string>();
    const keepTokens = async (page: Page) => {
      for (const { value } of await page.context().cookies()) tokens.add(value);
    };
    const [desk, phone] = [await openLive(), await openLive({ userAgent: IPHONE })];
    for (const page of [desk, phone]) await keepTokens(page);
    await expect.poll(() => shownSessions(desk), { timeout: 60_000 }).toHaveLength(2);
    await changePassword(desk, PASSWORD, "battery staple");
    await expect.poll(() => shownSessions(desk), { timeout: 60_000 }).toHaveLength(1);
    await phone.waitForURL("**/sign-in?ended=password");
    await keepTokens(desk);
    expect(tokens.size).toBe(3);
    const all = [await desk.content(), await phone.content(), ...demo.answers].join("\n");
    expect(all).toContain("event: changed");
    expect(all).toContain(await ownId(desk));
    for (const token of tokens) expect(all).not.toContain(token);
  });

  test("it shows nothing of another user", async () => {
    const desk = await openLive();
    const phone = await openDevice({ userAgent: IPHONE });
    await signUp(phone, "grace", "long enough");
    const own = await demo.sessions.get((await sessionCookie(phone))?.value);
    const foreign = await demo.sessions.get((await sessionCookie(desk))?.value);
    const lately = await readEvents(desk);
    expect(lately).toContain(foreign?.id);
    await phone.goto("/");
    for (const [text, other] of [
      [lately, own],
      [await desk.content(), own],
      [await phone.content(), foreign],
      [await readEvents(phone), foreign],
    ] as const) {
      expect(text).not.toContain(other?.id);
      expect(text).not.toContain(other?.data.user_id);
      expect(text).not.toContain(other?.data.device);
    }
    // Not even if a page asks what is left of the other's session.
    const read = await store.read(foreign?.data.user_id ?? "", [own?.id ?? ""]);
    expect(read.map(({ key }) => key)).toContain(store.store.sessionKey(foreign?.id ?? ""));
    expect(JSON.stringify(read)).not.toContain(own?.id);
  });

  test("an open page does not count as use", async () => {
    const desk = await openLive();
    const seen = async () => (await demo.sessions.by("user_id", await findUserId()).list()).at(-1);
    const before = await seen();
    await signInByRequests(await openDevice());
    await expect.poll(() => shownSessions(desk), { timeout: 60_000 }).toHaveLength(2);
    expect((await seen())?.lineage).toBe(before?.lineage);
    expect((await seen())?.lastSeenAt).toEqual(before?.lastSeenAt);
  });

  test("it says what it is, and where things stand", async () => {
    const desk = await openDevice();
    await signIn(desk);
    const aside = desk.getByRole("complementary", { name: `In ${name}, right now` });
    const text = await aside.textContent();
    expect(text).toContain(name === "Redis" ? "A session is a hash" : "an object in a Map");
    expect(text).toContain("user_id");
    expect(text).toContain("a reference: it puts the session into the set");
    expect(text).toMatch(/last seen just now/);
    expect(text).toMatch(/may be idle for 30 minutes/);
    expect(text).toMatch(/ends, however busy it is in 12 hours/);
    expect(text).toContain("No token is among it");
  });
});

describe("with Redis", () => {
  beforeEach(async () => {
    demo = await startDemo({ store: await STORES.Redis() });
  });

  /** All that is in Redis, each value as the corner writes it. */
  async function readRedis(): Promise<Record<string, string[]>> {
    const keys = (await client.keys("*")).sort();
    const entries = keys.map(async (key) => {
      const type = await client.type(key);
      if (type === "string") return [key, [(await client.get(key)) ?? ""]];
      if (type === "hash")
        return [
          key,
          Object.entries(await client.hgetall(key))
            .flat()
            .sort(),
        ];
      return [key, (await client.zrange(key, 0, "-1", "WITHSCORES")).flat().map(String).sort()];
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  /** The same as the corner shows it. */
  async function readCorner(page: Page): Promise<Record<string, string[]>> {
    const shown = await corner(page)
      .locator("details")
      .evaluateAll((all) =>
        all.map((one) => {
          const texts = (selector: string) =>
            Array.from(
              one.querySelectorAll(selector),
              (found) => (found as { textContent: string | null }).textContent ?? "",
            );
          const scores = texts("small").flatMap((text) => /^score (\S+):/.exec(text)?.[1] ?? []);
          const [key = ""] = texts("summary code");
          return [key, [...texts("table code"), ...scores].sort()] as const;
        }),
      );
    return Object.fromEntries([...shown].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  test("it shows all keys, fields and scores that one user's sessions have, and no others", async () => {
    const desk = await openLive();
    const phone = await openLive({ userAgent: IPHONE });
    await expect.poll(() => readCorner(desk), { timeout: 60_000 }).toEqual(await readRedis());
    await phone.getByRole("button", { name: "Sign out", exact: true }).click();
    expect(await heading(phone)).toBe("Sign in");
    const isShown = async () => expect(await readCorner(desk)).toEqual(await readRedis());
    // What the phone's own request has ended leaves a tombstone for a while.
    const tombstone = corner(desk).locator("details.ended:not(.gone)");
    await tombstone.waitFor();
    await expect.poll(() => isShown().then(() => true, String), { timeout: 60_000 }).toBe(true);
    expect(await tombstone.textContent()).toContain("tombstone d");

    await changePassword(desk, PASSWORD, "battery staple");
    await expect.poll(() => isShown().then(() => true, String), { timeout: 60_000 }).toBe(true);
    expect(await corner(desk).locator("details.pointer").count()).toBe(1);
    expect(await corner(desk).locator("details.cleared").count()).toBe(1);
  });

  test("it shows what was written by hand as text", async () => {
    const desk = await openDevice();
    await signIn(desk);
    const [key = ""] = await client.keys("{demo:0}:s:*");
    await client.hset(key, { note: "<img src=x>", "<b>": "&amp;" });
    await desk.goto("/");
    expect(await corner(desk).textContent()).toContain("<img src=x>");
    expect(await corner(desk).locator("img, b").count()).toBe(0);
    expect(await readCorner(desk)).toEqual(await readRedis());
  });

  test("while Redis is down it says so, and goes on by itself when Redis is back", async () => {
    const desk = await openLive();
    redis.pause();
    try {
      await corner(desk).getByText("The store can't be read right now.").waitFor();
      expect(await desk.locator(".devices li").count()).toBe(1);
    } finally {
      redis.resume();
    }
    await expect.poll(() => shownSessions(desk), { timeout: 60_000 }).toHaveLength(1);
    expect(await listedDevices(desk)).toEqual(["Firefox on Linux This device"]);
  });

  test("so does a page that is about to listen when Redis goes down", async () => {
    const listen = demo.sessions.onEnd.bind(demo.sessions);
    vi.spyOn(demo.sessions, "onEnd").mockImplementationOnce((...session) => {
      redis.pause();
      return listen(...session);
    });
    const desk = await openLive();
    try {
      await corner(desk).getByText("The store can't be read right now.").waitFor();
    } finally {
      redis.resume();
    }
    await expect.poll(() => shownSessions(desk), { timeout: 60_000 }).toHaveLength(1);
    await demo.sessions.by("user_id", await findUserId()).clear();
    await desk.waitForURL("**/sign-in?ended=*");
  });

  test("and a page whose first request for the stream finds Redis down", async () => {
    const desk = await openDevice({ javaScriptEnabled: true });
    await desk.route(
      "**/events",
      (route) => {
        redis.pause();
        return route.continue();
      },
      { times: 1 },
    );
    const refused = desk.waitForResponse((response) => response.url().endsWith("/events"));
    try {
      await signIn(desk);
      expect((await refused).status()).toBe(503);
    } finally {
      redis.resume();
    }
    await signInByRequests(await openDevice());
    await expect.poll(() => shownSessions(desk), { timeout: 60_000 }).toHaveLength(2);
  });
});

function corner(page: Page) {
  return page.getByRole("complementary");
}

/** The names of the live sessions that the corner shows. */
async function shownSessions(page: Page): Promise<string[]> {
  return corner(page).locator("details.session:not(.gone) summary strong").allTextContents();
}

async function shownKeys(page: Page): Promise<string[]> {
  return corner(page).locator("details.session:not(.gone) summary code").allTextContents();
}

function idOf(keys: readonly string[]): string {
  return /s:(.+)$/.exec(keys[0] ?? "")?.[1] ?? "no key";
}

function idsIn(keys: readonly string[]): string[] {
  return keys.map((key) => idOf([key])).sort();
}

async function ownId(page: Page): Promise<string | undefined> {
  return (await demo.sessions.get((await sessionCookie(page))?.value))?.id;
}

async function findUserId(): Promise<string> {
  return (await demo.users.authenticate("ada", PASSWORD))?.id ?? "";
}

/** The first event that a page of this device would be sent. */
async function readEvents(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const leave = new AbortController();
  const url = new URL("/events", page.url());
  const response = await fetch(url, { headers: { cookie }, signal: leave.signal });
  expect(response.status).toBe(200);
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    if (/event: changed\n.*\n\n/.test(text)) break;
  }
  leave.abort();
  return text;
}
