import { describe, expect, test } from "vitest";
import type { Browser, Handler, TestApp } from "../app.ts";
import type { Start } from "./contract.ts";

const FOREIGN = ["same-site", "cross-site"];
const CHANGING = ["POST", "PUT", "PATCH", "DELETE"];

const CALLS: Record<string, Handler> = {
  get: ({ session }) => session.get(),
  load: ({ session }) => session.load(),
  set: ({ session }) => session.set({ theme: "dark" }),
  unset: ({ session }) => session.unset(["theme"]),
  touch: ({ session }) => session.touch(),
  signIn: ({ session }) => session.signIn({ user_id: 2 }),
  rotate: ({ session }) => session.rotate(),
  delete: ({ session }) => session.delete(),
  peers: ({ session }) => session.peers("user_id"),
  signOutEverywhere: ({ session }) => session.signOutEverywhere("user_id"),
  createCSRFToken: ({ session }) => session.createCSRFToken(),
  verifyCSRFToken: ({ session }) => session.verifyCSRFToken("x"),
};

/** What a page of another origin gets of a session, where no guard stands before the routes. */
export function foreignPages(start: Start): void {
  async function user(app: TestApp): Promise<Browser> {
    const browser = app.browser();
    await browser.send(({ session }) => session.signIn({ user_id: 1 }));
    return browser;
  }

  describe("a page of another origin", () => {
    for (const [name, call] of Object.entries(CALLS)) {
      test(`gets nothing of the session whose cookie comes along: ${name}`, async () => {
        const app = await start();
        const browser = await user(app);
        const operations = await app.recordOperations(async () => {
          for (const site of FOREIGN) {
            const headers = { "sec-fetch-site": site };
            const answer = await browser.send(call, { method: "POST", headers });
            expect([answer.status, answer.error]).toMatchObject([403, { code: "ERR_CSRF" }]);
            expect(answer.setCookies).toEqual([]);
          }
        });
        expect(operations).toEqual([]);
        expect(await browser.data()).toEqual({ user_id: 1 });
      });
    }

    test("is refused by every method that may change something, and as a handshake", async () => {
      const app = await start();
      const browser = await user(app);
      const get: Handler = ({ session }) => session.get();
      for (const method of CHANGING) {
        const foreign = { method, headers: { "sec-fetch-site": "same-site" } };
        expect((await browser.send(get, foreign)).status, method).toBe(403);
      }
      const handshake = { upgrade: "websocket", "sec-fetch-site": "cross-site" };
      expect((await browser.send(get, { headers: handshake })).status).toBe(403);
    });

    test("leads to the session by a link, and so do its own pages and programs", async () => {
      const app = await start();
      const browser = await user(app);
      const get: Handler = ({ session }) => session.get();
      const alike = { "sec-fetch-site": "cross-site" };
      for (const [method, headers] of [
        ["GET", alike],
        ["POST", { "sec-fetch-site": "same-origin" }],
        ["POST", { "sec-fetch-site": "none" }],
        ["POST", {}],
      ] as const) {
        const { value } = await browser.send(get, { method, headers });
        expect(value, `${method} ${JSON.stringify(headers)}`).toEqual({ user_id: 1 });
      }
    });

    test("may post without a cookie, as a provider of sign-ins does", async () => {
      const app = await start();
      const browser = app.browser();
      const headers = { "sec-fetch-site": "cross-site", origin: "https://provider.example" };
      const sent = { method: "POST", headers };
      expect((await browser.send(({ session }) => session.get(), sent)).value).toEqual({});
      await browser.send(({ session }) => session.signIn({ user_id: 1 }), sent);
      expect(await browser.data()).toEqual({ user_id: 1 });
    });

    test("is let in where the guard is told so, by its origin and by exempt", async () => {
      const origin = "https://admin.shop.example";
      const headers = { "sec-fetch-site": "same-site", origin };
      const get: Handler = ({ session }) => session.get();
      for (const guard of [{ origins: [origin] }, { exempt: () => true }]) {
        const app = await start({ guard });
        const browser = await user(app);
        const { value } = await browser.send(get, { method: "POST", headers });
        expect(value, JSON.stringify(guard)).toEqual({ user_id: 1 });
      }
      const others = await start({ guard: { origins: ["https://other.example"] } });
      const browser = await user(others);
      expect((await browser.send(get, { method: "POST", headers })).status).toBe(403);
    });

    test("is told nothing, and the developer what to do", async () => {
      const app = await start();
      const browser = await user(app);
      const headers = { "sec-fetch-site": "cross-site" };
      const { error } = await browser.send(({ session }) => session.get(), {
        method: "POST",
        headers,
      });
      expect(error).toMatchObject({
        status: 403,
        message: "This request came from another site and was refused.",
        hint: expect.stringMatching(/csrfGuard.*origins.*exempt/),
      });
    });

    test("is as good as any other where the session is by a bearer header", async () => {
      const app = await start({ carriers: ["bearer", "cookie"] });
      const { token } = await app.sessions.create({ user_id: 1 });
      const headers = { authorization: `Bearer ${token}`, "sec-fetch-site": "cross-site" };
      const answer = await app.browser().send(({ session }) => session.get(), {
        method: "POST",
        headers,
      });
      expect(answer.value).toEqual({ user_id: 1 });
    });
  });
}
