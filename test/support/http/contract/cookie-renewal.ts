import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Answer, AppOptions, Handler } from "../app.ts";
import type { Start } from "./contract.ts";

const DAY = 86_400_000;
const get: Handler = ({ session }) => session.get();

/** Every verb that uses a session and gives it no other token. */
const USES: Record<string, Handler> = {
  get,
  "get of some fields": ({ session }) => session.get(["theme"]),
  load: ({ session }) => session.load(),
  peers: async ({ session }) => (await session.peers("user_id"))?.size(),
  set: ({ session }) => session.set({ theme: "light" }),
  unset: ({ session }) => session.unset(["theme"]),
  touch: ({ session }) => session.touch(),
};

/** Fails unless an answer sends this token for another 400 days, and nothing else. */
function expectRenewed({ status, headers, setCookies }: Answer, token: string | undefined): void {
  expect(status).toBe(200);
  const attributes = { httponly: "", samesite: "Lax", path: "/", "max-age": String(400 * 86_400) };
  expect(setCookies).toEqual([{ name: "session", value: token, attributes }]);
  expect(headers["cache-control"]).toBe("no-store");
}

/** "used", or the code of an error: a response whose headers are sent could not tell of it. */
function outcome(use: unknown): Promise<string> {
  return Promise.resolve(use).then(
    () => "used",
    ({ code }) => code,
  );
}

export function cookieRenewal(start: Start): void {
  const lasting = (options: AppOptions = {}) =>
    start({ sessions: { idleTimeout: "390 days", absoluteTimeout: null }, ...options });

  describe("the cookie of a session without an absolute deadline", () => {
    const same: Handler = ({ session }) => session.set({ user_id: 1 });
    for (const [verb, use] of Object.entries({ ...USES, "set of the same user": same })) {
      test(`is sent again in the second half of 400 days, for another 400: ${verb}`, async () => {
        const app = await lasting();
        const browser = await app.visitor({ user_id: 1, theme: "dark" });
        const { token } = browser;
        await app.under.elapse(199 * DAY);
        expect((await browser.send(use)).setCookies).toEqual([]);
        await app.under.elapse(2 * DAY);
        expectRenewed(await browser.send(use), token);
        expect(await browser.data()).toMatchObject({ user_id: 1 });
        await app.under.elapse(380 * DAY);
        expectRenewed(await browser.send(use), token);
      });
    }

    test("is sent once by a request that uses the session several times", async () => {
      const app = await lasting();
      const browser = await app.visitor({ user_id: 1 });
      await app.under.elapse(201 * DAY);
      const answer = await browser.send(async (context) => {
        for (const use of Object.values(USES)) await use(context);
      });
      expectRenewed(answer, browser.token);
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

    test("is not sent again where there is no session any more", async () => {
      const app = await lasting();
      for (const use of Object.values(USES).filter((each) => each !== USES.set)) {
        const browser = await app.visitor({ theme: "dark" });
        await app.under.elapse(201 * DAY);
        await app.sessions.delete(browser.token);
        expect((await browser.send(use)).setCookies).toEqual([]);
      }
    });

    test("is not sent again through an old token", async () => {
      const app = await lasting();
      const browser = await app.visitor({ user_id: 1, theme: "dark" });
      await app.under.elapse(201 * DAY);
      const { token } = browser;
      await browser.send(({ session }) => session.rotate({}, { grace: "1 hour" }));
      for (const use of Object.values(USES)) {
        await app.under.elapse(120_000);
        const answer = await app.browser(token).send(use);
        expect([answer.status, answer.setCookies]).toEqual([200, []]);
      }
      await app.under.elapse(120_000);
      expectRenewed(await browser.send(get), browser.token);
    });

    test("is not sent again after the headers, and the session is used all the same", async () => {
      const app = await lasting();
      const browser = await app.visitor({ user_id: 1, theme: "dark" });
      await app.under.elapse(201 * DAY);
      for (const use of Object.values(USES)) {
        await app.under.elapse(120_000);
        const late = await browser.send(async (context) => {
          await context.sendHeaders();
          return outcome(use(context));
        });
        expect(JSON.parse(late.text)).toEqual({ value: "used" });
        expect(late.setCookies).toEqual([]);
      }
    });

    test("is not sent again where the headers are sent while the session is being read", async () => {
      const app = await lasting();
      const browser = await app.visitor({ theme: "dark" });
      await app.under.elapse(201 * DAY);
      const { store } = app.under;
      const find = store.find.bind(store);
      const spy = vi.spyOn(store, "find");
      onTestFinished(() => spy.mockRestore());
      const late = await browser.send(({ session, sendHeaders }) => {
        spy.mockImplementation(async (...asked) => {
          if (spy.mock.calls.length === 2) await sendHeaders(); // it reads what is to last as long
          return find(...asked);
        });
        return outcome(session.get(["theme"]));
      });
      expect(JSON.parse(late.text)).toEqual({ value: "used" });
      expect(spy).toHaveBeenCalledTimes(2);
    });

    test("is not sent again where it ends with the browser", async () => {
      const app = await lasting({ cookie: { persistent: ({ data }) => data.user_id === 1 } });
      const passing = await app.visitor({ user_id: 2, theme: "dark" });
      const staying = await app.visitor({ user_id: 1, theme: "dark" });
      await app.under.elapse(201 * DAY);
      for (const use of Object.values(USES)) {
        await app.under.elapse(120_000);
        const answer = await passing.send(use);
        expect([answer.status, answer.setCookies]).toEqual([200, []]);
        expectRenewed(await staying.send(use), staying.token);
      }
    });

    test("stays as it is where the function fails that says whether it is to last", async () => {
      const failure = new Error("no such user");
      let fails = false;
      const persistent = () => {
        if (fails) throw failure;
        return true;
      };
      const app = await lasting({ cookie: { persistent } });
      const browser = await app.visitor({ theme: "dark" });
      await app.under.elapse(201 * DAY);
      fails = true;
      const answer = await browser.send(get);
      expect([answer.error, answer.setCookies]).toEqual([failure, []]);
      fails = false;
      await app.under.elapse(120_000);
      expectRenewed(await browser.send(get), browser.token);
    });
  });

  test("the cookie of a session with an absolute deadline is never sent again", async () => {
    const app = await start({
      sessions: { idleTimeout: "390 days", absoluteTimeout: "2000 days" },
    });
    const browser = await app.visitor({ user_id: 1, theme: "dark" });
    for (const use of Object.values(USES)) {
      await app.under.elapse(150 * DAY);
      const answer = await browser.send(use);
      expect([answer.status, answer.setCookies]).toEqual([200, []]);
    }
  });
}
