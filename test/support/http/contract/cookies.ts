import { describe, expect, test } from "vitest";
import { COOKIE, type Handler } from "../app.ts";
import type { Start } from "./contract.ts";

const HTTPS = { "x-forwarded-proto": "https" };
const visit: Handler = ({ session }) => session.set({ theme: "dark" });
const DAY = 86_400;

/** What each verb that may have to send a cookie does where no cookie can be sent. */
const SENDING: Record<string, Handler> = {
  signIn: ({ session }) => session.signIn({ user_id: 2 }),
  set: ({ session }) => session.set({ user_id: 2 }),
  unset: ({ session }) => session.unset(["user_id"]),
  rotate: ({ session }) => session.rotate(),
  delete: ({ session }) => session.delete(),
};

export function cookies(start: Start): void {
  describe("the session cookie", () => {
    test("is HttpOnly, SameSite=Lax, has the path / and lasts to the absolute deadline", async () => {
      const app = await start();
      const { setCookies } = await app.browser().send(visit);
      expect(setCookies).toEqual([
        {
          name: COOKIE,
          value: expect.any(String),
          attributes: { httponly: "", samesite: "Lax", path: "/", "max-age": String(28 * DAY) },
        },
      ]);
    });

    test("is not Secure where secure is false", async () => {
      const app = await start({ trustProxy: true, cookie: { secure: false } });
      const { setCookies } = await app.browser().send(visit, { headers: HTTPS });
      expect(setCookies[0]?.attributes).not.toHaveProperty("secure");
    });

    test("lasts 400 days at most", async () => {
      for (const absoluteTimeout of ["500 days", null] as const) {
        const app = await start({ sessions: { absoluteTimeout } });
        const { setCookies } = await app.browser().send(visit);
        expect(setCookies[0]?.attributes["max-age"]).toBe(String(400 * DAY));
      }
    });

    test("ends with the browser where persistent is false", async () => {
      const app = await start({ cookie: { persistent: false } });
      const { setCookies } = await app.browser().send(visit);
      expect(setCookies[0]?.attributes).not.toHaveProperty("max-age");
      expect(setCookies[0]?.attributes).not.toHaveProperty("expires");
    });

    test("asks a function whether it is to last, at creation and at rotation", async () => {
      const app = await start({ cookie: { persistent: ({ data }) => data.user_id === 1 } });
      const browser = app.browser();
      const lasts = async (handler: Handler) =>
        "max-age" in ((await browser.send(handler)).setCookies[0]?.attributes ?? {});
      expect(await lasts(({ session }) => session.set({ theme: "dark" }))).toBe(false);
      expect(await lasts(({ session }) => session.set({ user_id: 1 }))).toBe(true);
      expect(await lasts(({ session }) => session.rotate())).toBe(true);
      expect(await lasts(({ session }) => session.rotate({ user_id: 2 }))).toBe(false);
    });

    test("keeps to the absolute deadline when the session is rotated later", async () => {
      const app = await start({ sessions: { absoluteTimeout: "100 seconds" } });
      const browser = await app.visitor();
      await app.under.elapse(1_100);
      const { setCookies } = await browser.send(({ session }) => session.rotate());
      const maxAge = Number(setCookies[0]?.attributes["max-age"]);
      expect(maxAge).toBeLessThanOrEqual(98);
      expect(maxAge).toBeGreaterThan(60);
    });

    test("takes its name, domain, path and SameSite from the options", async () => {
      const app = await start({
        cookie: { name: "sid", domain: "example.com", path: "/shop", sameSite: "strict" },
      });
      const { setCookies } = await app.browser().send(visit);
      expect(setCookies[0]).toMatchObject({
        name: "sid",
        attributes: { domain: "example.com", path: "/shop", samesite: "Strict" },
      });
      const browser = app.browser();
      browser.jar.set("sid", setCookies[0]?.value ?? "");
      expect(await browser.data()).toEqual({ theme: "dark" });
      const cleared = await browser.send(({ session }) => session.delete());
      expect(cleared.setCookies[0]).toMatchObject({
        name: "sid",
        value: "",
        attributes: { domain: "example.com", path: "/shop", "max-age": "0" },
      });
    });

    test("may be for this host alone, and partitioned", async () => {
      const app = await start({
        trustProxy: true,
        cookie: { partitioned: true, secure: true, sameSite: "none" },
      });
      const browser = app.browser();
      const { setCookies } = await browser.send(visit, { headers: HTTPS });
      expect(setCookies[0]).toMatchObject({
        name: "__Host-session",
        attributes: { secure: "", partitioned: "", samesite: "None", path: "/" },
      });
      expect(setCookies[0]?.attributes).not.toHaveProperty("domain");
      expect(await browser.data()).toEqual({ theme: "dark" });
      browser.jar.set(COOKIE, setCookies[0]?.value ?? "");
      browser.jar.set("__Host-session", "");
      expect(await browser.data(), "the name without the prefix is another one").toEqual({});
    });

    test("is sent at creation, rotation and deletion, and not for reading or changing", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const sends = async (handler: Handler) => (await browser.send(handler)).setCookies.length;
      expect(await sends(({ session }) => session.get())).toBe(0);
      expect(await sends(({ session }) => session.load())).toBe(0);
      expect(await sends(({ session }) => session.set({ theme: "dark" }))).toBe(0);
      expect(await sends(({ session }) => session.unset(["theme"]))).toBe(0);
      expect(await sends(({ session }) => session.touch())).toBe(0);
      expect(await sends(({ session }) => session.rotate())).toBe(1);
      expect(await sends(({ session }) => session.signIn({ user_id: 2 }))).toBe(1);
      expect(await sends(({ session }) => session.set({ user_id: 3 }))).toBe(1);
      expect(await sends(({ session }) => session.unset(["user_id"]))).toBe(1);
      expect(await sends(({ session }) => session.delete())).toBe(1);
    });

    test("is cleared with the attributes that it was set with", async () => {
      const app = await start();
      const browser = await app.visitor();
      const { setCookies, headers } = await browser.send(({ session }) => session.delete());
      expect(setCookies).toEqual([
        {
          name: COOKIE,
          value: "",
          attributes: { httponly: "", samesite: "Lax", path: "/", "max-age": "0" },
        },
      ]);
      expect(headers["cache-control"]).toBe("no-store");
      expect(browser.token).toBeUndefined();
    });

    test("is sent once where it changes several times in one request: the last one", async () => {
      const app = await start();
      const browser = app.browser();
      const { setCookies } = await browser.send(async ({ session }) => {
        await session.set({ theme: "dark" });
        await session.signIn({ user_id: 1 }, { keep: ["theme"] });
        await session.rotate();
      });
      expect(setCookies).toHaveLength(1);
      expect(await browser.data()).toEqual({ theme: "dark", user_id: 1 });
    });
  });

  describe("where no cookie can be sent", () => {
    test("a Secure cookie on an insecure connection is ERR_COOKIE, and nothing is made", async () => {
      for (const cookie of [{ secure: true }, { secure: true, prefix: false }]) {
        const app = await start({ cookie });
        const answer = await app.browser().send(visit);
        expect(answer.error).toMatchObject({ code: "ERR_COOKIE", status: 500 });
        expect([answer.status, answer.setCookies, app.operations]).toEqual([500, [], []]);
      }
    });

    test("headers that were sent are ERR_COOKIE, and nothing is made", async () => {
      const app = await start();
      const { text, setCookies } = await app.browser().send(async ({ session, sendHeaders }) => {
        await sendHeaders();
        return session.set({}).catch(({ code }) => code);
      });
      expect([JSON.parse(text), setCookies]).toEqual([{ value: "ERR_COOKIE" }, []]);
      expect(app.operations).toEqual([]);
    });

    for (const [verb, handler] of Object.entries(SENDING)) {
      test(`${verb} is ERR_COOKIE and leaves the session as it was`, async () => {
        const app = await start({ trustProxy: true, cookie: { secure: true } });
        const browser = app.browser();
        await browser.send(({ session }) => session.set({ user_id: 1 }), { headers: HTTPS });
        const operations = await app.recordOperations(async () => {
          const answer = await browser.send(handler);
          expect(answer.error).toMatchObject({ code: "ERR_COOKIE" });
          if (verb === "delete") return; // after the headers it ends the session all the same
          const late = await browser.send(
            async (context) => {
              await context.sendHeaders();
              return Promise.resolve(handler(context)).catch(({ code }) => code);
            },
            { headers: HTTPS },
          );
          expect(JSON.parse(late.text)).toEqual({ value: "ERR_COOKIE" });
        });
        expect(operations).toEqual([]);
        expect(await browser.data()).toEqual({ user_id: 1 });
      });
    }

    test("what needs no cookie works all the same", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { text } = await browser.send(async ({ session, sendHeaders }) => {
        await sendHeaders();
        await session.set({ theme: "dark", team_ids: [7] });
        await session.unset(["team_ids"]);
        return session.get();
      });
      expect(JSON.parse(text)).toEqual({ value: { user_id: 1, theme: "dark" } });
    });
  });
}
