/* Tokens by a bearer header, as a framework shows it, beside those by a cookie. */
import { expect } from "vitest";
import { COOKIE, type Handler } from "../app.ts";
import type { Framework } from "./cases.ts";

const get: Handler = ({ session }) => session.get();
const bearer = (token: unknown) => ({ authorization: `Bearer ${token}` });
const TOKEN = expect.stringMatching(/^[A-Za-z0-9_-]{34}$/);

export function carriers({ describe, test, start }: Framework): void {
  describe("a bearer token", () => {
    test("leads to its session, which is read, renewed and ended, and no cookie is sent", async () => {
      const app = await start({ carriers: ["bearer"] });
      const { token } = await app.sessions.create({ user_id: 1, theme: "dark" });
      const read = await app.browser().send(get, { headers: bearer(token) });
      expect([read.value, read.setCookies]).toEqual([{ user_id: 1, theme: "dark" }, []]);
      expect([read.headers["cache-control"], read.headers.vary]).toEqual([
        "private",
        "authorization",
      ]);
      const rotated = await app
        .browser()
        .send(({ session }) => session.rotate({ theme: "light" }), { headers: bearer(token) });
      expect(rotated).toMatchObject({ value: { token: TOKEN }, setCookies: [] });
      expect(rotated.headers["cache-control"]).toBe("no-store");
      const headers = bearer(Object(rotated.value).token);
      const ended = await app.browser().send(({ session }) => session.delete(), { headers });
      expect([ended.value, ended.setCookies]).toEqual([true, []]);
      expect((await app.browser().send(get, { headers })).value).toEqual({});
    });

    test("is given by a sign-in that is asked to, and no cookie is sent", async () => {
      const app = await start();
      const answer = await app
        .browser()
        .send(({ session }) => session.signIn({ user_id: 1 }, { carrier: "bearer" }));
      expect(answer).toMatchObject({ status: 200, value: { token: TOKEN }, setCookies: [] });
      expect(answer.headers["cache-control"]).toBe("no-store");
    });

    test("counts only where it is a carrier, and a cookie likewise", async () => {
      const app = await start();
      const { token } = await app.sessions.create({ theme: "dark" });
      expect((await app.browser().send(get, { headers: bearer(token) })).value).toEqual({});
      const beside = await start({ carriers: ["bearer"] }, app);
      expect(await beside.browser(token).data()).toEqual({});
    });

    test("may come in a header of its own, of any name", async () => {
      for (const header of ["X-Session-Token", "constructor"]) {
        const app = await start({ carriers: [{ header }, "cookie"] });
        const { token } = await app.sessions.create({ theme: "dark" });
        const headers = { [header.toLowerCase()]: token };
        expect((await app.browser().send(get, { headers })).value).toEqual({ theme: "dark" });
        const none = await app.browser().send(get);
        expect([none.status, none.value]).toEqual([200, {}]);
        const browser = await app.visitor({ theme: "light" });
        expect(browser.jar.get(COOKIE)).toMatch(/./);
        expect(await browser.data()).toEqual({ theme: "light" });
      }
    });

    test("is renewed also after the head of the response, for it takes no cookie", async () => {
      const app = await start({ carriers: ["bearer"] });
      const { token } = await app.sessions.create({ user_id: 1 });
      const { text } = await app.browser().send(
        async ({ session, sendHeaders }) => {
          await sendHeaders();
          return [typeof (await session.rotate())?.token, await session.delete()];
        },
        { headers: bearer(token) },
      );
      expect(JSON.parse(text)).toEqual({ value: ["string", true] });
    });
  });
}
