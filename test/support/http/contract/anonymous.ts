import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { COOKIE, type Handler } from "../app.ts";
import type { Start } from "./contract.ts";

const RANDOM = randomBytes(24).toString("base64url");

/** A token of the first shard that nobody has given out. */
export const UNKNOWN = `AA${RANDOM}`;

const READING: Record<string, Handler> = {
  nothing: () => undefined,
  get: ({ session }) => session.get(),
  "get of some fields": ({ session }) => session.get(["user_id"]),
  load: ({ session }) => session.load(),
  id: ({ session }) => session.id,
  key: ({ session }) => session.key,
  peers: ({ session }) => session.peers("user_id"),
  "peers of a value": ({ session }) => session.peers("user_id", 1),
  touch: ({ session }) => session.touch(),
  unset: ({ session }) => session.unset(["theme"]),
  rotate: ({ session }) => session.rotate({ theme: "dark" }),
  delete: ({ session }) => session.delete(),
  verifyCSRFToken: ({ session }) => session.verifyCSRFToken("x.y"),
};

const MALFORMED: Record<string, string> = {
  "an empty value": "",
  "an array's look": `${COOKIE}[]=${UNKNOWN}; ${COOKIE}[0]=${UNKNOWN}`,
  "two values in one": `${UNKNOWN},${UNKNOWN}`,
  "10 kB": "A".repeat(10_000),
  "characters of another alphabet": `AA${"+/=.".repeat(8)}`,
  "characters outside of ASCII": `AA${"%C3%A9".repeat(32)}`,
  "an escape that is none": `AA%E0%A4%A${RANDOM}`.slice(0, 34),
  "a character too few": UNKNOWN.slice(0, -1),
  "a character too many": `${UNKNOWN}A`,
  "a shard that does not exist": `__${RANDOM}`,
  "the name of a property": "__proto__",
  quotes: `"${UNKNOWN}"x`,
  "several malformed values": `x; ${COOKIE}=${UNKNOWN}A; ${COOKIE}=`,
};

export function anonymous(start: Start): void {
  describe("a request without a session", () => {
    for (const [verb, handler] of Object.entries(READING)) {
      test(`writes nothing, asks the store nothing and sets no cookie: ${verb}`, async () => {
        const app = await start();
        const answer = await app.browser().send(handler);
        expect(answer.status).toBe(200);
        expect(answer.setCookies).toEqual([]);
        expect(answer.headers["cache-control"]).toBeUndefined();
        expect(app.operations).toEqual([]);
      });
    }

    test("reads as {} and null, and every change of nothing is false or null", async () => {
      const app = await start();
      const { value } = await app.browser().send(async ({ session }) => ({
        get: await session.get(),
        some: await session.get(["user_id", "theme"]),
        load: await session.load(),
        id: session.id,
        key: session.key,
        peers: await session.peers("user_id"),
        touch: await session.touch(),
        unset: await session.unset(["theme"]),
        rotate: await session.rotate(),
        rotateToUser: await session.rotate({ user_id: 1 }),
        delete: await session.delete(),
      }));
      expect(value).toEqual({
        get: {},
        some: {},
        load: null,
        id: null,
        key: null,
        peers: null,
        touch: false,
        unset: false,
        rotate: null,
        rotateToUser: null,
        delete: false,
      });
    });

    test("gets one with set, which sends its token once, uncached", async () => {
      const app = await start();
      const browser = app.browser();
      const answer = await browser.send(({ session }) => session.set({ theme: "dark" }));
      expect(answer.setCookies).toHaveLength(1);
      expect(answer.setCookies[0]?.value).toMatch(/^[A-Za-z0-9_-]{34}$/);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(app.operations).toEqual(["create"]);
      const next = await browser.send(({ session }) => session.get());
      expect(next.value).toEqual({ theme: "dark" });
      expect(next.setCookies).toEqual([]);
      expect(next.headers["cache-control"]).toBe("private");
    });

    test("gets one session of two sets made in parallel", async () => {
      const app = await start();
      const browser = app.browser();
      await browser.send(({ session }) =>
        Promise.all([session.set({ user_id: 1, theme: "dark" }), session.set({ cart: ["tea"] })]),
      );
      expect(app.operations).toEqual(["create", "change"]);
      expect(await browser.data()).toEqual({ user_id: 1, theme: "dark", cart: ["tea"] });
      expect(await app.sessions.by("user_id", 1).ids()).toEqual([await browser.id()]);
    });
  });

  describe("a malformed cookie", () => {
    for (const [kind, value] of Object.entries(MALFORMED)) {
      test(`is no session and costs no round trip: ${kind}`, async () => {
        const app = await start();
        const browser = app.browser(value);
        const handlers = Object.values(READING);
        for (const handler of handlers) {
          const answer = await browser.send(handler);
          expect([answer.status, answer.setCookies]).toEqual([200, []]);
        }
        expect(await browser.data()).toEqual({});
        expect(app.operations).toEqual([]);
        const answer = await browser.send(({ session }) => session.set({ theme: "dark" }));
        expect(answer.setCookies.map(({ name }) => name)).toEqual([COOKIE]);
        expect(app.operations).toEqual(["create"]);
      });
    }

    test("beside a good one of another name does no harm", async () => {
      const app = await start();
      const browser = await app.visitor({ theme: "dark" });
      browser.jar.set(`${COOKIE}s`, "%");
      browser.jar.set("__proto__", "x");
      browser.jar.set("", "=;=");
      expect(await browser.data()).toEqual({ theme: "dark" });
    });
  });

  describe("an unknown token", () => {
    test("is no session, takes one look, and is not answered with a cookie", async () => {
      const app = await start();
      for (const handler of Object.values(READING)) {
        const operations = await app.recordOperations(async () => {
          const answer = await app.browser(UNKNOWN).send(handler);
          expect([answer.status, answer.setCookies]).toEqual([200, []]);
        });
        expect(operations.length).toBeLessThanOrEqual(1);
      }
      expect(await app.browser(UNKNOWN).data()).toEqual({});
    });

    test("is never adopted: set makes a session with a fresh token", async () => {
      const app = await start();
      const browser = app.browser(UNKNOWN);
      const answer = await browser.send(async ({ session }) => {
        const before = await session.get();
        await session.set({ user_id: 1 });
        return before;
      });
      expect(answer.value).toEqual({});
      expect(answer.setCookies).toHaveLength(1);
      expect(browser.token).not.toBe(UNKNOWN);
      expect(await browser.data()).toEqual({ user_id: 1 });
      expect(await app.sessions.get(UNKNOWN)).toBeNull();
      expect(await app.browser(UNKNOWN).data()).toEqual({});
    });

    test("of a session that has ended is unknown", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { token } = browser;
      await app.sessions.by("user_id", 1).clear();
      const answer = await browser.send(({ session }) => session.get());
      expect([answer.value, answer.setCookies]).toEqual([{}, []]);
      await browser.send(({ session }) => session.set({ theme: "dark" }));
      expect(browser.token).not.toBe(token);
      expect(await browser.data()).toEqual({ theme: "dark" });
    });
  });
}
