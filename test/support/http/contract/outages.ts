import { SessionError } from "session-sets";
import { describe, expect, test } from "vitest";
import type { Start } from "./contract.ts";
import { NEEDING_NOTHING, NEEDING_THE_STORE } from "./failures.ts";

const down = () =>
  new SessionError("ERR_STORE_UNAVAILABLE", "The store does not answer", {
    operation: "find a session",
  });

export function outages(start: Start): void {
  describe("while the store is down", () => {
    for (const [verb, handler] of Object.entries(NEEDING_THE_STORE)) {
      test(`${verb} is answered with 503, and the browser keeps its cookie`, async () => {
        const app = await start();
        const browser = await app.visitor({ user_id: 1, theme: "dark" });
        const { token } = browser;
        app.outage = down();
        const answer = await browser.send(handler);
        expect([answer.status, answer.setCookies]).toEqual([503, []]);
        expect(answer.error).toBe(app.outage);
        expect(browser.token).toBe(token);
        app.outage = undefined;
        expect(await browser.data()).toEqual({ user_id: 1, theme: "dark" });
      });
    }

    test("a first visit gets no cookie, and what needs no session is answered", async () => {
      const app = await start();
      app.outage = down();
      const first = await app.browser().send(({ session }) => session.set({ theme: "dark" }));
      expect([first.status, first.setCookies]).toEqual([503, []]);
      expect((await app.browser().send(NEEDING_NOTHING)).status).toBe(200);
      expect((await app.browser().send(({ session }) => session.get())).value).toEqual({});
    });
  });
}
