import { describe, expect, test } from "vitest";
import type { Handler, TestApp } from "../app.ts";
import type { Start } from "./contract.ts";

/** A browser whose session was rotated four times, and one that still has the first token. */
async function longAgo(app: TestApp, values = {}) {
  const browser = await app.visitor(values);
  const old = app.browser(browser.token);
  for (let i = 0; i < 4; i++) {
    await browser.send(({ session }) => session.rotate({}, { grace: "1 hour" }));
  }
  return { browser, old };
}

/** Changes that make a session where there is none. */
const MAKING: Record<string, Handler> = {
  set: ({ session }) => session.set({ theme: "light" }),
  "set after a look": async ({ session }) => {
    await session.get();
    await session.set({ theme: "light" });
  },
  "set of another user": ({ session }) => session.set({ user_id: 2 }),
};

/** Everything else that is asked of a session. */
const ASKING: Record<string, readonly [Handler, unknown]> = {
  get: [({ session }) => session.get(), {}],
  load: [({ session }) => session.load(), null],
  peers: [({ session }) => session.peers("user_id"), null],
  unset: [({ session }) => session.unset(["theme"]), false],
  touch: [({ session }) => session.touch(), false],
  rotate: [({ session }) => session.rotate({ theme: "light" }), null],
  "rotate to another user": [({ session }) => session.rotate({ user_id: 2 }), null],
};

export function oldTokens(start: Start): void {
  describe("a token of more than three rotations ago, within its grace time", () => {
    for (const [verb, handler] of Object.entries(MAKING)) {
      test(`makes no session: ${verb} is ERR_SESSION_GONE, and sends no cookie`, async () => {
        const app = await start();
        const { browser, old } = await longAgo(app, { user_id: 1, theme: "dark" });
        const { token } = old;
        const answer = await old.send(handler);
        expect(answer.error).toMatchObject({ code: "ERR_SESSION_GONE" });
        expect([answer.status, answer.setCookies]).toEqual([409, []]);
        expect(old.token).toBe(token);
        expect(await browser.data()).toEqual({ user_id: 1, theme: "dark" });
        expect(await app.sessions.by("user_id", 2).size()).toBe(0);
      });
    }

    test("reads as no session, and changes none", async () => {
      const app = await start();
      const { browser, old } = await longAgo(app, { user_id: 1, theme: "dark" });
      for (const [verb, [handler, nothing]] of Object.entries(ASKING)) {
        const answer = await old.send(handler);
        expect([answer.status, answer.value, answer.setCookies], verb).toEqual([200, nothing, []]);
      }
      expect(await browser.data()).toEqual({ user_id: 1, theme: "dark" });
    });
  });
}
