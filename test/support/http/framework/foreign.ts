/* Pages of other origins where no guard stands before the routes, and handshakes of WebSockets. */
import { expect } from "vitest";
import type { Browser, Handler, TestApp } from "../app.ts";
import type { Framework } from "./cases.ts";

const EVIL = "https://evil.shop.example";
const get: Handler = ({ session }) => session.get();

async function user(app: TestApp): Promise<Browser> {
  const browser = app.browser();
  await browser.send(({ session }) => session.signIn({ user_id: 1 }));
  return browser;
}

export function foreignPages({ describe, test, start }: Framework): void {
  describe("a page of another origin", () => {
    test("gets nothing by any method that may change something, nor by a handshake", async () => {
      const app = await start();
      const browser = await user(app);
      const operations = await app.recordOperations(async () => {
        for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
          const foreign = { method, headers: { "sec-fetch-site": "same-site" } };
          const { status, error, setCookies } = await browser.send(get, foreign);
          expect([status, setCookies], method).toEqual([403, []]);
          expect(error).toMatchObject({ code: "ERR_CSRF" });
        }
        const handshake = { upgrade: "websocket", "sec-fetch-site": "cross-site" };
        expect((await browser.send(get, { headers: handshake })).status).toBe(403);
      });
      expect(operations).toEqual([]);
    });

    test("leads to the session by a link, and so do its own pages and programs", async () => {
      const app = await start();
      const browser = await user(app);
      for (const [method, headers] of [
        ["GET", { "sec-fetch-site": "cross-site" }],
        ["POST", { "sec-fetch-site": "same-origin" }],
        ["POST", {}],
      ] as const) {
        const { value } = await browser.send(get, { method, headers });
        expect(value, `${method} ${JSON.stringify(headers)}`).toEqual({ user_id: 1 });
      }
    });

    test("is let in where the guard is told so, by its origin and by exempt", async () => {
      const origin = "https://admin.shop.example";
      const headers = { "sec-fetch-site": "same-site", origin };
      for (const guard of [{ origins: [origin] }, { exempt: () => true }]) {
        const app = await start({ guard });
        const browser = await user(app);
        const { value } = await browser.send(get, { method: "POST", headers });
        expect(value, JSON.stringify(guard)).toEqual({ user_id: 1 });
      }
    });
  });
}

export function handshakes({ describe, test, start }: Framework): void {
  describe("the CSRF guard, for a WebSocket's handshake,", () => {
    test("compares Origin as for a POST, and lets other upgrades pass", async () => {
      const app = await start({ guard: {} });
      const handshake = { connection: "Upgrade", host: "shop.example" };
      for (const [upgrade, headers, wanted] of [
        ["websocket", { origin: "http://shop.example" }, 200],
        ["WebSocket", { origin: EVIL }, 403],
        ["websocket", { "sec-fetch-site": "same-site" }, 403],
        ["websocket", { "sec-fetch-site": "same-origin", origin: EVIL }, 200],
        ["websocket", {}, 200],
        ["h2c", { origin: EVIL }, 200],
      ] as const) {
        const sent = { headers: { ...handshake, upgrade, ...headers } };
        const { status } = await app.browser().send(() => "done", sent);
        expect(status, JSON.stringify({ upgrade, ...headers })).toBe(wanted);
      }
    });
  });
}
