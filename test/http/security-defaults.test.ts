/*
 * What docs/security.md says that holds where a program has said nothing else, and what it says that an
 * application can do in one call: the rows that no other test shows.
 */
import { createSessions } from "session-sets";
import { memoryStore } from "session-sets/memory";
import { nodeSessions } from "session-sets/node";
import { createSessionCookie } from "session-sets/testing";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { parseCookieOptions } from "../../src/http/carriers/cookie-options.ts";
import { type AppOptions, type Data, TestApp } from "../support/http/app.ts";
import { nodeAdapter } from "../support/http/apps/node.ts";
import { openMemory } from "../support/stores/stores.ts";

const DAY = 86_400_000;
const MINUTE = 60_000;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Sessions of a program that has said who the user is, and nothing more. */
function open() {
  let now = Date.now();
  const sessions = createSessions({
    data: {} as Data,
    references: ["user_id"],
    store: memoryStore({ now: () => now }),
  });
  const elapse = (ms: number) => {
    now += ms;
  };
  return { sessions, elapse };
}

async function start(options: AppOptions = {}): Promise<TestApp> {
  const under = openMemory();
  const app = await TestApp.start(nodeAdapter, "", under, options);
  onTestFinished(() => app.close());
  return app;
}

describe("deadlines", () => {
  test("a session that is not used ends after 7 days", async () => {
    const { sessions, elapse } = open();
    const { token } = await sessions.signIn(null, { user_id: 1 });
    elapse(7 * DAY);
    expect(await sessions.get(token, { touch: false })).not.toBeNull();
    elapse(1);
    expect(await sessions.get(token)).toBeNull();
    expect(await sessions.by("user_id", 1).size()).toBe(0);
  });

  test("a session that is used every day ends after 30 days", async () => {
    const { sessions, elapse } = open();
    const { token } = await sessions.signIn(null, { user_id: 1 });
    for (let day = 0; day < 30; day++) {
      elapse(DAY);
      expect(await sessions.get(token), `day ${day + 1}`).not.toBeNull();
    }
    elapse(1);
    expect(await sessions.get(token)).toBeNull();
  });

  test("a session of nobody and one that is renewed have the same deadlines", async () => {
    const { sessions, elapse } = open();
    const visitor = await sessions.create({ theme: "dark" });
    elapse(5 * DAY);
    const renewed = await sessions.rotate(visitor.token);
    elapse(7 * DAY);
    const again = await sessions.rotate(renewed?.token);
    expect(again?.session?.absoluteDeadline).toEqual(visitor.session.absoluteDeadline);
    elapse(7 * DAY + 1);
    expect(await sessions.get(again?.token)).toBeNull();
  });

  test("a sign-in may have the deadlines that a provider of identities names", async () => {
    const { sessions, elapse } = open();
    const { token } = await sessions.signIn(
      null,
      { user_id: 1 },
      { idleTimeout: "15 minutes", absoluteTimeout: "1 hour" },
    );
    for (let i = 0; i < 4; i++) {
      elapse(15 * MINUTE);
      expect(await sessions.get(token)).not.toBeNull();
    }
    elapse(1);
    expect(await sessions.get(token)).toBeNull();
  });

  test("a session says when its user has signed in, so that a route can ask for the password again", async () => {
    const { sessions, elapse } = open();
    const first = await sessions.signIn(null, { user_id: 1 });
    elapse(20 * MINUTE);
    const renewed = await sessions.rotate(first.token);
    expect(renewed?.session?.createdAt).toEqual(first.session.createdAt); // no sign-in
    const again = await sessions.signIn(renewed?.token, { user_id: 1 });
    expect(again.session.createdAt.getTime()).toBe(first.session.createdAt.getTime() + 20 * MINUTE);
  });
});

describe("the sessions of an account", () => {
  test("are counted and listed, so that an application can end those over its limit", async () => {
    const { sessions, elapse } = open();
    const tokens: string[] = [];
    for (let i = 0; i < 4; i++) {
      tokens.push((await sessions.signIn(null, { user_id: 1 })).token);
      elapse(MINUTE);
    }
    const mine = sessions.by("user_id", 1);
    const limit = 3;
    expect(await mine.size()).toBe(4);
    for (const { lineage } of (await mine.list()).slice(limit)) await mine.delete(lineage);
    expect(await mine.size()).toBe(limit);
    expect(await sessions.get(tokens[0])).toBeNull(); // that which was used last the longest ago
    expect(await sessions.get(tokens[3])).not.toBeNull();
  });

  test("are ended by one call that needs no request of the user's, under whatever token they are", async () => {
    const { sessions } = open();
    const tokens: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { token } = await sessions.signIn(null, { user_id: 1 });
      tokens.push(token, (await sessions.rotate(token))?.token ?? "");
    }
    const other = await sessions.signIn(null, { user_id: 2 });
    expect(await sessions.by("user_id", 1).clear()).toBe(3);
    for (const token of tokens) expect(await sessions.get(token)).toBeNull();
    expect(await sessions.get(other.token)).not.toBeNull();
  });

  test("and those of all accounts are ended by an administrator", async () => {
    const sessions = createSessions({
      data: {} as { user_id?: number; realm?: string },
      references: ["user_id", { realm: { identity: false } }],
      store: memoryStore(),
    });
    for (const user_id of [1, 1, 2, 3]) await sessions.signIn(null, { user_id, realm: "staff" });
    expect(await sessions.by("user_id", 1).clear()).toBe(2);
    expect(await sessions.by("realm", "staff").clear()).toBe(2);
    expect(await sessions.by("user_id", 3).size()).toBe(0);
  });
});

describe("the cookie", () => {
  const visit = () => nodeSessions(open().sessions);

  test("is called __Host-session where the connection is secure, and is Secure, HttpOnly and Lax", async () => {
    const app = await start({ trustProxy: true });
    const { setCookies } = await app
      .browser()
      .send(({ session }) => session.signIn({ user_id: 1 }), {
        headers: { "x-forwarded-proto": "https" },
      });
    expect(setCookies).toEqual([
      {
        name: "__Host-session",
        value: expect.stringMatching(/^[\w-]{34}$/),
        attributes: expect.objectContaining({
          secure: "",
          httponly: "",
          samesite: "Lax",
          path: "/",
        }),
      },
    ]);
    expect(setCookies[0]?.attributes).not.toHaveProperty("domain");
    expect(await createSessionCookie(visit())).toMatch(/^__Host-session=[\w-]{34}$/);
  });

  test("is under 4096 bytes, whatever the options and the session are", async () => {
    const sessions = createSessions({ maxBytes: 100_000 });
    const longest = "x".repeat(128);
    const web = nodeSessions(sessions, {
      keys: ["k".repeat(1000)],
      cookie: { name: longest, path: "/x" },
    });
    const cookie = await createSessionCookie(web, { text: "x".repeat(90_000) });
    expect(cookie).toMatch(/^__Secure-x{128}=[\w-]{34}\.[\w-]{43}$/);
    expect(Buffer.byteLength(cookie)).toBeLessThan(4096);
    expect(() => parseCookieOptions({ name: `${longest}x` })).toThrowError(/over 128 characters/);
  });

  test("of a page of another site brings no session, by no method that may change something", async () => {
    const app = await start();
    const browser = app.browser();
    await browser.send(({ session }) => session.signIn({ user_id: 1 }));
    const done: string[] = [];
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const { status } = await browser.send(
        async ({ session }) => {
          if (Object(await session.get()).user_id === 1) done.push(method);
        },
        { method, headers: { "sec-fetch-site": "cross-site", origin: "https://evil.example" } },
      );
      expect(status).toBe(403);
    }
    expect(done).toEqual([]);
  });
});

test("looking at a page makes no session, sends no cookie and asks the store nothing", async () => {
  const app = await start();
  const operations = await app.recordOperations(async () => {
    for (const call of ["get", "load", "touch", "delete"] as const) {
      const answer = await app.browser().send(({ session }) => session[call]());
      expect(answer.setCookies).toEqual([]);
    }
  });
  expect(operations).toEqual([]);
});

test("a page made from a session is for its user's browser alone, and one with a token for no cache", async () => {
  const app = await start();
  const browser = app.browser();
  const signedIn = await browser.send(({ session }) => session.signIn({ user_id: 1 }));
  expect(signedIn.headers["cache-control"]).toBe("no-store");
  const page = await browser.send(({ session }) => session.load());
  expect(page.headers["cache-control"]).toBe("private");
  const sensitive = await browser.send(async ({ session, setHeader }) => {
    setHeader("Cache-Control", "no-store");
    return session.load();
  });
  expect(sensitive.headers["cache-control"]).toBe("no-store");
});
