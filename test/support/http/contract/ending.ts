import { describe, expect, test } from "vitest";
import type { Handler } from "../app.ts";
import type { Start } from "./contract.ts";

/** How a request may see its session alive. */
const SEEING: Record<string, Handler> = {
  get: ({ session }) => session.get(),
  load: ({ session }) => session.load(),
  set: ({ session }) => session.set({ theme: "dark" }),
  unset: ({ session }) => session.unset(["theme"]),
  touch: ({ session }) => session.touch(),
  rotate: ({ session }) => session.rotate(),
  peers: ({ session }) => session.peers("user_id"),
};

export function ending(start: Start): void {
  describe("a session that another request ends", () => {
    for (const [verb, handler] of Object.entries(SEEING)) {
      test(`is not made again by a request that has seen it with ${verb}`, async () => {
        const app = await start();
        const browser = await app.visitor({ user_id: 1 });
        const answer = await browser.send(async (context) => {
          await handler(context);
          await app.sessions.by("user_id", 1).clear();
          await context.session.set({ cart: ["tea"] });
        });
        expect(answer.error).toMatchObject({ code: "ERR_SESSION_GONE", status: 409 });
        expect(answer.status).toBe(409);
        expect(await app.sessions.by("user_id", 1).size()).toBe(0);
        expect(await browser.data()).toEqual({});
      });
    }

    test("is replaced by a request that has not seen it", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const answer = await browser.send(async ({ session }) => {
        await app.sessions.by("user_id", 1).clear();
        await session.set({ cart: ["tea"] });
        return session.get();
      });
      expect(answer.value).toEqual({ cart: ["tea"] });
      expect(answer.setCookies).toHaveLength(1);
    });

    test("is nothing to read, touch, unset, rotate or delete", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const answer = await browser.send(async ({ session }) => {
        await session.get();
        await app.sessions.delete(browser.token);
        return [
          await session.get(),
          await session.load(),
          await session.touch(),
          await session.unset(["theme"]),
          await session.rotate(),
          await session.delete(),
          await session.peers("user_id"),
        ];
      });
      expect(answer.value).toEqual([{}, null, false, false, null, false, null]);
      expect(answer.setCookies).toEqual([]);
    });

    test("is replaced by a request that has seen it, but wanted to end it", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const answer = await browser.send(async ({ session }) => {
        await session.get();
        await app.sessions.delete(browser.token);
        const deleted = await session.delete();
        await session.set({ cart: ["tea"] });
        return deleted;
      });
      expect([answer.value, answer.setCookies.length]).toEqual([false, 1]);
      expect(await browser.data()).toEqual({ cart: ["tea"] });
    });
  });

  describe("a session that the request itself ends", () => {
    test("is gone, and its cookie with it", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { token } = browser;
      const answer = await browser.send(async ({ session }) => [
        await session.get(),
        await session.delete(),
        await session.delete(),
        await session.get(),
        session.id,
        session.key,
      ]);
      expect(answer.value).toEqual([{ user_id: 1 }, true, false, {}, null, null]);
      expect(browser.token).toBeUndefined();
      expect(await app.browser(token).data()).toEqual({});
      expect(await app.sessions.by("user_id", 1).size()).toBe(0);
    });

    test("is not replaced by a parallel request that has its old token", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const other = app.browser(browser.token);
      await browser.send(({ session }) => session.delete());
      const answer = await other.send(({ session }) => session.set({ theme: "dark" }));
      expect(answer.error).toMatchObject({ code: "ERR_SESSION_GONE" });
      const again = await other.send(async ({ session }) => {
        const deleted = await session.delete();
        await session.set({ user_id: 2 }); // it ends the old session first
        return deleted;
      });
      expect([answer.setCookies.length, again.value, again.setCookies.length]).toEqual([
        0,
        false,
        1,
      ]);
      expect(await other.data()).toEqual({ user_id: 2 });
    });

    test("is gone, and its cookie with it, through an old token, too", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const old = app.browser(browser.token);
      await browser.send(({ session }) => session.rotate());
      const answer = await old.send(({ session }) => session.delete());
      expect([answer.value, answer.setCookies.length]).toEqual([true, 1]);
      expect(await browser.data()).toEqual({});
    });

    test("is followed by a new one where set comes after delete", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1, theme: "dark" });
      const { token } = browser;
      const answer = await browser.send(async ({ session }) => {
        await session.get();
        await session.delete();
        await session.set({ cart: ["tea"] });
      });
      expect(answer.status).toBe(200);
      expect(answer.setCookies).toHaveLength(1);
      expect(browser.token).not.toBe(token);
      expect(await browser.data()).toEqual({ cart: ["tea"] });
      expect(await app.browser(token).data()).toEqual({});
    });
  });
}
