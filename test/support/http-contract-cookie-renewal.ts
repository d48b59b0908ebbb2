import { describe, expect, test } from "vitest";
import type { AppOptions, Handler } from "./http-app.ts";
import type { Start } from "./http-contract.ts";

const DAY = 86_400_000;
const get: Handler = ({ session }) => session.get();

export function cookieRenewal(start: Start): void {
  const lasting = (options: AppOptions = {}) =>
    start({ sessions: { idleTimeout: "390 days", absoluteTimeout: undefined }, ...options });

  describe("the cookie of a session without an absolute deadline", () => {
    test("is sent again in the second half of 400 days, for another 400", async () => {
      const app = await lasting();
      const browser = await app.visitor({ theme: "dark" });
      const { token } = browser;
      await app.under.elapse(199 * DAY);
      expect((await browser.send(get)).setCookies).toEqual([]);
      await app.under.elapse(2 * DAY);
      const answer = await browser.send(get);
      expect(answer.value).toEqual({ theme: "dark" });
      expect(answer.setCookies[0]).toMatchObject({
        value: token,
        attributes: { "max-age": String(400 * 86_400) },
      });
      expect(answer.setCookies).toHaveLength(1);
      expect(answer.headers["cache-control"]).toBe("no-store");
    });

    test("is not sent with each read, but when the idle deadline moves", async () => {
      const app = await lasting();
      const browser = await app.visitor();
      await app.under.elapse(201 * DAY);
      expect((await browser.send(get)).setCookies).toHaveLength(1);
      expect((await browser.send(get)).setCookies).toEqual([]);
      await app.under.elapse(61_000);
      expect((await browser.send(({ session }) => session.load())).setCookies).toHaveLength(1);
    });

    test("is not sent again to the browser session, through an old token, or too late", async () => {
      const app = await lasting({ cookie: { persistent: ({ data }) => data.user_id === 1 } });
      const passing = await app.visitor({ theme: "dark" });
      const browser = await app.visitor({ user_id: 1 });
      await app.under.elapse(201 * DAY);
      expect((await passing.send(get)).setCookies).toEqual([]);
      const old = app.browser(browser.token);
      await browser.send(({ session }) => session.rotate({}, { grace: "1 hour" }));
      await app.under.elapse(120_000);
      expect((await old.send(get)).setCookies).toEqual([]);
      await app.under.elapse(120_000);
      const late = await browser.send(async ({ session, sendHeaders }) => {
        sendHeaders();
        return session.get();
      });
      expect(JSON.parse(late.text)).toEqual({ value: { user_id: 1 } });
    });
  });

  test("the cookie of a session with an absolute deadline is never sent again", async () => {
    const app = await start({
      sessions: { idleTimeout: "390 days", absoluteTimeout: "1000 days" },
    });
    const browser = await app.visitor();
    for (const days of [150, 150, 150]) {
      await app.under.elapse(days * DAY);
      expect((await browser.send(get)).setCookies).toEqual([]);
    }
  });
}
