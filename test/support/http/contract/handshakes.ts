import { describe, expect, test } from "vitest";
import type { AppOptions, TestApp } from "../app.ts";
import type { Start } from "./contract.ts";

const HANDSHAKE = { upgrade: "websocket", connection: "Upgrade", host: "shop.example" };
const EVIL = "https://evil.shop.example";

/** What a request with these headers is answered. */
async function readStatus(app: TestApp, headers: Record<string, string>, method = "GET") {
  const { status, error } = await app.browser().send(() => "done", { method, headers });
  expect(error).toBeUndefined();
  return status;
}

export function handshakes(start: Start): void {
  const guarded = (options: AppOptions = {}) => start({ guard: {}, ...options });

  describe("the CSRF guard, for a WebSocket's handshake,", () => {
    test("compares Origin as for a POST", async () => {
      const app = await guarded();
      for (const upgrade of ["websocket", "WebSocket", "WEBSOCKET"]) {
        const handshake = { ...HANDSHAKE, upgrade };
        for (const [headers, status] of [
          [{ origin: "http://shop.example" }, 200],
          [{ origin: "https://shop.example" }, 200],
          [{ origin: EVIL }, 403],
          [{ origin: "null" }, 403],
          [{ "sec-fetch-site": "same-site" }, 403],
          [{ "sec-fetch-site": "same-site", origin: "https://shop.example" }, 403],
          [{ "sec-fetch-site": "same-origin", origin: EVIL }, 200],
          [{}, 200],
        ] as const) {
          expect(await readStatus(app, { ...handshake, ...headers }), JSON.stringify(headers)).toBe(
            status,
          );
        }
      }
    });

    test("goes by its list of origins, and by exempt", async () => {
      const listed = await guarded({ guard: { origins: [EVIL] } });
      expect(await readStatus(listed, { ...HANDSHAKE, origin: EVIL })).toBe(200);
      const exempt = await guarded({ guard: { exempt: () => true } });
      expect(await readStatus(exempt, { ...HANDSHAKE, origin: EVIL })).toBe(200);
    });

    test("lets other upgrades, and no upgrade, pass as GET passes", async () => {
      const app = await guarded();
      for (const upgrade of ["h2c", "", "websockets"]) {
        expect(await readStatus(app, { ...HANDSHAKE, upgrade, origin: EVIL })).toBe(200);
      }
    });
  });

  describe("the CSRF guard, for an app,", () => {
    const APPS = [
      "capacitor://localhost",
      "ionic://localhost",
      "tauri://localhost",
      "app://obsidian.md",
      "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
      "moz-extension://0f4b8a56-5f4f-4ba1-8f4e-0f4b8a565f4f",
      "app://localhost:8080",
      "app://com.example.Shop",
    ];

    test("takes origins of any scheme, compared as text", async () => {
      for (const origin of APPS) {
        const app = await guarded({ guard: { origins: [origin] } });
        expect(await readStatus(app, { origin }, "POST")).toBe(200);
        for (const other of [
          `${origin}.evil`,
          `${origin}/`,
          origin.toUpperCase(),
          origin.replace("://", "s://"),
          `https://${origin.split("://")[1]}`,
        ]) {
          expect(await readStatus(app, { origin: other }, "POST"), other).toBe(403);
        }
      }
    });

    test("refuses them where they are not on its list, whatever the host is", async () => {
      const app = await guarded();
      for (const origin of APPS) {
        const [, host = ""] = origin.split("://");
        expect(await readStatus(app, { origin, host }, "POST")).toBe(403);
      }
    });
  });

  describe("the CSRF guard's exempt", () => {
    const foreign = { origin: EVIL, "sec-fetch-site": "cross-site" };

    test("lets in what it is true for, and that has its session", async () => {
      const app = await guarded({ guard: { exempt: () => true } });
      const browser = await app.visitor({ user_id: 1 });
      const { value } = await browser.send(({ session }) => session.get(), {
        method: "POST",
        headers: foreign,
      });
      expect(value).toEqual({ user_id: 1 });
    });

    test("changes nothing where it is false", async () => {
      const app = await guarded({ guard: { exempt: () => false } });
      expect(await readStatus(app, foreign, "POST")).toBe(403);
      expect(await readStatus(app, {}, "POST")).toBe(200);
    });

    test("lets nobody in where it gives a promise, or another value that is true to some", async () => {
      for (const answer of [
        Promise.resolve(false),
        Promise.resolve(true),
        "yes",
        1,
        {},
        undefined,
      ]) {
        const app = await guarded({ guard: { exempt: () => answer as boolean } });
        expect(await readStatus(app, foreign, "POST")).toBe(500);
        expect(app.errors[0]).toMatchObject({ code: "ERR_SESSION_CONFIG" });
      }
    });
  });
}
