/* How a framework sends a response: its cookies, its other headers, its head before its body. */
import { expect } from "vitest";
import { COOKIE, type Handler } from "../app.ts";
import type { Framework } from "./cases.ts";

const visit: Handler = ({ session }) => session.set({ theme: "dark" });

export function responses(framework: Framework): void {
  cookies(framework);
  headers(framework);
  sentHeads(framework);
}

function cookies({ describe, test, start }: Framework): void {
  describe("a response that sets the session cookie", () => {
    test("keeps the application's own cookies, set before and after", async () => {
      const app = await start();
      const browser = app.browser();
      const { setCookies } = await browser.send(async ({ session, setCookie }) => {
        setCookie("a", "1");
        setCookie("session_theme", "2");
        await session.set({ theme: "dark" });
        setCookie("b", "3");
        await session.signIn({ user_id: 1 }, { keep: ["theme"] });
      });
      const names = setCookies.map(({ name }) => name).sort();
      expect(names).toEqual(["a", "b", COOKIE, "session_theme"]);
      expect(await browser.data()).toEqual({ theme: "dark", user_id: 1 });
    });

    test("sets it once, however often it changes, and the last one counts", async () => {
      const app = await start();
      const browser = app.browser();
      const { setCookies } = await browser.send(async ({ session }) => {
        await session.set({ theme: "dark" });
        await session.signIn({ user_id: 1 }, { keep: ["theme"] });
        await session.rotate();
      });
      expect(setCookies.map(({ name }) => name)).toEqual([COOKIE]);
      expect(await browser.data()).toEqual({ theme: "dark", user_id: 1 });
    });

    test("takes the cookie of a form back, whose place the session has taken", async () => {
      const app = await start();
      const { setCookies } = await app.browser().send(async ({ session, setCookie }) => {
        session.createCSRFToken();
        setCookie("a", "1");
        await session.signIn({ user_id: 1 });
      });
      expect(setCookies.map(({ name }) => name).sort()).toEqual(["a", COOKIE]);
    });

    test("sets one of a domain, and expires its twin of this host alone", async () => {
      const app = await start({ cookie: { domain: "shop.example" } });
      const first = await app.visitor({ user_id: 1 });
      const second = await app.visitor({ user_id: 1 });
      const cookie = `${COOKIE}=${first.token}; ${COOKIE}=${second.token}`;
      const { setCookies } = await app
        .browser()
        .send(({ session }) => session.signIn({ user_id: 1 }), { headers: { cookie } });
      const seen = setCookies.map(({ value, attributes }) => [
        attributes.domain ?? "this host",
        value === "" ? "expired" : "set",
      ]);
      expect(seen.sort()).toEqual([
        ["shop.example", "set"],
        ["this host", "expired"],
      ]);
    });

    test("has neither a body nor less of a head where the request was HEAD", async () => {
      const app = await start();
      const browser = app.browser();
      const answer = await browser.send(visit, { method: "HEAD" });
      expect([answer.status, answer.text, answer.setCookies.length]).toEqual([200, "", 1]);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(await browser.data()).toEqual({ theme: "dark" });
    });

    test("sets none where nothing was asked of the session, and leaves the response alone", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { setCookies, headers } = await browser.send(({ setCookie }) => setCookie("a", "1"));
      expect(setCookies.map(({ name }) => name)).toEqual(["a"]);
      expect([headers["cache-control"], headers.vary]).toEqual([undefined, undefined]);
    });
  });
}

function headers({ describe, test, start }: Framework): void {
  describe("delete with Clear-Site-Data", () => {
    test("names what the browser is to throw away, where a session was ended", async () => {
      const clear: Handler = ({ session }) =>
        session.delete({ clearSiteData: ["cache", "storage"] });
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { value, headers, setCookies } = await browser.send(clear);
      expect([value, headers["clear-site-data"]]).toEqual([true, '"cache", "storage"']);
      expect(setCookies).toMatchObject([{ name: COOKIE, value: "" }]);
      expect((await browser.send(clear)).headers["clear-site-data"]).toBeUndefined();
    });
  });
}

function sentHeads({ describe, test, start }: Framework): void {
  describe("after the head of the response", () => {
    test("what would set a cookie is ERR_COOKIE, and nothing is made", async () => {
      const app = await start();
      const { text, setCookies } = await app.browser().send(async ({ session, sendHeaders }) => {
        await sendHeaders();
        const made = session.set({}).catch(({ code }) => code);
        const form = Promise.resolve().then(() => session.createCSRFToken());
        return [await made, await form.catch(({ code }) => code)];
      });
      expect([JSON.parse(text), setCookies]).toEqual([{ value: ["ERR_COOKIE", "ERR_COOKIE"] }, []]);
      expect(app.operations).toEqual([]);
    });

    test("a session that there is stays as it was", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { text } = await browser.send(async ({ session, sendHeaders }) => {
        await sendHeaders();
        return session.signIn({ user_id: 2 }).catch(({ code }) => code);
      });
      expect(JSON.parse(text)).toEqual({ value: "ERR_COOKIE" });
      expect(await browser.data()).toEqual({ user_id: 1 });
    });

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

    test("the cookie that was set before it has gone out with it", async () => {
      const app = await start();
      const browser = app.browser();
      const answer = await browser.send(async ({ session, sendHeaders }) => {
        await session.set({ theme: "dark" });
        await sendHeaders();
        await session.set({ cart: ["tea"] });
      });
      expect(answer.setCookies.map(({ name }) => name)).toEqual([COOKIE]);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(await browser.data()).toEqual({ theme: "dark", cart: ["tea"] });
    });

    test("a session is ended all the same, and Clear-Site-Data is not sent", async () => {
      const app = await start();
      const browser = await app.visitor({ user_id: 1 });
      const { text, headers } = await browser.send(async ({ session, sendHeaders }) => {
        await sendHeaders();
        return session.delete({ clearSiteData: ["cache"] });
      });
      expect([JSON.parse(text), headers["clear-site-data"]]).toEqual([{ value: true }, undefined]);
      expect(await browser.data()).toEqual({});
    });
  });
}
